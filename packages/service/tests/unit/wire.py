"""A connection with a transport in memory, for tests that play the peer."""

import asyncio
import re
from typing import Any, Final

from devops_info_service.config import Limits
from devops_info_service.http.message import Client
from devops_info_service.http.protocol import Connection
from devops_info_service.http.shared import Shared

GET: Final = b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n"
POST: Final = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n"
LIMITS: Final = Limits(
    idle_seconds=7,
    head_seconds=3,
    body_seconds=4,
    write_seconds=5,
    max_connections=2,
    probe_connections=1,
    max_requests_per_connection=30,
)

Refusals = list[tuple[Client, int, str]]


class FakeTransport(asyncio.Transport):
    """Takes what is written; calls nothing back by itself."""

    def __init__(self, peer: tuple[Any, ...] | None = ("192.0.2.7", 4242)) -> None:
        super().__init__({"peername": peer})
        self.writes: list[bytes] = []
        self.unsent = 0
        self.reading = True
        self.events: list[str] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.writes.append(bytes(data))

    def get_write_buffer_size(self) -> int:
        return self.unsent

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def write_eof(self) -> None:
        self.events.append("eof")

    def close(self) -> None:
        self.events.append("close")

    def abort(self) -> None:
        self.events.append("abort")


class Peer:
    """A connection, its transport and what it was refused for."""

    kind: type[Connection] = Connection

    def __init__(self, shared: Shared, peer: tuple[Any, ...] | None = ("192.0.2.7", 1)) -> None:
        self.transport = FakeTransport(peer)
        self.connection = self.kind(shared)
        self.connection.connection_made(self.transport)

    def send(self, data: bytes) -> None:
        """Let *data* arrive in one read."""
        self.connection.get_buffer(-1)[: len(data)] = data
        self.connection.buffer_updated(len(data))

    @property
    def said(self) -> bytes:
        """Everything written."""
        return b"".join(self.transport.writes)

    @property
    def statuses(self) -> list[int]:
        """The status of each answer, in order."""
        return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", self.said)]


def pass_seconds(shared: Shared, seconds: int) -> None:
    """Let so many seconds pass."""
    for _ in range(seconds):
        shared.sweep()
