"""What the tests of facts ask for."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from devops_info_service.facts.system_files import Tree

from .recorded import DATA, SavedTree, StoppedClock


@pytest.fixture
def clock() -> StoppedClock:
    """A clock that stands still."""
    return StoppedClock()


@pytest.fixture
def saved() -> Callable[[str], SavedTree]:
    """Open a saved tree by its name."""
    return lambda name: SavedTree(DATA / name)


@pytest.fixture
def tree_of(tmp_path: Path) -> Callable[..., Tree]:
    """Make a tree of a few files: path -> text or bytes."""

    def make(files: dict[str, Any], environ: dict[str, str] | None = None) -> Tree:
        for path, content in files.items():
            file = tmp_path / path.lstrip("/")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return Tree(str(tmp_path), environ or {})

    return make
