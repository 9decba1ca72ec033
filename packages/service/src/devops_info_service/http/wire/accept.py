"""The ``Accept`` field: media ranges, and how much a client wants a type.

Source: RFC 9110, sections 5.6.6 (parameters), 12.4.2 (weights) and 12.5.1 (Accept).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import msgspec

MAX_ACCEPT_BYTES: Final = 1024
"""A longer field counts as not sent: browsers and scrapers send 100 to 300 bytes, and 16 KiB of
commas took 20 ms to read, which delays every other request."""

MAX_WEIGHT: Final = 1000
"""Weights are in thousandths: RFC 9110 allows three decimals."""

_DECIMALS: Final = 3


class MediaRange(msgspec.Struct, frozen=True):
    """One element of the field, in lower case."""

    media: str
    """``text/html``, ``text/*`` or ``*/*``."""
    parameters: Mapping[str, str]
    """Those before the weight, without quotes."""
    weight: int
    """Thousandths, 0 to 1000; 0 is "not acceptable"."""


def parse(value: bytes) -> tuple[MediaRange, ...]:
    """Return the ranges of *value*; one without a valid weight counts as not sent."""
    if len(value) > MAX_ACCEPT_BYTES:
        return ()
    parts = _split(value.decode("latin-1").lower(), ",")
    return tuple(found for part in parts if (found := _range(part)) is not None)


def quality(ranges: Sequence[MediaRange], media: str) -> int:
    """Return how much *ranges* want *media*, in thousandths; the most specific range decides.

    A range with a parameter is for another type, unless it is ``charset=utf-8``, which every text
    of the service has.
    """
    best = (-1, 0)
    for each in ranges:
        if not _covers(each.media, media):
            continue
        if not each.parameters:
            best = max(best, (2 - each.media.count("*"), each.weight))
        elif each.parameters == {"charset": "utf-8"}:
            best = max(best, (3 - each.media.count("*"), each.weight))
    return best[1]


def _covers(media_range: str, media: str) -> bool:
    return media_range in {media, "*/*", f"{media.partition('/')[0]}/*"}


def _range(text: str) -> MediaRange | None:
    media, *parts = (part.strip(" \t") for part in _split(text, ";"))
    parameters: dict[str, str] = {}
    weight = MAX_WEIGHT
    # RFC 9110, section 5.6.6: a parameter may be empty.
    for part in filter(None, parts):
        name, _, value = part.partition("=")
        if name == "q":
            weight = _weight(value)
            # What follows is not of the type (RFC 7231, section 5.3.2: accept-ext).
            break
        parameters[name] = value.strip('"')
    return MediaRange(media, parameters, weight) if weight >= 0 else None


def _weight(text: str) -> int:
    """Return thousandths, or -1 for an invalid weight.

    ``.5`` is valid here, and not in RFC 9110: scrapers send it, and it has one meaning.
    """
    whole, _, decimals = text.partition(".")
    digits = (whole or "0" if decimals else whole) + decimals.ljust(_DECIMALS, "0")
    if len(digits) != 1 + _DECIMALS or not (digits.isascii() and digits.isdigit()):
        return -1
    thousandths = int(digits)
    return thousandths if thousandths <= MAX_WEIGHT else -1


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
