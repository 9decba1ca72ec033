"""How many changes of the container's limits were noticed, by the workers of a service together.

Every worker notices every change, so the highest count is the number of changes. A new worker
goes on from it, as the changes before its start are part of the sum.
"""

from devops_info_service.http import SharedSlots

_WORD_BYTES = 8


class LimitChanges:
    """One counter for each worker."""

    def __init__(self, slots: SharedSlots) -> None:
        self._counts = slots.bytes.cast("Q")

    @classmethod
    def private(cls) -> "LimitChanges":
        """Return the counter of a service that is one process."""
        return cls(SharedSlots.private(_WORD_BYTES))

    @classmethod
    def shared(cls, workers: int) -> "LimitChanges":
        """Return counters that every process forked from now on shares."""
        return cls(SharedSlots.shared(_WORD_BYTES, workers))

    def start(self, worker: int) -> None:
        """Let *worker* go on from the number of changes so far."""
        self._counts[worker] = self.total

    def add(self, worker: int) -> None:
        """Count a change that *worker* has noticed."""
        self._counts[worker] += 1

    @property
    def total(self) -> int:
        """The number of changes since the service started."""
        return max(self._counts)
