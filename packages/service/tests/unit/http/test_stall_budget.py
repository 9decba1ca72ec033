"""The seconds that a peer may leave responses unread."""

import pytest

from devops_info_service.http.connection.patient_stream import StallBudget


@pytest.mark.parametrize(
    ("steps", "spent", "is_low", "is_empty"),
    [
        ([], 0, False, False),
        ([3], 3, False, False),
        ([6], 6, True, False),
        ([10], 10, True, False),
        ([11], 11, True, True),
        ([6, b"300"], 3, False, False),  # a second for each 100 bytes
        ([3, b"900"], 0, False, False),  # and no more than all of them
        ([11, b"100"], 10, True, False),
        ([6, b"0"], 6, True, False),
    ],
)
def test_budget(steps: list[int | bytes], spent: float, *, is_low: bool, is_empty: bool) -> None:
    """A second of a stall costs one; bytes that are read earn seconds back."""
    budget = StallBudget(10, rate=100)
    for step in steps:
        if isinstance(step, int):
            budget.spend(step)
        else:
            budget.refund(int(step))

    assert (budget.spent, budget.is_low, budget.is_empty) == (spent, is_low, is_empty)


def test_without_a_rate() -> None:
    """Any byte earns all seconds back."""
    budget = StallBudget(10, rate=0)
    budget.spend(9)
    budget.refund(1)

    assert budget.spent == 0
