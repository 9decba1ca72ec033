"""What the connections of one process have in common: the work, the limits, one clock.

Nothing here reads a socket or a clock: ``http.server`` lets the seconds pass.
"""

from collections.abc import Callable, Collection
from typing import Final, Protocol

from devops_info_service.http.shared_memory.counters import ABORTED, Counters, Slot
from devops_info_service.http.wire.fast_path import FastPathParser
from devops_info_service.http.wire.limits import Limits
from devops_info_service.http.wire.memory_budget import UNLIMITED_BYTES, Budget, share
from devops_info_service.http.wire.message import Client, Handler
from devops_info_service.http.wire.writer import ResponseWriter

OnRejected = Callable[[Client, int, str], None]
"""Is told of each refusal: to whom, the status, the reason."""

OnError = Callable[[Exception], None]
"""Is told of what a connection raised: a fault of ours, whoever was connected."""

IDLE_GRACE_SECONDS: Final = 2
"""A connection that is idle for less is not closed to make room: a request may be on its way."""

ROOM: Final = 16
"""One part in so many is made room for at a time: looking for the oldest looks at all of them."""

RELIEF: Final = 8
"""So much below the bound, one part in so many, falls what is held when it is above it."""


class State:
    """Where a process is in its life, for those who tell others: readiness is read from here."""

    __slots__ = ("draining",)

    def __init__(self) -> None:
        self.draining = False
        """The service is told to end, and not only this worker of it: nobody takes over, so it
        answers still, and wants nobody new."""


class ManagedConnection(Protocol):
    """A connection, as far as its process steers it."""

    @property
    def client(self) -> Client:
        """Who asks on it."""

    @property
    def activity(self) -> str:
        """What it would lose if it were cut off now; empty for nothing."""

    @property
    def idle_since(self) -> int | None:
        """The second since which it waits for a request; None: it does not."""

    def is_stalled(self, seconds: int) -> bool:
        """Say whether the peer lets a head, or its answers, wait for longer than *seconds*."""

    @property
    def held(self) -> int:
        """Bytes that it holds of an unfinished request, or of what the peer does not read."""

    def give_way(self) -> None:
        """End, as all connections together hold too much and this one much of it."""

    def close(self) -> None:
        """Send what is left, then close."""

    def check_time(self) -> None:
        """Act on the time-out that has come, if one has."""

    def drain(self) -> None:
        """Close if no request is on its way."""

    def abort(self) -> None:
        """Close now, with whatever is left unsaid."""


class Reserved(Protocol):
    """A connection that may be a probe's."""

    def reject_over_limit(self) -> None:
        """Tell it that there are too many, and end it."""


class ServerState:
    """What the connections of one process have in common."""

    def __init__(
        self,
        dispatch: Handler,
        limits: Limits,
        on_rejected: OnRejected,
        writer: ResponseWriter | None = None,
        counts: Slot | None = None,
        state: State | None = None,
        probes: Collection[str] = (),
        on_error: OnError | None = None,
    ) -> None:
        self.dispatch = dispatch
        self.limits = limits
        self.on_rejected = on_rejected
        self.on_error = on_error or _raise
        self.plain = FastPathParser(limits)
        self.encode = (writer or ResponseWriter()).encode
        self.counts = Counters.alone().worker(0) if counts is None else counts
        """This process's words of the counters."""
        self.connections: set[ManagedConnection] = set()
        self.now = 0
        """Seconds by the sweeps: a request reads no clock for its time-outs."""
        self.draining = False
        """Told to end: every answer ends its connection."""
        self.state = state or State()
        self.probes = probes
        """Paths that are answered when there are too many connections for all else."""
        self.budget: Budget = share(UNLIMITED_BYTES, 1, limits.max_connections)
        """What connections may be and hold; it follows the container's limit."""
        self.held = 0
        """Bytes that all connections hold, by their own account."""
        self._crowded: int | None = None
        """The second in which no connection was found that could be closed to make room."""
        self.reserved: dict[Reserved, None] = {}
        """Connections above the limit that have not asked yet, the oldest first: they may be
        probes. Who comes when all these places are taken gets the one of the oldest: a probe asks
        at once, and a place that the first one keeps for seconds is one for attackers."""
        self.on_first: Callable[[], None] = _nothing
        """Called when somebody connects while nobody was: sweeps are needed again."""
        self.on_none: Callable[[], None] = _nothing
        """Called when the last connection is gone."""
        self.on_gone: Callable[[], None] | None = None
        """Called whenever a connection has gone, if somebody waits for that."""

    def sweep(self) -> None:
        """Let a second pass: act on every time-out that has come. One timer for all of them."""
        self.now += 1
        for connection in tuple(self.connections):
            connection.check_time()

    def make_room(self) -> bool:
        """Close connections that are idle for longest, or else that stall; say if there were any.

        So a process that is full of those serves whoever comes next.
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
        """Let go of those who hold most, until all together hold clearly less than they may."""
        enough = self.budget.held_bytes - self.budget.held_bytes // RELIEF
        for connection in sorted(self.connections, key=_held, reverse=True):
            if self.held <= enough:
                break
            connection.give_way()

    def drain(self, *, is_last: bool = True) -> None:
        """Close what is idle; from now on every answer ends its connection.

        Unless *is_last* another worker takes over, and the service is as ready as before.
        """
        self.draining = True
        self.state.draining |= is_last
        for connection in tuple(self.connections):
            connection.drain()

    def abort(self) -> int:
        """Cut off whoever is left; return how many they were."""
        left = tuple(self.connections)
        for connection in left:
            connection.abort()
        self.counts[ABORTED] += len(left)
        return len(left)


def _held(connection: ManagedConnection) -> int:
    return connection.held


def _nothing() -> None:
    """Stand for a server where there is none, as in a test."""


def _raise(exc: Exception) -> None:
    raise exc
