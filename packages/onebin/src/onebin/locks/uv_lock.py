"""``uv.lock``, and the lock uv writes beside a script: one lock for all platforms and extras.

Source: uv's documentation of its lockfile; the form is ``version = 1``, which later revisions keep.
"""

import urllib.parse
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final, TypeAlias

import msgspec
from packaging.utils import canonicalize_name

from onebin import requirement
from onebin.errors import ProjectError
from onebin.model import Obstacle, Origin, Pin
from onebin.requirement import shown

from . import document, origins
from .wanted import Wanted, holds, reachable

VERSION: Final = 1

OWN: Final = ("editable", "virtual", "directory")
"""Kinds of sources that are folders."""


class Artifact(msgspec.Struct, frozen=True):
    """A file of a distribution."""

    hash: str = ""


class Dependency(msgspec.Struct, frozen=True):
    """An edge of the graph; version and source where several packages have the name."""

    name: str
    version: str = ""
    source: dict[str, Any] = {}
    marker: str = ""
    extra: tuple[str, ...] = ()


Edge: TypeAlias = Dependency | str
"""A name alone is short for a table with it: uv may write it so (lock-dependency-shorthand)."""


class Package(msgspec.Struct, frozen=True, rename="kebab"):
    """A node of the graph."""

    name: str
    version: str = ""
    source: dict[str, Any] = {}
    resolution_markers: tuple[str, ...] = ()
    dependencies: tuple[Edge, ...] = ()
    optional_dependencies: dict[str, tuple[Edge, ...]] = {}
    dev_dependencies: dict[str, tuple[Edge, ...]] = {}
    sdist: Artifact | None = None
    wheels: tuple[Artifact, ...] = ()


class Head(msgspec.Struct, frozen=True):
    """The form of the file, whatever that is."""

    version: int


class Document(msgspec.Struct, frozen=True):
    """The whole file."""

    package: tuple[Package, ...] = ()


class UvLock(msgspec.Struct, frozen=True):
    """A lock of uv."""

    where: str
    text: str
    base: Path = Path()
    """Its folder: paths in it are relative to that."""
    rewrite = "uv lock"

    @staticmethod
    def reads(name: str) -> bool:
        """Whether a file of that name is one."""
        return name == "uv.lock" or name.endswith(".py.lock")

    def pins(
        self,
        markers: Mapping[str, str],
        wanted: Wanted = Wanted(),  # noqa: B008
    ) -> tuple[Pin | Obstacle, ...]:
        """Return what the project needs (a ``Lock``)."""
        head = document.convert(self.text, Head, where=self.where, rewrite=self.rewrite)
        if head.version != VERSION:
            raise ProjectError(
                f"{self.where}: version {head.version} of the format; expected {VERSION}",
                hint="write it again with another uv, or export it: uv export -o pylock.toml",
            )
        read = document.convert(self.text, Document, where=self.where, rewrite=self.rewrite)
        return _Graph(self, read.package, markers, wanted).entries()

    def names(self) -> frozenset[str]:
        """Return all names but those of projects in folders (a ``Lock``)."""
        read = document.convert(self.text, Document, where=self.where, rewrite=self.rewrite)
        return frozenset(
            canonicalize_name(package.name)
            for package in read.package
            if not any(kind in package.source for kind in OWN)
        )


