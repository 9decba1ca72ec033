"""What the workers of one service count, in memory they share; whoever answers can add it up.

Each process has a slot of its own and is the only one to write there, so there is no lock and
no lost update. A slot outlives its process: the next one goes on where the last one stopped,
and a sum never falls. Cost: one store for each answer (53 ns; 29 for a list of the process's own,
which the other workers could not see).
"""

import itertools
from typing import Final

import msgspec

WORDS: Final = 16
"""8-byte words of a slot: two cache lines, as processors fetch them in pairs."""

# The words of a slot. An answer is counted in the word of its class, 1 (100) to 5 (503).
REFUSED: Final = 0
CONTINUED: Final = 1
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

Slot = memoryview
"""``WORDS`` unsigned integers."""


class Totals(msgspec.Struct, frozen=True):
    """The sums over all processes, since the service started."""

    requests: int
    """Requests that were read and answered; what was refused is none."""
    refused: int
    """Answers to bytes that were no request, or came too slowly, or were too many."""
    answers: dict[str, int]
    """Final answers by class (``2xx``), those to refused bytes included."""
    opened: int
    """Connections taken."""
    open: int
    """Connections that are open now."""
    restarts: int
    """Workers replaced because they died."""
    reloads: int
    aborted: int
    """Connections cut off at the end of a drain."""


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
            requests=sum(sums[2:6]) - sums[REFUSED],
            refused=sums[REFUSED],
            answers={f"{first}xx": sums[first] for first in range(2, 6)},
            opened=sums[OPENED],
            open=sums[OPENED] - sums[CLOSED],
            restarts=sums[RESTARTS],
            reloads=sums[RELOADS],
            aborted=sums[ABORTED],
        )


def size(workers: int) -> int:
    """Return the bytes that so many workers and their supervisor need."""
    return (workers + 1) * WORDS * 8


def release(slot: Slot) -> None:
    """Settle the slot of a process that has ended, however: its connections are closed."""
    slot[CLOSED] = slot[OPENED]
    slot[READY] = 0
