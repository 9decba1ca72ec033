"""The form of a destination, and what those in the file system share."""

import abc
import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import ClassVar, Protocol

import msgspec

from onebin.effects.atomic import replace_atomically, require_replaceable
from onebin.errors import ToolError
from onebin.image import spec
from onebin.image.image import Image
from onebin.image.index import Index
from onebin.image.reference import Reference


class Obstacle(msgspec.Struct, frozen=True):
    """A reason why an image cannot go to a destination, known before it is built."""

    fault: str
    """``thing: fault``, as a message begins."""
    hint: str


class Destination(Protocol):
    """A place images are written to; *where* is the part of ``KIND:WHERE`` after the colon."""

    kind: ClassVar[str]
    summary: ClassVar[str]
    """Form of the result, for ``--help``: under 60 characters."""

    def __init__(self, where: str) -> None: ...

    def obstacle(self) -> Obstacle | None:
        """Return the reason why ``publish`` would fail now, if there is one; write nothing."""
        ...

    def publish(self, image: Image | Index, reference: Reference) -> spec.Descriptor:
        """Write *image* under the name *reference*, completely or not at all.

        Returns:
            The descriptor of *image*, as it is stored there.

        Raises:
            ToolError: it cannot be written.
            ImageError: this kind of destination cannot hold *image*.
        """
        ...


class PathDestination(Destination):
    """The part that all destinations with a path have; each adds its kind and ``publish``."""

    def __init__(self, where: str) -> None:
        self.path = Path(where)

    def __str__(self) -> str:
        return str(self.path)

    def obstacle(self) -> Obstacle | None:
        """Return why the path cannot be written."""
        return unwritable(self.path)

    @contextlib.contextmanager
    def replace(self) -> Iterator[Path]:
        """Give the path to write to, which takes the place of ``path`` at the end.

        Raises:
            ToolError: there is an obstacle, or the parent directories cannot be made.
        """
        require(self)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as exc:
            raise ToolError(f"{self.path.parent}: cannot be made: {exc.strerror}") from exc
        with replace_atomically(self.path) as new:
            yield new


class FolderDestination(PathDestination):
    """The part that destinations of several files in a directory have."""

    def __str__(self) -> str:
        return f"{self.path}/"

    @abc.abstractmethod
    def is_marked(self) -> bool:
        """Return whether onebin has written the directory, and may replace it."""

    def obstacle(self) -> Obstacle | None:
        """Return whether the path holds something else, or cannot be written.

        It may be missing, empty, or written by onebin; a symbolic link is none of these.
        """
        path = self.path
        if path.is_symlink() or (path.exists() and not (self.is_marked() or _is_empty(path))):
            return Obstacle(
                f"{path}: already exists and was not written by onebin; not overwritten",
                "give a directory that does not exist yet",
            )
        return super().obstacle()


def unwritable(path: Path) -> Obstacle | None:
    """Return why *path* cannot be made: its nearest existing parent is a file, or read-only."""
    above = next(parent for parent in path.absolute().parents if parent.exists())
    if above.is_dir() and os.access(above, os.W_OK | os.X_OK):
        return None
    return Obstacle(
        f"{path}: {above} is not a directory you can write to", "choose a path in one you can"
    )


def _is_empty(path: Path) -> bool:
    try:
        return path.is_dir() and not any(path.iterdir())
    except OSError:
        return False


def require(destination: Destination) -> None:
    """Check *destination* before anything is built for it.

    Raises:
        ToolError: it has an obstacle.
    """
    _require(destination.obstacle, destination)


def require_writable(path: Path) -> None:
    """Check that a file can be made at *path*, before minutes are spent on its contents.

    Raises:
        ToolError: it is a directory, or its directory cannot be written to.
    """
    _require(lambda: unreplaceable(path) or unwritable(path), path)


def unreplaceable(path: Path) -> Obstacle | None:
    """Return why a file cannot take the place of *path*, if there is something else."""
    try:
        require_replaceable(path)
    except ToolError as exc:
        return Obstacle(str(exc), exc.hint)
    return None


def _require(obstacle: Callable[[], Obstacle | None], where: object) -> None:
    try:
        found = obstacle()
    except OSError as exc:  # a name that is too long
        raise ToolError(f"{where}: not a path: {exc}") from exc
    if found:
        raise ToolError(found.fault, hint=found.hint)
