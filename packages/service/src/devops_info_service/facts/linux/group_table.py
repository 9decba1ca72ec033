"""Files of control groups that are read: of both versions, with unit, scope, and document.

A limit's scope is ``path``: it counts for all groups below, so that the smallest is in force.

Source: Linux, admin-guide/cgroup-v2.rst; version 1: admin-guide/cgroup-v1/memory.rst, cpusets.rst,
cpuacct.rst, pids.rst, hugetlb.rst, blkio-controller.rst, and scheduler/sched-bwc.rst; names of
sizes: mm/hugetlb_cgroup.c (``mem_fmt``) and admin-guide/mm/hugetlbpage.rst.
"""

from typing import Final

from devops_info_service.facts import parse
from devops_info_service.facts.fact import Unknown
from devops_info_service.facts.lines import lines

from .group_values import ONLY_V2, UNIFIED, GroupLimit, GroupValue, field, ratio, whole, word

ONLY_V1: Final = Unknown("cgroup v2 has no such thing")
NANOSECONDS: Final = 1000
"""In a microsecond: version 1 counts in these, version 2 in those."""


def _from_nanoseconds(text: str) -> int:
    return parse.count(text) // NANOSECONDS


def counters(text: str) -> dict[str, int]:
    """Parse lines of a name and a number."""
    found: dict[str, int] = {}
    for line in lines(text):
        name, _, number = line.partition(" ")
        found[name] = parse.count(number)
    if not found:
        raise ValueError(text)
    return found


MEMORY_LIMIT: Final = GroupLimit(
    "memory",
    v2=whole("memory.max", parse.limit).along_path(),
    v1=whole("memory.limit_in_bytes", parse.limit_v1).along_path(),
    unit="bytes",
)
MEMORY_LIMIT_V1: Final = GroupValue(
    "memory",
    ONLY_V1,
    field("memory.stat", "hierarchical_memory_limit", parse.limit_v1),
    unit="bytes",
)
"""The smallest limit of all groups above, those that cannot be seen from here included."""
MEMORY_HIGH: Final = GroupLimit(
    "memory", whole("memory.high", parse.limit).along_path(), ONLY_V2, unit="bytes"
)
MEMORY_PROTECTED: Final = GroupLimit(
    "memory", whole("memory.low", parse.limit).along_path(), ONLY_V2, unit="bytes"
)
MEMORY_MIN: Final = GroupLimit(
    "memory", whole("memory.min", parse.limit).along_path(), ONLY_V2, unit="bytes"
)
MEMORY_CURRENT: Final = GroupValue(
    "memory",
    v2=whole("memory.current", parse.count),
    v1=whole("memory.usage_in_bytes", parse.count),
    unit="bytes",
)
MEMORY_PEAK: Final = GroupValue(
    "memory",
    v2=whole("memory.peak", parse.count),
    v1=whole("memory.max_usage_in_bytes", parse.count),
    unit="bytes",
)
INACTIVE_FILE: Final = GroupValue(
    "memory",
    v2=field("memory.stat", "inactive_file", parse.count),
    v1=field("memory.stat", "total_inactive_file", parse.count),
    unit="bytes",
)
SWAP_LIMIT: Final = GroupLimit(
    "memory",
    v2=whole("memory.swap.max", parse.limit).along_path(),
    v1=whole("memory.memsw.limit_in_bytes", parse.limit_v1).along_path(),
    unit="bytes",
)
SWAP_LIMIT_V1: Final = GroupValue(
    "memory",
    ONLY_V1,
    field("memory.stat", "hierarchical_memsw_limit", parse.limit_v1),
    unit="bytes",
)
"""As ``MEMORY_LIMIT_V1``, of memory and swap together."""
SWAP_CURRENT: Final = GroupValue(
    "memory",
    v2=whole("memory.swap.current", parse.count),
    v1=field("memory.stat", "total_swap", parse.count),
    unit="bytes",
)
SWAP_PEAK: Final = GroupValue(
    "memory", whole("memory.swap.peak", parse.count), ONLY_V2, unit="bytes"
)
MEMORY_EVENTS: Final = GroupValue(
    "memory",
    v2=whole("memory.events", counters),
    v1=whole("memory.failcnt", lambda text: {"max": parse.count(text)}),
    unit="times",
)
OOM_KILLS: Final = GroupValue(
    "memory",
    v2=field("memory.events", "oom_kill", parse.count),
    v1=field("memory.oom_control", "oom_kill", parse.count),
    unit="processes",
)
OOM_GROUP: Final = GroupValue(
    "memory", whole("memory.oom.group", parse.flag), ONLY_V2, unit="0 or 1"
)
USES_HIERARCHY: Final = GroupValue(
    "memory", ONLY_V1, whole("memory.use_hierarchy", parse.flag), unit="0 or 1"
)
"""Whether limits above apply to the group: could be switched off until Linux 5.11."""

