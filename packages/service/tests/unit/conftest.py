"""Fixtures of the tests of facts."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from devops_info_service.facts.system_files import SystemFiles

from .recorded import DATA, FrozenClock, RecordedFiles, write_tree


@pytest.fixture
def clock() -> FrozenClock:
    """A fixed clock."""
    return FrozenClock()


@pytest.fixture
def saved() -> Callable[[str], RecordedFiles]:
    """Open a saved tree by its name."""
    return lambda name: RecordedFiles(DATA / name)


@pytest.fixture
def tree_of(tmp_path: Path) -> Callable[..., SystemFiles]:
    """Make a tree of a few files: path -> text or bytes."""

    def make(files: dict[str, Any], environ: dict[str, str] | None = None) -> SystemFiles:
        write_tree(tmp_path, files)
        return SystemFiles(str(tmp_path), environ or {})

    return make
