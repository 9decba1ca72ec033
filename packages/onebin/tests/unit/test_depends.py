"""The inputs of a directory's build: whether the noted ones are all."""

from collections.abc import Callable
from pathlib import Path

import pytest

from onebin import depends

from .fakes import project_plan


@pytest.mark.parametrize(
    ("make", "is_covered"),
    [
        (lambda _: None, True),
        (Path.mkdir, True),
        (lambda path: path.write_text("gitdir: ../main/.git/worktrees/x"), False),
    ],
)
def test_repository(tmp_path: Path, make: Callable[[Path], object], *, is_covered: bool) -> None:
    """A worktree's commits, from which a version may come, are not in the project."""
    plan = project_plan(tmp_path, [])
    make(tmp_path / ".git")

    assert depends.covers(depends.inputs_of(plan.project), plan) == is_covered
