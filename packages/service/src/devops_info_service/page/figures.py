"""CPU, memory, processes and disks in figures: the limit of each, and its use."""

from typing import Final, Literal

import msgspec

from devops_info_service.catalog.formatting import count, cpus, seconds, size
from devops_info_service.catalog.limits import LimitText, cpu_limit, memory_limit, process_limit
from devops_info_service.catalog.row import format_fact
from devops_info_service.facts.fact import Fact, derive, value_of
from devops_info_service.facts.linux.cpu import Throttling
from devops_info_service.facts.linux.disks import Traffic
from devops_info_service.facts.linux.resources import Resources

Severity = Literal["none", "ok", "close", "reached"]
"""How near the limit is; ``none``: there is no limit."""

_PERCENT: Final = 100
_CLOSE: Final = 80
"""Percent from which the limit is close: the first threshold of kubelet and of most alerts."""
_REACHED: Final = 95


class Detail(msgspec.Struct, frozen=True):
    """One further figure of a resource."""

    label: str
    value: str


class Utilization(msgspec.Struct, frozen=True):
    """Use in percent of the limit, or of what the machine has."""

    used: float
    peak: float | None
    severity: Severity


class Figure(msgspec.Struct, frozen=True):
    """One resource."""

    key: str
    name: str
    granted: str
    remark: str
    used: str
    utilization: Utilization | None
    """``None``: there is nothing to compare with, or the use is not known."""
    details: tuple[Detail, ...]


def figures(resources: Resources, cpus_in_use: float | None = None) -> tuple[Figure, ...]:
    """Return CPU, memory, processes and disk traffic; *cpus_in_use*: if known, of late."""
    return (
        _cpu(resources, cpus_in_use),
        _memory(resources),
        _processes(resources),
        _disks(resources),
    )


def _cpu(resources: Resources, in_use: float | None) -> Figure:
    cpu = resources.cpu
    limit = value_of(cpu.limit.effective, None)
    details = (
        Detail("throttled", _throttled(cpu.throttling)),
        Detail("waited", format_fact(cpu.throttling.throttled_microseconds, seconds)),
        Detail("CPUs to plan for", format_fact(cpu.usable)),
        Detail("CPUs Python counts", format_fact(cpu.python)),
    )
    utilization = None
    # A single snapshot knows only the sum since the start.
    used = format_fact(cpu.usage_microseconds, lambda sum_: f"{seconds(sum_)} of CPU time so far")
    if in_use is not None:
        whole = limit or len(value_of(cpu.affinity, ()))
        utilization = _utilization(in_use, whole, None, is_limit=limit is not None)
        used = f"{cpus(in_use)} in use"
    return _figure("cpu", "CPU", cpu_limit(resources), used, utilization, details)


def _memory(resources: Resources) -> Figure:
    memory = resources.memory
    limit = value_of(memory.limit.effective, None)
    details = (
        Detail("highest", format_fact(memory.peak, size)),
        Detail("with cache", format_fact(memory.current, size)),
        Detail("OOM kills", format_fact(memory.oom_kills)),
    )
    utilization = _utilization(
        value_of(memory.working_set, None),
        limit or value_of(memory.host_total, 0),
        value_of(memory.peak, None),
        is_limit=limit is not None,
    )
    used = format_fact(memory.working_set, lambda used: f"{size(used)} in use")
    return _figure("memory", "Memory", memory_limit(resources), used, utilization, details)


def _processes(resources: Resources) -> Figure:
    processes = resources.processes
    details = (
        Detail("highest", format_fact(processes.peak)),
        Detail("refused", format_fact(processes.refused)),
    )
    utilization = _utilization(
        value_of(processes.current, None),
        value_of(processes.limit.effective, None) or 0,
        value_of(processes.peak, None),
        is_limit=True,
    )
    used = format_fact(processes.current, lambda current: f"{current} in use")
    return _figure("pids", "Processes", process_limit(resources), used, utilization, details)


def _disks(resources: Resources) -> Figure:
    limits, usage = resources.disks.limits, resources.disks.usage
    read, written = _sum(usage, "read_bytes"), _sum(usage, "write_bytes")
    details = (
        Detail("read", format_fact(read, size)),
        Detail("written", format_fact(written, size)),
    )
    total = derive(usage, lambda _: value_of(read, 0) + value_of(written, 0))
    return Figure(
        "disk",
        "Disk traffic",
        format_fact(
            limits, lambda all_: f"{count(len(all_), 'device')} limited" if all_ else "no limit"
        ),
        "",
        format_fact(total, lambda bytes_: f"{size(bytes_)} in all"),
        None,
        details,
    )


def _throttled(found: Throttling) -> str:
    periods = value_of(found.periods, None)
    of = "" if periods is None else f" of {count(periods, 'period')}"
    return format_fact(found.throttled_periods, lambda times: f"{times}{of}")


def _sum(usage: Fact[tuple[Traffic, ...]], field: str) -> Fact[int]:
    return derive(usage, lambda all_: sum(getattr(each, field) or 0 for each in all_))


def _utilization(
    used: float | None, whole: float, peak: int | None, *, is_limit: bool
) -> Utilization | None:
    if used is None or not whole:
        return None
    percent = min(_PERCENT, _PERCENT * used / whole)
    severity: Severity = "none"
    if is_limit:
        severity = "reached" if percent >= _REACHED else "close" if percent >= _CLOSE else "ok"
    highest = None if peak is None else min(_PERCENT, _PERCENT * peak / whole)
    return Utilization(percent, highest, severity)


def _figure(
    key: str,
    name: str,
    limit: LimitText,
    used: str,
    utilization: Utilization | None,
    details: tuple[Detail, ...],
) -> Figure:
    remark = limit.remark or ("granted" if limit.is_limited else "")
    used += "" if utilization is None else f", {_percent(utilization)}"
    return Figure(key, name, limit.words, remark, used, utilization, details)


def _percent(utilization: Utilization) -> str:
    whole = int(utilization.used)
    text = f"{whole} %" if whole or not utilization.used else "under 1 %"
    near = {"close": ", close to the limit", "reached": ", at the limit"}
    return text + near.get(utilization.severity, "")
