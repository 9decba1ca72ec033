"""The switch that takes a service out of readiness, for all of its processes."""

from devops_info_service.http import SharedSlots


class ReadySwitch:
    """One word in shared memory; any process sets it, all read it."""

    def __init__(self, workers: int = 1) -> None:
        self._word = SharedSlots(1, shared=workers > 1).bytes

    @property
    def is_off(self) -> bool:
        """Whether an operator has taken the service out of readiness."""
        return bool(self._word[0])

    def switch(self, *, off: bool) -> None:
        """Take the service out of readiness, or into it again."""
        self._word[0] = off
