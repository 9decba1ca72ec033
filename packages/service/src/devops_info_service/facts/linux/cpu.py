"""The CPU time a process is given, against the CPUs it can see.

Source: Linux, admin-guide/cgroup-v2.rst (cpu) and scheduler/sched-bwc.rst (version 1).
"""

from typing import Final

import msgspec

from devops_info_service.facts import parse
from devops_info_service.facts.fact import (
    Fact,
    File,
    Known,
    Unknown,
    derive,
    evidence_of,
    first,
    value_of,
)
from devops_info_service.facts.system_files import Tree

from .cgroup import Cgroups, Group
from .limits import Limit, group_file, read_limit
from .variables import variable

STATUS: Final = "/proc/self/status"
NANOSECONDS: Final = 1000
"""In a microsecond: version 1 counts in these, version 2 in those."""


class Throttling(msgspec.Struct, frozen=True):
    """How often the quota was used up; counters from the group's making on."""

    periods: Fact[int]
    """Periods in which anything ran."""
    throttled_periods: Fact[int]
    """Those in which the quota ran out."""
    throttled_microseconds: Fact[int]
    """Waited for the next period; summed over CPUs, so it can exceed the time passed."""


class Cpu(msgspec.Struct, frozen=True):
    """Granted CPU."""

    limit: Limit[float]
    """In CPUs: quota over period."""
    quota_microseconds: Fact[int | None]
    period_microseconds: Fact[int]
    burst_microseconds: Fact[int]
    weight: Fact[int]
    """Version 2, 1 to 10000; counts only while CPUs are short."""
    shares: Fact[int]
    """Version 1, 2 to 262144; likewise."""
    affinity: Fact[tuple[int, ...]]
    """CPUs this process may run on."""
    cpuset: Fact[tuple[int, ...]]
    """CPUs its group may run on."""
    online: Fact[tuple[int, ...]]
    """CPUs the machine has running, whoever may use them."""
    effective: Fact[float]
    """CPUs' worth of time per second: the smaller of limit and affinity."""
    usable: Fact[int]
    """Threads or workers worth starting: ``effective`` rounded up, at least 1.
    Java and Go 1.25 round up as well (Go never below 2)."""
    python: Fact[int]
    """What ``os.process_cpu_count()`` answers: it knows the affinity, not the quota."""
    usage_microseconds: Fact[int]
    waiting_nanoseconds: Fact[int]
    """Time this process was ready to run and did not (``schedstat``)."""
    throttling: Throttling


