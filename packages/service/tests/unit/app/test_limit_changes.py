"""Changes of limits that several workers notice."""

from devops_info_service.app.limit_changes import LimitChanges


def test_each_change_counts_once() -> None:
    """All workers notice the same change; a new one goes on from the changes before its start."""
    changes = LimitChanges(3)
    for worker in (0, 1):
        changes.add(worker)
        changes.add(worker)
    changes.start(2)
    changes.add(2)

    assert changes.total == 3
