"""The CPU time a process is given, against the CPUs it can see.

Source: Linux, admin-guide/cgroup-v2.rst (cpu) and scheduler/sched-bwc.rst (version 1).
"""

from typing import Final

import msgspec

from devops_info_service.facts import parse
from devops_info_service.facts.fact import Fact, Known, Unknown, derive, evidence_of, value_of
from devops_info_service.facts.system_files import SystemFiles

from .cgroup import Cgroups
from .group_values import UNIFIED, GroupLimit, GroupReader, GroupValue, field, ratio, whole, word
from .limits import Limit

STATUS: Final = "/proc/self/status"
NANOSECONDS: Final = 1000
"""In a microsecond: version 1 counts in these, version 2 in those."""


def _from_nanoseconds(text: str) -> int:
    return parse.count(text) // NANOSECONDS


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
    """CPUs of the host that are online."""
    effective: Fact[float]
    """CPUs' worth of time per second: the smaller of limit and affinity."""
    usable: Fact[int]
    """Threads or workers worth starting: ``effective`` rounded up, at least 1.
    Java and Go 1.25 round up as well (Go never below 2)."""
    python: Fact[int]
    """The value of ``os.process_cpu_count()``, which knows the affinity and not the quota."""
    usage_microseconds: Fact[int]
    waiting_nanoseconds: Fact[int]
    """Time this process was ready to run and did not (``schedstat``)."""
    throttling: Throttling


_QUOTA_V2: Final = word("cpu.max", 0, "quota", parse.limit)
_QUOTA_V1: Final = whole("cpu.cfs_quota_us", parse.limit_v1)
_PERIOD_V2: Final = word("cpu.max", 1, "period", parse.count)
_PERIOD_V1: Final = whole("cpu.cfs_period_us", parse.count)
QUOTA: Final = GroupValue("cpu", _QUOTA_V2, _QUOTA_V1)
PERIOD: Final = GroupValue("cpu", _PERIOD_V2, _PERIOD_V1)
LIMIT: Final = GroupLimit("cpu", ratio(_QUOTA_V2, _PERIOD_V2), ratio(_QUOTA_V1, _PERIOD_V1))
BURST: Final = GroupValue(
    "cpu", v2=whole("cpu.max.burst", parse.count), v1=whole("cpu.cfs_burst_us", parse.count)
)
WEIGHT: Final = GroupValue(
    "cpu", v2=whole("cpu.weight", parse.count), v1=Unknown("cgroup v1 has shares instead")
)
SHARES: Final = GroupValue(
    "cpu", v2=Unknown("cgroup v2 has a weight instead"), v1=whole("cpu.shares", parse.count)
)
PERIODS: Final = GroupValue("cpu", field("cpu.stat", "nr_periods", parse.count))
THROTTLED: Final = GroupValue("cpu", field("cpu.stat", "nr_throttled", parse.count))
THROTTLED_TIME: Final = GroupValue(
    "cpu",
    v2=field("cpu.stat", "throttled_usec", parse.count),
    v1=field("cpu.stat", "throttled_time", _from_nanoseconds),
)
USAGE: Final = GroupValue(
    # Counted in every group of version 2, whether its controller is enabled or not.
    UNIFIED,
    v2=field("cpu.stat", "usage_usec", parse.count),
    v1=whole("cpuacct.usage", _from_nanoseconds),
    v1_controller="cpuacct",
)
CPUSET: Final = GroupValue(
    "cpuset",
    v2=whole("cpuset.cpus.effective", parse.cpus),
    v1=whole("cpuset.effective_cpus", parse.cpus),
)
CPUSET_TEXT: Final = GroupValue(
    "cpuset",
    v2=whole("cpuset.cpus.effective", parse.word),
    v1=whole("cpuset.effective_cpus", parse.word),
)
"""As the kernel writes it: for the history of limits."""


def read_cpu(tree: SystemFiles, cgroups: Cgroups) -> Cpu:
    """Read the ``cpu`` and ``cpuset`` controllers."""
    groups = GroupReader(tree, cgroups)
    limit = groups.limit(LIMIT)
    affinity = tree.read(STATUS).parse_field("Cpus_allowed_list", parse.cpus, ":")
    effective = _effective(limit, affinity)
    schedstat = tree.read("/proc/self/schedstat")
    return Cpu(
        limit=limit,
        quota_microseconds=groups.value(QUOTA),
        period_microseconds=groups.value(PERIOD),
        burst_microseconds=groups.value(BURST),
        weight=groups.value(WEIGHT),
        shares=groups.value(SHARES),
        affinity=affinity,
        cpuset=groups.value(CPUSET),
        online=tree.read("/sys/devices/system/cpu/online").parse(parse.cpus),
        effective=effective,
        usable=derive(effective, lambda cpus: max(1, -int(-cpus // 1))),
        python=_python(tree, affinity),
        usage_microseconds=groups.value(USAGE),
        waiting_nanoseconds=schedstat.parse_word(1, "run delay", parse.count),
        throttling=Throttling(
            periods=groups.value(PERIODS),
            throttled_periods=groups.value(THROTTLED),
            throttled_microseconds=groups.value(THROTTLED_TIME),
        ),
    )


def _effective(limit: Limit[float], affinity: Fact[tuple[int, ...]]) -> Fact[float]:
    granted = value_of(limit.effective, None)
    if isinstance(affinity, Unknown):
        return affinity if granted is None else Known(granted, evidence_of(limit.effective))
    if isinstance(limit.effective, Unknown):
        return Unknown(f"no more than {len(affinity.value)}, but {limit.effective.reason}")
    seen = evidence_of(limit.effective, affinity)
    count = float(len(affinity.value))
    return Known(count if granted is None else min(granted, count), seen)


def _python(tree: SystemFiles, affinity: Fact[tuple[int, ...]]) -> Fact[int]:
    from .variables import variable  # noqa: PLC0415

    override = variable(tree.environ(), "PYTHON_CPU_COUNT")
    if isinstance(override, Known) and override.value.isdigit():
        return derive(override, int)
    return derive(affinity, len)
