"""A distribution that no index has: its source or its wheel, from the origin in its lock.

A folder is named by its contents, a file by its sha256, a repository by a commit: another is an
obstacle.
"""

import hashlib
import shutil
import urllib.parse
from pathlib import Path
from typing import Final

import msgspec

from onebin.effects import index, repository, source_tree, unpack, wheel_tags
from onebin.effects.context import Context
from onebin.errors import ProjectError, ToolError
from onebin.model import Obstacle, Offer, Origin, Pin
from onebin.requirement import shown
from onebin.secret import hidden

CACHE_VERSION: Final = 1
"""Raised when this module makes something else of the same origin: part of the key."""

PROJECT_FILES: Final = ("pyproject.toml", "setup.py", "setup.cfg")
"""One of these makes a folder a project."""

ARCHIVES: Final = (".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".zip")


class Fetched(msgspec.Struct, frozen=True):
    """Step: the file at an address, or the source in a repository."""

    pin: Pin
    python: str
    """``3.13``."""
    kind = "located"

    def key(self) -> tuple[object, ...]:
        """Return the pin with its origin, and for whom."""
        return CACHE_VERSION, self.pin, self.python

    def make(self, folder: Path, ctx: Context) -> None:
        """Fetch it; none of its code runs.

        Raises:
            ProjectError: it is not the locked one.
            ToolError: it cannot be fetched.
        """
        origin = _origin(self.pin)
        if ctx.is_offline:
            raise ToolError(
                f"{self.pin}: {hidden(str(origin))}: not in the cache",
                hint="fetch it once, with onebin plan and without --offline",
            )
        ctx.progress.report(f"{self.pin}: fetching it from {hidden(str(origin))}")
        if origin.kind == "git":
            repository.check_out(origin.address, origin.commit, folder / "tree", run=ctx.run)
            return
        with ctx.store.scratch() as scratch:
            file = index.download_url(
                self.pin, origin.address, scratch, python=self.python, run=ctx.run
            )
            shutil.copyfile(file, folder / file.name)

    def load(self, folder: Path) -> Path:
        """Return the file, or the folder of the source."""
        return next(folder.iterdir())


def with_contents(pin: Pin) -> Pin:
    """Return *pin* with the digest of the folder it comes from, if it comes from one.

    Raises:
        ProjectError: nothing is there, or no project.
    """
    origin = pin.origin
    if origin is None or origin.kind not in {"directory", "file"}:
        return pin
    place = Path(origin.address)
    if origin.kind == "file" or place.is_file():
        if not place.is_file():
            raise _missing(pin, place, "a file")
        if _sha256(place) not in pin.hashes:
            raise ProjectError(
                f"{pin}: {place}: not the file that was locked; expected {pin.hashes[0]}",
                hint="if the file is right, lock again",
            )
        return msgspec.structs.replace(pin, origin=msgspec.structs.replace(origin, kind="file"))
    folder = place / origin.folder
    if not any((folder / name).is_file() for name in PROJECT_FILES):
        raise _missing(pin, folder, "a project's folder, with a pyproject.toml")
    found = msgspec.structs.replace(origin, digest=source_tree.digest(place))
    return msgspec.structs.replace(pin, origin=found)


def offer(pin: Pin, python: str, *, captured: str, pure: str) -> Offer | Obstacle:
    """Return how *pin* comes in: as the wheel that it is, or built from its source.

    Args:
        pin: A pin with an origin.
        python: ``3.13``.
        captured: The name of the provider of sources.
        pure: The name of the provider of wheels.
    """
    origin = _origin(pin)
    name = file_name(origin)
    if not name:
        return Offer(pin, captured, hidden(str(origin)))
    if name.endswith(".whl"):
        if wheel_tags.is_pure(name, python):
            return Offer(pin, pure, name)
        return Obstacle(
            pin,
            f"{pin}: {name}: not a wheel of pure Python for {python}; expected one, or a source",
            hint="a static executable cannot load its shared objects: lock its source "
            "distribution, its repository or its version on the index",
        )
    if name.endswith(ARCHIVES):
        return Offer(pin, captured, name)
    return Obstacle(
        pin,
        f"{pin}: {shown(name)}: not an archive by its name; expected {', '.join(ARCHIVES)} or .whl",
        hint="lock it under the name of such a file",
    )


def file_name(origin: Origin) -> str:
    """Return the name of the file that *origin* is; empty if it is a folder or a repository."""
    if origin.kind == "url":
        return urllib.parse.unquote(urllib.parse.urlsplit(origin.address).path).rpartition("/")[2]
    return Path(origin.address).name if origin.kind == "file" else ""


def wheel(pin: Pin, python: str, ctx: Context) -> Path:
    """Return the wheel that *pin* is.

    Raises:
        ProjectError: it is not the locked one.
        ToolError: it cannot be fetched.
    """
    return _file(pin, python, ctx)


def source(pin: Pin, scratch: Path, python: str, ctx: Context) -> Path:
    """Return a copy in *scratch* of the source that *pin* is, which may be written.

    Raises:
        ProjectError: it is not the locked one, or has no folder that the lock names.
        ToolError: it cannot be fetched or unpacked.
    """
    origin = _origin(pin)
    copied = scratch / "located"
    if origin.kind == "directory":
        source_tree.copy(Path(origin.address), copied)
        if origin.digest != source_tree.digest(copied):
            raise ProjectError(
                f"{pin}: {origin.address}: changed while it was read; expected files that stay",
                hint="build again",
            )
    elif origin.kind == "git":
        shutil.copytree(ctx.build(Fetched(pin, python)), copied, symlinks=True)
    else:
        copied = unpack.tree(_file(pin, python, ctx), copied)
    found = copied / origin.folder
    if not found.is_dir() or not found.resolve().is_relative_to(copied.resolve()):
        raise ProjectError(
            f"{pin}: has no folder {shown(origin.folder)}; expected that of the lock",
            hint="lock again",
        )
    return found


def _file(pin: Pin, python: str, ctx: Context) -> Path:
    origin = _origin(pin)
    if origin.kind == "url":
        return ctx.build(Fetched(pin, python))
    file = Path(origin.address)
    try:
        if _sha256(file) in pin.hashes:
            return file
    except OSError as exc:
        raise ToolError(f"{pin}: {file}: cannot be read: {exc.strerror}") from exc
    raise ProjectError(f"{pin}: {file}: not the file that was locked", hint="lock again")


def _origin(pin: Pin) -> Origin:
    if pin.origin is None:
        raise ValueError(f"{pin}: comes from an index")
    return pin.origin


def _missing(pin: Pin, place: Path, expected: str) -> ProjectError:
    return ProjectError(
        f"{pin}: {place}: not there; expected {expected}, as the lock names it",
        hint="fetch the folder that the lock was written in as a whole, or lock again",
    )


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return f"sha256:{hashlib.file_digest(stream, 'sha256').hexdigest()}"
