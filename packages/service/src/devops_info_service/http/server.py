"""The listening socket, the one timer and the way down: from SIGTERM to exit 0."""

import asyncio
import contextlib
import os
import signal
import socket
from typing import Final, Protocol

from devops_info_service.errors import ListenError

from .protocol import Connection, Shared

BACKLOG: Final = 1024
"""Connections the kernel holds for us; it caps the number at net.core.somaxconn."""

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


async def serve(sock: socket.socket, shared: Shared, *, drain_seconds: int, story: Story) -> None:
    """Serve on *sock* until SIGTERM or SIGINT, then drain; a second signal ends the process."""
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(
        lambda _, context: story.error(
            "loop", exc=context.get("exception"), message=context["message"]
        )
    )
    stop: asyncio.Future[signal.Signals] = loop.create_future()

    def on_signal(number: signal.Signals) -> None:
        if stop.done():
            # Somebody insists. The status is a shell's for a process that a signal ended.
            os._exit(128 + number)
        stop.set_result(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal, number)

    timer: asyncio.TimerHandle | None = None

    def sweep() -> None:
        nonlocal timer
        timer = None
        shared.sweep()
        if shared.connections:
            wake()

    def wake() -> None:
        nonlocal timer
        if timer is None:
            timer = loop.call_later(SWEEP_SECONDS, sweep)

    shared.on_first = wake
    server = await loop.create_server(lambda: Connection(shared), sock=sock, backlog=BACKLOG)
    host, port = sock.getsockname()[:2]
    story.info("listening", host=host, port=port)

    number = await stop
    server.close()
    empty = asyncio.Event()
    shared.on_none = empty.set
    shared.drain()
    story.info("draining", signal=number.name, connections=len(shared.connections))
    if shared.connections:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(empty.wait(), drain_seconds)
    story.info("stopped", aborted=shared.abort())
