"""What was granted and what is used of it, in figures; ``script`` says them again, live.

Whoever changes a word here changes it there: a browser test compares the two.
"""

from collections.abc import Callable
from typing import Final

import msgspec

from devops_info_service.catalog.formatting import count, seconds, size
from devops_info_service.catalog.limits import (
    LimitText,
    cpu_limit,
    memory_limit,
    process_limit,
)
from devops_info_service.catalog.row import row
from devops_info_service.facts.fact import Fact, Unknown, derive, value_of
from devops_info_service.facts.linux.cpu import Throttling
from devops_info_service.facts.linux.disks import Traffic
from devops_info_service.facts.linux.resources import Resources

GRANTED: Final = "granted"
_PERCENT: Final = 100
_CLOSE: Final = 80
"""Per cent from which the limit is close: kubelet's and most alerts' first threshold."""
_REACHED: Final = 95


class Line(msgspec.Struct, frozen=True):
    """One more figure of a resource."""

    key: str
    label: str
    value: str


class Share(msgspec.Struct, frozen=True):
    """What is used of the whole, in per cent."""

    used: float
    peak: float | None
    limited: bool
    """Whether the whole is a limit, and not only all that the machine has."""


class Figure(msgspec.Struct, frozen=True):
    """One resource."""

    key: str
    name: str
    granted: str
    remark: str
    used: str
    share: Share | None
    """``None``: there is no whole, or no use is known yet."""
    lines: tuple[Line, ...]


def figures(resources: Resources) -> tuple[Figure, ...]:
    """Return the four."""
    return (_cpu(resources), _memory(resources), _processes(resources), _disks(resources))


def _cpu(resources: Resources) -> Figure:
    cpu, most = resources.cpu, cpu_limit(resources)
    # One look knows only the sum; how much that is a second, the next look tells.
    used = _said(cpu.usage_microseconds, seconds, "of CPU time so far")
    lines = (
        Line("cpu.throttled", "throttled", _throttled(cpu.throttling)),
        Line("cpu.waited", "waited", row("", cpu.throttling.throttled_microseconds, seconds).value),
        Line("cpu.usable", "CPUs to plan for", row("", cpu.usable).value),
        Line("cpu.python", "CPUs Python counts", row("", cpu.python).value),
    )
    return _figure("cpu", "CPU", most, used, None, lines)


def _memory(resources: Resources) -> Figure:
    memory, most = resources.memory, memory_limit(resources)
    limit = value_of(memory.limit.effective, None)
    share = _share(limit or value_of(memory.host_total, 0), memory.working_set, memory.peak, limit)
    lines = (
        Line("memory.peak", "highest", row("", memory.peak, size).value),
        Line("memory.current", "with cache", row("", memory.current, size).value),
        Line("memory.kills", "OOM kills", row("", memory.oom_kills).value),
    )
    used = _said(memory.working_set, size, "in use")
    return _figure("memory", "Memory", most, used, share, lines)


def _processes(resources: Resources) -> Figure:
    processes, most = resources.processes, process_limit(resources)
    limit = value_of(processes.limit.effective, None)
    share = _share(limit or 0, processes.current, processes.peak, limit)
    lines = (
        Line("pids.peak", "highest", row("", processes.peak).value),
        Line("pids.refused", "refused", row("", processes.refused).value),
    )
    used = _said(processes.current, str, "in use")
    return _figure("pids", "Processes", most, used, share, lines)


def _disks(resources: Resources) -> Figure:
    limits, usage = resources.disks.limits, resources.disks.usage
    if isinstance(limits, Unknown):
        granted = "unknown"
    else:
        limited = len(limits.value)
        granted = f"{count(limited, 'device')} limited" if limited else "no limit"
    read, written = _sum(usage, "read_bytes"), _sum(usage, "write_bytes")
    lines = (
        Line("disk.read", "read", row("", read, size).value),
        Line("disk.written", "written", row("", written, size).value),
    )
    used = row(
        "", usage, lambda _: f"{size(value_of(read, 0) + value_of(written, 0))} in all"
    ).value
    return Figure("disk", "Disk traffic", granted, "", used, None, lines)


def _throttled(found: Throttling) -> str:
    periods = value_of(found.periods, None)
    of = "" if periods is None else f" of {count(periods, 'period')}"
    return row("", found.throttled_periods, lambda times: f"{times}{of}").value


def _said(fact: Fact[int], words: Callable[[int], str], how: str) -> str:
    return row("", fact, lambda number: f"{words(number)} {how}").value


def _sum(usage: Fact[tuple[Traffic, ...]], what: str) -> Fact[int]:
    return derive(usage, lambda all_: sum(getattr(each, what) or 0 for each in all_))


def _share(whole: int, used: Fact[int], peak: Fact[int], limit: int | None) -> Share | None:
    if isinstance(used, Unknown) or not whole:
        return None
    highest = value_of(peak, None)
    return Share(
        min(_PERCENT, _PERCENT * used.value / whole),
        None if highest is None else min(_PERCENT, _PERCENT * highest / whole),
        limit is not None,
    )


def _figure(
    key: str, name: str, most: LimitText, used: str, share: Share | None, lines: tuple[Line, ...]
) -> Figure:
    remark = most.remark or (GRANTED if most.words not in {"no limit", "unknown"} else "")
    return Figure(key, name, most.words, remark, used + per_cent(share), share, lines)


def per_cent(share: Share | None) -> str:
    """Say how much of the whole it is, and whether that is nearly all."""
    if share is None:
        return ""
    whole = int(share.used)
    said = f"{whole} %" if whole or not share.used else "under 1 %"
    near = {"close": ", close to the limit", "reached": ", at the limit"}
    return f", {said}{near.get(level(share), '')}"


def level(share: Share) -> str:
    """Name how near the limit is: ``soft`` for none, ``calm``, ``close``, ``reached``."""
    if not share.limited:
        return "soft"
    return "reached" if share.used >= _REACHED else "close" if share.used >= _CLOSE else "calm"
