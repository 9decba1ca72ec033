"""Granted memory, its use, and OOM kills.

Source: Linux, admin-guide/cgroup-v2.rst (memory) and cgroup-v1/memory.rst.
"""

from typing import Final

import msgspec

from devops_info_service.facts import parse
from devops_info_service.facts.fact import Evidence, Fact, Known, Unknown, evidence_of, value_of
from devops_info_service.facts.system_files import SystemFiles

from . import group_table as table
from .cgroup import Cgroups
from .group_values import GroupLimit, GroupReader, GroupValue
from .limits import Limit

HUGE_PAGES: Final = "/sys/kernel/mm/hugepages"
MEMINFO: Final = "/proc/meminfo"


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

    protected: Fact[int]
    """Not reclaimed while others have more (``memory.low``) or at all (``memory.min``): the larger;
    version 2 only."""
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
        protected=max(
            groups.value(table.MEMORY_PROTECTED),
            groups.value(table.MEMORY_MIN),
            key=lambda fact: value_of(fact, -1),
        ),
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
