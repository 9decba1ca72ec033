"""The files of a project's folders that may be inside its executable, and their digest."""

import hashlib
import os
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final

from onebin.model import Project

IN_PATH: Final = re.compile(
    r"""(?:/\s*|join(?:path)?\([^()]*?|(?:folder|directory|dir|path|root)\s*=\s*)"""
    r"""["'](\w[\w-]*)["'/]"""
)
"""A folder's name where code makes a path of it: ``BASE_DIR / "templates"``."""

BY_CONVENTION: Final = frozenset({"templates", "static", "locale"})
"""Folders beside a module that frameworks read by default."""

NOT_PACKAGED: Final = frozenset(
    {
        ".git", ".hg", ".svn", ".venv", ".env", ".DS_Store", ".mypy_cache", ".pytest_cache",
        ".ruff_cache", ".hypothesis", ".ipynb_checkpoints", ".tox", ".nox",
    }
)  # fmt: skip
"""Names within a package that are a tool's or a person's: no build back end packs them."""

READ_BYTES: Final = 1 << 20
"""Of a file, to compare its contents: more than modules have, less than data may have."""

LEFT: Final = NOT_PACKAGED | {"__pycache__"}
"""Folders of tools."""


def left_out(project: Project) -> frozenset[Path]:
    """Return places in the folder of *project* that are never in its executable.

    They are the results of this and of an earlier build, and environments beside the code.
    """
    names = (f"{project.name}{end}" for end in ("", ".oci", ".tar"))
    found = {project.root / "dist" / name for name in names} | set(project.results)
    if project.code == project.root:
        found |= {path for path in project.code.iterdir() if is_environment(path)}
    return frozenset(found)


def is_environment(folder: Path) -> bool:
    """Whether *folder* is a virtual environment."""
    return _has(folder, "pyvenv.cfg")


def packages(folder: Path) -> list[Path]:
    """Return the folders with an ``__init__.py`` in *folder*, sorted."""
    return [path for path in sorted(folder.iterdir()) if _has(path, "__init__.py")]


def _has(folder: Path, name: str) -> bool:
    try:
        return (folder / name).is_file()
    except PermissionError:  # another user's folder, as a database's
        return False


def digest(project: Project, but: Collection[Path] = ()) -> str:
    """Return a digest of all files of *project* that may be inside its executable.

    Of those in *but* their names alone count.

    Of a working directory these are modules, folders that have some, and those that code names: a
    log, a database or a result beside them may change.
    """
    every = [*_files(project.code, left_out(project))]
    if project.code == project.root:
        every = [*_of_working_directory(project.code, every)]
    digests = [_digest_of(project.code, every, but)]
    if project.data is not None:
        digests.append(digest_of(project.data))
    return " ".join(digests)


def digest_of(folder: Path) -> str:
    """Return a digest of the files below *folder*.

    Links are followed, as imports follow them. A file of more than ``READ_BYTES`` counts by its
    size and the time of its last change, an unreadable file by the reason.
    """
    return _digest_of(folder, _files(folder))


def _digest_of(root: Path, files: Iterator[Path] | list[Path], but: Collection[Path] = ()) -> str:
    found = hashlib.sha256()
    for file in files:
        found.update(b"%s\0" % os.fsencode(file.relative_to(root)))
        if file in but:
            continue
        try:
            facts = file.stat()
            is_read = facts.st_size <= READ_BYTES
            # Its ctime: what unpacks or copies a file sets the mtime back.
            data = file.read_bytes() if is_read else str(facts.st_ctime_ns).encode()
            found.update(b"%d\0" % len(data))
        except OSError as exc:  # another user's, or just gone: a fault only if it goes in
            data = b"error %d\0" % (exc.errno or 0)
        found.update(data)
    return found.hexdigest()


def _of_working_directory(root: Path, files: list[Path]) -> Iterator[Path]:
    code = [file for file in files if file.suffix == ".py"]
    folders = {_top(file, root) for file in code} | BY_CONVENTION
    for file in code:
        folders.update(IN_PATH.findall(_text(file)))
    for file in files:
        top = _top(file, root)
        if file.suffix == ".py" or top in folders or top.endswith(".dist-info"):
            yield file


def _top(file: Path, root: Path) -> str:
    return file.relative_to(root).parts[0]


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8", "replace")
    except OSError:
        return ""


def _files(root: Path, left: frozenset[Path] = frozenset()) -> Iterator[Path]:
    """Yield the regular files below *root* in a fixed order, a folder behind two links once."""
    seen = set[tuple[int, int]]()
    for place, inner, names in os.walk(root, followlinks=True):
        folders = [Path(place, name) for name in sorted({*inner} - LEFT)]
        inner[:] = [path.name for path in folders if path not in left and _is_new(path, seen)]
        for file in (Path(place, name) for name in sorted(names)):
            if file not in left and _is_regular(file):
                yield file


def _is_new(folder: Path, seen: set[tuple[int, int]]) -> bool:
    """Whether *folder* is not among those *seen*; then it is."""
    try:
        facts = folder.stat()
    except OSError:
        return False
    before = len(seen)
    seen.add((facts.st_dev, facts.st_ino))
    return len(seen) > before


def _is_regular(file: Path) -> bool:
    """Whether *file* is one, or cannot be seen."""
    try:
        return file.is_file()
    except OSError:
        return True
