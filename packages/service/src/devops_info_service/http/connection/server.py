"""One process that serves: the one timer, and the way down from the first signal to the end."""

import contextlib
import functools
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final, NoReturn, Protocol

import msgspec

from devops_info_service.http.lifecycle import ALONE, SIGNALS, Action, Lifecycle
from devops_info_service.http.shared_memory.counters import READY
from devops_info_service.http.wire.message import Phase

from .connection import Connection
from .listener import SHUT_SECONDS, Listener, drop_new_connections
from .loop import Loop, Timer
from .server_state import ServerState

if TYPE_CHECKING:
    from devops_info_service.http.shared_memory.shutdown_record import (
        ShutdownRecord,
        ShutdownRecorder,
    )

RESERVED_DESCRIPTORS: Final = 64
"""Files that are no connections: streams, the selector, what handlers read, and the peers who
are told that there are too many. Where files are few, half of them."""

LEAST_RESERVED: Final = 16
"""Three streams, the log, the selector, two pipes, two sockets that listen, six files that the
watch of the limits holds open, and one for a handler."""

RECORD_INTERVAL_SECONDS: Final = 1
"""How often the record of the end is handed on before it is complete: whoever is killed before
that, as the platform's patience was too short, has left this much."""

DROP_POLL_SECONDS: Final = 0.01
"""How often a worker looks whether its supervisor has made the kernel drop new connections."""

SWEEP_SECONDS: Final = 1
"""The grain of every time-out. Only while somebody is connected: idle costs no CPU."""


