"""``pylock.toml`` and ``pylock.NAME.toml``: the standard lock (PEP 751)."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from onebin.errors import ProjectError
from onebin.model import Obstacle, Origin, Pin
from onebin.requirement import shown

from . import document, origins
from .wanted import Wanted, holds

NAME: Final = re.compile(r"pylock(\.[^.]+)?\.toml")


class Artifact(msgspec.Struct, frozen=True):
    """A wheel or a source distribution."""

    hashes: dict[str, str] = {}


class Elsewhere(msgspec.Struct, frozen=True, rename="kebab"):
    """A source that is not a file of an index: ``vcs``, ``directory`` or ``archive``."""

    type: str = ""
    url: str = ""
    path: str = ""
    commit_id: str = ""
    subdirectory: str = ""
    hashes: dict[str, str] = {}


class Package(msgspec.Struct, frozen=True, rename="kebab"):
    """One package: used if its marker holds."""

    name: str
    version: str = ""
    marker: str = ""
    requires_python: str = ""
    vcs: Elsewhere | None = None
    directory: Elsewhere | None = None
    archive: Elsewhere | None = None
    sdist: Artifact | None = None
    wheels: tuple[Artifact, ...] = ()


class Document(msgspec.Struct, frozen=True, rename="kebab"):
    """The whole file."""

    lock_version: str
    packages: tuple[Package, ...]
    environments: tuple[str, ...] = ()
    requires_python: str = ""
    extras: tuple[str, ...] = ()
    dependency_groups: tuple[str, ...] = ()
    default_groups: tuple[str, ...] = ()


class Pylock(msgspec.Struct, frozen=True):
    """A standard lock."""

    where: str
    text: str
    base: Path = Path()
    """Its folder: paths in it are relative to that."""
    rewrite = "with the tool that wrote it"

    @staticmethod
    def reads(name: str) -> bool:
        """Whether a file of that name is one."""
        return NAME.fullmatch(name) is not None

    def pins(
        self,
        markers: Mapping[str, str],
        wanted: Wanted = Wanted(),  # noqa: B008
    ) -> tuple[Pin | Obstacle, ...]:
        """Return the packages whose markers hold (a ``Lock``)."""
        read = document.convert(self.text, Document, where=self.where, rewrite=self.rewrite)
        if read.lock_version.partition(".")[0] != "1":
            raise ProjectError(
                f"{self.where}: lock-version {shown(read.lock_version)}; expected 1.0",
                hint=f"write it again: {self.rewrite}",
            )
        self._require_target(read, markers)
        known = {
            "extra": frozenset(map(canonicalize_name, read.extras)),
            "group": frozenset(map(canonicalize_name, read.dependency_groups)),
        }
        for kind, names in (("extra", wanted.extras), ("group", wanted.groups)):
            # A lock for one selection has no such names: it may be this one.
            if known[kind] and (missing := sorted(names - known[kind])):
                raise ProjectError(
                    f"{self.where}: locks no {kind} {missing[0]}",
                    hint=f"known are {', '.join(sorted(known[kind]))}; lock it too",
                )
        groups = wanted.groups | frozenset(map(canonicalize_name, read.default_groups))
        chosen = [
            package
            for package in read.packages
            if holds(
                package.marker, markers, where=f"{self.where}: {shown(package.name)}",
                extras=wanted.extras, groups=groups,
            )
        ]  # fmt: skip
        own = [package for package in chosen if not self._is_project(package, wanted)]
        entries = (self._entry(package, markers) for package in own)
        return document.distinct(entries, where=self.where)

    def names(self) -> frozenset[str]:
        """Return all names but those of projects in folders (a ``Lock``)."""
        read = document.convert(self.text, Document, where=self.where, rewrite=self.rewrite)
        return frozenset(
            canonicalize_name(package.name)
            for package in read.packages
            if package.directory is None
        )

    def _is_project(self, package: Package, wanted: Wanted) -> bool:
        return package.directory is not None and canonicalize_name(package.name) == wanted.project

    def _require_target(self, read: Document, markers: Mapping[str, str]) -> None:
        self._require_python(read.requires_python, self.where, markers)
        where = f"{self.where}: environments"
        if read.environments and not any(
            holds(marker, markers, where=where) for marker in read.environments
        ):
            raise ProjectError(
                f"{where}: none is that of the executable: CPython "
                f"{markers['python_full_version']} on Linux, {markers['platform_machine']}",
                hint="lock for that environment too",
            )

    def _require_python(self, wanted: str, where: str, markers: Mapping[str, str]) -> None:
        python = markers["python_full_version"]
        try:
            fits = SpecifierSet(wanted).contains(python, prereleases=True)
        except InvalidSpecifier as exc:
            raise ProjectError(f"{where}: requires-python {shown(wanted)} cannot be read") from exc
        if not fits:
            raise ProjectError(
                f"{where}: requires Python {shown(wanted)}; the executable has {python}",
                hint="lock for that version too, or set tool.onebin.python-source",
            )

    def _entry(self, package: Package, markers: Mapping[str, str]) -> Pin | Obstacle:
        files = (*package.wheels, package.sdist, package.archive)
        every = (item for file in files if file for item in file.hashes.items())
        hashes = [f"{kind}:{value}" for kind, value in every]
        pin = document.pin(package.name, package.version, hashes, where=self.where)
        self._require_python(package.requires_python, f"{self.where}: {pin}", markers)
        if origin := _origin(package):
            return origins.pinned(pin, origin, self.base, where=self.where, rewrite=self.rewrite)
        if not pin.version or not pin.hashes:
            return document.without_hash(pin, where=self.where, rewrite=self.rewrite)
        return pin


def _origin(package: Package) -> Origin | None:
    """Return where *package* comes from, if not from an index."""
    if found := package.vcs:
        address = found.url or found.path
        if found.type != "git":
            address = f"{found.type}+{address}"
        return origins.git(address, found.commit_id, found.subdirectory)
    if found := package.directory:
        return Origin("directory", found.path, folder=found.subdirectory)
    if found := package.archive:
        if found.url:
            return Origin("url", found.url, folder=found.subdirectory)
        return Origin("file", found.path, folder=found.subdirectory)
    return None
