"""Accepting: a place that is left to other workers, and the pause after an error."""

import errno
import socket
from collections.abc import Callable
from typing import Any, cast

import pytest

from devops_info_service.http.connection.listener import (
    ACCEPT_PAUSE_SECONDS,
    ACCEPTS_AT_ONCE,
    BACKLOG,
    MAX_TTL,
    YIELD_SECONDS,
    Listener,
    listen,
    require_ttl,
)
from devops_info_service.http.connection.loop import Loop, OnReady, Timer


class FakeAcceptedSocket:
    """Takes any option."""

    family = socket.AF_INET

    def setsockopt(self, *_: int) -> None:
        """Take any option."""


class FakeListeningSocket:
    """Has a queue of connections, or an error."""

    def __init__(self) -> None:
        self.queued = 0
        self.error: OSError | None = None
        self.is_open = True

    def fileno(self) -> int:
        return 7 if self.is_open else -1

    def settimeout(self, seconds: int) -> None:
        assert seconds == 0

    def setsockopt(self, *_: int) -> None:
        """Take any option."""

    def accept(self) -> tuple[object, tuple[str, int]]:
        if self.error is not None:
            raise self.error
        if not self.queued:
            raise BlockingIOError
        self.queued -= 1
        return FakeAcceptedSocket(), ("192.0.2.7", 1)

    def close(self) -> None:
        self.is_open = False


class FakeLoop(Loop):
    """Keeps the watched call and the timers."""

    def __init__(self) -> None:
        self.call: OnReady | None = None
        self.timers: list[tuple[float, Timer]] = []

    def watch(self, descriptor: int, on_ready: OnReady, events: int = 0) -> None:
        assert self.call is None
        self.call = on_ready

    def unwatch(self, descriptor: int) -> None:
        self.call = None

    def call_later(self, seconds: float, call: Callable[[], object]) -> Timer:
        timer = Timer(seconds, call)
        self.timers.append((seconds, timer))
        return timer

    def fire(self) -> None:
        """Let the last timer's moment come."""
        _, timer = self.timers.pop()
        if timer.call is not None:
            timer.call()


class Accepting:
    """A listener between a fake socket and a fake loop."""

    def __init__(self, *, is_shared: bool = False) -> None:
        self.sock, self.loop = FakeListeningSocket(), FakeLoop()
        self.accepted = 0
        self.errors: list[OSError] = []
        self.may_accept = True
        self.listener = Listener(
            cast("socket.socket", self.sock),
            self.loop,
            on_accept=self._accept,
            on_error=self.errors.append,
            may_accept=(lambda: self.may_accept) if is_shared else None,
        )
        self.listener.open()

    def readable(self, queued: int = 1) -> None:
        """Let connections arrive, and the loop report them."""
        self.sock.queued += queued
        assert self.loop.call is not None
        self.loop.call(1)

    def _accept(self, sock: socket.socket, peer: tuple[Any, ...]) -> None:
        assert sock is not None
        assert peer == ("192.0.2.7", 1)
        self.accepted += 1


@pytest.mark.parametrize(("is_shared", "accepted"), [(False, ACCEPTS_AT_ONCE), (True, 1)])
def test_so_many_at_once(accepted: int, *, is_shared: bool) -> None:
    """Of an own queue many are accepted in one turn, of a shared one a single connection."""
    accepting = Accepting(is_shared=is_shared)
    accepting.readable(2 * ACCEPTS_AT_ONCE)

    assert accepting.accepted == accepted


def test_yield_to_other_workers() -> None:
    """A busy worker leaves a connection to others for a moment, then accepts it."""
    accepting = Accepting(is_shared=True)
    accepting.may_accept = False
    accepting.readable()
    assert (accepting.accepted, accepting.loop.call) == (0, None)
    accepting.listener.connection_closed()  # it still has more than others
    assert accepting.loop.call is None

    assert accepting.loop.timers[-1][0] == YIELD_SECONDS
    accepting.loop.fire()
    assert accepting.accepted == 1
    assert accepting.loop.call is not None


def test_yield_ends_with_a_connection() -> None:
    """With fewer connections it accepts at once, and the timer does nothing."""
    accepting = Accepting(is_shared=True)
    accepting.may_accept = False
    accepting.readable()
    accepting.may_accept = True
    accepting.listener.connection_closed()
    accepting.readable(0)
    assert accepting.accepted == 1

    accepting.loop.fire()
    assert accepting.accepted == 1


@pytest.mark.parametrize("ends_by", ["a connection that closes", "time"])
def test_pause_after_an_error(ends_by: str) -> None:
    """Without files it waits for a connection that closes, or a second."""
    accepting = Accepting()
    accepting.sock.error = OSError(errno.EMFILE, "too many open files")
    accepting.readable()
    assert accepting.errors == [accepting.sock.error]
    assert accepting.loop.call is None
    assert accepting.loop.timers[-1][0] == ACCEPT_PAUSE_SECONDS
    accepting.sock.error = None

    if ends_by == "time":
        accepting.loop.fire()
    else:
        accepting.listener.connection_closed()
        accepting.loop.fire()
    accepting.readable(0)
    assert accepting.accepted == 1


def test_close_accepts_the_queue() -> None:
    """Closing accepts the queued connections first; detaching leaves them to other workers."""
    closed, detached = Accepting(), Accepting(is_shared=True)
    closed.sock.queued = detached.sock.queued = BACKLOG // 2
    closed.listener.close()
    detached.listener.detach()
    detached.listener.detach()

    assert (closed.accepted, detached.accepted) == (BACKLOG // 2, 0)
    assert (closed.sock.is_open, detached.sock.is_open) == (False, False)
    assert closed.loop.call is None


@pytest.mark.parametrize(
    ("host", "client"), [("127.0.0.1", "127.0.0.1"), ("::", "::1"), ("::", "127.0.0.1")]
)
def test_stop_without_privilege(host: str, client: str) -> None:
    """A filter may not be permitted: queued connections are served then, too, and new ones drop."""
    loop = Loop(lambda _: None)
    accepted: list[socket.socket] = []
    sock = listen(host, 0)
    port = sock.getsockname()[1]
    listener = Listener(
        sock, loop, on_accept=lambda each, _: accepted.append(each), on_error=lambda _: None
    )
    listener.open()
    with socket.create_connection((client, port), timeout=10) as queued:
        listener.begin_shutdown()
        require_ttl(sock, MAX_TTL)
        with pytest.raises(TimeoutError):
            socket.create_connection((client, port), timeout=0.3)
        listener.close()
        (served,) = accepted
        queued.sendall(b"in time")
        served.settimeout(10)
        assert served.recv(100) == b"in time"
        served.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((client, port), timeout=10)
    loop.close()