def room_for_connections(open_files: int) -> int:
    """Return how many connections a process may have that can open so many files."""
    return open_files - min(RESERVED_DESCRIPTORS, max(LEAST_RESERVED, open_files // 2))


class EventLog(Protocol):
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


class Sockets(msgspec.Struct, frozen=True):
    """What a service listens on."""

    public: socket.socket
    management: socket.socket | None = None

    @property
    def all(self) -> tuple[socket.socket, ...]:
        """Every one there is."""
        return (self.public,) if self.management is None else (self.public, self.management)

    def announce(self, log: EventLog) -> None:
        """Tell where the service listens."""
        for sock, purpose in ((self.public, {}), (self.management, {"purpose": "management"})):
            if sock is not None:
                host, port = sock.getsockname()[:2]
                log.info("listening", host=host, port=port, **purpose)

    def drop_new_connections(self) -> None:
        """Let nobody new in; see ``listener.shut``."""
        for sock in self.all:
            drop_new_connections(sock)

    def close(self) -> None:
        """Close every one."""
        for sock in self.all:
            sock.close()


def stop_now(log: EventLog, number: signal.Signals) -> NoReturn:
    """End the process at once, with a shell's status for one that a signal ended."""
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


def until_signal(log: EventLog, sockets: Sockets) -> Until:
    """Do what ``lifecycle.ALONE`` says, for a service that is one process.

    SIGHUP is logged and changes nothing: flags and variables of a process never change, and
    there is no other process to hand its connections to.
    """

    def arm(loop: Loop, end: Callable[[Stop], None]) -> None:
        state = Lifecycle.SERVING

        def on_signal(number: signal.Signals) -> None:
            nonlocal state
            action = ALONE[state][number]
            if action is Action.STOP:
                state = Lifecycle.STOPPING
                end(Stop(number.name))
            elif action is Action.STOP_NOW:
                stop_now(log, number)
            elif action is Action.RELOAD:
                log.info("reloaded", workers=0)
            elif action is Action.REAP:
                for _ in reap():
                    pass

        sockets.announce(log)
        for number in SIGNALS:
            loop.on_signal(number, functools.partial(on_signal, number))

    return arm


class Server:
    """Serves on the sockets of a service, once."""

    def __init__(
        self,
        sockets: Sockets,
        shared: ServerState,
        *,
        drain_seconds: int,
        drain_delay_seconds: int,
        log: EventLog,
        turn: Callable[[], bool] | None = None,
        connection: type[Connection] = Connection,
        on_end: Callable[["ShutdownRecord"], None] | None = None,
        on_tick: Callable[[], object] | None = None,
        on_iteration: Callable[[], object] | None = None,
        is_dropping: Callable[[], bool] | None = None,
    ) -> None:
        """Serve on *sockets*.

        *is_dropping* tells whether the kernel drops new connections already, for sockets that
        others share: the one who owns them sees to that. Without it they are this server's.

        *on_end* is told what came after the signal that ends the service; and before that,
        every second, what has come so far.

        *each_second* is called as often while it serves, from its first second on; *each_turn*
        whenever something has come, before it is looked at.
        """
        self._sockets = sockets
        self._shared = shared
        self._drain_seconds = drain_seconds
        self._drain_delay_seconds = drain_delay_seconds
        self._log = log
        self._connection: Callable[..., Connection] = connection
        self._on_end = on_end
        self._is_dropping = is_dropping
        self._recorder: ShutdownRecorder | None = None
        self._listeners = [
            Listener(
                sockets.public, shared, take=self._take, on_error=self._on_accept_error, turn=turn
            )
        ]
        if sockets.management is not None:
            # It is no burden worth sharing out: whichever worker wakes first takes it.
            self._listeners.append(
                Listener(
                    sockets.management,
                    shared,
                    take=self._take_management,
                    on_error=self._on_accept_error,
                )
            )
        self._loop = Loop(self._on_fault, on_iteration=on_iteration)
        self._sweeping: Timer | None = None
        if on_tick is not None:
            self._loop.call_every(1, on_tick)

    def run(self, until: Until) -> None:
        """Serve until the signal *until* waits for, then drain."""
        until(self._loop, self._drain)
        self._shared.on_first = self._wake
        for listener in self._listeners:
            listener.open(self._loop)
        self._shared.counts[READY] = 1
        self._loop.run()
        cut = self._doing()
        aborted = self._shared.abort()
        self._publish_record(cut, ended=True)
        self._log.info("stopped", aborted=aborted)
        # It has ended well: what comes now changes nothing.
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        self._loop.close()

    # The steps of the end, in their order.

    def _drain(self, stop: Stop) -> None:
        """Be ready no more if nobody takes over, and let those who are in know."""
        shared = self._shared
        began, connections = time.monotonic(), len(shared.connections)
        shared.drain(is_last=stop.is_last)
        if stop.is_last and self._on_end is not None:
            try:
                self._record(stop.cause, began, connections)
            except Exception as exc:  # noqa: BLE001  a service without a record still ends
                self._on_fault(exc)
        self._log.info("draining", signal=stop.cause, connections=len(shared.connections))
        shared.counts[READY] = 0
        if stop.is_last:
            self._loop.call_later(self._drain_delay_seconds, self._stop_accepting)
        else:
            for listener in self._listeners:
                listener.leave()
            self._finish()

    def _stop_accepting(self) -> None:
        """Let nobody new in."""
        if self._is_dropping is None:
            self._sockets.drop_new_connections()
        elif not self._is_dropping():
            self._loop.call_later(DROP_POLL_SECONDS, self._stop_accepting)
            return
        if self._recorder is not None:
            self._recorder.shut()
        self._loop.call_later(SHUT_SECONDS, self._drain_backlog)

    def _drain_backlog(self) -> None:
        for listener in self._listeners:
            listener.close()
        self._finish()

    def _finish(self) -> None:
        """Give those who are in their time, but no longer."""
        self._shared.on_none = self._loop.stop
        if self._shared.connections:
            self._loop.call_later(self._drain_seconds, self._loop.stop)
        else:
            self._loop.stop()

    def _record(self, cause: str, began: float, connections: int) -> None:
        """Record from now on, by standing between those who take, answer and what they use."""
        # Imported late: only the end needs it.
        from devops_info_service.http.shared_memory.shutdown_record import ShutdownRecorder  # noqa: PLC0415

        shared, connection = self._shared, self._connection
        self._recorder = recorder = ShutdownRecorder(
            cause,
            time.monotonic,
            began=began,
            probes=shared.probes,
            connections=connections,
            in_flight=[
                peer.client
                for peer in shared.connections
                if peer.activity in {Phase.HEAD.value, Phase.BODY.value}
            ],
        )

        def connected(*of: Any) -> Connection:  # noqa: ANN401  what a connection is made of
            recorder.connected()
            return connection(*of)

        self._connection = connected
        shared.dispatch = recorder.wrap(shared.dispatch)
        self._loop.call_every(
            RECORD_INTERVAL_SECONDS, lambda: self._publish_record(self._doing(), ended=False)
        )

    def _doing(self) -> list[str]:
        return [connection.activity for connection in self._shared.connections]

    def _publish_record(self, cut: list[str], *, ended: bool) -> None:
        if self._recorder is not None and self._on_end is not None:
            try:
                self._on_end(self._recorder.snapshot(cut, ended=ended))
            except Exception as exc:  # noqa: BLE001  as above
                self._on_fault(exc)

    def _take(self, sock: socket.socket, peer: tuple[Any, ...]) -> None:
        self._connection(self._shared, self._loop, sock, peer).start()

    def _take_management(self, sock: socket.socket, peer: tuple[Any, ...]) -> None:
        # Imported late: only where there is such a port.
        from .management import ManagementConnection  # noqa: PLC0415

        ManagementConnection(self._shared, self._loop, sock, peer).start()

    def _on_accept_error(self, exc: OSError) -> None:
        self._log.error("accept", exc=None, message=str(exc))

    def _on_fault(self, exc: Exception) -> None:
        self._log.error("loop", exc=exc, message="a fault of ours")

    def _sweep(self) -> None:
        self._sweeping = None
        self._shared.sweep()
        if self._shared.connections:
            self._wake()

    def _wake(self) -> None:
        if self._sweeping is None:
            self._sweeping = self._loop.call_later(SWEEP_SECONDS, self._sweep)
