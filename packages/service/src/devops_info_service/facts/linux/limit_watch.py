"""Changes of limits while the service runs: an in-place resize, and nothing else, makes them.

A poll a second reads a handful of small files that stay open, and parses them only if their
bytes differ from those of the last poll.
"""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from devops_info_service.facts.fact import Fact, Known, Unknown
from devops_info_service.facts.open_files import OpenFiles
from devops_info_service.facts.system_files import Clock, SystemFiles

from . import group_table as table
from .cgroup import Cgroups, read_cgroups
from .group_values import GroupReader, GroupValue
from .mounts import read_mounts
from .provenance import sourced
from .uptime import rfc3339

MAX_CHANGES: Final = 32
"""Remembered; an autoscaler that resizes every few minutes fills them in an hour or two."""

KEPT_FILES: Final = 16
"""Kept open: five limits in three groups above each other. Those above are opened each time."""

Value = int | float | str | None
"""``None`` means unlimited."""

Read = Callable[[], dict[str, Fact[Value]]]
"""Reads each limit, by its name."""


WATCHED: Final[dict[str, GroupValue[Any]]] = {
    "cpu.limit": table.CPU_LIMIT,
    "cpu.cpuset": table.CPUSET_TEXT,
    "processes.limit": table.PIDS_LIMIT,
    "memory.limit": table.MEMORY_LIMIT,
    "memory.high": table.MEMORY_HIGH,
}


class Change(msgspec.Struct, frozen=True, rename={"from_": "from"}):
    """The change of one limit."""

    time: str
    """RFC 3339, UTC: when it was noticed."""
    limit: str
    """Such as ``memory.limit``."""
    from_: Value
    to: Value

    def facts(self) -> dict[str, Value]:
        """Return the fields of the log line, which has its own time."""
        return {"limit": self.limit, "from": self.from_, "to": self.to}


class LimitWatch:
    """Remembers the last changes."""

    def __init__(self, read: Read, clock: Clock) -> None:
        self._read = read
        self._clock = clock
        self._last: dict[str, Value] = {}
        self.history: tuple[Change, ...] = ()
        """The last ``MAX_CHANGES``, oldest first."""
        self.changes = 0
        """All of them, those that are forgotten included."""

    def value(self, name: str) -> Value:
        """Return the limit *name* at the last poll; ``None`` as well if it is unknown."""
        return self._last.get(name)

    def poll(self) -> tuple[Change, ...]:
        """Return the changes since the last poll; the first one finds none.

        A limit that cannot be read now counts as unchanged.
        """
        found = []
        for name, fact in self._read().items():
            if not isinstance(fact, Known):
                continue
            value = fact.value
            if name in self._last and self._last[name] != value:
                now = rfc3339(int(self._clock.time()))
                found.append(Change(now, name, self._last[name], value))
            self._last[name] = value
        if found:
            self.changes += len(found)
            self.history = (*self.history, *found)[-MAX_CHANGES:]
        return tuple(found)


def limits_of(tree: SystemFiles) -> Read:
    """Return the reader of this process's limits; its first call finds the groups and files.

    The groups are found once: no engine moves a container's process to another. Limits
    above the own group count, as far as they can be seen.
    """
    found: Cgroups | None = None
    files = tree.keeping(OpenFiles(KEPT_FILES))
    paths: list[str] = []
    last: tuple[str | Unknown, ...] = ()
    limits: dict[str, Fact[Value]] = {}

    def read() -> dict[str, Fact[Value]]:
        nonlocal found, last, limits
        if found is None:
            known = sourced(tree)
            found = read_cgroups(known, read_mounts(known))
            paths.extend(path for row in WATCHED.values() for path in row.paths(found))
        now = tuple([files.read(path).content for path in paths])
        if now != last or not limits:
            # A value may be younger than *now*; then the next reading differs as well.
            groups, last = GroupReader(files, found), now
            limits = {name: groups.now(row) for name, row in WATCHED.items()}
        return limits

    return read
