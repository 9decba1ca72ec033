"""Which versions are used: a kind of lock file each, and the choice of versions for a new one."""

from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from typing import Final, Protocol

from packaging.utils import canonicalize_name

from onebin import requirement
from onebin.errors import ProjectError
from onebin.model import Pin, Project

from .requirements import OnebinLock, Requirements


class Lock(Protocol):
    """A file that pins distributions by version and hash."""

    def pins(self, markers: Mapping[str, str]) -> tuple[Pin, ...]:
        """Return the pins that hold for *markers* (PEP 508), sorted by name.

        Raises:
            ProjectError: the file is malformed, or pins nothing by a hash.
        """
        ...


class LockKind(Protocol):
    """A class of locks."""

    @staticmethod
    def reads(name: str) -> bool:
        """Whether it reads files of that name."""
        ...

    def __call__(self, where: str, text: str) -> Lock:
        """Return the lock with that text; *where* names it in messages."""
        ...


LOCKS: Final[tuple[LockKind, ...]] = (OnebinLock, Requirements)
"""The first kind that reads a name decides."""

WRITTEN: Final = "onebin.lock"
"""The lock onebin writes by itself at the first build."""


def read(where: str, text: str) -> Lock:
    """Return the lock *text*, of the kind that reads its name."""
    name = PurePosixPath(where).name
    return next(kind for kind in LOCKS if kind.reads(name))(where, text)


def require_complete(project: Project, pins: Iterable[Pin], markers: Mapping[str, str]) -> None:
    """Refuse *pins* that lack a dependency of *project*.

    Raises:
        ProjectError: naming the first one, and its pinned version if that does not fit.
    """
    versions = {pin.name: pin.version for pin in pins}
    where = "project.dependencies"
    for wanted in requirement.wanted(project.dependencies, markers, where=where):
        have = versions.get(canonicalize_name(wanted.name))
        if have is None or not wanted.specifier.contains(have, prereleases=True):
            raise ProjectError(
                f"{project.options.lock}: has {wanted.name} {have or 'not at all'}; "
                f"the project needs {requirement.line(wanted)}",
                hint="write the lock again: onebin lock",
            )