def read_cpu(tree: Tree, cgroups: Cgroups) -> Cpu:
    """Read what the ``cpu`` and ``cpuset`` controllers give."""
    group = cgroups.group("cpu")
    old = isinstance(group, Group) and group.version == 1
    limit = read_cpu_limit(tree, group)
    if old:
        quota = group_file(tree, group, "cpu.cfs_quota_us").whole(parse.limit_v1)
        period = group_file(tree, group, "cpu.cfs_period_us").whole(parse.count)
    else:
        quota, period = _bandwidth(group_file(tree, group, "cpu.max"))
    burst = group_file(tree, group, "cpu.cfs_burst_us" if old else "cpu.max.burst")
    weight = group_file(tree, group, "cpu.weight").whole(parse.count)
    shares = group_file(tree, group, "cpu.shares").whole(parse.count)
    affinity = tree.read(STATUS).field("Cpus_allowed_list", parse.cpus, ":")
    effective = _effective(limit, affinity)
    return Cpu(
        limit=limit,
        quota_microseconds=quota,
        period_microseconds=period,
        burst_microseconds=burst.whole(parse.count),
        weight=Unknown("cgroup v1 has shares instead") if old else weight,
        shares=shares if old else Unknown("cgroup v2 has a weight instead"),
        affinity=affinity,
        cpuset=_cpuset(tree, cgroups),
        online=tree.read("/sys/devices/system/cpu/online").whole(parse.cpus),
        effective=effective,
        usable=derive(effective, lambda cpus: max(1, -int(-cpus // 1))),
        python=_python(tree, affinity),
        usage_microseconds=_usage(tree, cgroups),
        waiting_nanoseconds=tree.read("/proc/self/schedstat").word(1, "run delay", parse.count),
        throttling=_throttling(group_file(tree, group, "cpu.stat"), old=old),
    )


def read_cpu_limit(tree: Tree, group: Group | Unknown) -> Limit[float]:
    """Read quota over period, in CPUs, of each level of *group*."""
    if isinstance(group, Group) and group.version == 1:
        return read_limit(tree, group, "cpu.cfs_quota_us", lambda file: _cpus_v1(tree, file))
    return read_limit(tree, group, "cpu.max", cpus_of)


def cpus_of(file: File) -> Fact[float | None]:
    """Parse ``cpu.max``: quota and period, or ``max``."""
    quota, period = _bandwidth(file)
    return _ratio(quota, period)


def _cpus_v1(tree: Tree, file: File) -> Fact[float | None]:
    quota = file.whole(parse.limit_v1)
    beside = file.path.rpartition("/")[0]
    return _ratio(quota, tree.read(f"{beside}/cpu.cfs_period_us").whole(parse.count))


def _bandwidth(file: File) -> tuple[Fact[int | None], Fact[int]]:
    return file.word(0, "quota", parse.limit), file.word(1, "period", parse.count)


def _ratio(quota: Fact[int | None], period: Fact[int]) -> Fact[float | None]:
    if isinstance(quota, Unknown) or quota.value is None:
        return quota
    if isinstance(period, Unknown):
        return period
    if not period.value:
        return Unknown(f"{period.evidence[0].file}: a period of 0")
    return Known(quota.value / period.value, evidence_of(quota, period))


def _effective(limit: Limit[float], affinity: Fact[tuple[int, ...]]) -> Fact[float]:
    granted = value_of(limit.effective, None)
    if isinstance(affinity, Unknown):
        return affinity if granted is None else Known(granted, evidence_of(limit.effective))
    if isinstance(limit.effective, Unknown):
        return Unknown(f"no more than {len(affinity.value)}, but {limit.effective.reason}")
    seen = evidence_of(limit.effective, affinity)
    count = float(len(affinity.value))
    return Known(count if granted is None else min(granted, count), seen)


def _python(tree: Tree, affinity: Fact[tuple[int, ...]]) -> Fact[int]:
    told = variable(tree.environ(), "PYTHON_CPU_COUNT")
    if isinstance(told, Known) and told.value.isdigit():
        return derive(told, int)
    return derive(affinity, len)


def _cpuset(tree: Tree, cgroups: Cgroups) -> Fact[tuple[int, ...]]:
    group = cgroups.group("cpuset")
    return first(
        group_file(tree, group, "cpuset.cpus.effective").whole(parse.cpus),
        group_file(tree, group, "cpuset.effective_cpus").whole(parse.cpus),
    )


def _usage(tree: Tree, cgroups: Cgroups) -> Fact[int]:
    group = cgroups.group("cpuacct")
    if isinstance(group, Group) and group.version == 1:
        used = group_file(tree, group, "cpuacct.usage").whole(parse.count)
        return derive(used, lambda nanoseconds: nanoseconds // NANOSECONDS)
    # The usage is counted in every group of version 2, its controller enabled or not.
    return group_file(tree, cgroups.unified, "cpu.stat").field("usage_usec", parse.count)


def _throttling(stat: File, *, old: bool) -> Throttling:
    time = stat.field("throttled_time" if old else "throttled_usec", parse.count)
    return Throttling(
        periods=stat.field("nr_periods", parse.count),
        throttled_periods=stat.field("nr_throttled", parse.count),
        throttled_microseconds=derive(time, lambda spent: spent // NANOSECONDS) if old else time,
    )
