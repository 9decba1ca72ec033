"""Slots of shared memory: separate, and shared with a forked process."""

import os

import pytest

from devops_info_service.http import SharedSlots


@pytest.mark.parametrize("shared", [True, False])
def test_slots_are_apart(*, shared: bool) -> None:
    """A slot is zero at first, and a write to it reaches no other."""
    slots = SharedSlots(8, 3, shared=shared)
    slots.slot(1)[:] = b"\xff" * 8

    assert [bytes(slots.slot(number)) for number in range(3)] == [bytes(8), b"\xff" * 8, bytes(8)]
    with pytest.raises(IndexError):
        slots.slot(3)


@pytest.mark.parametrize(("shared", "seen"), [(True, 7), (False, 0)])
def test_fork(*, shared: bool, seen: int) -> None:
    """A write of a forked process is read by its parent, if the slots are shared."""
    slots = SharedSlots(1, shared=shared)
    pid = os.fork()
    if pid == 0:
        slots.slot(0)[0] = 7
        os._exit(0)
    os.waitpid(pid, 0)

    assert slots.slot(0)[0] == seen
