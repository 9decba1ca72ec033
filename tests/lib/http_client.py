"""A client of HTTP/1.1: bytes out, whole responses in, an error for any other bytes."""

import contextlib
import json
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Self

TIMEOUT_SECONDS: Final = 60
"""For one response; it only ends a test that would hang, on a machine with other work."""

GET: Final = b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n"
HALF: Final = GET[:10]
"""A request that has begun: it keeps a process from ending."""

REST: Final = GET[10:]

_READ_BYTES: Final = 256 * 1024
_LONGEST_HEAD: Final = 64 * 1024
_IP_BIND_ADDRESS_NO_PORT: Final = 24
"""ip(7); Python 3.11 has no name for it. The port is chosen when the peer is known, so one that
another peer's connection has just left is free again."""

_NO_BODY: Final = frozenset({100, 204, 304})
"""RFC 9112, section 6.3; interim responses have none either."""


class ProtocolError(Exception):
    """The other end sent bytes that HTTP/1.1 does not allow: one line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """One response."""

    status: int
    reason: str
    fields: tuple[tuple[str, str], ...]
    """Names in lower case, in the order of the head."""
    body: bytes

    def field(self, name: str) -> str | None:
        """Return the first value of field *name*, written in lower case."""
        return next((value for known, value in self.fields if known == name), None)

    @property
    def closes(self) -> bool:
        """Whether it has ``Connection: close``."""
        return self.field("connection") == "close"

    @property
    def json(self) -> Any:
        """The body, decoded."""
        return json.loads(self.body)


class Connection:
    """A connection that is read response by response."""

    def __init__(self, port: int, host: str = "127.0.0.1", *, source: str | None = None) -> None:
        """Connect from *source*, one of 127.0.0.0/8: each has its own ports."""
        self._data = b""
        self.socket = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        """For options, and for writing without waiting."""
        self.socket.settimeout(TIMEOUT_SECONDS)
        # One write is one packet, as it is with every client that is in a hurry.
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            if source is not None:
                self.socket.setsockopt(socket.IPPROTO_IP, _IP_BIND_ADDRESS_NO_PORT, 1)
                self.socket.bind((source, 0))
            self.socket.connect((host, port))
        except OSError:
            self.socket.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def local_port(self) -> int:
        """The port of this end."""
        port: int = self.socket.getsockname()[1]
        return port

    def send(self, data: bytes) -> None:
        """Write all of *data*."""
        self.socket.sendall(data)

    def read(self, *, head_only: bool = False) -> Response:
        """Return the next response; *head_only* is one to HEAD.

        Raises:
            ProtocolError: the bytes ended before their end, or are not a response.
        """
        while (end := self._data.find(b"\r\n\r\n")) < 0:
            if len(self._data) > _LONGEST_HEAD:
                raise ProtocolError("a head without an end")
            self._receive()
        head, self._data = self._data[:end], self._data[end + 4 :]
        status, reason, fields = _parse(head)
        length = 0
        if not head_only and status not in _NO_BODY:
            length = int(next(value for name, value in fields if name == "content-length"))
        while len(self._data) < length:
            self._receive()
        body, self._data = self._data[:length], self._data[length:]
        return Response(status=status, reason=reason, fields=fields, body=body)

    def request(self, data: bytes = GET) -> Response:
        """Send one request and return its response."""
        self.send(data)
        return self.read(head_only=data.startswith(b"HEAD "))

    def read_rest(self) -> Iterator[Response]:
        """Yield each response until the other end closes."""
        while self._data or self._has_more():
            yield self.read()

    def expect_end(self) -> None:
        """Wait until the other end closes.

        Raises:
            ProtocolError: it sends bytes first.
        """
        if self._data or self._has_more():
            raise ProtocolError(f"bytes after the last response: {self._data[:40]!r}")

    def finish_sending(self) -> None:
        """Close the sending half; responses still arrive."""
        self.socket.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        """Close with RST, as a killed process with unread data does."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def close(self) -> None:
        """Close both halves."""
        self.socket.close()

    def _has_more(self) -> bool:
        # Bytes that the other end left unread may make its kernel reset the connection.
        with contextlib.suppress(ConnectionResetError):
            self._data += self.socket.recv(_READ_BYTES)
        return bool(self._data)

    def _receive(self) -> None:
        piece = self.socket.recv(_READ_BYTES)
        if not piece:
            raise ProtocolError(
                f"it closed after {self._data[:40]!r}" if self._data else "it closed"
            )
        self._data += piece


def request(path: str, *fields: str, method: str = "GET", host: str = "localhost") -> bytes:
    """Write a request without a body; *fields* are lines of its head."""
    return "\r\n".join([f"{method} {path} HTTP/1.1", f"Host: {host}", *fields, "", ""]).encode()


def get(
    port: int, path: str, *fields: str, method: str = "GET", host: str = "127.0.0.1"
) -> Response:
    """Send one request over a new connection to *host* and return the response."""
    with Connection(port, host) as connection:
        return connection.request(request(path, "Connection: close", *fields, method=method))


def _parse(head: bytes) -> tuple[int, str, tuple[tuple[str, str], ...]]:
    first, *rest = head.decode("latin-1").split("\r\n")
    version, _, line = first.partition(" ")
    status, _, reason = line.partition(" ")
    if version != "HTTP/1.1" or not (len(status) == 3 and status.isdecimal()):
        raise ProtocolError(f"not a status line: {first[:40]!r}")
    pairs = (line.partition(":") for line in rest)
    return int(status), reason, tuple((name.lower(), value.strip()) for name, _, value in pairs)
