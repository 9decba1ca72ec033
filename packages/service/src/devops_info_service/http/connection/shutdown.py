"""What starts the end of a process, and the log it is written to."""

import contextlib
import functools
import os
import signal
from collections.abc import Callable, Iterator
from typing import NoReturn, Protocol

import msgspec

from devops_info_service.http.lifecycle import ALONE, SIGNALS, Action, Lifecycle, ProcessLifecycle

from .listener import Sockets
from .loop import Loop


class EventLog(Protocol):
    """A log of events: each has a name, and fields by name."""

    def info(self, event: str, **fields: str | int) -> None:
        """Log an event of normal operation."""

    def error(self, event: str, *, exc: BaseException | None, **fields: str | int) -> None:
        """Log an event that an operator is to act on."""


class ShutdownReason(msgspec.Struct, frozen=True):
    """Why a process ends."""

    cause: str
    lifecycle: Lifecycle = Lifecycle.STOPPING
    """STOPPING, or RETIRING: then another worker takes over."""


class ShutdownTrigger(Protocol):
    """Starts the shutdown of a process, and stops its sockets when it is time."""

    def arm(
        self, loop: Loop, lifecycle: ProcessLifecycle, on_shutdown: Callable[[ShutdownReason], None]
    ) -> None:
        """Handle signals in *loop* by the state of *lifecycle*; call *on_shutdown* once."""

    def stop_accepting(self) -> bool:
        """Make the kernel drop new connections; return whether it does so now."""


class SignalTrigger:
    """Does what ``lifecycle.ALONE`` lists, for a service that is one process.

    SIGHUP is logged and changes nothing: flags and variables of a process never change, and
    there is no other process to hand its connections to.
    """

    def __init__(self, sockets: Sockets, log: EventLog) -> None:
        self._sockets = sockets
        self._log = log

    def arm(
        self, loop: Loop, lifecycle: ProcessLifecycle, on_shutdown: Callable[[ShutdownReason], None]
    ) -> None:
        """Handle signals, and log where the service listens."""
        self._lifecycle, self._on_shutdown = lifecycle, on_shutdown
        announce(self._sockets, self._log)
        for number in SIGNALS:
            loop.on_signal(number, functools.partial(self._on_signal, number))

    def stop_accepting(self) -> bool:
        """Make the kernel drop new connections at once: the sockets are this process's own."""
        self._sockets.drop_new_connections()
        return True

    def _on_signal(self, number: signal.Signals) -> None:
        action = ALONE[self._lifecycle.current][number]
        if action is Action.STOP:
            self._on_shutdown(ShutdownReason(number.name))
        elif action is Action.STOP_NOW:
            stop_now(self._log, number)
        elif action is Action.RELOAD:
            self._log.info("reloaded", workers=0)
        elif action is Action.REAP:
            for _ in reap():
                pass


def announce(sockets: Sockets, log: EventLog) -> None:
    """Log where the service listens."""
    for sock, purpose in ((sockets.public, {}), (sockets.management, {"purpose": "management"})):
        if sock is not None:
            host, port = sock.getsockname()[:2]
            log.info("listening", host=host, port=port, **purpose)


def stop_now(log: EventLog, number: signal.Signals) -> NoReturn:
    """End the process at once, with a shell's status for death by a signal."""
    log.info("stopped_now", signal=number.name)
    os._exit(128 + number)


def reap() -> Iterator[tuple[int, int]]:
    """Yield pid and wait status of each child that has ended; PID 1 has orphans as well."""
    with contextlib.suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            yield pid, status
