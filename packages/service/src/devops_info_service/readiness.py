"""The switch that takes a service out of readiness, for all of its processes."""

from devops_info_service.http import SharedSlots


class ReadySwitch:
    """One word in shared memory; any process sets it, all read it."""

    def __init__(self, slots: SharedSlots) -> None:
        self._word = slots.bytes

    @classmethod
    def private(cls) -> "ReadySwitch":
        """Return the switch of a service that is one process."""
        return cls(SharedSlots.private(1))

    @classmethod
    def shared(cls) -> "ReadySwitch":
        """Return a switch that every process forked from now on shares."""
        return cls(SharedSlots.shared(1))

    @property
    def is_off(self) -> bool:
        """Whether an operator has taken the service out of readiness."""
        return bool(self._word[0])

    def switch(self, *, off: bool) -> None:
        """Take the service out of readiness, or into it again."""
        self._word[0] = off