class _Graph:
    def __init__(
        self,
        lock: UvLock,
        packages: Iterable[Package],
        markers: Mapping[str, str],
        wanted: Wanted,
    ) -> None:
        self._where, self._base = lock.where, lock.base
        self._markers, self._wanted = markers, wanted
        self._packages = tuple(packages)
        self._by_name: dict[str, list[int]] = {}
        for number, package in enumerate(self._packages):
            self._by_name.setdefault(canonicalize_name(package.name), []).append(number)
        # In markers, conflicting extras and groups have names with their project's.
        name = wanted.project
        self._conflicts = frozenset(
            f"{kind}-{len(name)}-{name}-{item}"
            for kind, items in (("extra", wanted.extras), ("group", wanted.groups))
            for item in items
        )

    def entries(self) -> tuple[Pin | Obstacle, ...]:
        own = [
            number
            for number in self._by_name.get(self._wanted.project, ())
            if any(kind in self._packages[number].source for kind in OWN)
        ]
        roots = [(number, self._wanted.extras) for number in own]
        if not own:
            roots = self._of_requirements()
        found = reachable(roots, lambda number, extras: self._needs(number, extras, own))
        # A virtual package has no code: it is there for its dependencies.
        made = (
            self._entry(self._packages[number])
            for number in found
            if number not in own and "virtual" not in self._packages[number].source
        )
        return document.distinct(made, where=self._where)

    def _of_requirements(self) -> list[tuple[int, frozenset[str]]]:
        """Return where the project's requirements begin: the lock of a script has no root."""
        texts = self._wanted.requirements
        where = "the project's dependencies"
        return [
            (number, frozenset(map(canonicalize_name, item.extras)))
            for item in requirement.wanted(texts, self._markers, where=where, addresses=True)
            for number in self._candidates(Dependency(item.name))
            if item.specifier.contains(self._packages[number].version or "0", prereleases=True)
        ]

    def _needs(
        self, number: int, extras: frozenset[str], own: Iterable[int]
    ) -> list[tuple[int, frozenset[str]]]:
        package = self._packages[number]
        needs = list(package.dependencies)
        for extra, more in package.optional_dependencies.items():
            needs += more if canonicalize_name(extra) in extras else ()
        if number in own:
            for group, more in package.dev_dependencies.items():
                needs += more if canonicalize_name(group) in self._wanted.groups else ()
        return [
            (found, frozenset(map(canonicalize_name, need.extra)))
            for need in (Dependency(edge) if isinstance(edge, str) else edge for edge in needs)
            if self._holds(need.marker, package)
            for found in self._target(need, package)
        ]

    def _target(self, need: Dependency, package: Package) -> list[int]:
        found = self._candidates(need)
        if not found:
            raise ProjectError(
                f"{self._where}: {shown(package.name)} needs {shown(need.name)}, "
                "which is not in the lock",
                hint="write the lock again: uv lock",
            )
        return found

    def _candidates(self, need: Dependency) -> list[int]:
        every = self._by_name.get(canonicalize_name(need.name), [])
        found = [number for number in every if self._is_meant(need, self._packages[number])]
        if len(found) > 1:
            found = [number for number in found if self._is_for_target(self._packages[number])]
        return found

    def _is_meant(self, need: Dependency, package: Package) -> bool:
        same_source = not need.source or need.source == package.source
        return same_source and need.version in {"", package.version}

    def _is_for_target(self, package: Package) -> bool:
        markers = package.resolution_markers
        return not markers or any(self._holds(marker, package) for marker in markers)

    def _holds(self, marker: str, package: Package) -> bool:
        where = f"{self._where}: {shown(package.name)}"
        return holds(marker, self._markers, where=where, extras=self._conflicts)

    def _entry(self, package: Package) -> Pin | Obstacle:
        files = [*package.wheels, *([package.sdist] if package.sdist else [])]
        hashes = [file.hash for file in files]
        pin = document.pin(package.name, package.version, hashes, where=self._where)
        if "registry" not in package.source:
            origin = _origin(package.source, self._where)
            return origins.pinned(
                pin, origin, self._base, where=self._where, rewrite=UvLock.rewrite
            )
        if not pin.version or not pin.hashes:
            return document.without_hash(pin, where=self._where, rewrite=UvLock.rewrite)
        return pin


def _origin(source: Mapping[str, Any], where: str) -> Origin:
    """Return where a package comes from, if not from an index."""
    kind, address = next(iter(source.items()), ("url", ""))
    folder = str(source.get("subdirectory", ""))
    match kind:
        case "git":
            # https://host/x?subdirectory=y&rev=main#COMMIT
            parts = origins.split(str(address), where=where)
            inner = dict(urllib.parse.parse_qsl(parts.query)).get("subdirectory", folder)
            plain = urllib.parse.urlunsplit(parts._replace(query="", fragment=""))
            return origins.git(plain, parts.fragment, inner)
        case "directory" | "editable":
            return Origin("directory", str(address))
        case "path":
            return origins.of_path(str(address), folder)
        case _:
            return Origin("url", str(address), folder=folder)
