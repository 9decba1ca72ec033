"""What a process sees from the signal that ends it to its end, and several such added up.

Made when the signal comes: before it nothing is recorded, and nothing costs anything.
"""

from collections import deque
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Final

import msgspec

from devops_info_service.http.wire.message import Client, Handler, Request, Response

SHOWN: Final = 20
"""Requests that are listed from the first on, and as many up to the last: the first ones show
who had not heard yet, the last ones who never will."""

MAX_PATH: Final = 80
"""Characters of a path that are kept; forty such fit what a process leaves behind."""

RECORD_BYTES: Final = 8192
"""What a process may leave behind: forty requests of 120 bytes at most, and the numbers."""


class LateRequest(msgspec.Struct, frozen=True):
    """A request that arrived after the signal."""

    after_seconds: float
    method: str
    path: str
    """As in a Python literal, cut: it ends on a terminal."""


class ShutdownRecord(msgspec.Struct, frozen=True, kw_only=True):
    """From the signal to the end. All seconds are counted from the signal."""

    signal: str
    began: float
    """The moment of the signal, by the clock all processes share (CLOCK_MONOTONIC)."""
    seconds: float
    """All of it."""
    unready_seconds: float
    """Until readiness fell; of several processes, until that of the last one did."""
    shut_seconds: float
    """Until nobody new was let in."""
    connections: int
    """Open when the signal came."""
    in_flight: int
    """Of these, those with a request begun."""
    finished: int
    """Of the requests in flight, those that were answered."""
    new_connections: int
    last_connection_seconds: float | None
    requests: int
    """Those that arrived after the signal, probes included."""
    probes: int
    last_request_seconds: float | None
    """Probes apart: the platform asks to the end, whether anybody else does or not."""
    first: tuple[LateRequest, ...]
    last: tuple[LateRequest, ...]
    """At most ``SHOWN``; those in ``first`` are not repeated."""
    cut: dict[str, int]
    """Connections cut off in the middle of something at the end, by what that was."""
    ended: bool = True
    """Else it is the last that was heard: whoever wrote it was killed before its end. ``cut``
    is then what it was in the middle of."""
    processes: int = 1
    """Whose end it is."""
    killed: int = 0
    """Of these, those that never told of their end."""