_QUOTA_V2: Final = word("cpu.max", 0, "quota", parse.limit)
_QUOTA_V1: Final = whole("cpu.cfs_quota_us", parse.limit_v1)
_PERIOD_V2: Final = word("cpu.max", 1, "period", parse.count)
_PERIOD_V1: Final = whole("cpu.cfs_period_us", parse.count)
CPU_QUOTA: Final = GroupValue("cpu", _QUOTA_V2, _QUOTA_V1, unit="microseconds")
CPU_PERIOD: Final = GroupValue("cpu", _PERIOD_V2, _PERIOD_V1, unit="microseconds")
CPU_LIMIT: Final = GroupLimit(
    "cpu",
    ratio(_QUOTA_V2, _PERIOD_V2).along_path(),
    ratio(_QUOTA_V1, _PERIOD_V1).along_path(),
    unit="CPUs",
)
CPU_BURST: Final = GroupValue(
    "cpu",
    v2=whole("cpu.max.burst", parse.count),
    v1=whole("cpu.cfs_burst_us", parse.count),
    unit="microseconds",
)
CPU_WEIGHT: Final = GroupValue(
    "cpu",
    v2=whole("cpu.weight", parse.count),
    v1=Unknown("cgroup v1 has shares instead"),
    unit="1 to 10000",
)
CPU_SHARES: Final = GroupValue(
    "cpu",
    v2=Unknown("cgroup v2 has a weight instead"),
    v1=whole("cpu.shares", parse.count),
    unit="2 to 262144",
)
CPU_PERIODS: Final = GroupValue("cpu", field("cpu.stat", "nr_periods", parse.count), unit="periods")
CPU_THROTTLED: Final = GroupValue(
    "cpu", field("cpu.stat", "nr_throttled", parse.count), unit="periods"
)
CPU_THROTTLED_TIME: Final = GroupValue(
    "cpu",
    v2=field("cpu.stat", "throttled_usec", parse.count),
    v1=field("cpu.stat", "throttled_time", _from_nanoseconds),
    unit="microseconds",
)
CPU_USAGE: Final = GroupValue(
    # Counted in every group of version 2, whether its controller is enabled or not.
    UNIFIED,
    v2=field("cpu.stat", "usage_usec", parse.count),
    v1=whole("cpuacct.usage", _from_nanoseconds),
    v1_controller="cpuacct",
    unit="microseconds",
)
CPUSET: Final = GroupValue(
    "cpuset",
    v2=whole("cpuset.cpus.effective", parse.cpus).of_nearest(),
    v1=whole("cpuset.effective_cpus", parse.cpus),
    unit="CPUs by number",
)
CPUSET_TEXT: Final = GroupValue(
    "cpuset",
    v2=whole("cpuset.cpus.effective", parse.word).of_nearest(),
    v1=whole("cpuset.effective_cpus", parse.word),
    unit="CPUs by number",
)
"""As the kernel writes it: for the history of limits."""

PIDS_LIMIT: Final = GroupLimit(
    "pids", whole("pids.max", parse.limit).along_path(), unit="processes and threads"
)
PIDS_CURRENT: Final = GroupValue(
    "pids", whole("pids.current", parse.count), unit="processes and threads"
)
PIDS_PEAK: Final = GroupValue("pids", whole("pids.peak", parse.count), unit="processes and threads")
PIDS_REFUSED: Final = GroupValue("pids", field("pids.events", "max", parse.count), unit="times")


def huge_pages(size: str) -> GroupLimit[int]:
    """Return the row of the limit of huge pages of *size*."""
    return GroupLimit(
        "hugetlb",
        whole(f"hugetlb.{size}.max", parse.limit).along_path(),
        whole(f"hugetlb.{size}.limit_in_bytes", parse.limit_v1).along_path(),
        unit="bytes",
    )


def page_size(directory: str) -> str:
    """Name the size of ``hugepages-2048kB`` as the files of groups do; empty: it is not one."""
    number = directory[10:-2]
    if not number.isdecimal():
        return ""
    size = int(number)
    return f"{size >> 20}GB" if size >> 20 else f"{size >> 10}MB" if size >> 10 else f"{size}KB"
