"""A folder without a ``pyproject.toml``: what to write into one, as far as the folder shows."""

import json
from pathlib import Path
from typing import Final

from onebin.effects import files
from onebin.errors import ProjectError

from . import runnable
from .values import as_table

NO_PROJECT: Final = "name the directory of a Python project, as in: onebin build packages/service"

REQUIREMENTS: Final = "requirements.txt"

PIPENV_LOCK: Final = "Pipfile.lock"

PROJECT_FILES: Final = ("pyproject.toml", "setup.py", REQUIREMENTS)

PATTERNS: Final = ("*", "*/*")
"""Places of these below a folder that has none."""

FROM_REQUIREMENTS: Final = "uv init --bare && uv add -r requirements.txt writes [project]"

FROM_PIPFILE: Final = f"pipenv requirements > requirements.txt && {FROM_REQUIREMENTS}"


def fault(root: Path) -> ProjectError:
    """Return the error of the directory *root*."""
    if not root.exists():
        return ProjectError(f"{root}: no such file or directory", hint="is it spelled right?")
    return ProjectError(f"{root}: no pyproject.toml there", hint=_hint(root))


def _hint(root: Path) -> str:
    modules = sorted(file.stem for file in root.glob("*.py") if file.is_file())
    stated = _how_stated(root)
    below = _below(root)
    if not (stated or modules) and (below or not runnable.starts(root)):
        return below or NO_PROJECT
    hint = "add one: [project] with name, version and dependencies, [tool.onebin] with entry-point"
    hint += runnable.suggestion((root,), _requirements(root))
    if stated:
        return f"{hint}; {stated}"
    if len(modules) == 1:
        hint += f"; {modules[0]}.py alone is built by: onebin build {root / modules[0]}.py"
    return hint


def _how_stated(root: Path) -> str:
    """Return how the requirements that the folder states become those of ``[project]``."""
    if (root / REQUIREMENTS).is_file():
        return FROM_REQUIREMENTS
    return FROM_PIPFILE if (root / PIPENV_LOCK).is_file() else ""


def _requirements(root: Path) -> list[str]:
    """Return what the folder states; a file that cannot be read states nothing."""
    if (root / REQUIREMENTS).is_file():
        return _text(root / REQUIREMENTS).splitlines()
    try:
        document = as_table(json.loads(_text(root / PIPENV_LOCK)))
    except (ValueError, RecursionError):
        return []
    return list(as_table(document.get("default")))


def _text(file: Path) -> str:
    try:
        return files.read_text(file)
    except (OSError, ValueError):
        return ""


def _below(root: Path) -> str:
    """Return the hint that names a project below *root*; empty if there is none."""
    found = (
        sorted(file.parent for pattern in PATTERNS for file in root.glob(f"{pattern}/{name}"))
        for name in PROJECT_FILES
    )
    first = next((folders[0] for folders in found if folders), None)
    return f"name the project, as in: onebin build {first}" if first else ""
