"""The listening socket, the one timer and the way down: from SIGTERM to exit 0."""

import asyncio
import contextlib
import os
import resource
import signal
import socket
from typing import Any, Final, Protocol

from devops_info_service.errors import ListenError

from .protocol import Connection, Shared

BACKLOG: Final = 1024
"""Connections the kernel holds for us; it caps the number at net.core.somaxconn."""

ACCEPTS_AT_ONCE: Final = 64
"""Connections taken before those that are open get their turn."""

ACCEPT_PAUSE_SECONDS: Final = 1
"""When the kernel refuses to give us a connection; those that are open may end meanwhile."""

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

    def error(self, event: str, *, exc: BaseException | None, **facts: str) -> None:
        """Tell of what somebody should look at."""


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens on the numeric address *host*.

    Raises:
        ListenError: the address is in use, not ours, or not permitted.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server(
            (host, port),
            family=family,
            backlog=BACKLOG,
            dualstack_ipv6=host == "::" and socket.has_dualstack_ipv6(),
        )
    except OSError as exc:
        where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        reason = os.strerror(exc.errno).lower() if exc.errno else str(exc)
        raise ListenError(f"cannot listen on {where}: {reason}") from exc


def descriptors() -> int:
    """Raise the limit of open files as far as we may, as Go's runtime does; return it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = max(soft, _ENOUGH_DESCRIPTORS) if hard == resource.RLIM_INFINITY else hard
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        return most
    return soft


class Server:
    """Serves on one listening socket, once.

    Not ``loop.create_server``: when files run out that one logs a traceback for each place
    of the backlog, thousands a second.
    """

    def __init__(
        self, sock: socket.socket, shared: Shared, *, drain_seconds: int, story: Story
    ) -> None:
        self._sock = sock
        self._shared = shared
        self._drain_seconds = drain_seconds
        self._story = story
        self._timer: asyncio.TimerHandle | None = None
        self._starting: set[asyncio.Task[object]] = set()

    async def run(self) -> None:
        """Serve until SIGTERM or SIGINT, then drain; a second signal ends the process."""
        self._loop = loop = asyncio.get_running_loop()
        loop.set_exception_handler(self._on_exception)
        stop: asyncio.Future[signal.Signals] = loop.create_future()

        def on_signal(number: signal.Signals) -> None:
            if stop.done():
                # Somebody insists. The status is a shell's for a process that a signal ended.
                os._exit(128 + number)
            stop.set_result(number)

        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, on_signal, number)
        self._shared.on_first = self._wake
        self._sock.settimeout(0)
        self._listen()
        host, port = self._sock.getsockname()[:2]
        self._story.info("listening", host=host, port=port)
        await self._drain(await stop)

    async def _drain(self, number: signal.Signals) -> None:
        shared, story = self._shared, self._story
        # Whoever is in the backlog has connected, and would be reset.
        for _ in range(BACKLOG // ACCEPTS_AT_ONCE):
            self._accept()
        self._loop.remove_reader(self._sock)
        self._sock.close()
        if self._starting:
            await asyncio.wait(self._starting)
        empty = asyncio.Event()
        shared.on_none = empty.set
        shared.drain()
        story.info("draining", signal=number.name, connections=len(shared.connections))
        if shared.connections:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(empty.wait(), self._drain_seconds)
        story.info("stopped", aborted=shared.abort())

    def _listen(self) -> None:
        if self._sock.fileno() >= 0:
            self._loop.add_reader(self._sock, self._accept)

    def _accept(self) -> None:
        for _ in range(ACCEPTS_AT_ONCE):
            try:
                sock, _ = self._sock.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as exc:
                # Out of files or memory: the kernel would wake us for ever.
                self._loop.remove_reader(self._sock)
                self._loop.call_later(ACCEPT_PAUSE_SECONDS, self._listen)
                self._story.error("accept", exc=None, message=str(exc))
                return
            task = self._loop.create_task(
                self._loop.connect_accepted_socket(lambda: Connection(self._shared), sock)
            )
            # The loop itself holds tasks only weakly.
            self._starting.add(task)
            task.add_done_callback(self._starting.discard)

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
