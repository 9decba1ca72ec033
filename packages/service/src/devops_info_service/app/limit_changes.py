"""How many changes of the container's limits were noticed, by the workers of a service together.

Every worker notices every change, so the highest count is the number of changes. A new worker
goes on from it, as the changes before its start are part of the sum.
"""

from devops_info_service.http import SharedSlots

_WORD_BYTES = 8


class LimitChanges:
    """One counter for each of the *workers*."""

    def __init__(self, workers: int = 1) -> None:
        self._counts = SharedSlots(_WORD_BYTES, workers, shared=workers > 1).bytes.cast("Q")

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
