"""One process that serves: its sockets, its timers, and the steps of its shutdown."""

import os
import signal
import socket
import time
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any, Final

from devops_info_service.coarse_clock import CachedClock
from devops_info_service.http.lifecycle import SIGNALS, Lifecycle, ProcessLifecycle
from devops_info_service.http.shared_memory.counters import HEARTBEAT, PID, READY, Slot
from devops_info_service.http.wire.limits import Limits
from devops_info_service.http.wire.memory_budget import Budget
from devops_info_service.http.wire.message import Client, Handler, ReceiverOf
from devops_info_service.http.wire.writer import ResponseWriter

from .connection import Connection
from .listener import DRAIN_BACKLOG_SECONDS, Listener, Sockets
from .loop import Loop, Timer
from .request_stream import Preface, client_of
from .server_state import ServerState
from .shutdown import EventLog, ShutdownReason, ShutdownTrigger

if TYPE_CHECKING:
    from devops_info_service.http.shared_memory.shutdown_record import (
        ShutdownRecord,
        ShutdownRecorder,
    )

RESERVED_DESCRIPTORS: Final = 96
"""Files that are no connections: streams, the selector, what handlers read or keep open, and the
connections that get a 503. Where files are few, half of them."""

LEAST_RESERVED: Final = 16
"""Three streams, the log, the selector, two pipes, two listening sockets, six files that handlers
and the watch of the limits keep open, and one for a handler."""

RECORD_INTERVAL_SECONDS: Final = 1
"""Seconds between partial shutdown records, so that one survives an early SIGKILL."""

DROP_POLL_SECONDS: Final = 0.01
"""Seconds between a worker's polls for whether the kernel drops new connections yet."""

SWEEP_SECONDS: Final = 1
"""The grain of every timeout. Only while a connection is open: idle costs no CPU."""


