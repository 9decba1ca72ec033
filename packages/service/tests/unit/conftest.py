"""Fixtures of the tests of facts."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from devops_info_service.facts.system_files import SystemFiles

from .recorded import DATA, FrozenClock, RecordedFiles


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
        for path, content in files.items():
            file = tmp_path / path.lstrip("/")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return SystemFiles(str(tmp_path), environ or {})

    return make
