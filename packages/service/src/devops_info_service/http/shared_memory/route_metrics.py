"""Responses by route, method and status, with their duration, in memory the workers share.

Each process writes only to its own table, as to a slot of ``Counters``. It has room for
``CAPACITY`` series, whatever clients send: unknown paths and methods are "other", and a series
that finds no room is "other" in all its labels.
"""

import time
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from devops_info_service.http.wire.message import Handler, LongResponse, Request, Response

from .slots import SharedSlots

BOUNDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Seconds, each the inclusive upper end of a bucket: the defaults of Prometheus's client for Go,
so those of podinfo."""

METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
"""Those of RFC 9110 and PATCH; llhttp knows some twenty more, which count as "other"."""

OTHER: Final = "other"

CAPACITY: Final = 512
"""Series of a process, 64 KiB: two dozen routes with nine methods are 216, most of them refused
with 405; a test counts all that there can be."""

WORDS: Final = 16
"""8-byte words of a series: its key, its buckets, its sum, rounded up to two cache lines."""
_BUCKETS: Final = 1
_SUM: Final = _BUCKETS + len(BOUNDS) + 1
_TABLE_BYTES: Final = CAPACITY * WORDS * 8
_METHODS: Final = (OTHER, *METHODS)
_STATUSES: Final = 1000
"""Statuses have three digits; 0 is "other"."""
_OVERFLOW_KEY: Final = 1
"""The key of the first series, for what finds no room. Key 0 is an unused series."""


class RouteSeries(msgspec.Struct, frozen=True):
    """The sums of one series over all processes, since the service started."""

    method: str
    path: str
    status: str
    buckets: tuple[int, ...]
    """Responses by duration: above the bound before, not above their own of ``BOUNDS``; the last
    has the rest."""
    seconds: float
    """The sum of all durations."""

    @property
    def count(self) -> int:
        """The number of responses."""
        return sum(self.buckets)


class RouteMetrics:
    """The tables of one service, one for each of its *workers*."""

    def __init__(self, paths: Sequence[str], workers: int = 1) -> None:
        self._slots = SharedSlots(_TABLE_BYTES, workers, shared=workers > 1)
        self._paths = (OTHER, *paths)

    def worker(self, number: int) -> "WorkerTable":
        """Return the table of worker *number*, from 0."""
        return WorkerTable(self._slots.slot(number), self._paths)

    def sums(self, highest: int) -> list[RouteSeries]:
        """Add up the tables of the workers from 0 to *highest*, sorted by their labels.

        Processes go on counting, so the sums are of about the same moment.
        """
        buckets: dict[int, list[int]] = {}
        seconds: dict[int, float] = {}
        for number in range(highest + 1):
            table = self._slots.slot(number)
            words, sums = table.cast("Q"), table.cast("d")
            for key, at in _used_slots(words).items():
                more = words[at + _BUCKETS : at + _SUM].tolist()
                before = buckets.get(key) or [0] * len(more)
                buckets[key] = [one + another for one, another in zip(before, more, strict=True)]
                seconds[key] = seconds.get(key, 0.0) + sums[at + _SUM]
        found = (self._series(key, tuple(buckets[key]), seconds[key]) for key in buckets)
        return sorted(
            (series for series in found if series.count),
            key=lambda series: (series.path, series.method, series.status),
        )

    def _series(self, key: int, buckets: tuple[int, ...], seconds: float) -> RouteSeries:
        rest, status = divmod(key - 1, _STATUSES)
        path, method = divmod(rest, len(_METHODS))
        name = str(status) if status else OTHER
        return RouteSeries(_METHODS[method], self._paths[path], name, buckets, seconds)


class WorkerTable:
    """The table that one process writes to."""

    def __init__(self, memory: memoryview, paths: Sequence[str]) -> None:
        self._keys = memory.cast("Q")
        # A series has the same index in each: its key, its first bucket, its sum.
        self.counts = memory[8 * _BUCKETS :].cast("Q")
        self.sums = memory[8 * _SUM :].cast("d")
        self._paths = {path: index for index, path in enumerate(paths)}
        self._methods = {method: index for index, method in enumerate(_METHODS)}
        self._templates = {path.rpartition("/")[0]: path for path in paths if path.endswith("}")}
        self._keys[0] = _OVERFLOW_KEY
        self._used = _used_slots(self._keys)
        self.slots: dict[str, dict[str, dict[int, int]]] = {path: {} for path in paths}
        """Path -> method -> status -> index; of known paths and methods, so it stays small."""

    def path_of(self, path: str) -> str:
        """Return the path of the route of *path*, whose last part may be a parameter."""
        return path if path in self._paths else self._templates.get(path.rpartition("/")[0], path)

    def slot_for(self, path: str, method: str, status: int) -> int:
        """Return the index of the series of such responses: a new one, while there is room."""
        path = path if path in self._paths else OTHER
        method = method if method in self._methods else OTHER
        key = self._paths[path] * len(_METHODS) + self._methods[method]
        key = key * _STATUSES + status + 1  # 0 is an unused series
        if key not in self._used:
            if len(self._used) == CAPACITY:
                return self._used[_OVERFLOW_KEY]
            at = len(self._used) * WORDS
            self._keys[at] = key
            self._used[key] = at
        self.slots[path].setdefault(method, {})[status] = self._used[key]
        return self._used[key]


def measure_long(
    handler: Handler, table: WorkerTable, clock: Callable[[], float] = time.perf_counter
) -> Handler:
    """Wrap *handler* as ``measure`` does, for long responses and paths with a parameter.

    A delay counts, the sending of pieces does not; a parameter is counted as ``{...}``.
    """

    def measured(request: Request) -> Response:
        started = clock()
        response = handler(request)
        seconds = clock() - started
        if isinstance(response, LongResponse):
            seconds += response.delay_seconds
        at = table.slot_for(table.path_of(request.path), request.method, response.status)
        table.counts[at + sum(bound < seconds for bound in BOUNDS)] += 1
        table.sums[at] += seconds
        return response

    return measured


def _used_slots(words: memoryview) -> dict[int, int]:
    """Return the index of each key in use: from the front, without a gap."""
    used: dict[int, int] = {}
    for at in range(0, len(words), WORDS):
        if not words[at]:
            break
        used[words[at]] = at
    return used


def measure(
    handler: Handler, table: WorkerTable, clock: Callable[[], float] = time.perf_counter
) -> Handler:
    """Wrap *handler*: count each of its responses in *table*, with its duration.

    Written out, not in small functions: every request pays for it.
    """
    counts, sums, slots = table.counts, table.sums, table.slots
    first_bound = BOUNDS[0]

    def measured(request: Request) -> Response:
        started = clock()
        response = handler(request)
        seconds = clock() - started
        try:
            at = slots[request.path][request.method][response.status]
        except KeyError:
            at = table.slot_for(request.path, request.method, response.status)
        # Nearly all end here: nothing a handler does waits.
        if seconds <= first_bound:
            counts[at] += 1
        else:
            counts[at + sum(bound < seconds for bound in BOUNDS)] += 1
        sums[at] += seconds
        return response

    return measured