def room_for_connections(open_files: int) -> int:
    """Return how many connections a process may have that can open so many files."""
    return open_files - min(RESERVED_DESCRIPTORS, max(LEAST_RESERVED, open_files // 2))


class Server:
    """Serves on the sockets of a service, once; the hooks of its connections."""

    def __init__(
        self,
        sockets: Sockets,
        handler: Handler,
        limits: Limits,
        *,
        counts: Slot,
        lifecycle: ProcessLifecycle,
        clock: CachedClock,
        log: EventLog,
        probes: Collection[str] = (),
        proxy_protocol: bool = False,
        log_rejections: bool = False,
        drain_seconds: int,
        drain_delay_seconds: int,
        receiver_of: ReceiverOf | None = None,
        may_accept: Callable[[], bool] | None = None,
        on_tick: Callable[[], object] | None = None,
        on_record: "Callable[[ShutdownRecord], None] | None" = None,
    ) -> None:
        """Serve *handler* on *sockets*.

        Args:
            sockets: what to accept from.
            handler: called with every request.
            limits: the limits of clients.
            counts: this process's slot of the counters.
            lifecycle: set to each state that the process reaches.
            clock: refreshed in each iteration of the loop; responses are dated by it.
            log: for errors, and the steps of the shutdown.
            probes: paths that are served when there are too many connections for others.
            proxy_protocol: whether each public connection begins with a PROXY header.
            log_rejections: whether rejected requests are logged.
            drain_seconds: how long connections may finish after the last accept.
            drain_delay_seconds: how long connections are accepted after the signal.
            receiver_of: gives the receivers of requests' bodies; None: bodies are dropped.
            may_accept: whether this worker is to accept from sockets that others share; None:
                they are this process's own.
            on_tick: called each second while it serves.
            on_record: called with the shutdown record, each second and at the end.
        """
        self._log = log
        self._log_rejections = log_rejections
        self._drain_seconds = drain_seconds
        self._drain_delay_seconds = drain_delay_seconds
        self._on_record = on_record
        self._has_preface = proxy_protocol
        self._recorder: ShutdownRecorder | None = None
        self._is_finishing = False
        self._accept_error_at = -1
        """The second of the last logged error of accept(2); a flood has thousands."""
        self._sweeping: Timer | None = None
        self.state = ServerState(
            handler,
            limits,
            self,
            writer=ResponseWriter(clock),
            counts=counts,
            lifecycle=lifecycle,
            probes=probes,
            receiver_of=receiver_of,
        )
        self._loop = Loop(self._on_loop_error, on_iteration=clock.refresh)
        self._listeners = [self._listener(sockets.public, self._accept, may_accept)]
        if sockets.management is not None:
            # Its load need not be balanced: whichever worker wakes first accepts.
            self._listeners.append(self._listener(sockets.management, self._accept_management))
        self._on_tick = on_tick
        self._loop.call_every(1, self._tick)

    def set_budget(self, budget: Budget) -> None:
        """Grant connections *budget* from now on."""
        self.state.budget = budget

    def run(self, trigger: ShutdownTrigger) -> None:
        """Serve until *trigger* starts the shutdown, then drain."""
        counts = self.state.counts
        counts[PID] = os.getpid()
        self.state.lifecycle.current = Lifecycle.SERVING
        self._trigger = trigger
        trigger.arm(self._loop, self.state.lifecycle, self._drain)
        for listener in self._listeners:
            listener.open()
        counts[READY] = 1
        self._loop.run()
        activities = self._activities()
        aborted = self.state.abort()
        self._publish_record(activities, complete=True)
        self._log.info("stopped", aborted=aborted)
        # It has ended well: signals change nothing any more.
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        self._loop.close()

    # The hooks of connections.

    def opened(self, count: int) -> None:
        """Start the sweep with the first connection, and record those after the signal."""
        if count == 1:
            self._start_sweep()
        if self._recorder is not None:
            self._recorder.connected()

    def closed(self, count: int) -> None:
        """Stop after the last connection of a shutdown; let a paused listener go on."""
        if not count and self._is_finishing:
            self._loop.stop()
        for listener in self._listeners:
            listener.connection_closed()

    def rejected(self, client: Client, status: int, reason: str) -> None:
        """Log a rejection, if wanted."""
        if self._log_rejections:
            self._log.info("request_rejected", status=status, reason=reason, client=client.address)

    def failed(self, exc: Exception) -> None:
        """Log an exception that escaped a connection."""
        self._log.error("connection", exc=exc, message="ended by a bug in the server")

    # The steps of a shutdown, in their order.

    def _drain(self, reason: ShutdownReason) -> None:
        """Fall out of readiness unless another worker takes over, and close idle connections."""
        state = self.state
        began, connections = time.monotonic(), len(state.connections)
        state.drain(reason.lifecycle)
        is_last = reason.lifecycle is Lifecycle.STOPPING
        if is_last and self._on_record is not None:
            try:
                self._start_recording(reason.cause, began, connections)
            except Exception as exc:  # noqa: BLE001  a service without a record still ends
                self._on_loop_error(exc)
        self._log.info("draining", signal=reason.cause, connections=len(state.connections))
        state.counts[READY] = 0
        if is_last:
            for listener in self._listeners:
                listener.begin_shutdown()
            self._loop.call_later(self._drain_delay_seconds, self._stop_accepting)
        else:
            for listener in self._listeners:
                listener.detach()
            self._finish()

    def _stop_accepting(self) -> None:
        if not self._trigger.stop_accepting():
            self._loop.call_later(DROP_POLL_SECONDS, self._stop_accepting)
            return
        if self._recorder is not None:
            self._recorder.stop_accepting()
        self._loop.call_later(DRAIN_BACKLOG_SECONDS, self._drain_backlog)

    def _drain_backlog(self) -> None:
        for listener in self._listeners:
            listener.close()
        self._finish()

    def _finish(self) -> None:
        """Stop once all connections are closed, or their time is over."""
        self._is_finishing = True
        if self.state.connections:
            self._loop.call_later(self._drain_seconds, self._loop.stop)
        else:
            self._loop.stop()

    def _start_recording(self, cause: str, began: float, connections: int) -> None:
        # Imported late: only a shutdown needs it.
        from devops_info_service.http.shared_memory.shutdown_record import (  # noqa: PLC0415
            ShutdownRecorder,
        )

        state = self.state
        self._recorder = ShutdownRecorder(
            cause,
            time.monotonic,
            began=began,
            probes=state.probes,
            connections=connections,
            in_flight=[each.client for each in state.connections if each.has_request],
        )
        state.start_recording(self._recorder)
        self._loop.call_every(
            RECORD_INTERVAL_SECONDS,
            lambda: self._publish_record(self._activities(), complete=False),
        )

    def _activities(self) -> list[str]:
        return [connection.activity for connection in self.state.connections]

    def _publish_record(self, activities: list[str], *, complete: bool) -> None:
        if self._recorder is not None and self._on_record is not None:
            try:
                self._on_record(self._recorder.snapshot(activities, complete=complete))
            except Exception as exc:  # noqa: BLE001  as above
                self._on_loop_error(exc)

    # Accepting, and the timers.

    def _listener(
        self,
        sock: socket.socket,
        on_accept: Callable[[socket.socket, tuple[Any, ...]], None],
        may_accept: Callable[[], bool] | None = None,
    ) -> Listener:
        return Listener(
            sock,
            self._loop,
            on_accept=on_accept,
            on_error=self._on_accept_error,
            may_accept=may_accept,
        )

    def _accept(self, sock: socket.socket, peer: tuple[Any, ...]) -> None:
        preface = self._proxy_header() if self._has_preface else None
        Connection(self.state, self._loop, sock, client_of(peer), preface).start()

    def _accept_management(self, sock: socket.socket, peer: tuple[Any, ...]) -> None:
        Connection(self.state, self._loop, sock, client_of(peer, is_management=True)).start()

    def _proxy_header(self) -> Preface:
        # Imported late: only where there is a proxy in front that sends one.
        from devops_info_service.http.wire.proxy_header import ProxyHeader  # noqa: PLC0415

        return ProxyHeader()

    def _on_accept_error(self, exc: OSError) -> None:
        if self._accept_error_at != self.state.now:
            self._accept_error_at = self.state.now
            self._log.error("accept_failed", exc=None, message=str(exc))

    def _on_loop_error(self, exc: Exception) -> None:
        self._log.error("loop_error", exc=exc, message="a bug in the server")

    def _tick(self) -> None:
        self.state.counts[HEARTBEAT] += 1
        if self._on_tick is not None:
            self._on_tick()

    def _sweep(self) -> None:
        self._sweeping = None
        self.state.sweep()
        if self.state.connections:
            self._start_sweep()

    def _start_sweep(self) -> None:
        if self._sweeping is None:
            self._sweeping = self._loop.call_later(SWEEP_SECONDS, self._sweep)
