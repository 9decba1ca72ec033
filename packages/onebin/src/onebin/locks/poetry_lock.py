"""``poetry.lock``: a graph without its root, which is the project's own requirements.

Source: poetry's ``poetry.packages.locker``; lock-version 1.1 to 2.1.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from onebin import requirement
from onebin.errors import ProjectError
from onebin.model import Obstacle, Origin, Pin
from onebin.requirement import shown

from . import document, origins
from .wanted import Wanted, holds, reachable

MAIN: Final = "main"
"""The group of what a project needs at run time."""


class Artifact(msgspec.Struct, frozen=True):
    """A file of a distribution."""

    hash: str = ""


class Constraint(msgspec.Struct, frozen=True):
    """One requirement of a package."""

    version: str = "*"
    markers: str = ""
    optional: bool = False
    extras: tuple[str, ...] = ()


class Source(msgspec.Struct, frozen=True):
    """Where a package comes from if that is not the public index."""

    type: str = "legacy"
    url: str = ""
    resolved_reference: str = ""
    subdirectory: str = ""


class Package(msgspec.Struct, frozen=True, rename="kebab"):
    """A node of the graph."""

    name: str
    version: str
    python_versions: str = "*"
    files: tuple[Artifact, ...] = ()
    groups: tuple[str, ...] = ()
    markers: str | dict[str, str] = ""
    dependencies: dict[str, Any] = {}
    extras: dict[str, tuple[str, ...]] = {}
    source: Source | None = None


class Metadata(msgspec.Struct, frozen=True, rename="kebab"):
    """The end of the file."""

    lock_version: str = "1.0"
    files: dict[str, tuple[Artifact, ...]] = {}


class Document(msgspec.Struct, frozen=True):
    """The whole file."""

    metadata: Metadata
    package: tuple[Package, ...] = ()


class PoetryLock(msgspec.Struct, frozen=True):
    """A lock of poetry."""

    where: str
    text: str
    base: Path = Path()
    """Its folder: paths in it are relative to that."""
    rewrite = "poetry lock"

    @staticmethod
    def reads(name: str) -> bool:
        """Whether a file of that name is one."""
        return name == "poetry.lock"

    def pins(
        self,
        markers: Mapping[str, str],
        wanted: Wanted = Wanted(),  # noqa: B008
    ) -> tuple[Pin | Obstacle, ...]:
        """Return what the project's requirements reach (a ``Lock``)."""
        read = document.convert(self.text, Document, where=self.where, rewrite=self.rewrite)
        if read.metadata.lock_version.partition(".")[0] not in {"1", "2"}:
            raise ProjectError(
                f"{self.where}: lock-version {shown(read.metadata.lock_version)}; "
                "expected 1.1 to 2.1",
                hint="export it: poetry export -o requirements.txt",
            )
        return _Graph(self, read, markers, wanted).entries()

    def names(self) -> frozenset[str]:
        """Return all names (a ``Lock``)."""
        read = document.convert(self.text, Document, where=self.where, rewrite=self.rewrite)
        return frozenset(canonicalize_name(package.name) for package in read.package)


