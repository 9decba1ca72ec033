"""When a limit changed while the service ran: an in-place resize, and nothing else, does that.

Looked at again and again, so a look reads a handful of small files that are held open, and
parses them only where their bytes are not those of the last look.
"""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from devops_info_service.facts.fact import Fact, Known
from devops_info_service.facts.system_files import Clock, OpenFiles, SystemFiles

from . import cpu, memory
from .cgroup import Cgroups, read_cgroups
from .group_values import GroupReader, GroupValue
from .mounts import read_mounts
from .resources import PIDS_LIMIT
from .uptime import rfc3339

MAX_CHANGES: Final = 32
"""Remembered; an autoscaler that resizes every few minutes fills them in an hour or two."""

Value = int | float | str | None
"""``None`` is no limit."""

Read = Callable[[], dict[str, Fact[Value]]]
"""Reads what each limit is now, by its name."""


WATCHED: Final[dict[str, GroupValue[Any]]] = {
    "cpu.limit": cpu.LIMIT,
    "cpu.cpuset": cpu.CPUSET_TEXT,
    "processes.limit": PIDS_LIMIT,
    "memory.limit": memory.LIMIT,
    "memory.high": memory.HIGH,
}


class Change(msgspec.Struct, frozen=True, rename={"from_": "from"}):
    """One limit that was one thing and then another."""

    time: str
    """RFC 3339, UTC: when it was noticed."""
    limit: str
    """Such as ``memory.limit``."""
    from_: Value
    to: Value

    def facts(self) -> dict[str, Value]:
        """Return it as the log tells it, which has a time of its own."""
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

    def value(self, what: str) -> Value:
        """Return what *what* was at the last look; ``None`` as well where it is not known."""
        return self._last.get(what)

    def poll(self) -> tuple[Change, ...]:
        """Return what has changed since the last look; the first one finds nothing.

        What cannot be read now is as it was.
        """
        found = []
        for what, fact in self._read().items():
            if not isinstance(fact, Known):
                continue
            value = fact.value
            if what in self._last and self._last[what] != value:
                now = rfc3339(int(self._clock.time()))
                found.append(Change(now, what, self._last[what], value))
            self._last[what] = value
        if found:
            self.changes += len(found)
            self.history = (*self.history, *found)[-MAX_CHANGES:]
        return tuple(found)


def limits_of(tree: SystemFiles) -> Read:
    """Return the reader of this process's limits; its first call finds the groups and files.

    The groups are found once: no engine moves a container's process to another. What is set
    above the own group counts, as far as it can be seen.
    """
    found: Cgroups | None = None
    files: OpenFiles | None = None
    last: tuple[bytes | None, ...] = ()
    limits: dict[str, Fact[Value]] = {}

    def read() -> dict[str, Fact[Value]]:
        nonlocal found, files, last, limits
        if found is None or files is None:
            found = read_cgroups(tree, read_mounts(tree))
            files = tree.keep_open([path for row in WATCHED.values() for path in row.paths(found)])
        now = files.read()
        if now != last or not limits:
            # A value may be younger than *now*; then the next reading differs as well.
            groups, last = GroupReader(tree, found), now
            limits = {name: groups.now(row) for name, row in WATCHED.items()}
        return limits

    return read
