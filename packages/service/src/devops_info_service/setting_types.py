"""Text of a flag or a variable in, its value out: ValueError for an invalid text.

``config`` states further limits with each setting.
"""

from typing import Final

from .http import Cidr, HostPattern
from .http.wire.cidr import format_address, packed_address

_TRUE: Final = frozenset({"1", "true", "yes", "on"})
_FALSE: Final = frozenset({"0", "false", "no", "off"})


MAX_DIGITS: Final = 20
"""Digits of a number, as many as 64 bits have."""


def hosts(text: str) -> tuple[HostPattern, ...]:
    """Take a list of hosts, separated by commas."""
    return tuple([HostPattern.parse(part.strip(" ")) for part in text.split(",")])


def address(text: str) -> str:
    """Take a numeric address or ``localhost``. Names would need a resolver."""
    if text == "localhost":
        return "127.0.0.1"
    # By value: "0:0:0:0:0:0:0:0" is "::", which listens for both families. Without an interface:
    # a link-local address is of no use to a service that others are to find.
    return format_address(packed_address(text))


def boolean(text: str) -> bool:
    """Take a word for yes or no."""
    word = text.lower()
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    raise ValueError(text)


def networks(text: str) -> tuple[Cidr, ...]:
    """Take a list of networks, separated by commas."""
    return tuple([Cidr.parse(part.strip(" ")) for part in text.split(",")])


def names(text: str) -> tuple[str, ...]:
    """Take a list of variables' names, separated by commas."""
    found = tuple([part.strip(" ") for part in text.split(",")])
    if not all(name.isprintable() and name and not {"=", " "} & set(name) for name in found):
        raise ValueError(text)
    return found


def path(text: str) -> str:
    """Take an absolute path."""
    if not text.startswith("/") or "\0" in text:
        raise ValueError(text)
    return text


def number(text: str, low: int, high: int) -> int:
    """Take plain digits, from *low* to *high*."""
    # int() alone would take "+1", "1_000", " 1 " and Arabic digits; and refuse 5,000 digits.
    if not (text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS):
        raise ValueError(text)
    if not low <= int(text) <= high:
        raise ValueError(text)
    return int(text)
