"""A connection with a socket in memory, for tests that play the peer."""

import re
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass
from select import EPOLLIN, EPOLLOUT
from typing import Any, Final, cast

from devops_info_service.http.connection.connection import Connection
from devops_info_service.http.connection.loop import Loop, OnReady, Timer
from devops_info_service.http.connection.request_stream import Preface, client_of
from devops_info_service.http.connection.server_state import ServerState
from devops_info_service.http.connection.stream import READ_BYTES
from devops_info_service.http.wire.fast_path import FastPathParser
from devops_info_service.http.wire.limits import Limits
from devops_info_service.http.wire.message import (
    Client,
    LongResponse,
    Request,
    RequestWithBody,
    Response,
)

GET: Final = b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n"
POST: Final = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n"
LIMITS: Final = Limits(
    keepalive_timeout_seconds=7,
    header_timeout_seconds=3,
    body_grace_seconds=4,
    write_timeout_seconds=5,
    max_connections=2,
    probe_connections=1,
    max_requests_per_connection=30,
)

Rejections = list[tuple[Client, int, str]]


class RecordingHooks:
    """Keeps what connections report to their server."""

    def __init__(self) -> None:
        self.counts: list[int] = []
        """The number of open connections after each that has opened or closed."""
        self.rejections: Rejections = []
        self.failures: list[Exception] = []

    def opened(self, count: int) -> None:
        self.counts.append(count)

    def closed(self, count: int) -> None:
        self.counts.append(count)

    def rejected(self, client: Client, status: int, reason: str) -> None:
        self.rejections.append((client, status, reason))

    def failed(self, exc: Exception) -> None:
        self.failures.append(exc)


class FakeSocket:
    """Returns fed bytes, takes bytes up to its room; makes no call by itself."""

    def __init__(self) -> None:
        self.reads: list[bytes] = []
        self.writes: list[bytes] = []
        self.room: int | None = None
        """Bytes it takes from now on; None for any number."""
        self.events: list[str] = []

    def fileno(self) -> int:
        return 7

    def recv(self, size: int, flags: int) -> bytes:
        assert flags == socket.MSG_DONTWAIT
        if not self.reads:
            raise BlockingIOError
        data = self.reads.pop(0)
        assert len(data) <= size
        return data

    def send(self, data: bytes | memoryview, flags: int) -> int:
        assert flags == socket.MSG_DONTWAIT
        if self.room == 0:
            raise BlockingIOError
        taken = bytes(data[: self.room])
        self.writes.append(taken)
        if self.room is not None:
            self.room -= len(taken)
        return len(taken)

    def shutdown(self, how: int) -> None:
        assert how == socket.SHUT_WR
        self.events.append("eof")

    def setsockopt(self, level: int, option: int, value: bytes) -> None:
        assert (level, option) == (socket.SOL_SOCKET, socket.SO_LINGER)
        assert struct.unpack("ii", value) == (1, 0)
        self.events.append("reset")

    def close(self) -> None:
        self.events.append("close")


class FakeLoop(Loop):
    """Takes any descriptor."""

    def __init__(self) -> None:
        self.watched: list[int] = []
        self.due: list[int] = []
        """Descriptors to report again."""
        self.calls: list[Callable[[], object]] = []
        """Calls for the end of the iteration."""
        self.timers: list[Timer] = []
        self.now = 0.0

    def call_later(self, seconds: float, call: Callable[[], object]) -> Timer:
        timer = Timer(self.now + seconds, call)
        self.timers.append(timer)
        return timer

    def pass_time(self, seconds: float) -> None:
        """Make the calls that are due until then, each in an iteration for itself."""
        end = self.now + seconds
        while due := [each for each in self.timers if each.call and each.moment <= end]:
            first = min(due, key=lambda timer: timer.moment)
            self.timers.remove(first)
            self.now = first.moment
            if first.call is not None:
                first.call()
            self.run_callbacks()
        self.now = end

    def call_soon(self, call: Callable[[], object]) -> None:
        self.calls.append(call)

    def run_callbacks(self) -> None:
        """Do as the real one, before it waits."""
        while self.calls:
            self.calls.pop(0)()

    def watch(self, descriptor: int, on_ready: OnReady, events: int = 0) -> None:
        self.watched.append(descriptor)

    def rearm(self, descriptor: int) -> None:
        self.due.append(descriptor)

    def discard(self, descriptor: int) -> None:
        self.watched.remove(descriptor)