class _Graph:
    def __init__(
        self, lock: PoetryLock, read: Document, markers: Mapping[str, str], wanted: Wanted
    ) -> None:
        self._where, self._base = lock.where, lock.base
        self._markers, self._wanted = markers, wanted
        self._packages = read.package
        self._files = read.metadata.files
        self._format = read.metadata.lock_version
        self._by_name: dict[str, list[int]] = {}
        for number, package in enumerate(self._packages):
            self._by_name.setdefault(canonicalize_name(package.name), []).append(number)

    def entries(self) -> tuple[Pin | Obstacle, ...]:
        roots = [*self._of_requirements(), *self._of_groups()]
        found = reachable(roots, self._needs)
        made = (self._entry(self._packages[number]) for number in found)
        return document.distinct(made, where=self._where)

    def _of_requirements(self) -> Iterable[tuple[int, frozenset[str]]]:
        texts = self._wanted.requirements
        where = "the project's dependencies"
        for item in requirement.wanted(texts, self._markers, where=where, addresses=True):
            extras = frozenset(map(canonicalize_name, item.extras))
            for number in self._candidates(item.name, str(item.specifier)):
                yield number, extras

    def _of_groups(self) -> Iterable[tuple[int, frozenset[str]]]:
        """Yield the members of poetry's own groups, which the lock names."""
        for number, package in enumerate(self._packages):
            if self._wanted.groups & set(package.groups) and self._is_for_target(package):
                yield number, frozenset()
        if self._wanted.groups and self._format in {"1.0", "1.1", "2.0"}:
            raise ProjectError(
                f"{self._where}: names no groups; expected lock-version 2.1",
                hint="write it with poetry 2: poetry lock",
            )

    def _needs(self, number: int, extras: frozenset[str]) -> Iterable[tuple[int, frozenset[str]]]:
        package = self._packages[number]
        where = f"{self._where}: {shown(package.name)}"
        by_extra = {
            canonicalize_name(text.partition(" ")[0].partition("[")[0])
            for extra, texts in package.extras.items()
            if canonicalize_name(extra) in extras
            for text in texts
        }
        for name, value in package.dependencies.items():
            for item in _constraints(value, where):
                wanted = not item.optional or canonicalize_name(name) in by_extra
                if not wanted or not holds(item.markers, self._markers, where=where, extras=extras):
                    continue
                found = self._candidates(name, item.version)
                if not found:
                    raise ProjectError(
                        f"{where} needs {shown(name)} {item.version}, which is not in the lock",
                        hint="write the lock again: poetry lock",
                    )
                more = frozenset(map(canonicalize_name, item.extras))
                yield from ((number, more) for number in found)

    def _candidates(self, name: str, constraint: str) -> list[int]:
        found = self._by_name.get(canonicalize_name(name), [])
        if len(found) > 1:
            found = [
                number for number in found
                if fits(constraint, self._packages[number].version)
                and self._is_for_target(self._packages[number])
            ]  # fmt: skip
        return found

    def _is_for_target(self, package: Package) -> bool:
        """Whether poetry would install it there; only new locks have more than the Python."""
        if not fits(package.python_versions, self._markers["python_full_version"]):
            return False
        markers = package.markers
        texts = [markers] if isinstance(markers, str) else list(markers.values())
        where = f"{self._where}: {shown(package.name)}"
        extras = self._wanted.extras
        return any(holds(text, self._markers, where=where, extras=extras) for text in texts or [""])

    def _entry(self, package: Package) -> Pin | Obstacle:
        files = package.files or self._files.get(package.name, ())
        hashes = [file.hash for file in files]
        pin = document.pin(package.name, package.version, hashes, where=self._where)
        source = package.source
        if source and source.type != "legacy":
            origin = _origin(source)
            return origins.pinned(
                pin, origin, self._base, where=self._where, rewrite=PoetryLock.rewrite
            )
        if not pin.hashes:
            return document.without_hash(pin, where=self._where, rewrite=PoetryLock.rewrite)
        return pin


def _origin(source: Source) -> Origin:
    """Return where a package comes from, if not from an index."""
    match source.type:
        case "git":
            return origins.git(source.url, source.resolved_reference, source.subdirectory)
        case "directory":
            return Origin("directory", source.url, folder=source.subdirectory)
        case "file":
            return Origin("file", source.url, folder=source.subdirectory)
        case _:
            return Origin("url", source.url, folder=source.subdirectory)


def fits(constraint: str, version: str) -> bool:
    """Whether *version* is within *constraint* in poetry's grammar: ``>=1,<2 || ^3.1 || *``.

    What cannot be read fits: it only decides between packages of one name.
    """
    try:
        found = Version(version)
        return any(
            _within(part.strip(), found) for part in constraint.replace("||", "|").split("|")
        )
    except (InvalidVersion, InvalidSpecifier):
        return True


def _within(text: str, version: Version) -> bool:
    terms = [term for part in text.split(",") for term in part.split() if term]
    joined: list[str] = []
    for term in terms:
        # ">= 1" has a space.
        if joined and joined[-1].strip("<>=!~^") == "":
            joined[-1] += term
        else:
            joined.append(term)
    return all(_meets(term, version) for term in joined)


def _meets(term: str, version: Version) -> bool:
    if term == "*":
        return True
    if term[0] == "^":
        return version >= Version(term[1:]) and version < _below(term[1:], caret=True)
    if term[0] == "~" and term[1:2] != "=":
        return version >= Version(term[1:]) and version < _below(term[1:], caret=False)
    text = term if term[0] in "<>=!~" else f"=={term}"
    return SpecifierSet(text).contains(version, prereleases=True)


def _below(text: str, *, caret: bool) -> Version:
    """Return the version that ``^text`` or ``~text`` ends before."""
    release = Version(text).release
    place = min(1, len(release) - 1)
    if caret:
        place = next((n for n, part in enumerate(release) if part), len(release) - 1)
    return Version(".".join(map(str, (*release[:place], release[place] + 1))))


def _constraints(value: object, where: str) -> tuple[Constraint, ...]:
    try:
        if isinstance(value, str):
            return (Constraint(value),)
        if isinstance(value, list):
            return tuple(one for item in value for one in _constraints(item, where))
        return (msgspec.convert(value, Constraint),)
    except (msgspec.ValidationError, RecursionError) as exc:
        raise ProjectError(f"{where}: a dependency has another form: {shown(str(exc))}") from exc
