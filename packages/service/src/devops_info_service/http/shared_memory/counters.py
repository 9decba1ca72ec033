"""Per-worker counters in shared memory; any worker can sum them.

Each process is the only one to write to its slot, so there is no lock and no lost update. A slot
outlives its process: the next one goes on from its values, and a sum never falls. Responses are
counted by route in ``route_metrics``.
"""

import itertools
from typing import Final

import msgspec

from .slots import SharedSlots

SLOT_WORDS: Final = 32
"""8-byte words of a slot: an even number of cache lines, as processors fetch them in pairs."""

# The words of a slot.
CONTINUED: Final = 0
"""100 (Continue) responses."""
HEARTBEAT: Final = 1
"""Raised once a second by a worker whose loop runs."""
HUNG: Final = 2
"""In the supervisor's slot: workers replaced because their heartbeat stopped."""
LOG_LINES_DROPPED: Final = 3
"""Lines of the log that could not be written."""
STAGE: Final = 4
"""Of a worker 0 or ``RETIRING``; in the supervisor's slot 0, ``STOPPING`` or ``NOT_ACCEPTING``."""
OPENED: Final = 6
CLOSED: Final = 7
READY: Final = 8
"""1 while the process serves; the supervisor waits for it."""
RESTARTS: Final = 9
"""In the supervisor's slot: workers replaced because they died."""
RELOADS: Final = 10
"""In the supervisor's slot: completed reloads."""
ABORTED: Final = 11
"""Connections aborted at the end of a drain."""
_HIGHEST: Final = 12
"""In the supervisor's slot: the highest worker's number; slots above it were never used."""
PID: Final = 13
"""Of the process, while it lives."""

_REJECTED: Final = 16
"""The first of the words for rejections, one for each of ``REJECTION_STATUSES``."""
NO_RESPONSE: Final = 0
REJECTION_STATUSES: Final = (NO_RESPONSE, 400, 408, 413, 414, 417, 431, 501, 503, 505)
"""Statuses of bytes that never became a request; 0 for a connection that was cut off."""

RETIRING: Final = 1
"""The worker ends by itself: the supervisor is to replace it."""
STOPPING: Final = 2
"""The service ends."""
NOT_ACCEPTING: Final = 3
"""The service ends, and the kernel drops new connections."""

Slot = memoryview
"""``SLOT_WORDS`` unsigned integers."""


class Totals(msgspec.Struct, frozen=True):
    """The sums over all processes, since the service started."""

    rejected: dict[int, int]
    """Rejections by status: malformed, too slow, too many."""
    opened: int
    """Connections accepted."""
    open: int
    """Connections that are open now."""
    restarts: int
    """Workers replaced because they died."""
    hung: int
    """Of these, workers whose heartbeat had stopped."""
    reloads: int
    log_lines_dropped: int
    aborted: int
    """Connections aborted at the end of a drain."""
    workers: int
    """Processes that serve now."""


class WorkerTotals(msgspec.Struct, frozen=True):
    """The connections of one worker; counts go on from those of the process before it."""

    number: int
    """From 0."""
    opened: int
    open: int
    up: int
    """1 while it serves."""


class Counters:
    """The slots of one service: the supervisor's, then one for each of its *workers*."""

    def __init__(self, workers: int = 1) -> None:
        self._words = SharedSlots(SLOT_WORDS * 8, workers + 1, shared=workers > 1).bytes.cast("Q")

    @property
    def supervisor(self) -> Slot:
        """The slot of the process that replaces the others."""
        return self._words[:SLOT_WORDS]

    def worker(self, number: int) -> Slot:
        """Return the slot of worker *number*, from 0.

        Raises:
            IndexError: there is no such slot.
        """
        start = (number + 1) * SLOT_WORDS
        slot = self._words[start : start + SLOT_WORDS]
        if len(slot) < SLOT_WORDS:
            raise IndexError(number)
        return slot

    def register(self, number: int) -> None:
        """Include worker *number* in ``highest``; for the supervisor alone."""
        self.supervisor[_HIGHEST] = max(self.supervisor[_HIGHEST], number)

    @property
    def highest(self) -> int:
        """The highest number a worker has had."""
        return self._words[_HIGHEST]

    def has_capacity(self, number: int) -> bool:
        """Return whether worker *number* has as few connections as any that accepts.

        One more and an eighth are allowed: where connections come and go, waiting for the one
        with the fewest would cost more than it evens out.
        """
        words = self._words[: (self._words[_HIGHEST] + 2) * SLOT_WORDS]
        opened = words[OPENED::SLOT_WORDS].tolist()
        closed = words[CLOSED::SLOT_WORDS].tolist()
        open_now = [came - left for came, left in zip(opened, closed, strict=True)]
        fewest = min(itertools.compress(open_now, words[READY::SLOT_WORDS]), default=0)
        return open_now[number + 1] <= fewest + fewest // 8 + 1

    def totals(self) -> Totals:
        """Return the sums; processes go on counting, so they are of about the same moment."""
        sums = [sum(self._words[word::SLOT_WORDS]) for word in range(SLOT_WORDS)]
        return Totals(
            rejected=dict(zip(REJECTION_STATUSES, sums[_REJECTED:], strict=False)),
            opened=sums[OPENED],
            open=sums[OPENED] - sums[CLOSED],
            restarts=sums[RESTARTS],
            reloads=sums[RELOADS],
            hung=sums[HUNG],
            log_lines_dropped=sums[LOG_LINES_DROPPED],
            aborted=sums[ABORTED],
            workers=sums[READY],
        )

    def workers(self) -> tuple[WorkerTotals, ...]:
        """Return what each worker that ever was has counted."""
        slots = enumerate(map(self.worker, range(self.highest + 1)))
        return tuple(
            [
                WorkerTotals(number, slot[OPENED], slot[OPENED] - slot[CLOSED], slot[READY])
                for number, slot in slots
            ]
        )

    def pids(self) -> tuple[int, ...]:
        """Return the process IDs, the supervisor's first."""
        return tuple(filter(None, self._words[PID::SLOT_WORDS].tolist()))


def count_rejection(slot: Slot, status: int) -> None:
    """Count bytes rejected with *status*."""
    known = status in REJECTION_STATUSES
    slot[_REJECTED + (REJECTION_STATUSES.index(status) if known else NO_RESPONSE)] += 1


def count_dropped_lines(slot: Slot, lines: int) -> None:
    """Count *lines* of the log that could not be written."""
    slot[LOG_LINES_DROPPED] += lines


def reset_slot(slot: Slot) -> None:
    """Mark the slot's process as ended: its connections are closed, its counts stay."""
    slot[CLOSED] = slot[OPENED]
    slot[READY] = slot[PID] = slot[STAGE] = 0
