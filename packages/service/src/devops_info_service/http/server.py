"""One process that serves: the one timer, and the way down from the first signal to the end."""

import contextlib
import functools
import os
import resource
import signal
import socket
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec

from .counters import READY
from .listener import SHUT_SECONDS, Listener, shut
from .loop import Loop, Timer
from .message import Phase
from .protocol import Connection
from .shared import Shared

if TYPE_CHECKING:
    from .flight import Flight, Recorder

RESERVED_DESCRIPTORS: Final = 64
"""Files that are no connections: streams, the selector, what handlers read, and the peers who
are told that there are too many."""

_ENOUGH_DESCRIPTORS: Final = 1 << 20
"""Where there is no limit; Linux's default for the most a process may ask for."""

WORD_SECONDS: Final = 1
"""How often the record of the end is handed on before it is complete: whoever is killed before
that, as the platform's patience was too short, has left this much."""

SWEEP_SECONDS: Final = 1
"""The grain of every time-out. Only while somebody is connected: idle costs no CPU."""


class Story(Protocol):
    """Is told of each event: its name, then its facts by name."""

    def info(self, event: str, **facts: str | int) -> None:
        """Tell of what is as it should be."""

    def error(self, event: str, *, exc: BaseException | None, **facts: str | int) -> None:
        """Tell of what somebody should look at."""


class Stop(msgspec.Struct, frozen=True):
    """Why a process shall end."""

    cause: str
    is_last: bool = True
    """Whether the service ends with it, so nobody else takes over who connects."""


Until = Callable[[Loop, Callable[[Stop], None]], None]
"""Takes the signals over, in the loop of a process, and calls once it shall end."""


