"""Counters of several processes in shared memory."""

import pytest

from devops_info_service.http.shared_memory.counters import (
    ABORTED,
    CLOSED,
    NO_RESPONSE,
    OPENED,
    PID,
    READY,
    REJECTION_STATUSES,
    RELOADS,
    RESTARTS,
    SLOT_WORDS,
    Counters,
    Totals,
    count_rejection,
    reset_slot,
)

pytestmark = pytest.mark.claim("workers: death, back-off, reload, counters, PID 1")


def test_totals() -> None:
    """The sums are over every process, and rejections are counted by status."""
    counters = Counters(3)
    counters.supervisor[RESTARTS] = 2
    counters.supervisor[RELOADS] = 1
    for number in range(3):
        slot = counters.worker(number)
        slot[READY] = number % 2
        for status in (400, 400, 503, NO_RESPONSE, 999):
            count_rejection(slot, status)
        slot[OPENED] += 5
        slot[CLOSED] += 4
        slot[ABORTED] += 1

    assert counters.totals() == Totals(
        rejected=dict.fromkeys(REJECTION_STATUSES, 0) | {400: 6, 503: 3, NO_RESPONSE: 6},
        opened=15,
        open=3,
        restarts=2,
        hung=0,
        reloads=1,
        log_lines_dropped=0,
        aborted=3,
        workers=1,
    )


def test_slots_are_apart() -> None:
    """Slots are separate, and there is none beyond the last."""
    counters = Counters(2)
    counters.worker(1)[2] = 7

    assert list(counters.worker(0)) == list(counters.supervisor) == [0] * SLOT_WORDS
    with pytest.raises(IndexError):
        counters.worker(2)


def test_reset_slot() -> None:
    """A process that was killed has no connections; its counts stay."""
    counters = Counters()
    slot = counters.worker(0)
    slot[ABORTED], slot[OPENED], slot[CLOSED], slot[READY], slot[PID] = 9, 5, 3, 1, 77

    reset_slot(slot)

    assert (counters.totals().aborted, counters.totals().open, slot[READY]) == (9, 0, 0)
    assert counters.pids() == ()


@pytest.mark.parametrize(
    ("own", "others", "light"),
    [
        (0, [0], True),
        (1, [0], True),
        (2, [0], False),
        (37, [32, 40], True),
        (38, [32, 40], False),
        (500, [], True),
    ],
)
def test_turns(own: int, others: list[int], *, light: bool) -> None:
    """A worker takes a connection unless another has clearly fewer."""
    counters = Counters(8)
    for number, connections in enumerate([own, *others]):
        counters.register(number)
        slot = counters.worker(number)
        slot[OPENED], slot[READY] = connections, 1

    assert counters.has_capacity(0) is light


def test_no_turn_for_a_worker_that_does_not_accept() -> None:
    """A worker that drains or has not begun is not one to leave a connection to."""
    counters = Counters(2)
    counters.register(1)
    counters.worker(0)[OPENED], counters.worker(0)[READY] = 100, 1

    assert counters.has_capacity(0)


def test_pids() -> None:
    """The supervisor is the first of the processes; workers that have ended are none."""
    counters = Counters(3)
    counters.supervisor[PID], counters.worker(0)[PID], counters.worker(2)[PID] = 7, 9, 8

    assert counters.pids() == (7, 9, 8)
