"""Dependencies that uv takes from elsewhere than an index: its lock alone has the place.

A package of the same name on an index is another person's: it must not come in its place.
Source: uv's documentation, dependency sources; those of a workspace's top hold for its members.
"""

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from packaging.utils import canonicalize_name

from onebin import requirement
from onebin.effects import files
from onebin.errors import ProjectError, joined
from onebin.model import Project

ELSEWHERE: Final = ("workspace", "path", "git", "url")
"""Keys of a source beside an index."""


def require_none(project: Project) -> None:
    """Reject dependencies of *project* whose source is a folder, a repository or an address.

    Raises:
        ProjectError: some are; ``ObstaclesError`` for several.
    """
    sources = project.sources_elsewhere
    if sources is None:
        sources = _sources(project.root) if (project.root / "pyproject.toml").is_file() else {}
    faults = []
    for text in project.dependencies:
        name = canonicalize_name(requirement.parse(text, where="project.dependencies").name)
        if found := sources.get(name):
            fault = (
                f"{name}: its {found} in tool.uv.sources is pinned by uv.lock alone; expected it"
            )
            lock = "uv lock" if project.sources_elsewhere is None else "uv lock --script"
            faults.append(ProjectError(fault, hint=f"{lock}; or --lock with another tool's lock"))
    if faults:
        raise joined(faults)


def elsewhere(table: object) -> dict[str, str]:
    """Return the kind of source of each name that has one elsewhere in *table*, a document.

    A name with another source, or none that is known, has an empty kind.
    """
    found: dict[str, str] = {}
    sources = _uv(table).get("sources")
    for name, value in sources.items() if isinstance(sources, dict) else ():
        kinds = [*_kinds(value)]
        found[canonicalize_name(name)] = kinds[0] if kinds else ""
    return found


def _sources(root: Path) -> dict[str, str]:
    """Return those of the project in *root*, and of the workspace around it."""
    documents = map(document, root.parents)
    top = next((table for table in documents if "workspace" in _uv(table)), {})
    return elsewhere(top) | elsewhere(document(root))


def _kinds(value: object) -> Iterator[str]:
    for source in value if isinstance(value, list) else [value]:
        yield from (kind for kind in ELSEWHERE if isinstance(source, dict) and source.get(kind))


def document(folder: Path) -> dict[str, Any]:
    """Return the contents of the ``pyproject.toml`` in *folder*; nothing if there is none."""
    try:
        return tomllib.loads(files.read_text(folder / "pyproject.toml"))
    except (OSError, ValueError, RecursionError):
        return {}


def _uv(table: object) -> Mapping[str, Any]:
    """Return ``[tool.uv]`` of a document; empty if it has none."""
    for key in ("tool", "uv"):
        table = table.get(key) if isinstance(table, dict) else None
    return table if isinstance(table, dict) else {}
