"""One process that serves: the one timer, and the way down from the first signal to the end."""

import asyncio
import contextlib
import os
import resource
import signal
import socket
from collections.abc import Callable
from typing import Any, Final, Protocol

import msgspec

from .counters import READY
from .listener import SHUT_SECONDS, Listener, shut
from .protocol import Connection
from .shared import Shared

RESERVED_DESCRIPTORS: Final = 64
"""Files that are no connections: streams, the selector, what handlers read, and the peers who
are told that there are too many."""

_ENOUGH_DESCRIPTORS: Final = 1 << 20
"""Where there is no limit; Linux's default for the most a process may ask for."""

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


Until = Callable[[], asyncio.Future[Stop]]
"""Takes the signals over, in the running loop; the future says when to end."""


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

    def arm() -> asyncio.Future[Stop]:
        loop = asyncio.get_running_loop()
        stop: asyncio.Future[Stop] = loop.create_future()

        def on_signal(number: signal.Signals) -> None:
            if stop.done():
                # Somebody insists. The status is a shell's for a process that a signal ended.
                os._exit(128 + number)
            stop.set_result(Stop(number.name))

        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, on_signal, number)
        loop.add_signal_handler(signal.SIGHUP, lambda: story.info("reloaded", workers=0))
        if os.getpid() == 1:
            # Orphans of a container become its first process's children: let the kernel
            # reap them, as we never start one.
            signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        announce(story, sock)
        return stop

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
        connection: Callable[[Shared], Connection] = Connection,
    ) -> None:
        self._sock = sock
        self._shared = shared
        self._drain_seconds = drain_seconds
        self._drain_delay_seconds = drain_delay_seconds
        self._story = story
        self._connection = connection
        self._listener = Listener(
            sock, shared, take=self._take, on_error=self._on_accept_error, turn=turn
        )
        self._timer: asyncio.TimerHandle | None = None
        self._starting: set[asyncio.Task[object]] = set()

    async def run(self, until: Until) -> None:
        """Serve until the signal *until* waits for, then drain."""
        self._loop = loop = asyncio.get_running_loop()
        loop.set_exception_handler(self._on_exception)
        stop = until()
        self._shared.on_first = self._wake
        self._listener.open()
        self._shared.counts[READY] = 1
        await self._drain(await stop)

    async def _drain(self, stop: Stop) -> None:
        shared, story = self._shared, self._story
        empty = asyncio.Event()
        shared.drain()
        story.info("draining", signal=stop.cause, connections=len(shared.connections))
        shared.counts[READY] = 0
        if stop.is_last:
            await asyncio.sleep(self._drain_delay_seconds)
            shut(self._sock)
            await asyncio.sleep(SHUT_SECONDS)
            self._listener.close()
        else:
            self._listener.leave()
        if self._starting:
            await asyncio.wait(self._starting)
        shared.on_none = empty.set
        if shared.connections:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(empty.wait(), self._drain_seconds)
        story.info("stopped", aborted=shared.abort())

    def _take(self, sock: socket.socket) -> None:
        task = self._loop.create_task(
            self._loop.connect_accepted_socket(lambda: self._connection(self._shared), sock)
        )
        # The loop itself holds tasks only weakly.
        self._starting.add(task)
        task.add_done_callback(self._starting.discard)

    def _on_accept_error(self, exc: OSError) -> None:
        self._story.error("accept", exc=None, message=str(exc))

    def _sweep(self) -> None:
        self._timer = None
        self._shared.sweep()
        if self._shared.connections:
            self._wake()

    def _wake(self) -> None:
        if self._timer is None:
            self._timer = self._loop.call_later(SWEEP_SECONDS, self._sweep)

    def _on_exception(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        self._story.error("loop", exc=context.get("exception"), message=context["message"])
