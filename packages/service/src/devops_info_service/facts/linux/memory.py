"""Granted memory, its use, and OOM kills.

Source: Linux, admin-guide/cgroup-v2.rst (memory) and cgroup-v1/memory.rst.
"""

from typing import Final

import msgspec

from devops_info_service.facts import parse
from devops_info_service.facts.fact import Evidence, Fact, Known, Unknown, evidence_of, value_of
from devops_info_service.facts.system_files import SystemFiles

from . import group_table as table
from .cgroup import Cgroups, Group
from .group_values import GroupLimit, GroupReader, GroupValue
from .limits import HIDDEN, Limit

HUGE_PAGES: Final = "/sys/kernel/mm/hugepages"
MEMINFO: Final = "/proc/meminfo"
SHARED: Final = Unknown(
    "no protection in a group here, but groups above may share theirs (memory_recursiveprot)"
)


class MeteredMemory(msgspec.Struct, frozen=True):
    """The part that metrics are taken from; everything in bytes."""

    limit: Limit[int]
    """Above it the kernel kills."""
    high: Limit[int]
    """Above it the kernel slows down and reclaims; version 2 only."""
    current: Fact[int]
    """In use, with the page cache: files that were read count until room is needed."""
    peak: Fact[int]
    working_set: Fact[int]
    """``current`` without the file cache that was not used lately: kubelet evicts by this."""
    events: Fact[dict[str, int]]
    """Times that: ``high`` slowed down, ``max`` was hit, ``oom``, ``oom_kill``."""
    oom_kills: Fact[int]
    """Processes killed in this group; the reader of this survived."""
    huge_pages: Fact[dict[str, Limit[int]]]
    """By the size of a page, for each size that the machine has: ``64KB``, ``2MB``, ``1GB``."""


class Memory(MeteredMemory, frozen=True):
    """Granted memory; everything in bytes."""

    protected: Fact[int | None]
    """Not reclaimed while others have more (``memory.low``) or at all (``memory.min``): the larger;
    ``None`` is all of it. No more than what each group above has, and less where groups beside this
    one want more than there is. Version 2 only."""
    swap_limit: Limit[int]
    """Version 2: swap alone. Version 1 limits memory and swap together, and so does this."""
    swap_current: Fact[int]
    swap_peak: Fact[int]
    """Since Linux 6.5; version 2 only: version 1 counts memory and swap together."""
    oom_group: Fact[bool]
    """Whether an OOM kill takes all processes of the group."""
    host_total: Fact[int]
    """The machine's memory, as ``free`` and most programs see it."""
    oom_score_adjustment: Fact[int]
    """-1000 (never killed) to 1000 (killed first) when the machine runs out."""


def read_metered_memory(tree: SystemFiles, cgroups: Cgroups) -> MeteredMemory:
    """Read less of the ``memory`` controller."""
    return _metered(tree, GroupReader(tree, cgroups))


def read_memory(tree: SystemFiles, cgroups: Cgroups) -> Memory:
    """Read the ``memory`` controller."""
    groups = GroupReader(tree, cgroups)
    return Memory(
        **msgspec.structs.asdict(_metered(tree, groups)),
        protected=_protected(groups),
        swap_limit=_limit(groups, table.SWAP_LIMIT, table.SWAP_LIMIT_V1),
        swap_current=groups.value(table.SWAP_CURRENT),
        swap_peak=groups.value(table.SWAP_PEAK),
        oom_group=groups.value(table.OOM_GROUP),
        host_total=tree.read(MEMINFO).parse_field("MemTotal", parse.kilobytes, ":"),
        oom_score_adjustment=tree.read("/proc/self/oom_score_adj").parse(parse.signed),
    )


def _metered(tree: SystemFiles, groups: GroupReader) -> MeteredMemory:
    current = groups.value(table.MEMORY_CURRENT)
    return MeteredMemory(
        limit=_limit(groups, table.MEMORY_LIMIT, table.MEMORY_LIMIT_V1),
        high=groups.limit(table.MEMORY_HIGH),
        current=current,
        peak=groups.value(table.MEMORY_PEAK),
        working_set=_working_set(current, groups.value(table.INACTIVE_FILE)),
        events=groups.value(table.MEMORY_EVENTS),
        oom_kills=groups.value(table.OOM_KILLS),
        huge_pages=_huge_pages(tree, groups),
    )


def _limit(
    groups: GroupReader, row: GroupLimit[int], hierarchical_row: GroupValue[int | None]
) -> Limit[int]:
    limit = groups.limit(row)
    hierarchical = groups.value(hierarchical_row)
    if not value_of(groups.value(table.USES_HIERARCHY), default=True):
        return Limit(own=limit.own, above=Known(None), effective=limit.own, complete=True)
    if isinstance(hierarchical, Unknown):
        return limit
    above = limit.above
    if isinstance(above, Unknown) and isinstance(limit.own, Known):
        hidden = hierarchical.value != limit.own.value
        above = hierarchical if hidden else above
    return Limit(own=limit.own, above=above, effective=hierarchical, complete=True)


def _protected(groups: GroupReader) -> Fact[int | None]:
    low, least = (_in_force(groups, row) for row in (table.MEMORY_PROTECTED, table.MEMORY_MIN))
    for fact in (low, least):
        if isinstance(fact, Known) and fact.value is None:
            return fact
    if isinstance(least, Unknown) and least.reason.endswith("is not there"):
        least = low  # Linux before 4.18
    if isinstance(low, Unknown) or isinstance(least, Unknown):
        return low if isinstance(low, Unknown) else least
    return max(low, least, key=lambda fact: fact.value or 0)


def _in_force(groups: GroupReader, row: GroupLimit[int]) -> Fact[int | None]:
    """Return the smallest protection on the path: a group above without any takes it away."""
    own = groups.value(row)
    facts = groups.levels(row, None)
    if isinstance(own, Unknown) or isinstance(facts, Unknown):
        return own if isinstance(own, Unknown) else HIDDEN
    group = row.group(groups.cgroups)
    numbers = [fact.value for fact in facts if isinstance(fact, Known) and fact.value is not None]
    hidden = next((fact for fact in facts if isinstance(fact, Unknown)), None)
    if hidden is None and not groups.is_complete(row):
        hidden = HIDDEN
    smallest = min(numbers, default=None)
    if smallest == 0 and isinstance(group, Group) and group.is_shared_below:
        # The highest group has what its file has: if 0, nothing can be shared below it.
        if hidden or numbers[-1]:
            return SHARED
    elif hidden and smallest != 0:
        return hidden
    return Known(smallest, evidence_of(*facts))


def _huge_pages(tree: SystemFiles, groups: GroupReader) -> Fact[dict[str, Limit[int]]]:
    names = tree.names(HUGE_PAGES)
    if isinstance(names, Unknown):
        return names
    sizes = [table.page_size(name) for name in names]
    limits = {size: groups.limit(table.huge_pages(size)) for size in sizes if size}
    return Known(limits, (Evidence(HUGE_PAGES, "", " ".join(names)),))


def _working_set(current: Fact[int], inactive_file: Fact[int]) -> Fact[int]:
    if isinstance(current, Unknown):
        return current
    if isinstance(inactive_file, Unknown):
        return inactive_file
    # The two are read one after the other: the difference may fall below nothing.
    return Known(max(0, current.value - inactive_file.value), evidence_of(current, inactive_file))
