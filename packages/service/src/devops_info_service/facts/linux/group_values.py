"""Values of control groups as rows: controller, file and parser of either version, scope.

A row is data: reading it, reading it at every level, and listing its files are written once.

Source: Linux, admin-guide/cgroup-v2.rst and admin-guide/cgroup-v1/.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final, Generic, TypeAlias, TypeVar

import msgspec

from devops_info_service.facts.fact import Fact, File, Known, Unknown, evidence_of
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


class Source(msgspec.Struct, Generic[T], frozen=True):
    """The files of one version that hold a value."""

    files: tuple[str, ...]
    """Names; a group without the first one has no such value."""
    read: Callable[[ReadFile], Fact[T]]


class GroupValue(msgspec.Struct, Generic[T], frozen=True):
    """A value of the process's own group."""

    controller: str
    v2: Source[T] | Unknown
    v1: Source[T] | Unknown | None = None
    """``None``: the same."""
    v1_controller: str = ""
    """If version 1 names the controller otherwise."""

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
        return [f"{level}/{file}" for level in self.levels(group) for file in source.files]

    def levels(self, group: Group) -> Iterable[str]:
        """Return the directories in which the value counts."""
        return group.levels[:1]


class GroupLimit(GroupValue[N | None], Generic[N], frozen=True):
    """A limit that every group above has as well; ``None`` means unlimited."""

    def levels(self, group: Group) -> Iterable[str]:
        """Return all directories that can be seen."""
        return group.levels


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
    """Reads values of this process's groups, each file of the own group once."""

    def __init__(self, tree: SystemFiles, cgroups: Cgroups) -> None:
        self._tree = tree
        self._cgroups = cgroups
        self._files: dict[str, File] = {}

    def value(self, row: GroupValue[T]) -> Fact[T]:
        """Read *row* in the process's own group."""
        group = row.group(self._cgroups)
        source = row.source(group)
        if isinstance(source, Unknown):
            return source
        if isinstance(group, Unknown):
            return source.read(lambda name: File(name, group))
        return source.read(self._in(group.own))

    def limit(self, row: GroupLimit[N]) -> Limit[N]:
        """Read *row* in each group, as far up as can be seen."""
        group = row.group(self._cgroups)
        source = row.source(group)
        if isinstance(group, Unknown) or isinstance(source, Unknown):
            reason = group if isinstance(group, Unknown) else ONLY_V2
            return Limit(reason, reason, reason, complete=False)
        facts: list[Fact[N | None]] = []
        for index, level in enumerate(group.levels):
            file = self._read(f"{level}/{source.files[0]}")
            is_root = group.top_visible and index == len(group.levels) - 1
            if index == 0 and group.disabled:
                facts.append(Known(None, (group.disabled,)))
            elif is_root and isinstance(file.content, Unknown):
                # The root of all groups has no such file: nothing limits the machine.
                facts.append(Known(None, (file.evidence("", "the root of all groups"),)))
            else:
                facts.append(source.read(self._in(level)))
        return join_levels(facts, top_visible=group.top_visible)

    def now(self, row: GroupValue[Any]) -> Fact[Any]:
        """Read the value of *row* in force: the smallest of all levels, if it is a limit."""
        return self.limit(row).effective if isinstance(row, GroupLimit) else self.value(row)

    def _in(self, directory: str) -> ReadFile:
        return lambda name: self._read(f"{directory}/{name}")

    def _read(self, path: str) -> File:
        if path not in self._files:
            self._files[path] = self._tree.read(path)
        return self._files[path]