class Peer:
    """The peer of a connection, with the socket and the loop between them."""

    def __init__(
        self,
        server: ServerState,
        peer: tuple[Any, ...] = ("192.0.2.7", 1),
        *,
        preface: Preface | None = None,
        is_management: bool = False,
    ) -> None:
        self._socket = FakeSocket()
        self.loop = FakeLoop()
        client = client_of(peer, is_management=is_management)
        sock = cast("socket.socket", self._socket)
        self.connection = Connection(server, self.loop, sock, client, preface)
        self.connection.start()

    @property
    def socket(self) -> FakeSocket:
        """Its socket, as it is when the turn has ended."""
        self.loop.run_callbacks()
        return self._socket

    def send(self, data: bytes) -> None:
        """Let *data* arrive in one read; none is the end of file."""
        if "close" not in self.socket.events:
            self.socket.reads.append(data)
            self.connection.ready(EPOLLIN)
            self.loop.run_callbacks()

    def read(self) -> None:
        """Take whatever is unsent, as a peer that reads again."""
        self.socket.room = None
        self.connection.ready(EPOLLOUT)
        self.loop.run_callbacks()

    def turn(self) -> None:
        """Report the descriptor once more, if that is wanted."""
        if self.loop.due:
            self.loop.due.clear()
            self.connection.ready(EPOLLOUT)
            self.loop.run_callbacks()

    def settle(self) -> None:
        """Let turns and time pass until nothing is left to do."""
        while self.loop.due or any(timer.call for timer in self.loop.timers):
            self.turn()
            self.loop.pass_time(1)

    @property
    def said(self) -> bytes:
        """All bytes written."""
        return b"".join(self.socket.writes)

    @property
    def answers(self) -> list[bytes]:
        """Each response, in order."""
        return re.split(rb"(?=HTTP/1\.1 \d{3} )", self.said)[1:]

    @property
    def statuses(self) -> list[int]:
        """The status of each response, in order."""
        return [int(answer[9:12]) for answer in self.answers]


class Conversation:
    """A connection that is fed bytes, and the requests and the rejection it made of them."""

    def __init__(
        self, limits: Limits = LIMITS, *, has_fast_path: bool = True, is_long: bool = False
    ) -> None:
        """Connect.

        Without the fast path every byte goes to the full parser. *is_long*: bodies are taken, and
        responses come late and in pieces, by their method and path.
        """
        self._is_long = is_long
        self._hooks = RecordingHooks()
        self.requests: list[Request] = []
        receiver_of = (lambda _: TakenBody()) if is_long else None
        server = ServerState(self._handle, limits, self._hooks, receiver_of=receiver_of)
        if not has_fast_path:
            server.fast_path = FastPathParser(Limits(max_head_bytes=0))
        self.peer = Peer(server)

    def send(self, data: bytes) -> list[Request]:
        """Let *data* arrive in full reads; return the requests it completed, in all their turns."""
        before = len(self.requests)
        for start in range(0, len(data), READ_BYTES):
            if self.is_over:
                break
            self.peer.send(data[start : start + READ_BYTES])
            self.peer.settle()
        return self.requests[before:]

    @property
    def rejection(self) -> tuple[int, str] | None:
        """Status and reason, if bytes were rejected."""
        for _, status, reason in self._hooks.rejections:
            return status, reason
        return None

    @property
    def failures(self) -> list[Exception]:
        """Exceptions that escaped the connection."""
        return self._hooks.failures

    @property
    def is_over(self) -> bool:
        """Whether nothing that arrives now may be read."""
        return not self.peer.connection.is_open

    def _handle(self, request: Request) -> Response:
        self.requests.append(request)
        if not self._is_long:
            return Response(200, b"")
        body = request.body if isinstance(request, RequestWithBody) else None
        taken = body.content if isinstance(body, TakenBody) else b""
        pieces: list[bytes | float] = [request.method.encode("latin-1"), 0.1, taken, b"x" * 100]
        kind = (len(request.path) + len(request.method)) % 4
        if kind == 0:
            return Response(200, b"")
        if kind == 1:
            return LongResponse(200, b"late", delay_seconds=2)
        length = sum(len(piece) for piece in pieces if isinstance(piece, bytes))
        return LongResponse(200, b"", pieces=iter(pieces), length=length if kind == 2 else None)


@dataclass
class TakenBody:
    """Keeps a body; equal to another with the same."""

    content: bytes = b""
    held_bytes: int = 0

    def receive(self, piece: bytes) -> None:
        """Add *piece*."""
        self.content += piece


def pass_seconds(server: ServerState, seconds: int) -> None:
    """Let so many seconds pass."""
    for _ in range(seconds):
        server.sweep()
