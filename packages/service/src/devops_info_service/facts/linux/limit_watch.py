"""When a limit changed while the service ran: an in-place resize, and nothing else, does that.

Looked at again and again, so a look reads a handful of small files that are held open, and
parses them only where their bytes are not those of the last look.
"""

from collections.abc import Callable
from typing import Final

import msgspec

from devops_info_service.facts import parse
from devops_info_service.facts.fact import Fact, File, Known, Unknown
from devops_info_service.facts.system_files import Clock, Tree

from .cgroup import Cgroups, Group, read_cgroups
from .cpu import read_cpu_limit
from .limits import group_file, read_limit
from .mounts import read_mounts
from .uptime import rfc3339

MAX_CHANGES: Final = 32
"""Remembered; an autoscaler that resizes every few minutes fills them in an hour or two."""

Value = int | float | str | None
"""``None`` is no limit."""

Words = Callable[[str], int | None]
"""Understands what a file says."""

Read = Callable[[], dict[str, Fact[Value]]]
"""Reads what each limit is now, by its name."""


class Change(msgspec.Struct, frozen=True, rename={"from_": "from"}):
    """One limit that was one thing and then another."""

    time: str
    """RFC 3339, UTC: when it was noticed."""
    what: str
    """Such as ``memory.limit``."""
    from_: Value
    to: Value

    def facts(self) -> dict[str, Value]:
        """Return it as the log tells it, which has a time of its own."""
        return {"what": self.what, "from": self.from_, "to": self.to}


class Watch:
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

    def look(self) -> tuple[Change, ...]:
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


def limits_of(tree: Tree) -> Read:
    """Return the reader of this process's limits.

    Its groups are found now and once: nobody moves a container's process to another. What is
    set above the own group counts, as far as it can be seen.
    """
    cgroups = read_cgroups(tree, read_mounts(tree))
    noting = _Noting(tree)
    facts = _limits(noting, cgroups)
    files = tree.held(noting.paths)
    last: tuple[bytes | None, ...] | None = None

    def read() -> dict[str, Fact[Value]]:
        nonlocal facts, last
        now = files.read()
        if now != last:
            # What is parsed may be younger than *now*; then the next reading differs, too.
            facts, last = _limits(tree, cgroups), now
        return facts

    return read


def _limits(tree: Tree, cgroups: Cgroups) -> dict[str, Fact[Value]]:
    memory, cpuset = cgroups.group("memory"), cgroups.group("cpuset")

    def effective(group: Group | Unknown, name: str, words: Words) -> Fact[Value]:
        return read_limit(tree, group, name, lambda file: file.whole(words)).effective

    cpus = "cpuset.effective_cpus" if _is_old(cpuset) else "cpuset.cpus.effective"
    found: dict[str, Fact[Value]] = {
        "cpu.limit": read_cpu_limit(tree, cgroups.group("cpu")).effective,
        "cpu.cpuset": group_file(tree, cpuset, cpus).whole(parse.word),
        "processes.limit": effective(cgroups.group("pids"), "pids.max", parse.limit),
    }
    if _is_old(memory):
        found["memory.limit"] = effective(memory, "memory.limit_in_bytes", parse.limit_v1)
    else:
        found["memory.limit"] = effective(memory, "memory.max", parse.limit)
        found["memory.high"] = group_file(tree, memory, "memory.high").whole(parse.limit)
    return found


def _is_old(group: Group | Unknown) -> bool:
    return isinstance(group, Group) and group.version == 1


class _Noting(Tree):
    """Another tree, and the paths that were read of it."""

    def __init__(self, tree: Tree) -> None:
        super().__init__()
        self._tree = tree
        self.paths: list[str] = []

    def read(self, path: str) -> File:
        self.paths.append(path)
        return self._tree.read(path)
