"""Host names: the value of a Host field, the authority of a URL, and patterns of allowed hosts."""

from typing import Final

import msgspec

from .cidr import packed_address

# RFC 3986, section 3.2.2: the bytes of a host's name, except the comma: a repeated Host field is
# joined with one. An address in brackets and a port need three more.
_NAME_BYTES: Final = (
    b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~!$&'()*+;=%"
)
_HOST_BYTES: Final = _NAME_BYTES + b"[]:"

_LABEL: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-_")
MAX_LABEL: Final = 63
MAX_HOST_NAME: Final = 253
"""Bytes, without a dot at the end (RFC 1035, section 2.3.4)."""


def is_authority(host: bytes) -> bool:
    """Return whether *host* is a host with or without a port (RFC 3986, section 3.2)."""
    if host.translate(None, _HOST_BYTES):
        return False
    name, colon, port = host.rpartition(b":")
    if host.endswith(b"]") or not colon:
        name, port = host, b""
    if port and not port.isdigit():
        return False
    if name[:1] == b"[":
        return name[-1:] == b"]" and b"[" not in name[1:] and b"]" not in name[:-1]
    return not name.translate(None, _NAME_BYTES)


class HostPattern(msgspec.Struct, frozen=True):
    """A host by its name, all hosts below a name, or an address in any notation."""

    name: str = ""
    """In lower case, without a dot at its end; empty for an address."""
    below: str = ""
    """A dot and the name of the parent domain."""
    packed: bytes = b""

    @classmethod
    def parse(cls, text: str) -> "HostPattern":
        """Parse ``example.org``, ``*.example.org``, ``192.0.2.7``, ``::1`` or ``[::1]``.

        Raises:
            ValueError: none of these.
        """
        plain = text.lower().removesuffix(".")
        inner = plain[1:-1] if plain.startswith("[") and plain.endswith("]") else plain
        if ":" in inner or inner.replace(".", "").isdigit():
            return cls(packed=packed_address(inner))
        name = plain.removeprefix("*.")
        if not _is_host_name(name):
            raise ValueError(text)
        return cls(name=name) if name == plain else cls(below="." + name)

    def matches(self, name: str, packed: bytes | None) -> bool:
        """Return whether a host matches; *packed* is its address, if its *name* is one."""
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
