"""The state that the connections of one process share: handler, limits, counters, one clock.

Nothing here reads a socket or a clock: ``server`` lets the seconds pass.
"""

from collections.abc import Collection
from typing import TYPE_CHECKING, Final, Protocol

from devops_info_service.http.lifecycle import Lifecycle, ProcessLifecycle
from devops_info_service.http.shared_memory.counters import ABORTED, CLOSED, OPENED, Counters, Slot
from devops_info_service.http.wire.fast_path import FastPathParser
from devops_info_service.http.wire.limits import Limits
from devops_info_service.http.wire.memory_budget import UNLIMITED_BYTES, Budget, share
from devops_info_service.http.wire.message import Client, Handler, ReceiverOf
from devops_info_service.http.wire.writer import ResponseWriter

if TYPE_CHECKING:
    from devops_info_service.http.shared_memory.shutdown_record import ShutdownRecorder

    from .connection import Connection
    from .response_stream import LongSending, ResponseStream

IDLE_GRACE_SECONDS: Final = 2
"""A connection that is idle for less is not closed to make room: a request may be arriving."""

ROOM: Final = 16
"""One part in so many is made room for at a time: finding the oldest reads all of them."""

RELIEF: Final = 8
"""One part in so many of the bound is freed when more is held."""


class ConnectionHooks(Protocol):
    """Calls from the connections to their server."""

    def opened(self, count: int) -> None:
        """Handle a new connection; *count* are open now."""

    def closed(self, count: int) -> None:
        """Handle the end of a connection; *count* are open now."""

    def rejected(self, client: Client, status: int, reason: str) -> None:
        """Handle a rejection: 0 is a connection that was cut off without a response."""

    def failed(self, exc: Exception) -> None:
        """Handle an exception that escaped a connection: a bug, never a client error."""


class ServerState:
    """The state that the connections of one process share."""

    def __init__(
        self,
        handler: Handler,
        limits: Limits,
        hooks: ConnectionHooks,
        *,
        writer: ResponseWriter | None = None,
        counts: Slot | None = None,
        lifecycle: ProcessLifecycle | None = None,
        probes: Collection[str] = (),
        receiver_of: ReceiverOf | None = None,
    ) -> None:
        self.handler = handler
        self.limits = limits
        self.hooks = hooks
        self.fast_path = FastPathParser(limits)
        self.writer = writer or ResponseWriter()
        self.encode = self.writer.encode
        self.receiver_of = receiver_of
        """Gives the receivers of bodies; None: all bodies are dropped."""
        self.counts = Counters().worker(0) if counts is None else counts
        """This process's slot of the counters."""
        self.connections: set[Connection] = set()
        self.now = 0
        """Seconds by the sweeps: a request reads no clock for its timeouts."""
        self.lifecycle = lifecycle or ProcessLifecycle(Lifecycle.SERVING)
        """Once it is no longer SERVING, every response ends its connection."""
        self.probes = probes
        """Paths that are served when there are too many connections for others."""
        self.budget: Budget = share(UNLIMITED_BYTES, 1, limits.max_connections)
        """The connections and bytes that are allowed; follows the container's limit."""
        self.held = 0
        """Bytes that all connections hold, by their own account."""
        self._crowded: int | None = None
        """The second in which no connection was found that could be closed to make room."""
        self.reserved: dict[Connection, int] = {}
        """Connections above the limit without a request yet, the oldest first, and the second
        each came in: they may be probes. When all these places are taken, a new one gets that of
        the oldest: a probe sends its request at once, and a place that is kept for seconds is
        one for attackers."""

        self.long_responses: dict[ResponseStream, LongSending] = {}
        """The connections whose response is due later or sent in pieces."""

    def add(self, connection: "Connection") -> bool:
        """Take *connection* in; return whether there is room for more than a probe's request."""
        self.connections.add(connection)
        self.counts[OPENED] += 1
        count = len(self.connections)
        self.hooks.opened(count)
        if count <= self.budget.connections or self.make_room():
            return True
        self.reserved[connection] = self.now
        if len(self.reserved) > self.limits.probe_connections:
            next(iter(self.reserved)).reject_over_limit()
        return False

    def remove(self, connection: "Connection") -> None:
        """Take out *connection*, which is closed."""
        self.connections.discard(connection)
        self.counts[CLOSED] += 1
        self.hooks.closed(len(self.connections))

    def sweep(self) -> None:
        """Let a second pass, and act on every timeout. One timer for all connections."""
        self.now += 1
        for connection in tuple(self.connections):
            connection.check_time()

    def make_room(self) -> bool:
        """Close the connections that are idle for longest, else stalled ones; return if any.

        So a process that is full of those serves new connections.
        """
        if self._crowded == self.now:
            return False
        idle = [
            (since, id(connection), connection)
            for connection in self.connections
            if (since := connection.idle_since) is not None
            and since <= self.now - IDLE_GRACE_SECONDS
        ]
        most = self.budget.connections
        many = max(1, most // ROOM, len(self.connections) - most)
        for _, _, connection in sorted(idle)[:many]:
            connection.close()
        if idle:
            return True
        stalled = [each for each in self.connections if each.is_stalled(IDLE_GRACE_SECONDS)]
        for connection in stalled[:many]:
            connection.give_way()
            connection.close()
        if not stalled:
            self._crowded = self.now
        return bool(stalled)

    def relieve(self) -> None:
        """End the connections that hold most, until clearly less is held than allowed."""
        enough = self.budget.held_bytes - self.budget.held_bytes // RELIEF
        for connection in sorted(self.connections, key=_held, reverse=True):
            if self.held <= enough:
                break
            connection.give_way()

    def start_recording(self, recorder: "ShutdownRecorder") -> None:
        """Record every request from now on."""
        self.handler = recorder.wrap(self.handler)

    def drain(self, lifecycle: Lifecycle) -> None:
        """Close idle connections; from now on every response ends its connection.

        *lifecycle* is STOPPING, or RETIRING if another worker takes over: then the service is as
        ready as before.
        """
        self.lifecycle.current = lifecycle
        for connection in tuple(self.connections):
            connection.drain()

    def abort(self) -> int:
        """Abort the connections that are left; return their number."""
        left = tuple(self.connections)
        for connection in left:
            connection.abort()
        self.counts[ABORTED] += len(left)
        return len(left)


def _held(connection: "Connection") -> int:
    return connection.held