def descriptors() -> int:
    """Raise the limit of open files as far as we may, as Go's runtime does; return it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = max(soft, _ENOUGH_DESCRIPTORS) if hard == resource.RLIM_INFINITY else hard
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        return most
    return soft


def announce(story: Story, sock: socket.socket) -> None:
    """Tell where the service listens."""
    host, port = sock.getsockname()[:2]
    story.info("listening", host=host, port=port)


def until_signal(story: Story, sock: socket.socket) -> Until:
    """Wait for SIGTERM or SIGINT; a second one ends the process at once.

    For a service that is one process. SIGHUP is heard and changes nothing: flags and variables
    of a process never change, and there is no other process to hand its connections to.
    """

    def arm(loop: Loop, end: Callable[[Stop], None]) -> None:
        told = False

        def on_signal(number: signal.Signals) -> None:
            nonlocal told
            if told:
                # Somebody insists. The status is a shell's for a process that a signal ended.
                os._exit(128 + number)
            told = True
            end(Stop(number.name))

        for number in (signal.SIGTERM, signal.SIGINT):
            loop.on_signal(number, functools.partial(on_signal, number))
        loop.on_signal(signal.SIGHUP, lambda: story.info("reloaded", workers=0))
        if os.getpid() == 1:
            # Orphans of a container become its first process's children: let the kernel
            # reap them, as we never start one.
            signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        announce(story, sock)

    return arm


class Server:
    """Serves on one listening socket, once."""

    def __init__(
        self,
        sock: socket.socket,
        shared: Shared,
        *,
        drain_seconds: int,
        drain_delay_seconds: int,
        story: Story,
        turn: Callable[[], bool] | None = None,
        connection: type[Connection] = Connection,
        on_end: Callable[["Flight"], None] | None = None,
        each_second: Callable[[], object] | None = None,
        each_turn: Callable[[], object] | None = None,
    ) -> None:
        """Serve on *sock*.

        *on_end* is told what came after the signal that ends the service; and before that,
        every second, what has come so far.

        *each_second* is called as often while it serves, from its first second on; *each_turn*
        whenever something has come, before it is looked at.
        """
        self._sock = sock
        self._shared = shared
        self._drain_seconds = drain_seconds
        self._drain_delay_seconds = drain_delay_seconds
        self._story = story
        self._connection: Callable[..., Connection] = connection
        self._on_end = on_end
        self._recorder: Recorder | None = None
        self._listener = Listener(
            sock, shared, take=self._take, on_error=self._on_accept_error, turn=turn
        )
        self._loop = Loop(self._on_fault, on_turn=each_turn)
        self._sweeping: Timer | None = None
        if each_second is not None:
            self._loop.every(1, each_second)

    def run(self, until: Until) -> None:
        """Serve until the signal *until* waits for, then drain."""
        until(self._loop, self._drain)
        self._shared.on_first = self._wake
        self._listener.open(self._loop)
        self._shared.counts[READY] = 1
        self._loop.run()
        cut = self._doing()
        aborted = self._shared.abort()
        self._hand_on(cut, ended=True)
        self._story.info("stopped", aborted=aborted)
        self._loop.close()

    # The steps of the end, in their order.

    def _drain(self, stop: Stop) -> None:
        """Be ready no more if nobody takes over, and let those who are in know."""
        shared = self._shared
        began, connections = time.monotonic(), len(shared.connections)
        shared.drain(is_last=stop.is_last)
        if stop.is_last and self._on_end is not None:
            self._record(stop.cause, began, connections)
        self._story.info("draining", signal=stop.cause, connections=len(shared.connections))
        shared.counts[READY] = 0
        if stop.is_last:
            self._loop.later(self._drain_delay_seconds, self._shut)
        else:
            self._listener.leave()
            self._finish()

    def _shut(self) -> None:
        """Let nobody new in."""
        shut(self._sock)
        if self._recorder is not None:
            self._recorder.shut()
        self._loop.later(SHUT_SECONDS, self._take_the_last)

    def _take_the_last(self) -> None:
        self._listener.close()
        self._finish()

    def _finish(self) -> None:
        """Give those who are in their time, but no longer."""
        self._shared.on_none = self._loop.stop
        if self._shared.connections:
            self._loop.later(self._drain_seconds, self._loop.stop)
        else:
            self._loop.stop()

    def _record(self, cause: str, began: float, connections: int) -> None:
        """Record from now on, by standing between those who take, answer and what they use."""
        # Imported late: only the end needs it.
        from .flight import Recorder  # noqa: PLC0415

        shared, connection = self._shared, self._connection
        self._recorder = recorder = Recorder(
            cause,
            time.monotonic,
            began=began,
            probes=shared.probes,
            connections=connections,
            in_flight=[
                peer.client
                for peer in shared.connections
                if peer.doing in {Phase.HEAD.value, Phase.BODY.value}
            ],
        )

        def connected(*of: Any) -> Connection:  # noqa: ANN401  what a connection is made of
            recorder.connected()
            return connection(*of)

        self._connection = connected
        shared.dispatch = recorder.watch(shared.dispatch)
        self._loop.every(WORD_SECONDS, lambda: self._hand_on(self._doing(), ended=False))

    def _doing(self) -> list[str]:
        return [connection.doing for connection in self._shared.connections]

    def _hand_on(self, cut: list[str], *, ended: bool) -> None:
        if self._recorder is not None and self._on_end is not None:
            self._on_end(self._recorder.flight(cut, ended=ended))

    def _take(self, sock: socket.socket, peer: tuple[Any, ...]) -> None:
        self._connection(self._shared, self._loop, sock, peer).start()

    def _on_accept_error(self, exc: OSError) -> None:
        self._story.error("accept", exc=None, message=str(exc))

    def _on_fault(self, exc: Exception) -> None:
        self._story.error("loop", exc=exc, message="a fault of ours")

    def _sweep(self) -> None:
        self._sweeping = None
        self._shared.sweep()
        if self._shared.connections:
            self._wake()

    def _wake(self) -> None:
        if self._sweeping is None:
            self._sweeping = self._loop.later(SWEEP_SECONDS, self._sweep)
