"""The PROXY protocol, versions 1 and 2: bytes in, the true client out; no socket, no clock.

If it is on, every connection must begin with a header; others are cut off, and not a byte of
theirs is read as HTTP. A header is never optional: clients could then forge one.

Source: HAProxy, doc/proxy-protocol.txt, sections 2.1 and 2.2.
"""

import socket
from typing import Final

from devops_info_service.http.errors import RejectedError

from .cidr import format_address
from .message import Client

MAX_V1_BYTES: Final = 107
"""The longest line, its end included; the specification's number."""

MAX_V2_BYTES: Final = 4096
"""Addresses (216 bytes at the most) and extensions after the first 16 bytes. Balancers send
some 100; names of a client's certificate are the longest there are. HAProxy reads 16 KiB."""

_V1: Final = b"PROXY "
_V2: Final = b"\r\n\r\n\x00\r\nQUIT\n"
_V2_START: Final = 16
_MAX_PORT: Final = 65535
_LOCAL: Final = 0x20
_PROXY: Final = 0x21
_TCP4: Final = 0x11
_TCP6: Final = 0x21
_NAMELESS: Final = frozenset({0x00, 0x31})
"""Unspecified, and sockets of Unix: they have no address."""
_SIZES: Final = {_TCP4: 4, _TCP6: 16}
_FAMILIES: Final = {
    b"TCP4": socket.AF_INET,
    b"TCP6": socket.AF_INET6,
}


class ProxyHeader:
    """The header of one connection."""

    __slots__ = ("_held", "client")

    def __init__(self) -> None:
        self._held = b""
        self.client: Client | None = None
        """The client behind the proxy; None: the proxy itself, or it is not named."""

    def receive(self, data: bytes) -> int | None:
        """Take *data*; return how much of it was header once that is complete, None before.

        Raises:
            RejectedError: not a header. Cut the connection off, without a response.
        """
        before = len(self._held)
        self._held += data
        held = self._held
        if held[: len(_V2)] == _V2[: len(held)]:
            end = self._version_2(held)
        elif held[: len(_V1)] == _V1[: len(held)]:
            end = self._version_1(held)
        else:
            raise _rejection("missing")
        return None if end is None else end - before

    def _version_1(self, held: bytes) -> int | None:
        end = held.find(b"\r\n", 0, MAX_V1_BYTES)
        if end < 0:
            if len(held) >= MAX_V1_BYTES:
                raise _rejection(f"a line over {MAX_V1_BYTES} bytes")
            return None
        fields = held[len(_V1) : end].split(b" ")
        if fields[0] != b"UNKNOWN":
            self.client = _parse_client(fields)
        return end + 2

    def _version_2(self, held: bytes) -> int | None:
        if len(held) < _V2_START:
            return None
        command, family = held[12], held[13]
        length = int.from_bytes(held[14:16], "big")
        if command not in {_LOCAL, _PROXY}:
            raise _rejection(f"version and command {command:#x}")
        if length > MAX_V2_BYTES:
            raise _rejection(f"more than {MAX_V2_BYTES} bytes")
        if len(held) < _V2_START + length:
            return None
        if command == _PROXY and family not in _NAMELESS:
            size = _SIZES.get(family)
            if size is None or length < 2 * size + 4:
                raise _rejection(f"family {family:#x} with {length} bytes")
            source = held[_V2_START : _V2_START + size]
            port = held[_V2_START + 2 * size :][:2]
            self.client = Client(format_address(source), int.from_bytes(port, "big"))
        return _V2_START + length


def _parse_client(fields: list[bytes]) -> Client:
    try:
        family, source, destination, source_port, destination_port = fields
        kind = _FAMILIES[family]
        address = format_address(socket.inet_pton(kind, source.decode("ascii")))
        socket.inet_pton(kind, destination.decode("ascii"))
        _port(destination_port)
        return Client(address, _port(source_port))
    except (KeyError, OSError, ValueError):
        raise _rejection("a line that is not of its form") from None


def _port(text: bytes) -> int:
    # No sign, no blank, no zero before a digit.
    if not text.isdigit() or int(text[:6]) > _MAX_PORT or text != b"%d" % int(text[:6]):
        raise ValueError(text)
    return int(text)


def _rejection(reason: str) -> RejectedError:
    return RejectedError(f"not a PROXY header: {reason}")
