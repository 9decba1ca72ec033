"""A project's folder as a source: a copy of it without what tools leave there, and its digest."""

import hashlib
import itertools
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from onebin.errors import ProjectError
from onebin.requirement import shown

LEFT: Final = frozenset(
    {
        ".venv", ".env", ".tox", ".nox", ".mypy_cache", ".pytest_cache", ".ruff_cache",
        ".hypothesis", "__pycache__", "node_modules", ".eggs",
        "onebin.lock", "onebin-build.lock",  # which a build writes
    }
)  # fmt: skip
"""Names in a working directory that are a tool's: no part of a project."""

PROJECTS: Final = frozenset({"pyproject.toml", "setup.py", "setup.cfg"})
"""A folder with one of these is a project's, whose results go into its ``dist``."""

MAX_BYTES: Final = 2 << 30
"""Of a project's files: a larger folder is not a project's alone."""

GIT_NAMES: Final = frozenset({"HEAD", "packed-refs", "refs"})
"""What of a repository names its objects and its logs."""


def copy(root: Path, target: Path, parts: Sequence[Path] = ()) -> None:
    """Copy the project in *root* to the new *target*, with its repository; or *parts* of it alone.

    Raises:
        ProjectError: a file cannot be read.
    """
    try:
        for part in parts or (root,):
            place = target / part.relative_to(root)
            place.parent.mkdir(parents=True, exist_ok=True)
            if part.is_dir():
                shutil.copytree(part, place, symlinks=True, ignore=_ignored, dirs_exist_ok=True)
            else:
                shutil.copy2(part, place)
    except (OSError, shutil.Error) as exc:
        raise ProjectError(f"{root}: cannot be copied: {shown(str(exc))}") from exc


def digest(root: Path, parts: Sequence[Path] = ()) -> str:
    """Return the sha256, in hex, of what ``copy`` would copy: names, modes and contents.

    Raises:
        ProjectError: it is too large, or a file cannot be read.
    """
    total = 0
    found = hashlib.sha256()
    try:
        for path in itertools.chain.from_iterable(map(_files, parts or (root,))):
            name = path.relative_to(root).as_posix().encode("utf-8", "surrogateescape")
            data = _link(path) if path.is_symlink() else path.read_bytes()
            total += len(data)
            if total > MAX_BYTES:
                raise ProjectError(f"{root}: has more than {MAX_BYTES} bytes")
            mode = path.lstat().st_mode & 0o111
            found.update(b"%d %s %d %d\n" % (len(name), name, mode, len(data)))
            found.update(data)
    except OSError as exc:
        raise ProjectError(f"{root}: cannot be read: {shown(str(exc))}") from exc
    return found.hexdigest()


def _link(path: Path) -> bytes:
    """Return where a link leads; with the contents of a file whose absolute path it has."""
    place = path.readlink()
    has_file = place.is_absolute() and place.is_file() and os.access(place, os.R_OK)
    return os.fsencode(place) + (b"\0" + place.read_bytes() if has_file else b"")


def dangling(root: Path) -> Path | None:
    """Return the first link of the project in *root* that leads to nothing."""
    return next((path for path in _files(root) if path.is_symlink() and not path.exists()), None)


def leads_out(root: Path, top: Path) -> bool:
    """Whether a link of the project in *root* leads out of it, to a place in *top*."""
    # realpath: a link in a circle, or into another user's folder, may stay.
    targets = (Path(os.path.realpath(path)) for path in _files(root) if path.is_symlink())
    return any(it.is_relative_to(top) and not it.is_relative_to(root) for it in targets)


def _files(root: Path) -> Iterator[Path]:
    """Yield the files and links of the project in *root* in a fixed order; or the file *root*."""
    if root.is_file():
        yield root
    for folder, folders, names in os.walk(root):
        place = Path(folder)
        left = _ignored(folder, [*folders, *names])
        if place == root / ".git":
            left |= {*folders, *names} - GIT_NAMES
        kept = sorted({*folders, *names} - left)
        folders[:] = [n for n in kept if n in folders and not (place / n).is_symlink()]
        yield from (place / name for name in kept if name not in folders)


def _ignored(folder: str, names: list[str]) -> set[str]:
    """Leave out what no back end packs, and what cannot be copied."""
    special = {
        name for name in names
        if not (path := Path(folder, name)).is_symlink()
        and not path.is_file() and not path.is_dir()
    }  # fmt: skip
    # Packages may have the same names, and programs such folders of data.
    special |= {name for name in names if Path(folder, name, "pyvenv.cfg").is_file()}
    special |= {"dist"} if PROJECTS & set(names) else set()
    return special | (LEFT & set(names)) | {n for n in names if n.endswith(".egg-info")}
