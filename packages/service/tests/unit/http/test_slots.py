"""Slots of shared memory: separate, and shared with a forked process."""

import os

import pytest

from devops_info_service.http import SharedSlots


def test_slots_are_apart() -> None:
    """A slot is zero at first, and a write to it reaches no other."""
    slots = SharedSlots(8, 3)
    slots.slot(1)[:] = b"\xff" * 8

    assert [bytes(slots.slot(number)) for number in range(3)] == [bytes(8), b"\xff" * 8, bytes(8)]
    with pytest.raises(IndexError):
        slots.slot(3)


def test_fork() -> None:
    """A write of a forked process is read by its parent."""
    slots = SharedSlots(1)
    pid = os.fork()
    if pid == 0:
        slots.slot(0)[0] = 7
        os._exit(0)
    os.waitpid(pid, 0)

    assert slots.slot(0)[0] == 7
