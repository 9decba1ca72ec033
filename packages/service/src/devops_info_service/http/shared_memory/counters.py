"""What the workers of one service count, in memory they share; whoever answers can add it up.

Each process has a slot of its own and is the only one to write there, so there is no lock and
no lost update; the one switch that all of them set is a word that nobody adds to. A slot
outlives its process: the next one goes on where the last one stopped, and a sum never falls.
What routes answered is counted in ``series``; here is all else.
"""

import itertools
from typing import Final

import msgspec

WORDS: Final = 32
"""8-byte words of a slot: an even number of cache lines, as processors fetch them in pairs."""

# The words of a slot.
CONTINUED: Final = 0
"""100 (Continue) was sent."""
HEARTBEAT: Final = 1
"""Raised once a second by a worker whose loop comes round."""
HUNG: Final = 2
"""In the supervisor's slot: workers replaced because their heartbeat stopped."""
LOG_LINES_DROPPED: Final = 3
"""Lines of the log that could not be written."""
STAGE: Final = 4
"""Of a worker 0 or ``RETIRING``; in the supervisor's slot 0, ``STOPPING`` or ``NOT_ACCEPTING``."""
OPENED: Final = 6
CLOSED: Final = 7
READY: Final = 8
"""1 once the process answers; the supervisor waits for it."""
RESTARTS: Final = 9
"""In the supervisor's slot: workers replaced because they died."""
RELOADS: Final = 10
"""In the supervisor's slot: reloads done."""
ABORTED: Final = 11
"""Connections cut off at the end of a drain."""
_HIGHEST: Final = 12
"""In the supervisor's slot: the highest worker's number, to leave alone what was never used."""
PID: Final = 13
"""Of the process, while it lives."""
LIMIT_CHANGES: Final = 14
"""Changes of the container's limits, those before the process's time included."""
OFF: Final = 15
"""In the supervisor's slot: 1 while somebody has taken the service out of readiness. Whichever
process is asked to sets it."""

_REFUSED: Final = 16
"""The first of the words for refusals, one for each of ``REFUSALS``."""
UNANSWERED: Final = 0
REFUSALS: Final = (UNANSWERED, 400, 408, 413, 414, 417, 431, 501, 503, 505)
"""Statuses that bytes are refused with, before there is a request; or that are
cut off unanswered."""

RETIRING: Final = 1
"""A worker ends on its own account: the supervisor is to replace it."""
STOPPING: Final = 2
"""The service is told to end."""
NOT_ACCEPTING: Final = 3
"""And the kernel drops new connections."""

Slot = memoryview
"""``WORDS`` unsigned integers."""


class Totals(msgspec.Struct, frozen=True):
    """The sums over all processes, since the service started."""

    refused: dict[int, int]
    """Answers to bytes that were no request, or came too slowly, or were too many, by status."""
    opened: int
    """Connections taken."""
    open: int
    """Connections that are open now."""
    restarts: int
    """Workers replaced because they died."""
    hung: int
    """Of these, workers whose heartbeat had stopped."""
    reloads: int
    log_lines_dropped: int
    aborted: int
    """Connections cut off at the end of a drain."""
    workers: int
    """Processes that answer now."""


class Counters:
    """The slots of one service: the supervisor's, then one for each worker."""

    def __init__(self, memory: bytearray | memoryview) -> None:
        self._words = memoryview(memory).cast("B").cast("Q")

    @classmethod
    def alone(cls) -> "Counters":
        """Return the counters of a service that is one process."""
        return cls(bytearray(size(1)))

    @classmethod
    def shared(cls, workers: int) -> "Counters":
        """Return counters that every process forked from now on shares."""
        # Imported late: one process needs none. Anonymous: there may be no file to write.
        import mmap  # noqa: PLC0415

        return cls(memoryview(mmap.mmap(-1, size(workers))))

    @property
    def supervisor(self) -> Slot:
        """The slot of the process that replaces the others."""
        return self._words[:WORDS]

    def worker(self, number: int) -> Slot:
        """Return the slot of worker *number*, from 0."""
        start = (number + 1) * WORDS
        slot = self._words[start : start + WORDS]
        if len(slot) < WORDS:
            raise IndexError(number)
        return slot

    def take(self, number: int) -> None:
        """Make worker *number* one that counts; for the supervisor alone."""
        self.supervisor[_HIGHEST] = max(self.supervisor[_HIGHEST], number)

    @property
    def highest(self) -> int:
        """The highest number a worker has had."""
        return self._words[_HIGHEST]

    @property
    def is_off(self) -> bool:
        """Whether somebody has taken the service out of readiness."""
        return bool(self._words[OFF])

    def switch(self, *, off: bool) -> None:
        """Take the service out of readiness or into it again, for all processes."""
        self._words[OFF] = off

    def is_light(self, number: int) -> bool:
        """Whether worker *number* has as few connections as any that takes new ones.

        An eighth more and one is as few: where connections come and go, waiting for the
        exact one would cost more than it evens out.
        """
        words = self._words[: (self._words[_HIGHEST] + 2) * WORDS]
        pairs = zip(words[OPENED::WORDS].tolist(), words[CLOSED::WORDS].tolist(), strict=True)
        has = [opened - closed for opened, closed in pairs]
        fewest = min(itertools.compress(has, words[READY::WORDS]), default=0)
        return has[number + 1] <= fewest + fewest // 8 + 1

    def totals(self) -> Totals:
        """Add up. The others go on counting: the sums are of about the same moment."""
        sums = [sum(self._words[word::WORDS]) for word in range(WORDS)]
        return Totals(
            refused=dict(zip(REFUSALS, sums[_REFUSED:], strict=False)),
            opened=sums[OPENED],
            open=sums[OPENED] - sums[CLOSED],
            restarts=sums[RESTARTS],
            reloads=sums[RELOADS],
            hung=sums[HUNG],
            log_lines_dropped=sums[LOG_LINES_DROPPED],
            aborted=sums[ABORTED],
            workers=sums[READY],
        )

    def limit_changes(self) -> int:
        """Return how often a limit of the container was found changed.

        Every process sees every change, so whoever counts most has seen all.
        """
        return max(self._words[LIMIT_CHANGES::WORDS])

    def pids(self) -> tuple[int, ...]:
        """Return the processes there are, the supervisor first."""
        return tuple(filter(None, self._words[PID::WORDS].tolist()))


def size(workers: int) -> int:
    """Return the bytes that so many workers and their supervisor need."""
    return (workers + 1) * WORDS * 8


def count_rejection(slot: Slot, status: int) -> None:
    """Count bytes refused with *status*."""
    slot[_REFUSED + (REFUSALS.index(status) if status in REFUSALS else UNANSWERED)] += 1


def release(slot: Slot) -> None:
    """Settle the slot of a process that has ended, however: its connections are closed."""
    slot[CLOSED] = slot[OPENED]
    slot[READY] = slot[PID] = slot[STAGE] = 0
