"""What the connections of one process have in common: the work, the limits, one clock.

Nothing here reads a socket or a clock: ``http.server`` lets the seconds pass.
"""

from collections.abc import Callable, Collection
from typing import Protocol

from devops_info_service.config import Limits

from .counters import ABORTED, Counters, Slot
from .message import Client, Request, Response
from .plain import PlainReader
from .writer import ResponseWriter

Dispatch = Callable[[Request], Response]
"""Answers a request; it does not wait and it does not raise."""

OnRefused = Callable[[Client, int, str], None]
"""Is told of each refusal: to whom, the status, the reason."""

OnFault = Callable[[Exception], None]
"""Is told of what a connection raised: a fault of ours, whoever was connected."""


class State:
    """Where a process is in its life, for those who tell others: readiness is read from here."""

    __slots__ = ("draining",)

    def __init__(self) -> None:
        self.draining = False
        """The service is told to end, and not only this worker of it: nobody takes over, so it
        answers still, and wants nobody new."""


class Peer(Protocol):
    """A connection, as far as its process steers it."""

    @property
    def client(self) -> Client:
        """Who asks on it."""

    @property
    def doing(self) -> str:
        """What it would lose if it were cut off now; empty for nothing."""

    def check_time(self) -> None:
        """Act on the time-out that has come, if one has."""

    def drain(self) -> None:
        """Close if no request is on its way."""

    def abort(self) -> None:
        """Close now, with whatever is left unsaid."""


class Shared:
    """What the connections of one process have in common."""

    def __init__(
        self,
        dispatch: Dispatch,
        limits: Limits,
        on_refused: OnRefused,
        writer: ResponseWriter | None = None,
        counts: Slot | None = None,
        state: State | None = None,
        probes: Collection[str] = (),
        on_fault: OnFault | None = None,
    ) -> None:
        self.dispatch = dispatch
        self.limits = limits
        self.on_refused = on_refused
        self.on_fault = on_fault or _raise
        self.plain = PlainReader(limits)
        self.encode = (writer or ResponseWriter()).encode
        self.counts = Counters.alone().worker(0) if counts is None else counts
        """This process's words of the counters."""
        self.connections: set[Peer] = set()
        self.now = 0
        """Seconds by the sweeps: a request reads no clock for its time-outs."""
        self.draining = False
        """Told to end: every answer ends its connection."""
        self.state = state or State()
        self.probes = probes
        """Paths that are answered when there are too many connections for all else."""
        self.reserved = 0
        """Connections above the limit that have not asked yet: they may be probes."""
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


def _nothing() -> None:
    """Stand for a server where there is none, as in a test."""


def _raise(exc: Exception) -> None:
    raise exc
