"""Which versions are used: a kind of lock file each, and the choice of versions for a new one."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Final, Protocol

from packaging.utils import canonicalize_name

from onebin import requirement
from onebin.errors import ProjectError
from onebin.model import Obstacle, Pin, Project

from .lines import HASHED, logical_lines
from .poetry_lock import PoetryLock
from .pylock import Pylock
from .requirements import WRITTEN, OnebinLock, Requirements, parse_build
from .uv_lock import UvLock
from .wanted import Wanted

__all__ = ["LOCKS", "NAMES", "WRITTEN", "Lock", "LockKind", "Wanted", "build_pins", "is_lock",
           "missing", "read", "wanted_by"]  # fmt: skip


class Lock(Protocol):
    """A file that pins distributions by version and hash."""

    @property
    def rewrite(self) -> str:
        """How it is written again."""
        ...

    def pins(
        self,
        markers: Mapping[str, str],
        wanted: Wanted = Wanted(),  # noqa: B008
        /,
    ) -> tuple[Pin | Obstacle, ...]:
        """Return the *wanted* part of it for *markers* (PEP 508), sorted by name.

        What no index has by a hash is an obstacle.

        Raises:
            ProjectError: the file is malformed, or is none for that target.
        """
        ...

    def names(self) -> frozenset[str]:
        """Return the name of each distribution in it, needed or not."""
        ...


class LockKind(Protocol):
    """A class of locks."""

    @staticmethod
    def reads(name: str) -> bool:
        """Whether it reads files of that name."""
        ...

    def __call__(self, where: str, text: str, base: Path, /) -> Lock:
        """Return the lock in *base* with that text; *where* names it in messages."""
        ...


LOCKS: Final[tuple[LockKind, ...]] = (OnebinLock, Pylock, UvLock, PoetryLock, Requirements)
"""The first kind that reads a name decides."""

AT_COMMIT: Final = re.compile(r"\bgit\+\S+@[0-9a-f]{40}")
"""A repository at a commit, as requirements name it."""

FOLDER: Final = re.compile(r"(-e|--editable)\b|\.")
"""How a line with a folder begins: a project's own, as ``uv export`` writes it, or another."""

NAMES: Final = (WRITTEN, "pylock.toml", "uv.lock", "poetry.lock", "requirements.txt")
"""Names that are tried where the project names no lock, in this order."""


def read(where: str, text: str, base: Path = Path()) -> Lock:
    """Return the lock *text*, of the kind that reads its name; *base* is its folder."""
    name = PurePosixPath(where).name
    return next(kind for kind in LOCKS if kind.reads(name))(where, text, base)


def build_pins(where: str, text: str, markers: Mapping[str, str]) -> tuple[Pin, ...]:
    """Return the pins of the build lock *text*; requirements may have several of one name.

    Raises:
        ProjectError: the file is malformed.
    """
    found = read(where, text)
    if isinstance(found, Requirements):
        return parse_build(text, markers, where=where)
    return tuple(item for item in found.pins(markers) if isinstance(item, Pin))


def is_lock(name: str, text: str) -> bool:
    """Whether the file *name* with *text*, found in a project, is a lock.

    Requirements without hashes name versions alone; direct references may have a commit.
    """
    wanted = [*logical_lines(text)]
    if PurePosixPath(name).name != "requirements.txt" or any(map(HASHED.search, wanted)):
        return True
    has_commit = any(map(AT_COMMIT.search, wanted))
    return has_commit and all(AT_COMMIT.search(line) or FOLDER.match(line) for line in wanted)


def wanted_by(project: Project) -> Wanted:
    """Return what *project* needs of its lock."""
    options = project.options
    return Wanted(
        project=canonicalize_name(project.name),
        requirements=project.dependencies,
        extras=frozenset(map(canonicalize_name, options.extras)),
        groups=frozenset(map(canonicalize_name, options.groups)),
    )


def missing(
    project: Project, where: str, pins: Iterable[Pin | Obstacle], markers: Mapping[str, str]
) -> list[ProjectError]:
    """Return a fault for each dependency of *project* that *pins* of the lock *where* lack.

    It names the pinned version if that does not fit.

    Raises:
        ProjectError: a dependency is malformed.
    """
    versions: dict[str, str] = {}
    for item in pins:
        pin = item.pin if isinstance(item, Obstacle) else item
        versions[pin.name] = pin.version
    rewrite = read(where, "").rewrite
    faults = []
    table = "project.dependencies"
    for wanted in requirement.wanted(project.dependencies, markers, where=table, addresses=True):
        have = versions.get(canonicalize_name(wanted.name))
        # What comes from an address may have no version.
        if have is None or (have and not wanted.specifier.contains(have, prereleases=True)):
            fault = ProjectError(
                f"{where}: has {wanted.name} {have or 'not at all'}; "
                f"the project needs {requirement.line(wanted)}",
                hint=f"write the lock again: {rewrite}",
            )
            faults.append(fault)
    return faults
