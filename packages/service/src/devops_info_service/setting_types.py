"""Text of a flag or a variable in, its value out: ValueError for anything that is not allowed.

What is allowed beside the kinds of value here, ``config`` says with each setting.
"""

import socket
from typing import Final

import msgspec

_TRUE: Final = frozenset({"1", "true", "yes", "on"})
_LABEL: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-_")
MAX_LABEL: Final = 63
MAX_HOST_NAME: Final = 253
"""RFC 1035, section 2.3.4; without the dot at its end."""
_FALSE: Final = frozenset({"0", "false", "no", "off"})
_MAPPED: Final = b"\0" * 10 + b"\xff\xff"
_MAPPED_BITS: Final = len(_MAPPED) * 8
_IPV4_BITS: Final = 32


class Network(msgspec.Struct, frozen=True):
    """Addresses that have their first bits in common.

    Not ``ipaddress``: two shifts are no reason to import 2,000 lines.
    """

    packed: bytes
    """4 bytes or 16; those after the common ones are zero."""
    prefix: int
    """How many bits are common."""

    @classmethod
    def parse(cls, text: str) -> "Network":
        """Take ``10.0.0.0/8`` or a single address; ValueError for anything else."""
        start, slash, bits = text.partition("/")
        packed = packed_address(start)
        size = len(packed) * 8
        if ":" in start and size == _IPV4_BITS:
            # ::ffff:10.0.0.0/104 is 10.0.0.0/8.
            prefix = number(bits, _MAPPED_BITS, 128) - _MAPPED_BITS if slash else size
        else:
            prefix = number(bits, 0, size) if slash else size
        network = cls(packed, prefix)
        if int.from_bytes(packed, "big") % (1 << (size - prefix)):
            # 10.0.0.1/8 says more than one thing: whoever wrote it shall choose.
            raise ValueError(text)
        return network

    def holds(self, packed: bytes) -> bool:
        """Whether the address is one of ours."""
        if len(packed) != len(self.packed):
            return False
        differ = int.from_bytes(packed, "big") ^ int.from_bytes(self.packed, "big")
        return differ >> (len(packed) * 8 - self.prefix) == 0


class HostPattern(msgspec.Struct, frozen=True):
    """A host by its name, all hosts below a name, or an address however it is written."""

    name: str = ""
    """In lower case, without a dot at its end; empty for an address."""
    below: str = ""
    """A dot and the name that others are below."""
    packed: bytes = b""

    @classmethod
    def parse(cls, text: str) -> "HostPattern":
        """Take ``example.org``, ``*.example.org``, ``192.0.2.7``, ``::1`` or ``[::1]``."""
        plain = text.lower().removesuffix(".")
        inner = plain[1:-1] if plain.startswith("[") and plain.endswith("]") else plain
        if ":" in inner or inner.replace(".", "").isdigit():
            return cls(packed=packed_address(inner))
        name = plain.removeprefix("*.")
        if not _is_host_name(name):
            raise ValueError(text)
        return cls(name=name) if name == plain else cls(below="." + name)

    def matches(self, name: str, packed: bytes | None) -> bool:
        """Whether a host is meant; *packed* is its address, if its *name* is one."""
        if packed is not None:
            return packed == self.packed
        return bool(name) and (name == self.name or bool(self.below and name.endswith(self.below)))


def _is_host_name(name: str) -> bool:
    # RFC 1123, section 2.1, and the underscore that Compose's service names have.
    labels = name.split(".")
    return len(name) <= MAX_HOST_NAME and all(
        0 < len(label) <= MAX_LABEL and not set(label) - _LABEL and label.strip("-") == label
        for label in labels
    )


def hosts(text: str) -> tuple[HostPattern, ...]:
    """Take a list of hosts, separated by commas."""
    return tuple(HostPattern.parse(part.strip(" ")) for part in text.split(","))


def packed_address(text: str) -> bytes:
    """Return the bytes of a numeric address, an IPv4 one as IPv4 however it is written.

    Raises:
        ValueError: it is none.
    """
    try:
        packed = socket.inet_pton(socket.AF_INET6 if ":" in text else socket.AF_INET, text)
    except OSError:
        raise ValueError(text) from None
    return unmapped(packed)


def unmapped(packed: bytes) -> bytes:
    """Return *packed*, an IPv4 address as IPv4 (RFC 4291, section 2.5.5.2)."""
    return packed[len(_MAPPED) :] if packed.startswith(_MAPPED) and len(packed) > 4 else packed  # noqa: PLR2004


def humanize(packed: bytes) -> str:
    """Return the one spelling that an address has here (RFC 5952), an IPv4 one always as IPv4."""
    packed = unmapped(packed)
    family = socket.AF_INET if len(packed) * 8 == _IPV4_BITS else socket.AF_INET6
    return socket.inet_ntop(family, packed)


def normalize(text: str) -> str:
    """Return the one spelling of a numeric address; behind a link-local one stays its interface.

    Raises:
        ValueError: it is none.
    """
    start, percent, interface = text.partition("%")
    return humanize(packed_address(start)) + percent + interface


def address(text: str) -> str:
    """Take a numeric address or ``localhost``. Names would need a resolver."""
    if text == "localhost":
        return "127.0.0.1"
    # By value: "0:0:0:0:0:0:0:0" is "::", which listens for both families. Without an interface:
    # a link-local address is no place for a service that others are to find.
    return humanize(packed_address(text))


def switch(text: str) -> bool:
    """Take a word for yes or no."""
    word = text.lower()
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    raise ValueError(text)


def networks(text: str) -> tuple[Network, ...]:
    """Take a list of networks, separated by commas."""
    return tuple(Network.parse(part.strip(" ")) for part in text.split(","))


def names(text: str) -> tuple[str, ...]:
    """Take a list of variables' names, separated by commas."""
    found = tuple(part.strip(" ") for part in text.split(","))
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
    # int() alone would take "+1", "1_000", " 1 " and Arabic digits.
    if not (text.isascii() and text.isdigit() and low <= int(text[:20]) <= high):
        raise ValueError(text)
    return int(text)
