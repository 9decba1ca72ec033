"""The CPU time a process is given, against the CPUs it can see.

Source: Linux, admin-guide/cgroup-v2.rst (cpu) and scheduler/sched-bwc.rst (version 1).
"""

import math
from typing import Final

import msgspec

from devops_info_service.facts import parse
from devops_info_service.facts.fact import Fact, Known, Unknown, derive, evidence_of, value_of
from devops_info_service.facts.system_files import SystemFiles

from . import group_table as table
from .cgroup import Cgroups
from .group_values import GroupReader
from .limits import Limit

STATUS: Final = "/proc/self/status"


class Throttling(msgspec.Struct, frozen=True):
    """How often the quota was used up; counters from the group's making on."""

    periods: Fact[int]
    """Periods in which anything ran."""
    throttled_periods: Fact[int]
    """Those in which the quota ran out."""
    throttled_microseconds: Fact[int]
    """Waited for the next period; summed over CPUs, so it can exceed the time passed."""


class MeteredCpu(msgspec.Struct, frozen=True):
    """The part that metrics are taken from."""

    limit: Limit[float]
    """In CPUs: quota over period."""
    quota_microseconds: Fact[int | None]
    period_microseconds: Fact[int]
    affinity: Fact[tuple[int, ...]]
    """CPUs this process may run on."""
    effective: Fact[float]
    """CPUs' worth of time per second: the smaller of limit and affinity."""
    usage_microseconds: Fact[int]
    throttling: Throttling


class Cpu(MeteredCpu, frozen=True):
    """Granted CPU."""

    burst_microseconds: Fact[int]
    weight: Fact[int]
    """Version 2, 1 to 10000; counts only while CPUs are short."""
    shares: Fact[int]
    """Version 1, 2 to 262144; likewise."""
    cpuset: Fact[tuple[int, ...]]
    """CPUs its group may run on."""
    online: Fact[tuple[int, ...]]
    """CPUs of the host that are online."""
    usable: Fact[int]
    """Threads or workers worth starting: ``effective`` rounded up, at least 1.
    Java and Go 1.25 round up as well (Go never below 2)."""
    python: Fact[int]
    """The value of ``os.process_cpu_count()``, which knows the affinity and not the quota."""
    waiting_nanoseconds: Fact[int]
    """Time this process was ready to run and did not (``schedstat``)."""


def read_metered_cpu(tree: SystemFiles, cgroups: Cgroups) -> MeteredCpu:
    """Read the ``cpu`` controller."""
    return _metered(tree, GroupReader(tree, cgroups))


def read_cpu(tree: SystemFiles, cgroups: Cgroups) -> Cpu:
    """Read the ``cpu`` and ``cpuset`` controllers."""
    groups = GroupReader(tree, cgroups)
    metered = _metered(tree, groups)
    schedstat = tree.read("/proc/self/schedstat")
    return Cpu(
        **msgspec.structs.asdict(metered),
        burst_microseconds=groups.value(table.CPU_BURST),
        weight=groups.value(table.CPU_WEIGHT),
        shares=groups.value(table.CPU_SHARES),
        cpuset=groups.value(table.CPUSET),
        online=tree.read("/sys/devices/system/cpu/online").parse(parse.cpus),
        usable=derive(metered.effective, lambda cpus: max(1, math.ceil(cpus))),
        python=_python(tree, metered.affinity),
        waiting_nanoseconds=schedstat.parse_word(1, "run delay", parse.count),
    )


def _metered(tree: SystemFiles, groups: GroupReader) -> MeteredCpu:
    limit = groups.limit(table.CPU_LIMIT)
    affinity = tree.read(STATUS).parse_field("Cpus_allowed_list", parse.cpus, ":")
    return MeteredCpu(
        limit=limit,
        quota_microseconds=groups.value(table.CPU_QUOTA),
        period_microseconds=groups.value(table.CPU_PERIOD),
        affinity=affinity,
        effective=_effective(limit, affinity),
        usage_microseconds=groups.value(table.CPU_USAGE),
        throttling=Throttling(
            periods=groups.value(table.CPU_PERIODS),
            throttled_periods=groups.value(table.CPU_THROTTLED),
            throttled_microseconds=groups.value(table.CPU_THROTTLED_TIME),
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


def workers(cpu: Cpu, default: int) -> int:
    """Return how many threads or workers to start: by the limits that can be seen, at least 1.

    A plan, no fact: a hidden group may limit to less. *default* counts where no affinity is known.
    """
    limit = value_of(cpu.limit.seen, None)
    count = float(len(value_of(cpu.affinity, range(default))))
    return max(1, math.ceil(count if limit is None else min(limit, count)))


def _python(tree: SystemFiles, affinity: Fact[tuple[int, ...]]) -> Fact[int]:
    from .variables import variable  # noqa: PLC0415

    override = variable(tree.environ(), "PYTHON_CPU_COUNT")
    if isinstance(override, Known) and override.value.isdigit():
        return derive(override, int)
    return derive(affinity, len)
