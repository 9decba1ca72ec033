"""Which of two representations a client prefers: the page or the JSON.

Source: RFC 9110, sections 5.6.6 (parameters), 12.4.2 (weights) and 12.5.1 (Accept).
"""

from collections.abc import Iterator
from typing import Final

PAGE: Final = "text/html"
JSON: Final = "application/json"
_THOUSAND: Final = 1000
_DECIMALS: Final = 3
MAX_ACCEPT_BYTES: Final = 1024
"""A longer field counts as not sent: browsers and scrapers send 100 to 300 bytes, and 16 KiB of
commas took 20 ms to read, in which nobody else is answered."""
_UTF_8: Final = frozenset({"charset=utf-8", 'charset="utf-8"'})
"""The one parameter our representations have."""


def prefers_page(accept: bytes) -> bool:
    """Say whether *accept* wants HTML more than JSON; equally much is not more.

    A range that is not well-formed counts as not sent.
    """
    if len(accept) > MAX_ACCEPT_BYTES:
        return False
    # Wanted how much, by how exact a range: the most exact one decides.
    page = json = (-1, 0)
    for media, exactness, weight in _ranges(accept.decode("latin-1").lower()):
        if _holds(media, PAGE):
            page = max(page, (exactness, weight))
        if _holds(media, JSON):
            json = max(json, (exactness, weight))
    return page[1] > json[1]


def _holds(media: str, kind: str) -> bool:
    return media in {kind, "*/*"} or (
        media.endswith("/*") and media[:-1] == kind[: kind.index("/") + 1]
    )


def _ranges(accept: str) -> Iterator[tuple[str, int, int]]:
    """Give the range, its exactness and its weight in thousandths; of what could be ours."""
    for part in _split(accept, ","):
        media, *parameters = (each.strip(" \t") for each in _split(part, ";"))
        weight, exactness = _THOUSAND, 2 - media.count("*")
        for parameter in parameters:
            if parameter.startswith("q="):
                weight = _weight(parameter[2:])
                break
            # Any other one asks for something else than we have.
            exactness = exactness + 1 if parameter in _UTF_8 else -_THOUSAND
        if weight >= 0 and exactness >= 0:
            yield media, exactness, weight


def _weight(text: str) -> int:
    """Return thousandths, or -1 for what is no weight."""
    whole, _, decimals = text.partition(".")
    digits = decimals.ljust(_DECIMALS, "0")
    well_formed = whole in {"0", "1"} and digits.isdigit() and len(digits) == _DECIMALS
    if not (well_formed and text.isascii()):
        return -1
    thousandths = int(whole + digits)
    return thousandths if thousandths <= _THOUSAND else -1


def _split(text: str, separator: str) -> Iterator[str]:
    """Split outside of quoted strings."""
    start, quoted, escaped = 0, False, False
    for at, each in enumerate(text):
        if escaped:
            escaped = False
        elif quoted and each == "\\":
            escaped = True
        elif each == '"':
            quoted = not quoted
        elif each == separator and not quoted:
            yield text[start:at]
            start = at + 1
    yield text[start:]
