"""What one process saw between the signal and its end, and how several such records add up.

Made when the signal comes: before it nothing is recorded, and nothing costs anything.
"""

from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec

from devops_info_service.http.wire.message import Client, Handler, Request, Response

from .slots import SharedSlots

SHOWN: Final = 20
"""Requests listed from the first on, and as many up to the last: the first show which clients
were late to notice, the last which never do."""

MAX_PATH: Final = 80
"""Characters kept of a path; forty such fit into a record."""

RECORD_BYTES: Final = 8192
"""Room for the record of a process: forty requests of 120 bytes at most, and the numbers."""


class LateRequest(msgspec.Struct, frozen=True):
    """A request that arrived after the signal."""

    after_seconds: float
    method: str
    path: str
    """Escaped as in a Python literal and truncated: it may end up on a terminal."""


class ShutdownRecord(msgspec.Struct, frozen=True, kw_only=True):
    """From the signal to the end. All seconds are counted from the signal."""

    signal: str
    began: float
    """When the signal came, by the clock all processes share (CLOCK_MONOTONIC), in seconds."""
    seconds: float
    """The whole duration."""
    unready_after_seconds: float
    """Until readiness fell; of several processes, the last."""
    accept_stopped_after_seconds: float
    """Until new connections were dropped."""
    connections: int
    """Open when the signal came."""
    in_flight: int
    """Of these, connections with an unfinished request."""
    finished: int
    """Of the requests in flight, those with a response."""
    new_connections: int
    last_connection_seconds: float | None
    requests: int
    """Requests that arrived after the signal, probes included."""
    probes: int
    last_request_seconds: float | None
    """Without probes: the platform sends those to the end in any case."""
    first: tuple[LateRequest, ...]
    last: tuple[LateRequest, ...]
    """At most ``SHOWN``; those in ``first`` are not repeated."""
    aborted_by_phase: dict[str, int]
    """Connections aborted during a request or response, by phase (``Connection.activity``)."""
    complete: bool = True
    """False: the latest record of a process that was killed before its end; ``aborted_by_phase``
    is then what would have been aborted at that moment."""
    processes: int = 1
    killed_processes: int = 0
    """Of these, processes without a complete record."""


class ShutdownRecorder:
    """Records the end of one process."""

    def __init__(
        self,
        signal: str,
        clock: Callable[[], float],
        *,
        began: float,
        probes: Collection[str],
        connections: int,
        in_flight: Iterable[Client],
    ) -> None:
        """Begin: the signal has come, and readiness has fallen.

        Args:
            signal: the signal's name.
            clock: monotonic seconds.
            began: when the signal came, by that clock.
            probes: the paths of the platform's probes.
            connections: how many were open.
            in_flight: the clients of those with an unfinished request.
        """
        self._signal = signal
        self._clock = clock
        self._began = began
        self._unready = self._after()
        self._probes = probes
        self._connections = connections
        self._waiting = set(in_flight)
        self._in_flight = len(self._waiting)
        self._accept_stopped = 0.0
        self._new_connections = 0
        self._last_connection: float | None = None
        self._requests = self._probe_requests = 0
        self._last_request: float | None = None
        self._first: list[LateRequest] = []
        self._last: deque[LateRequest] = deque(maxlen=SHOWN)

    def stop_accepting(self) -> None:
        """Record that new connections are dropped from now on."""
        self._accept_stopped = self._after()

    def connected(self) -> None:
        """Record a new connection."""
        self._new_connections += 1
        self._last_connection = self._after()

    def wrap(self, handler: Handler) -> Handler:
        """Return *handler*, its requests recorded."""

        def recorded(request: Request) -> Response:
            if request.client in self._waiting:
                self._waiting.discard(request.client)
            else:
                self._arrived(request)
            return handler(request)

        return recorded

    def snapshot(self, activities: Iterable[str], *, complete: bool) -> ShutdownRecord:
        """Return the record.

        Args:
            activities: what each aborted connection was doing, or would be aborted from now;
                empty for nothing.
            complete: whether the process has ended.
        """
        aborted: dict[str, int] = {}
        for activity in filter(None, activities):
            aborted[activity] = aborted.get(activity, 0) + 1
        return ShutdownRecord(
            signal=self._signal,
            began=self._began,
            seconds=self._after(),
            unready_after_seconds=self._unready,
            accept_stopped_after_seconds=self._accept_stopped,
            connections=self._connections,
            in_flight=self._in_flight,
            finished=self._in_flight - len(self._waiting),
            new_connections=self._new_connections,
            last_connection_seconds=self._last_connection,
            requests=self._requests,
            probes=self._probe_requests,
            last_request_seconds=self._last_request,
            first=tuple(self._first),
            last=tuple(self._last),
            aborted_by_phase=aborted,
            complete=complete,
        )

    def _arrived(self, request: Request) -> None:
        after = self._after()
        self._requests += 1
        if request.path in self._probes:
            self._probe_requests += 1
        else:
            self._last_request = after
        path = request.path[:MAX_PATH].encode("unicode_escape").decode("ascii")[:MAX_PATH]
        late = LateRequest(after, request.method, path)
        if len(self._first) < SHOWN:
            self._first.append(late)
        else:
            self._last.append(late)

    def _after(self) -> float:
        # Milliseconds: finer would be the loop's delay more than the network's.
        return round(self._clock() - self._began, 3)


