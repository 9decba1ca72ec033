"""Values of control groups as rows: controller, file and parser of either version, scope.

A row is data: reading it, reading it at every level, and listing its files are written once.

Source: Linux, admin-guide/cgroup-v2.rst and admin-guide/cgroup-v1/.
"""

from collections.abc import Callable
from typing import Any, Final, Generic, Literal, TypeAlias, TypeVar

import msgspec

from devops_info_service.facts.fact import Evidence, Fact, File, Known, Unknown, evidence_of
from devops_info_service.facts.lines import words
from devops_info_service.facts.system_files import SystemFiles

from .cgroup import Cgroups, Group
from .limits import Limit, join_levels

T = TypeVar("T")
N = TypeVar("N", int, float)

UNIFIED: Final = ""
"""The controller of values that every group of version 2 has."""
ONLY_V2: Final = Unknown("cgroup v1 has no such thing")

ReadFile: TypeAlias = Callable[[str], File]
"""Reads a file of one group by its name."""


Scope = Literal["own", "path", "nearest"]
"""Groups whose value counts: the process's own; all up to the root, the smallest; the first that
has the file, from the own one up."""


class Source(msgspec.Struct, Generic[T], frozen=True):
    """The files of one version that hold a value."""

    files: tuple[str, ...]
    """Names; a group without the first one has no such value."""
    read: Callable[[ReadFile], Fact[T]]
    scope: Scope = "own"

    def along_path(self) -> "Source[T]":
        """Return the same for a limit, which counts for all groups below."""
        return Source(self.files, self.read, "path")

    def of_nearest(self) -> "Source[T]":
        """Return the same for a value that a group without the controller has from above."""
        return Source(self.files, self.read, "nearest")


class GroupValue(msgspec.Struct, Generic[T], frozen=True):
    """A value of the process's own group, or of those that contain it."""

    controller: str
    v2: Source[T] | Unknown
    v1: Source[T] | Unknown | None = None
    """``None``: the same."""
    v1_controller: str = ""
    """If version 1 names the controller otherwise."""
    unit: str = ""

    def group(self, cgroups: Cgroups) -> Group | Unknown:
        """Return the group that has the value."""
        old = cgroups.v1.get(self.v1_controller)
        if old is not None:
            return old
        return cgroups.group(self.controller) if self.controller else cgroups.unified

    def source(self, group: Group | Unknown) -> Source[T] | Unknown:
        """Return the source for the version of *group*."""
        is_v1 = isinstance(group, Group) and group.version == 1
        return self.v1 if is_v1 and self.v1 is not None else self.v2

    def paths(self, cgroups: Cgroups) -> list[str]:
        """List the files that hold the value."""
        group = self.group(cgroups)
        source = self.source(group)
        if isinstance(group, Unknown) or isinstance(source, Unknown):
            return []
        levels = group.levels[:1] if source.scope == "own" else group.levels
        return [f"{level}/{file}" for level in levels for file in source.files]


class GroupLimit(GroupValue[N | None], Generic[N], frozen=True):
    """A limit that every group above may have as well; ``None`` means unlimited."""


def whole(file: str, parser: Callable[[str], T]) -> Source[T]:
    """Return a source that is all of a file."""
    return Source((file,), lambda read: read(file).parse(parser))


def field(file: str, name: str, parser: Callable[[str], T]) -> Source[T]:
    """Return a source that follows *name* on a line of a file."""
    return Source((file,), lambda read: read(file).parse_field(name, parser))


def word(file: str, index: int, name: str, parser: Callable[[str], T]) -> Source[T]:
    """Return a source that is one word of a file."""
    return Source((file,), lambda read: read(file).parse_word(index, name, parser))


def ratio(quota: Source[int | None], period: Source[int]) -> Source[float | None]:
    """Return *quota* over *period*."""

    def read(read_file: ReadFile) -> Fact[float | None]:
        dividend = quota.read(read_file)
        if isinstance(dividend, Unknown) or dividend.value is None:
            return dividend
        divisor = period.read(read_file)
        if isinstance(divisor, Unknown):
            return divisor
        if not divisor.value:
            return Unknown(f"{divisor.evidence[0].file}: a period of 0")
        return Known(dividend.value / divisor.value, evidence_of(dividend, divisor))

    return Source((*quota.files, *period.files), read)


class GroupReader:
    """Reads values of this process's groups, each file once."""

    def __init__(self, tree: SystemFiles, cgroups: Cgroups) -> None:
        self._tree = tree
        self.cgroups = cgroups
        self._files: dict[str, File] = {}

    def value(self, row: GroupValue[T]) -> Fact[T]:
        """Read *row* in the process's own group, or in the nearest above that has it."""
        group = row.group(self.cgroups)
        source = row.source(group)
        if isinstance(source, Unknown):
            return source
        if isinstance(group, Unknown):
            return group
        for level in group.levels[:1] if source.scope == "own" else group.levels:
            fact = source.read(self._in(level))
            if isinstance(fact, Known) or self._missing(row.controller, group, level) is None:
                return fact
        return Unknown(f"{group.own}/cgroup.controllers does not list {row.controller}")

    def levels(self, row: GroupValue[T], none: T) -> list[Fact[T]] | Unknown:
        """Read *row* in each group, the own one first, as far up as can be seen.

        *none* is the value of a group that has no such controller, and of the root of all groups.
        """
        group = row.group(self.cgroups)
        source = row.source(group)
        if isinstance(group, Unknown):
            return group
        if isinstance(source, Unknown):
            return source
        facts: list[Fact[T]] = []
        for level in group.levels if source.scope == "path" else group.levels[:1]:
            file = self._read(f"{level}/{source.files[0]}")
            if not isinstance(file.content, Unknown):
                facts.append(source.read(self._in(level)))
            elif missing := self._missing(row.controller, group, level):
                facts.append(Known(none, (missing,)))
            elif group.top_visible and level == group.levels[-1]:
                # The root of all groups has no such file: nothing limits the machine.
                facts.append(Known(none, (file.evidence("", "the root of all groups"),)))
            else:
                facts.append(file.content)
        return facts

    def is_complete(self, row: GroupValue[Any]) -> bool:
        """Return whether every group in which *row* counts can be seen."""
        group = row.group(self.cgroups)
        source = row.source(group)
        if isinstance(group, Unknown) or isinstance(source, Unknown):
            return False
        return group.top_visible or source.scope == "own"

    def limit(self, row: GroupLimit[N]) -> Limit[N]:
        """Read *row* in each group, as far up as can be seen."""
        facts = self.levels(row, None)
        if isinstance(facts, Unknown):
            return Limit(facts, facts, facts, complete=False)
        return join_levels(facts, top_visible=self.is_complete(row))

    def now(self, row: GroupValue[Any]) -> Fact[Any]:
        """Read the value of *row* in force: the smallest that can be seen, if it is a limit."""
        return self.limit(row).seen if isinstance(row, GroupLimit) else self.value(row)

    def _missing(self, controller: str, group: Group, level: str) -> Evidence | None:
        """Return evidence that version 2's group at *level* does not have *controller*."""
        if group.version == 1 or not controller:
            return None
        file = self._read(f"{level}/cgroup.controllers")
        if isinstance(file.content, Unknown) or controller in (
            names := words(file.text.rstrip("\n"))
        ):
            return None
        return file.evidence("", " ".join(names) or "no controller")

    def _in(self, directory: str) -> ReadFile:
        return lambda name: self._read(f"{directory}/{name}")

    def _read(self, path: str) -> File:
        if path not in self._files:
            self._files[path] = self._tree.read(path)
        return self._files[path]
