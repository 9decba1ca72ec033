"""The loop: news of files, moments in their order, signals between two calls."""

import functools
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from select import EPOLLHUP, EPOLLIN, EPOLLOUT

import pytest

from devops_info_service.http.connection.loop import STREAM, Loop


@pytest.fixture
def faults() -> list[Exception]:
    """The exceptions passed to ``on_error``."""
    return []


@pytest.fixture
def loop(faults: list[Exception]) -> Iterator[Loop]:
    """A loop that stops after a second, whatever a test forgets."""
    loop = Loop(faults.append)
    loop.call_later(1, loop.stop)
    yield loop
    loop.close()


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two ends of one connection."""
    near, far = socket.socketpair()
    with near, far:
        yield near, far


def test_timers_in_order(loop: Loop) -> None:
    """Calls come in the order of their times, not of their scheduling."""
    called: list[str] = []
    for seconds, name in ((0.4, "second"), (0.6, "third"), (0.2, "first"), (0, "at once")):
        loop.call_later(seconds, functools.partial(called.append, name))
    loop.call_later(0.8, loop.stop)
    loop.run()

    assert called == ["at once", "first", "second", "third"]


def test_cancelled_timer(loop: Loop) -> None:
    """A cancelled call is not made; cancelling a made one is nothing."""
    called: list[str] = []
    made = loop.call_later(0, lambda: called.append("made"))
    cancelled = loop.call_later(0.01, lambda: called.append("cancelled"))
    loop.call_later(0, cancelled.cancel)
    loop.call_later(0.02, made.cancel)
    loop.call_later(0.03, loop.stop)
    loop.run()

    assert called == ["made"]


def test_end_of_a_turn(
    loop: Loop, pair: tuple[socket.socket, socket.socket], faults: list[Exception]
) -> None:
    """`call_soon` runs after all ready descriptors, in spite of faults."""
    near, far = pair
    called: list[str] = []

    def note(name: str) -> None:
        called.append(name)
        loop.call_soon(functools.partial(called.append, f"{name}'s end"))
        loop.call_soon(functools.partial(int, "no number"))

    def read(end: socket.socket, _: int) -> None:
        note(end.recv(9).decode())
        if len(called) == len(pair):
            loop.call_later(0, timer)

    def timer() -> None:
        note("timer")
        loop.call_later(0, last)

    def last() -> None:
        loop.stop()
        note("last")

    for end in pair:
        loop.watch(end.fileno(), functools.partial(read, end))
    near.send(b"far")
    far.send(b"near")
    loop.run()

    assert sorted(called[:2]) == ["far", "near"]
    assert sorted(called[2:4]) == ["far's end", "near's end"]
    assert called[4:] == ["timer", "timer's end", "last", "last's end"]
    assert len(faults) == 4


def test_turn_ended_early(loop: Loop) -> None:
    """``run_callbacks`` makes the waiting calls at once, and none of them twice."""
    called: list[str] = []

    def hurry() -> None:
        loop.call_soon(functools.partial(called.append, "once"))
        loop.run_callbacks()
        called.append("after")

    loop.call_later(0, hurry)
    loop.call_later(0.01, loop.stop)
    loop.run()

    assert called == ["once", "after"]


def test_every(loop: Loop, faults: list[Exception]) -> None:
    """A repeated call goes on, also after a fault."""
    called: list[int] = []

    def call() -> None:
        called.append(len(called))
        if len(called) == 2:
            raise ValueError
        if len(called) == 4:
            loop.stop()

    loop.call_every(0.005, call)
    loop.run()

    assert called == [0, 1, 2, 3]
    assert [type(fault) for fault in faults] == [ValueError]


def test_event_and_a_fault(
    loop: Loop, faults: list[Exception], pair: tuple[socket.socket, socket.socket]
) -> None:
    """Each descriptor's call gets its events; its exception is reported, and others run."""
    near, far = pair
    got: list[tuple[str, int]] = []

    def broken(_: int) -> None:
        near.recv(10)
        raise ValueError

    def whole(events: int) -> None:
        got.append((far.recv(10).decode(), events))
        loop.stop()

    loop.watch(near.fileno(), broken)
    loop.watch(far.fileno(), whole)
    near.send(b"to far")
    far.send(b"to near")
    loop.run()

    assert got == [("to far", EPOLLIN)]
    assert len(faults) == 1


def test_stream_is_notified_once(loop: Loop, pair: tuple[socket.socket, socket.socket]) -> None:
    """A stream's events come once, until rearmed or until there is more."""
    near, far = pair
    got: list[int] = []
    steps = iter([lambda: loop.rearm(near.fileno()), lambda: far.send(b"more"), loop.stop])

    def on_ready(events: int) -> None:
        got.append(events)
        loop.call_later(0.02, next(steps))

    loop.watch(near.fileno(), on_ready, STREAM)
    far.send(b"some")
    loop.run()

    assert got == [EPOLLIN | EPOLLOUT] * 3


@pytest.mark.parametrize("end", [Loop.discard, Loop.unwatch])
def test_end_of_watching(
    loop: Loop, pair: tuple[socket.socket, socket.socket], end: Callable[[Loop, int], None]
) -> None:
    """A descriptor that is not watched any more gets no call, not even in this iteration."""
    near, far = pair
    got: list[str] = []

    def on_ready(name: str, other: socket.socket) -> None:
        got.append(name)
        end(loop, other.fileno())
        loop.call_later(0.02, loop.stop)
        loop.rearm(other.fileno())

    loop.watch(near.fileno(), lambda _: on_ready("near", far), STREAM)
    loop.watch(far.fileno(), lambda _: on_ready("far", near), STREAM)
    loop.run()

    assert len(got) == 1


def test_peer_has_closed(loop: Loop, pair: tuple[socket.socket, socket.socket]) -> None:
    """The end of the other side is news, too."""
    near, far = pair
    got: list[int] = []
    loop.watch(near.fileno(), got.append, STREAM)
    loop.call_later(0.02, loop.stop)
    far.close()
    loop.run()

    assert got[0] & EPOLLHUP


def test_signals(loop: Loop) -> None:
    """A signal ends the wait at once, and each has its own call."""
    called: list[str] = []
    loop.on_signal(signal.SIGUSR1, lambda: called.append("first"))

    def second() -> None:
        called.append("second")
        loop.stop()

    loop.on_signal(signal.SIGUSR2, second)
    loop.call_later(0, lambda: os.kill(os.getpid(), signal.SIGUSR1))
    main = threading.get_ident()
    threading.Timer(0.05, lambda: signal.pthread_kill(main, signal.SIGUSR2)).start()
    loop.run()

    assert called == ["first", "second"]


def test_signals_are_given_back() -> None:
    """After its end a loop takes no signal."""
    loop = Loop(print)
    loop.on_signal(signal.SIGUSR1, print)
    loop.close()

    assert signal.getsignal(signal.SIGUSR1) is signal.SIG_DFL
    assert signal.set_wakeup_fd(-1) == -1