class _Merge(NamedTuple):
    """How the values of a field in several records become one."""

    reduce: Callable[[Sequence[Any]], Any]
    is_moment: bool = False
    """Counted from a record's own signal, so to be shifted to the supervisor's."""


def _latest(moments: Sequence[float | None]) -> float | None:
    return max((moment for moment in moments if moment is not None), default=None)


def _latest_or_zero(moments: Sequence[float]) -> float:
    return max(moments, default=0.0)


def _add_counts(counts: Sequence[Mapping[str, int]]) -> dict[str, int]:
    names = {name: None for each in counts for name in each}
    return {name: sum(each.get(name, 0) for each in counts) for name in names}


_MERGED: Final[Mapping[str, _Merge]] = {
    "unready_after_seconds": _Merge(_latest_or_zero, is_moment=True),
    "accept_stopped_after_seconds": _Merge(_latest_or_zero, is_moment=True),
    "connections": _Merge(sum),
    "in_flight": _Merge(sum),
    "finished": _Merge(sum),
    "new_connections": _Merge(sum),
    "last_connection_seconds": _Merge(_latest, is_moment=True),
    "requests": _Merge(sum),
    "probes": _Merge(sum),
    "last_request_seconds": _Merge(_latest, is_moment=True),
    "aborted_by_phase": _Merge(_add_counts),
}


def merge(
    signal: str,
    began: float,
    now: float,
    records: Sequence[ShutdownRecord],
    *,
    processes: int,
    complete: bool,
) -> ShutdownRecord:
    """Add up the *records* of *processes* whose service *began* to end before they did."""

    def values(name: str, *, is_moment: bool) -> list[Any]:
        found = [(getattr(each, name), each.began - began) for each in records]
        return [_rebase(value, by) if is_moment else value for value, by in found]

    arrived = sorted(
        (
            msgspec.structs.replace(late, after_seconds=_rebase(late.after_seconds, by))
            for each in records
            for by in [each.began - began]
            for late in (*each.first, *each.last)
        ),
        key=lambda late: late.after_seconds,
    )
    return ShutdownRecord(
        signal=signal,
        began=began,
        seconds=round(now - began, 3),
        first=tuple(arrived[:SHOWN]),
        last=tuple(arrived[SHOWN:][-SHOWN:]),
        complete=complete,
        processes=processes,
        killed_processes=max(0, processes - sum(each.complete for each in records))
        if complete
        else 0,
        **{
            name: field.reduce(values(name, is_moment=field.is_moment))
            for name, field in _MERGED.items()
        },
    )


def _rebase(seconds: float | None, by: float) -> Any:  # noqa: ANN401  a moment, or None as given
    """Return a moment counted from *by* seconds earlier."""
    return None if seconds is None else round(seconds + by, 3)


class SharedRecords:
    """One slot for the record of each process of a service; made before they are forked."""

    def __init__(self, processes: int) -> None:
        self._slots = SharedSlots(RECORD_BYTES, processes)
        self._processes = processes

    def store(self, number: int, record: ShutdownRecord) -> None:
        """Store the record of process *number*; without its requests if it is too long."""
        data = msgspec.json.encode(record)
        if len(data) + 1 > RECORD_BYTES:
            data = msgspec.json.encode(msgspec.structs.replace(record, first=(), last=()))
        # The first byte that is 0 ends it: JSON has none.
        self._slots.slot(number)[: len(data) + 1] = data + b"\0"

    def since(self, moment: float) -> list[ShutdownRecord]:
        """Return the records of processes that began to end after *moment*."""
        records = []
        for slot in map(self._slots.slot, range(self._processes)):
            if slot[0]:
                data = bytes(slot).partition(b"\0")[0]
                records.append(msgspec.json.decode(data, type=ShutdownRecord))
        return [record for record in records if record.began >= moment]