class ShutdownRecorder:
    """Records one process's flight."""

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
            signal: what came.
            clock: seconds that never jump.
            began: when it came, by that clock.
            probes: the paths that the platform asks for.
            connections: how many were open.
            in_flight: the clients of those with a request begun.
        """
        self._signal = signal
        self._clock = clock
        self._began = began
        self._unready = self._after()
        self._probes = probes
        self._connections = connections
        self._waiting = set(in_flight)
        self._in_flight = len(self._waiting)
        self._shut = 0.0
        self._new_connections = 0
        self._last_connection: float | None = None
        self._requests = self._asked = 0
        self._last_request: float | None = None
        self._first: list[LateRequest] = []
        self._last: deque[LateRequest] = deque(maxlen=SHOWN)

    def shut(self) -> None:
        """Nobody new is let in from now on."""
        self._shut = self._after()

    def connected(self) -> None:
        """Somebody new has connected."""
        self._new_connections += 1
        self._last_connection = self._after()

    def wrap(self, dispatch: Handler) -> Handler:
        """Return *dispatch*, watched."""

        def watched(request: Request) -> Response:
            if request.client in self._waiting:
                self._waiting.discard(request.client)
            else:
                self._arrived(request)
            return dispatch(request)

        return watched

    def snapshot(self, cut: Iterable[str], *, ended: bool) -> ShutdownRecord:
        """Return the record.

        Args:
            cut: what each connection cut off would have gone on with; or if this is not the
                end, each that would be cut off now.
            ended: whether it is.
        """
        count: dict[str, int] = {}
        for doing in filter(None, cut):
            count[doing] = count.get(doing, 0) + 1
        return ShutdownRecord(
            signal=self._signal,
            began=self._began,
            seconds=self._after(),
            unready_seconds=self._unready,
            shut_seconds=self._shut,
            connections=self._connections,
            in_flight=self._in_flight,
            finished=self._in_flight - len(self._waiting),
            new_connections=self._new_connections,
            last_connection_seconds=self._last_connection,
            requests=self._requests,
            probes=self._asked,
            last_request_seconds=self._last_request,
            first=tuple(self._first),
            last=tuple(self._last),
            cut=count,
            ended=ended,
        )

    def _arrived(self, request: Request) -> None:
        after = self._after()
        self._requests += 1
        if request.path in self._probes:
            self._asked += 1
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


def merge(
    signal: str,
    began: float,
    now: float,
    flights: Sequence[ShutdownRecord],
    *,
    processes: int,
    ended: bool,
) -> ShutdownRecord:
    """Add up what *processes* saw of one end, which *began* before they were told."""
    moved = [_rebase(snapshot, snapshot.began - began) for snapshot in flights]
    arrived = sorted(
        (late for snapshot in moved for late in (*snapshot.first, *snapshot.last)),
        key=lambda late: late.after_seconds,
    )
    cut: dict[str, int] = {}
    for snapshot in moved:
        for doing, count in snapshot.cut.items():
            cut[doing] = cut.get(doing, 0) + count
    return ShutdownRecord(
        signal=signal,
        began=began,
        seconds=round(now - began, 3),
        unready_seconds=max((snapshot.unready_seconds for snapshot in moved), default=0.0),
        shut_seconds=max((snapshot.shut_seconds for snapshot in moved), default=0.0),
        connections=sum(snapshot.connections for snapshot in moved),
        in_flight=sum(snapshot.in_flight for snapshot in moved),
        finished=sum(snapshot.finished for snapshot in moved),
        new_connections=sum(snapshot.new_connections for snapshot in moved),
        last_connection_seconds=_latest(snapshot.last_connection_seconds for snapshot in moved),
        requests=sum(snapshot.requests for snapshot in moved),
        probes=sum(snapshot.probes for snapshot in moved),
        last_request_seconds=_latest(snapshot.last_request_seconds for snapshot in moved),
        first=tuple(arrived[:SHOWN]),
        last=tuple(arrived[SHOWN:][-SHOWN:]),
        cut=cut,
        ended=ended,
        processes=processes,
        killed=max(0, processes - sum(snapshot.ended for snapshot in moved)) if ended else 0,
    )


def _latest(moments: Iterable[float | None]) -> float | None:
    return max((moment for moment in moments if moment is not None), default=None)


def _rebase(snapshot: ShutdownRecord, by: float) -> ShutdownRecord:
    """Count from a moment that was *by* seconds earlier."""

    def later(seconds: float) -> float:
        return round(seconds + by, 3)

    def later_if(seconds: float | None) -> float | None:
        return None if seconds is None else later(seconds)

    def all_later(lates: tuple[LateRequest, ...]) -> tuple[LateRequest, ...]:
        return tuple(
            LateRequest(later(late.after_seconds), late.method, late.path) for late in lates
        )

    return msgspec.structs.replace(
        snapshot,
        unready_seconds=later(snapshot.unready_seconds),
        shut_seconds=later(snapshot.shut_seconds),
        last_connection_seconds=later_if(snapshot.last_connection_seconds),
        last_request_seconds=later_if(snapshot.last_request_seconds),
        first=all_later(snapshot.first),
        last=all_later(snapshot.last),
    )


class SharedRecords:
    """Where the processes of one service leave their records; made before they are forked."""

    def __init__(self, processes: int) -> None:
        # Imported late: one process needs none. Memory nobody has written to is none.
        import mmap  # noqa: PLC0415

        self._memory = memoryview(mmap.mmap(-1, processes * RECORD_BYTES))

    def store(self, number: int, snapshot: ShutdownRecord) -> None:
        """Leave the record of process *number*."""
        data = msgspec.json.encode(snapshot)
        if len(data) + 1 > RECORD_BYTES:
            data = msgspec.json.encode(msgspec.structs.replace(snapshot, first=(), last=()))
        start = number * RECORD_BYTES
        # The first byte that is 0 ends it: JSON has none.
        self._memory[start : start + len(data) + 1] = data + b"\0"

    def since(self, moment: float) -> list[ShutdownRecord]:
        """Return the records of those who began after *moment*."""
        flights = []
        for start in range(0, len(self._memory), RECORD_BYTES):
            if self._memory[start]:
                data = bytes(self._memory[start : start + RECORD_BYTES]).partition(b"\0")[0]
                flights.append(msgspec.json.decode(data, type=ShutdownRecord))
        return [snapshot for snapshot in flights if snapshot.began >= moment]
