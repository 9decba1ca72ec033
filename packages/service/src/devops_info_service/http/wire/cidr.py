"""Addresses as bytes, networks as bits, and the one text form of an address."""

import socket
from typing import Final

import msgspec

_MAPPED: Final = b"\0" * 10 + b"\xff\xff"
_MAPPED_BITS: Final = len(_MAPPED) * 8
_IPV4_BYTES: Final = 4
_IPV4_BITS: Final = 32
_IPV6_BITS: Final = 128
_MAX_DIGITS: Final = len(str(_IPV6_BITS))


class Cidr(msgspec.Struct, frozen=True):
    """Addresses whose first bits are the same.

    Not ``ipaddress``: two shifts are no reason to import 2,000 lines.
    """

    packed: bytes
    """4 bytes or 16; the bits behind the common ones are zero."""
    prefix: int
    """Number of common bits."""

    @classmethod
    def parse(cls, text: str) -> "Cidr":
        """Parse ``10.0.0.0/8`` or a single address.

        Raises:
            ValueError: neither, or an address with bits behind its prefix, such as 10.0.0.1/8.
        """
        start, slash, bits = text.partition("/")
        packed = packed_address(start)
        size = len(packed) * 8
        if ":" in start and size == _IPV4_BITS:
            # ::ffff:10.0.0.0/104 is 10.0.0.0/8.
            prefix = _number(bits, _MAPPED_BITS, _IPV6_BITS) - _MAPPED_BITS if slash else size
        else:
            prefix = _number(bits, 0, size) if slash else size
        if int.from_bytes(packed, "big") % (1 << (size - prefix)):
            # A host and a network at once: the operator is to choose.
            raise ValueError(text)
        return cls(packed, prefix)

    def contains(self, packed: bytes) -> bool:
        """Return whether *packed* is an address of this network."""
        if len(packed) != len(self.packed):
            return False
        differ = int.from_bytes(packed, "big") ^ int.from_bytes(self.packed, "big")
        return differ >> (len(packed) * 8 - self.prefix) == 0


def packed_address(text: str) -> bytes:
    """Return the bytes of a numeric address, an IPv4 one as IPv4 however it is written.

    Raises:
        ValueError: not a numeric address.
    """
    try:
        packed = socket.inet_pton(socket.AF_INET6 if ":" in text else socket.AF_INET, text)
    except OSError:
        raise ValueError(text) from None
    return _unmap(packed)


def format_address(packed: bytes) -> str:
    """Return an address as RFC 5952 writes it, an IPv4 one always as IPv4."""
    packed = _unmap(packed)
    family = socket.AF_INET if len(packed) == _IPV4_BYTES else socket.AF_INET6
    return socket.inet_ntop(family, packed)


def normalize(text: str) -> str:
    """Return the one form of a numeric address; the interface of a link-local one stays.

    Raises:
        ValueError: not a numeric address.
    """
    start, percent, interface = text.partition("%")
    return format_address(packed_address(start)) + percent + interface


def _unmap(packed: bytes) -> bytes:
    # RFC 4291, section 2.5.5.2.
    if len(packed) > _IPV4_BYTES and packed.startswith(_MAPPED):
        return packed[len(_MAPPED) :]
    return packed


def _number(text: str, low: int, high: int) -> int:
    # int() alone would take "+1", "1_000", " 1 " and Arabic digits.
    if len(text) > _MAX_DIGITS or not (text.isascii() and text.isdigit()):
        raise ValueError(text)
    if not low <= int(text) <= high:
        raise ValueError(text)
    return int(text)
