"""The listening socket, the one timer and the way down: from SIGTERM to exit 0."""

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import Callable
from typing import Final

from devops_info_service.errors import ListenError
from .protocol import Connection, Shared

BACKLOG: Final = 1024
"""Connections the kernel holds for us; it caps the number at net.core.somaxconn."""

SWEEP_SECONDS: Final = 1
"""The grain of every time-out. Only while somebody is connected: idle costs no CPU."""

Story = Callable[..., None]
"""Is told of each event: its name, then its facts by name."""


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens on the numeric address *host*.

    Raises:
        ListenError: the address is in use, not ours, or not permitted.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server(
            (host, port), family=family, backlog=BACKLOG, dualstack_ipv6=host == "::"
        )
    except OSError as exc:
        where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        reason = os.strerror(exc.errno).lower() if exc.errno else str(exc)
        raise ListenError(f"cannot listen on {where}: {reason}") from exc


async def serve(sock: socket.socket, shared: Shared, *, drain_seconds: int, story: Story) -> None:
    """Serve on *sock* until SIGTERM or SIGINT, then drain; a second signal ends the process."""
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(_tell(story))
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
    story("listening", host=host, port=port)

    number = await stop
    server.close()
    empty = asyncio.Event()
    shared.on_none = empty.set
    shared.drain()
    story("draining", signal=number.name, connections=len(shared.connections))
    if shared.connections:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(empty.wait(), drain_seconds)
    story("stopped", aborted=shared.abort())


def _tell(story: Story) -> Callable[[asyncio.AbstractEventLoop, dict[str, object]], None]:
    def on_exception(_loop: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
        story("loop_error", message=context.get("message"), exception=context.get("exception"))

    return on_exception
