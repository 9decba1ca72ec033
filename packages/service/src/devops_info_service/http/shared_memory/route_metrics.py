"""How often each route answered what and how long it took, in memory the workers share.

Each process has a table of its own, as it has a slot of ``Counters``: one writer, no lock, and
a table outlives its process. It has room for ``CAPACITY`` series, whatever clients send: paths
and methods that are not known are "other", and what finds no room is "other" in all its labels.
"""

import time
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from devops_info_service.http.wire.message import Request, Response

BOUNDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Seconds, each the upper end of a bucket and part of it: the defaults of Prometheus's client
for Go, so those of podinfo."""

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
"""Statuses have three digits; 0 stands for "other"."""
_REST: Final = 1
"""The key of the first series: what finds no room. 0 is a series nobody uses."""


class Series(msgspec.Struct, frozen=True):
    """The sums of one series over all processes, since the service started."""

    method: str
    path: str
    status: str
    buckets: tuple[int, ...]
    """Requests by what they took: above the bound before, not above their own of ``BOUNDS``;
    the last has the rest."""
    seconds: float
    """What all of them took together."""

    @property
    def count(self) -> int:
        """All requests."""
        return sum(self.buckets)


class Tables:
    """The tables of one service, one for each worker."""

    def __init__(self, memory: bytearray | memoryview, paths: Sequence[str]) -> None:
        self._bytes = memoryview(memory).cast("B")
        self._paths = (OTHER, *paths)

    @classmethod
    def alone(cls, paths: Sequence[str]) -> "Tables":
        """Return the table of a service that is one process."""
        return cls(bytearray(_TABLE_BYTES), paths)

    @classmethod
    def shared(cls, paths: Sequence[str], workers: int) -> "Tables":
        """Return tables that every process forked from now on shares."""
        # Imported late: one process needs none. Pages nobody writes to take no memory.
        import mmap  # noqa: PLC0415

        return cls(memoryview(mmap.mmap(-1, workers * _TABLE_BYTES)), paths)

    def worker(self, number: int) -> "Table":
        """Return the table of worker *number*, from 0."""
        return Table(self._table(number), self._paths)

    def sums(self, highest: int) -> list[Series]:
        """Add up the tables of the workers from 0 to *highest*, sorted by their labels.

        The others go on counting: the sums are of about the same moment.
        """
        buckets: dict[int, list[int]] = {}
        seconds: dict[int, float] = {}
        for number in range(highest + 1):
            table = self._table(number)
            words, sums = table.cast("Q"), table.cast("d")
            for key, at in _used(words).items():
                more = words[at + _BUCKETS : at + _SUM].tolist()
                before = buckets.get(key) or [0] * len(more)
                buckets[key] = [one + another for one, another in zip(before, more, strict=True)]
                seconds[key] = seconds.get(key, 0.0) + sums[at + _SUM]
        found = (self._series(key, tuple(buckets[key]), seconds[key]) for key in buckets)
        return sorted(
            (series for series in found if series.count),
            key=lambda series: (series.path, series.method, series.status),
        )

    def _series(self, key: int, buckets: tuple[int, ...], seconds: float) -> Series:
        rest, status = divmod(key - 1, _STATUSES)
        path, method = divmod(rest, len(_METHODS))
        name = str(status) if status else OTHER
        return Series(_METHODS[method], self._paths[path], name, buckets, seconds)

    def _table(self, number: int) -> memoryview:
        table = self._bytes[number * _TABLE_BYTES : (number + 1) * _TABLE_BYTES]
        if len(table) < _TABLE_BYTES:
            raise IndexError(number)
        return table


class Table:
    """What one process writes to."""

    def __init__(self, memory: memoryview, paths: Sequence[str]) -> None:
        self._keys = memory.cast("Q")
        # A series is at the same place in each: there its key, its first bucket, its sum.
        self.counts = memory[8 * _BUCKETS :].cast("Q")
        self.sums = memory[8 * _SUM :].cast("d")
        self._paths = {path: index for index, path in enumerate(paths)}
        self._methods = {method: index for index, method in enumerate(_METHODS)}
        self._keys[0] = _REST
        self._places = _used(self._keys)
        self.known: dict[str, dict[str, dict[int, int]]] = {path: {} for path in paths}
        """Path -> method -> status -> place; of known paths and methods, so it stays small."""

    def place(self, path: str, method: str, status: int) -> int:
        """Return where such answers are counted: a new series, while there is room."""
        path = path if path in self._paths else OTHER
        method = method if method in self._methods else OTHER
        # One more than nothing: 0 is no key.
        key = self._paths[path] * len(_METHODS) + self._methods[method]
        key = key * _STATUSES + status + 1
        if key not in self._places:
            if len(self._places) == CAPACITY:
                return self._places[_REST]
            at = len(self._places) * WORDS
            self._keys[at] = key
            self._places[key] = at
        self.known[path].setdefault(method, {})[status] = self._places[key]
        return self._places[key]


def _used(words: memoryview) -> dict[int, int]:
    """Return the keys in use and the place of each: from the front, without a gap."""
    used: dict[int, int] = {}
    for at in range(0, len(words), WORDS):
        if not words[at]:
            break
        used[words[at]] = at
    return used


def timed(
    dispatch: Callable[[Request], Response],
    table: Table,
    clock: Callable[[], float] = time.perf_counter,
) -> Callable[[Request], Response]:
    """Wrap *dispatch*: count each of its answers in *table*, with what it took.

    Spelled out, not in small functions, as every request pays for it.
    """
    counts, sums, known = table.counts, table.sums, table.known
    first_bound = BOUNDS[0]

    def answer(request: Request) -> Response:
        started = clock()
        response = dispatch(request)
        seconds = clock() - started
        try:
            at = known[request.path][request.method][response.status]
        except KeyError:
            at = table.place(request.path, request.method, response.status)
        # Nearly all end here: nothing a handler does waits.
        if seconds <= first_bound:
            counts[at] += 1
        else:
            counts[at + sum(bound < seconds for bound in BOUNDS)] += 1
        sums[at] += seconds
        return response

    return answer
