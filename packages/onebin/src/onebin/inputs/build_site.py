"""The requirements of a back end that runs on this machine, as a folder that it imports from.

They are installed by pip, from wheels alone. The build lock that onebin writes gives their
versions and hashes, as far as it has them; the others are chosen by the index and reported by
name and hash, for the lock. Wheels with C extensions are for this machine's Python and stay out
of it: builds for the executable compile such requirements from their sources.
"""

import hashlib
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import msgspec
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from onebin import requirement
from onebin.effects import files, index, pip_options, versions
from onebin.effects.context import Context
from onebin.effects.wheel_tags import tags_of
from onebin.errors import ProjectError
from onebin.model import Pin

CACHE_VERSION: Final = 3
"""Raised when this module makes something else of the same requirements: part of the key."""

BINARY: Final = ("--only-binary", ":all:")
"""pip's option for any wheel that this Python can import."""

PYTHON: Final = f"{sys.version_info[0]}.{sys.version_info[1]}"


class Site(msgspec.Struct, frozen=True):
    """A folder of build requirements, and their names."""

    folder: Path
    requires: tuple[Pin, ...] = ()
    """Those that a build lock can have, each with the hash of its file."""
    unpinned: tuple[str, ...] = ()
    """Those that no lock pins, as ``name==version``."""


class BuildRequirements(msgspec.Struct, frozen=True, kw_only=True):
    """Step: a back end and all that it needs, importable by this Python."""

    requires: tuple[str, ...]
    name: str
    """The project's, for messages."""
    build_lock: Path | None = None
    """The project's own: it has all of them."""
    build_pins: tuple[Pin, ...] = ()
    """Those of the lock that onebin writes."""
    kind = "build-site"

    def key(self) -> tuple[object, ...]:
        """Return the requirements and the locks."""
        return (
            CACHE_VERSION, self.requires, text_of(self.build_lock), self.build_pins, sys.version,
        )  # fmt: skip

    def without_pins(self) -> "BuildRequirements":
        """Return the step without the build lock (a ``PinnedStep``)."""
        return msgspec.structs.replace(self, build_pins=())

    def make(self, folder: Path, ctx: Context) -> None:
        """Fetch them.

        Raises:
            ProjectError: one is not a requirement of an index, or not in the lock, or has no wheel,
                or another file than the lock's.
        """
        site = folder / "site"
        site.mkdir()
        where = f"{self.name}: its build requirements"
        wanted = [item for item in (requirement.parse(text, where=where) for text in self.requires)
                  if item.marker is None or item.marker.evaluate()]  # fmt: skip
        if any(item.url for item in wanted):
            raise ProjectError(f"{where}: one has an address; expected versions of an index")
        used: tuple[Pin, ...] = ()
        if wanted:
            ctx.progress.report(f"{self.name}: fetching its back end")
            call: list[str | Path] = [
                "install", "--quiet", "--no-deps", "--target", site, *BINARY,
            ]  # fmt: skip
            try:
                with ctx.store.scratch() as scratch:
                    if self.build_lock:
                        call += ["--require-hashes", "--requirement", self.build_lock]
                    else:
                        used, words = self._chosen(wanted, scratch, ctx)
                        call += words
                    index.pip(ctx.run, call)
            except index.NoMatchError as exc:
                raise ProjectError(
                    f"{where}: {exc} has no wheel for this machine",
                    hint="a build requirement is not built in turn: choose another version",
                ) from exc
        have = dict(line.split("==") for line in _installed(site))
        for item in wanted:
            version = have.get(canonicalize_name(item.name))
            if version is None or not item.specifier.contains(version, prereleases=True):
                raise ProjectError(
                    f"{where}: {requirement.line(item)} is not in tool.onebin.build-lock",
                    hint="pin it there, with its hash and all that it needs",
                )
        (folder / "pins.json").write_bytes(msgspec.json.encode(used))

    def load(self, folder: Path) -> Site:
        """Return them."""
        site = folder / "site"
        used = msgspec.json.decode((folder / "pins.json").read_bytes(), type=tuple[Pin, ...])
        pinned = {pin.name for pin in used}
        loose = (line for line in _installed(site) if line.partition("==")[0] not in pinned)
        return Site(site, used, () if self.build_lock else tuple(sorted(loose)))

    def _chosen(
        self, wanted: Sequence[Requirement], scratch: Path, ctx: Context
    ) -> tuple[tuple[Pin, ...], list[str | Path]]:
        """Return the pins that are used, and the files and lines that pip installs."""
        pins: list[Pin] = []
        words: list[str | Path] = []
        known = {(pin.name, pin.version): pin for pin in self.build_pins}
        for n, (choice, file, _) in enumerate(self._choices(wanted, scratch, ctx)):
            if not _is_for_locks(file):
                words.append(f"{choice.name}=={choice.version}")
                continue
            pin = known.get((choice.name, choice.version), choice)
            wheel = index.download_tool(pin, scratch / str(n), python=PYTHON, run=ctx.run)
            if wheel is None:
                words.append(f"{choice.name}=={choice.version}")
                continue
            sha256 = hashlib.sha256(wheel.read_bytes()).hexdigest()
            pins.append(msgspec.structs.replace(pin, hashes=pin.hashes or (f"sha256:{sha256}",)))
            words.append(wheel)
        return tuple(sorted(pins)), words

    def _choices(
        self, wanted: Sequence[Requirement], scratch: Path, ctx: Context
    ) -> tuple[versions.Choice, ...]:
        """Return the versions that the lock has, else those that the index has now."""
        locked: dict[str, Pin] = {}
        for pin in self.build_pins:  # by name, then by version
            if all(item.specifier.contains(pin.version, prereleases=True)
                   for item in wanted if canonicalize_name(item.name) == pin.name):  # fmt: skip
                locked[pin.name] = pin
        # Wheels without C extensions come first: a lock can have them.
        tried = [(locked, pip_options.programs(PYTHON)), (locked, BINARY), ({}, BINARY)]
        while True:
            given, fits = tried.pop(0)
            try:
                return versions.choose(
                    wanted, given.values(), scratch, fits=fits, environment={}, run=ctx.run
                )
            except index.NoMatchError:
                if not tried:
                    raise


def _is_for_locks(file: str) -> bool:
    """Whether the wheel *file* has no C extensions of one Python: pure, or programs."""
    return all(tag.abi == "none" and tag.interpreter.startswith("py") for tag in tags_of(file))


def text_of(file: Path | None) -> str:
    """Return the contents of *file*; nothing if there is none.

    Raises:
        ProjectError: it cannot be read.
    """
    try:
        return files.read_text(file) if file else ""
    except (OSError, ValueError) as exc:
        raise ProjectError(f"{file}: cannot be read: {exc}", hint="expected a lock") from exc


def _installed(site: Path) -> Iterable[str]:
    for info in site.glob("*.dist-info"):
        name, _, version = info.name.removesuffix(".dist-info").rpartition("-")
        yield f"{canonicalize_name(name)}=={version}"
