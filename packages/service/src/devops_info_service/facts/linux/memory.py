"""The memory a process is given, what it uses, and who was killed for using more.

Source: Linux, admin-guide/cgroup-v2.rst (memory) and cgroup-v1/memory.rst.
"""

from collections.abc import Callable
from typing import Final

import msgspec

from devops_info_service.facts import parse
from devops_info_service.facts.fact import Fact, File, Known, Unknown, derive, evidence_of, value_of
from devops_info_service.facts.system_files import Tree

from .cgroup import Cgroups, Group
from .limits import Limit, group_file, read_limit

MEMINFO: Final = "/proc/meminfo"


class Memory(msgspec.Struct, frozen=True):
    """Granted memory; everything in bytes."""

    limit: Limit[int]
    """Above it the kernel kills."""
    high: Fact[int | None]
    """Above it the kernel slows down and reclaims; version 2 only."""
    protected: Fact[int]
    """Not reclaimed while others have more (``memory.low``); version 2 only."""
    current: Fact[int]
    """In use, with the page cache: files that were read count until room is needed."""
    peak: Fact[int]
    working_set: Fact[int]
    """``current`` without the file cache nobody used lately: kubelet evicts by this."""
    swap_limit: Fact[int | None]
    """Version 2: swap alone. Version 1 limits memory and swap together, and so does this."""
    swap_current: Fact[int]
    events: Fact[dict[str, int]]
    """Times that: ``high`` slowed down, ``max`` was hit, ``oom``, ``oom_kill``."""
    oom_kills: Fact[int]
    """Processes killed in this group; the one asking survived."""
    oom_group: Fact[bool]
    """Whether an OOM kill takes all processes of the group."""
    machine: Fact[int]
    """The machine's memory, as ``free`` and most programs see it."""
    oom_score_adjustment: Fact[int]
    """-1000 (never killed) to 1000 (killed first) when the machine runs out."""


def read_memory(tree: Tree, cgroups: Cgroups) -> Memory:
    """Read what the ``memory`` controller gives."""
    group = cgroups.group("memory")
    read = _version_1 if isinstance(group, Group) and group.version == 1 else _version_2
    return read(tree, group)


def _version_2(tree: Tree, group: Group | Unknown) -> Memory:
    def fact(name: str) -> Fact[int]:
        return group_file(tree, group, name).whole(parse.count)

    def limit(name: str) -> Fact[int | None]:
        return group_file(tree, group, name).whole(parse.limit)

    current = fact("memory.current")
    stat = group_file(tree, group, "memory.stat")
    events = group_file(tree, group, "memory.events")
    return Memory(
        limit=read_limit(tree, group, "memory.max", lambda file: file.whole(parse.limit)),
        high=limit("memory.high"),
        protected=fact("memory.low"),
        current=current,
        peak=fact("memory.peak"),
        working_set=_working_set(current, stat.field("inactive_file", parse.count)),
        swap_limit=limit("memory.swap.max"),
        swap_current=fact("memory.swap.current"),
        events=events.whole(counters),
        oom_kills=events.field("oom_kill", parse.count),
        oom_group=group_file(tree, group, "memory.oom.group").whole(parse.flag),
        machine=_machine(tree),
        oom_score_adjustment=_adjustment(tree),
    )


def _version_1(tree: Tree, group: Group | Unknown) -> Memory:
    def fact(name: str, parse_it: Callable[[str], int] = parse.count) -> Fact[int]:
        return group_file(tree, group, name).whole(parse_it)

    current = fact("memory.usage_in_bytes")
    stat = group_file(tree, group, "memory.stat")
    only_2 = Unknown("cgroup v1 has no such thing")
    return Memory(
        limit=_limit_v1(tree, group, stat),
        high=only_2,
        protected=only_2,
        current=current,
        peak=fact("memory.max_usage_in_bytes"),
        working_set=_working_set(current, stat.field("total_inactive_file", parse.count)),
        swap_limit=group_file(tree, group, "memory.memsw.limit_in_bytes").whole(parse.limit_v1),
        swap_current=stat.field("total_swap", parse.count),
        events=derive(fact("memory.failcnt"), lambda times: {"max": times}),
        oom_kills=group_file(tree, group, "memory.oom_control").field("oom_kill", parse.count),
        oom_group=only_2,
        machine=_machine(tree),
        oom_score_adjustment=_adjustment(tree),
    )


def _limit_v1(tree: Tree, group: Group | Unknown, stat: File) -> Limit[int]:
    limit = read_limit(
        tree, group, "memory.limit_in_bytes", lambda file: file.whole(parse.limit_v1)
    )
    # Version 1 tells the smallest limit of all groups above, even those hidden from us,
    # unless this group is set not to answer to them (possible until Linux 5.11).
    hierarchical = stat.field("hierarchical_memory_limit", parse.limit_v1)
    together = group_file(tree, group, "memory.use_hierarchy").whole(parse.flag)
    if isinstance(hierarchical, Unknown) or not value_of(together, default=True):
        return limit
    above = limit.above
    if isinstance(above, Unknown) and isinstance(limit.own, Known):
        hidden = hierarchical.value != limit.own.value
        above = hierarchical if hidden else above
    return Limit(own=limit.own, above=above, effective=hierarchical, complete=True)


def counters(text: str) -> dict[str, int]:
    """Parse lines of a name and a number."""
    found: dict[str, int] = {}
    for line in text.splitlines():
        name, _, number = line.partition(" ")
        found[name] = parse.count(number)
    if not found:
        raise ValueError(text)
    return found


def _working_set(current: Fact[int], inactive_file: Fact[int]) -> Fact[int]:
    if isinstance(current, Unknown):
        return current
    if isinstance(inactive_file, Unknown):
        return inactive_file
    # The two are read one after the other: the difference may fall below nothing.
    return Known(max(0, current.value - inactive_file.value), evidence_of(current, inactive_file))


def _machine(tree: Tree) -> Fact[int]:
    return tree.read(MEMINFO).field("MemTotal", parse.kilobytes, ":")


def _adjustment(tree: Tree) -> Fact[int]:
    return tree.read("/proc/self/oom_score_adj").whole(parse.signed)
