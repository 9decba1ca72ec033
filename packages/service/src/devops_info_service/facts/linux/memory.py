"""Granted memory, its use, and OOM kills.

Source: Linux, admin-guide/cgroup-v2.rst (memory) and cgroup-v1/memory.rst.
"""

from typing import Final

import msgspec

from devops_info_service.facts import parse
from devops_info_service.facts.fact import Fact, Known, Unknown, evidence_of, value_of
from devops_info_service.facts.lines import lines
from devops_info_service.facts.system_files import SystemFiles

from .cgroup import Cgroups
from .group_values import ONLY_V2, GroupLimit, GroupReader, GroupValue, field, whole
from .limits import Limit

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
    """``current`` without the file cache that was not used lately: kubelet evicts by this."""
    swap_limit: Fact[int | None]
    """Version 2: swap alone. Version 1 limits memory and swap together, and so does this."""
    swap_current: Fact[int]
    swap_peak: Fact[int]
    """Since Linux 6.5; version 2 only: version 1 counts memory and swap together."""
    events: Fact[dict[str, int]]
    """Times that: ``high`` slowed down, ``max`` was hit, ``oom``, ``oom_kill``."""
    oom_kills: Fact[int]
    """Processes killed in this group; the reader of this survived."""
    oom_group: Fact[bool]
    """Whether an OOM kill takes all processes of the group."""
    host_total: Fact[int]
    """The machine's memory, as ``free`` and most programs see it."""
    oom_score_adjustment: Fact[int]
    """-1000 (never killed) to 1000 (killed first) when the machine runs out."""


def counters(text: str) -> dict[str, int]:
    """Parse lines of a name and a number."""
    found: dict[str, int] = {}
    for line in lines(text):
        name, _, number = line.partition(" ")
        found[name] = parse.count(number)
    if not found:
        raise ValueError(text)
    return found


LIMIT: Final = GroupLimit(
    "memory", v2=whole("memory.max", parse.limit), v1=whole("memory.limit_in_bytes", parse.limit_v1)
)
HIGH: Final = GroupValue("memory", whole("memory.high", parse.limit), ONLY_V2)
PROTECTED: Final = GroupValue("memory", whole("memory.low", parse.count), ONLY_V2)
CURRENT: Final = GroupValue(
    "memory",
    v2=whole("memory.current", parse.count),
    v1=whole("memory.usage_in_bytes", parse.count),
)
PEAK: Final = GroupValue(
    "memory",
    v2=whole("memory.peak", parse.count),
    v1=whole("memory.max_usage_in_bytes", parse.count),
)
INACTIVE_FILE: Final = GroupValue(
    "memory",
    v2=field("memory.stat", "inactive_file", parse.count),
    v1=field("memory.stat", "total_inactive_file", parse.count),
)
SWAP_LIMIT: Final = GroupValue(
    "memory",
    v2=whole("memory.swap.max", parse.limit),
    v1=whole("memory.memsw.limit_in_bytes", parse.limit_v1),
)
SWAP_CURRENT: Final = GroupValue(
    "memory",
    v2=whole("memory.swap.current", parse.count),
    v1=field("memory.stat", "total_swap", parse.count),
)
SWAP_PEAK: Final = GroupValue("memory", whole("memory.swap.peak", parse.count), ONLY_V2)
EVENTS: Final = GroupValue(
    "memory",
    v2=whole("memory.events", counters),
    v1=whole("memory.failcnt", lambda text: {"max": parse.count(text)}),
)
OOM_KILLS: Final = GroupValue(
    "memory",
    v2=field("memory.events", "oom_kill", parse.count),
    v1=field("memory.oom_control", "oom_kill", parse.count),
)
OOM_GROUP: Final = GroupValue("memory", whole("memory.oom.group", parse.flag), ONLY_V2)
HIERARCHICAL: Final = GroupValue(
    "memory",
    v2=Unknown("cgroup v2 has no such thing"),
    v1=field("memory.stat", "hierarchical_memory_limit", parse.limit_v1),
)
"""The smallest limit of all groups above, those that cannot be seen from here included."""
USES_HIERARCHY: Final = GroupValue(
    "memory",
    v2=Unknown("cgroup v2 has no such thing"),
    v1=whole("memory.use_hierarchy", parse.flag),
)
"""Whether limits above apply to the group: could be switched off until Linux 5.11."""


def read_memory(tree: SystemFiles, cgroups: Cgroups) -> Memory:
    """Read the ``memory`` controller."""
    groups = GroupReader(tree, cgroups)
    current = groups.value(CURRENT)
    return Memory(
        limit=_limit(groups),
        high=groups.value(HIGH),
        protected=groups.value(PROTECTED),
        current=current,
        peak=groups.value(PEAK),
        working_set=_working_set(current, groups.value(INACTIVE_FILE)),
        swap_limit=groups.value(SWAP_LIMIT),
        swap_current=groups.value(SWAP_CURRENT),
        swap_peak=groups.value(SWAP_PEAK),
        events=groups.value(EVENTS),
        oom_kills=groups.value(OOM_KILLS),
        oom_group=groups.value(OOM_GROUP),
        host_total=tree.read(MEMINFO).parse_field("MemTotal", parse.kilobytes, ":"),
        oom_score_adjustment=tree.read("/proc/self/oom_score_adj").parse(parse.signed),
    )


def _limit(groups: GroupReader) -> Limit[int]:
    limit = groups.limit(LIMIT)
    hierarchical = groups.value(HIERARCHICAL)
    together = groups.value(USES_HIERARCHY)
    if isinstance(hierarchical, Unknown) or not value_of(together, default=True):
        return limit
    above = limit.above
    if isinstance(above, Unknown) and isinstance(limit.own, Known):
        hidden = hierarchical.value != limit.own.value
        above = hierarchical if hidden else above
    return Limit(own=limit.own, above=above, effective=hierarchical, complete=True)


def _working_set(current: Fact[int], inactive_file: Fact[int]) -> Fact[int]:
    if isinstance(current, Unknown):
        return current
    if isinstance(inactive_file, Unknown):
        return inactive_file
    # The two are read one after the other: the difference may fall below nothing.
    return Known(max(0, current.value - inactive_file.value), evidence_of(current, inactive_file))
