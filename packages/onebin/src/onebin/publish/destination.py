"""The form of a destination, and the checks that several of them share."""

import os
from pathlib import Path
from typing import ClassVar, Protocol

import msgspec

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
    """What is written, for ``--help``: under 60 characters."""

    def __init__(self, where: str) -> None: ...

    def obstacle(self) -> Obstacle | None:
        """Return what stands in the way now, if anything; nothing is written."""
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


def unwritable(path: Path) -> Obstacle | None:
    """Return why *path* cannot be made: its nearest existing directory is none, or read-only."""
    above = next(parent for parent in path.absolute().parents if parent.exists())
    if above.is_dir() and os.access(above, os.W_OK | os.X_OK):
        return None
    return Obstacle(
        f"{path}: {above} is not a directory you can write to", "choose a path in one you can"
    )


def foreign(path: Path, *, written_by_onebin: bool) -> Obstacle | None:
    """Return why the directory *path* may not be replaced, or why it cannot be made.

    It may be missing, empty, or written by onebin; a symbolic link is none of these.
    """
    if path.is_symlink() or path.exists():
        is_empty = path.is_dir() and not path.is_symlink() and next(path.iterdir(), None) is None
        if not (is_empty or written_by_onebin) or path.is_symlink():
            return Obstacle(
                f"{path}: already exists and was not written by onebin; not overwritten",
                "give a directory that does not exist yet",
            )
    return unwritable(path)


def prepare(destination: Destination, path: Path) -> None:
    """Make the parent directories of *path*.

    Raises:
        ToolError: *destination* has an obstacle, or they cannot be made.
    """
    require(destination)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise ToolError(f"{path.parent}: cannot be made: {exc.strerror}") from exc


def require(destination: Destination) -> None:
    """Raise what stands in the way of *destination*.

    Raises:
        ToolError: its obstacle.
    """
    if obstacle := destination.obstacle():
        raise ToolError(obstacle.fault, hint=obstacle.hint)
