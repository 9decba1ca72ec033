"""The client's end of a connection: bytes out, responses in, an error for any other bytes."""

import socket
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Self

PATIENCE_SECONDS: Final = 20
"""For one response; a service under full load on one core needs a hundredth of it."""

_READ_BYTES: Final = 256 * 1024
_LONGEST_HEAD: Final = 64 * 1024
_IP_BIND_ADDRESS_NO_PORT: Final = 24
"""ip(7); Python 3.11 has no name for it. The port is chosen when the peer is known, so one that
another peer's connection has just left can be had."""

_NO_BODY: Final = frozenset({100, 204, 304})
"""RFC 9112, section 6.3; interim responses have none either."""


class TalkError(Exception):
    """The other end sent bytes that HTTP/1.1 does not allow: one line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """What came back."""

    status: int
    closes: bool
    """It has ``Connection: close``."""
    body: bytes


class Talk:
    """A connection that is read response by response."""

    def __init__(self, port: int, *, source: str = "127.0.0.1") -> None:
        """Connect from *source*, one of 127.0.0.0/8: each has ports of its own."""
        self._data = b""
        self._socket = socket.socket()
        self._socket.settimeout(PATIENCE_SECONDS)
        # One write is one packet, as it is with every client that is in a hurry.
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.setsockopt(socket.IPPROTO_IP, _IP_BIND_ADDRESS_NO_PORT, 1)
        try:
            self._socket.bind((source, 0))
            self._socket.connect(("127.0.0.1", port))
        except OSError:
            self._socket.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def send(self, data: bytes) -> None:
        """Write all of *data*."""
        self._socket.sendall(data)

    def read(self, *, head_only: bool = False) -> Response:
        """Return the next response; *head_only* is one to HEAD.

        Raises:
            TalkError: it ended before its end, or is none.
        """
        while (end := self._data.find(b"\r\n\r\n")) < 0:
            if len(self._data) > _LONGEST_HEAD:
                raise TalkError("a head without an end")
            self._more()
        head, self._data = self._data[:end], self._data[end + 4 :]
        status, fields = _parse(head)
        length = 0 if head_only or status in _NO_BODY else int(fields[b"content-length"])
        while len(self._data) < length:
            self._more()
        body, self._data = self._data[:length], self._data[length:]
        return Response(status=status, closes=fields.get(b"connection") == b"close", body=body)

    def expect_end(self) -> None:
        """Wait until the other end closes.

        Raises:
            TalkError: it sends bytes first.
        """
        # What we sent and it did not read may make its kernel reset the connection.
        try:
            more = self._data or self._socket.recv(_READ_BYTES)
        except ConnectionResetError:
            return
        if more:
            raise TalkError(f"bytes after the last response: {more[:40]!r}")

    def say_no_more(self) -> None:
        """Close the sending half; responses still arrive."""
        self._socket.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        """Leave as a process does that is killed with unread data: by RST."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._socket.close()

    def close(self) -> None:
        """Leave as one should."""
        self._socket.close()

    def _more(self) -> None:
        piece = self._socket.recv(_READ_BYTES)
        if not piece:
            raise TalkError(f"it closed after {self._data[:40]!r}" if self._data else "it closed")
        self._data += piece


def request(path: str, *, method: str = "GET", fields: Iterable[str] = ()) -> bytes:
    """Write a request without a body."""
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", *fields, "", ""]
    return "\r\n".join(lines).encode()


def _parse(head: bytes) -> tuple[int, dict[bytes, bytes]]:
    first, *rest = head.split(b"\r\n")
    if not first.startswith(b"HTTP/1.1 ") or not first[9:12].isdigit():
        raise TalkError(f"not a status line: {first[:40]!r}")
    fields = {}
    for line in rest:
        name, _, value = line.partition(b":")
        fields[name.lower()] = value.strip()
    return int(first[9:12]), fields
