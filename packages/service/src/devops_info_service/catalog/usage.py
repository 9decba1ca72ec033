"""The use of a resource as text: the value, and its part of the limit or of the host's."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Literal, TypeVar

import msgspec

from devops_info_service.facts.fact import Fact, Known, Unknown, derive, value_of

from .formatting import cpus, seconds, size
from .row import Row, row, text_of

if TYPE_CHECKING:
    from devops_info_service.facts.linux.resources import Resources

T = TypeVar("T", int, float)

Severity = Literal["none", "ok", "close", "reached"]
"""How near the limit is; ``none``: there is no limit."""

_PERCENT: Final = 100
_CLOSE: Final = 80
"""Percent from which the limit is close: the first threshold of kubelet and of most alerts."""
_REACHED: Final = 95
_NEAR: Final = {"close": ", close to the limit", "reached": ", at the limit"}


class Utilization(msgspec.Struct, frozen=True):
    """Use in percent of the limit, or of all there is."""

    used: float
    peak: float | None
    severity: Severity


class Usage(msgspec.Struct, frozen=True):
    """A use and its part of the whole."""

    words: str
    noun: str = ""
    """Follows the value: ``in use``; empty if the use is not known."""
    share: str = ""
    """In percent; empty if there is nothing to compare with, or the use is not known."""
    utilization: Utilization | None = None

    def row(self, label: str, fact: Fact[int]) -> Row:
        """Return it as a row of the report; *fact* has the sources, or the reason."""
        return row(label, fact, lambda _: ", ".join(filter(None, (self.words, self.share))))


def cpu_usage(resources: "Resources", in_use: float | None) -> Usage:
    """Format the CPUs *in_use* of late; if they are not known, the CPU time since the start."""
    cpu = resources.cpu
    if in_use is None:
        # A single snapshot knows only the sum.
        return _usage(cpu.usage_microseconds, seconds, "of CPU time so far")
    limit = value_of(cpu.limit.effective, None)
    affinity = len(value_of(cpu.affinity, ()))
    otherwise = (affinity, "of those it may run on")
    return _usage(Known(in_use), cpus, "in use", limit, None, otherwise)


def memory_usage(resources: "Resources") -> Usage:
    """Format the working set, as a part of the limit or else of the host's memory."""
    memory = resources.memory
    limit = value_of(memory.limit.effective, None)
    otherwise = (value_of(memory.host_total, 0), "of the host's")
    peak = value_of(memory.peak, None)
    return _usage(memory.working_set, size, "in use", limit, peak, otherwise)


def process_usage(resources: "Resources") -> Usage:
    """Format the number of processes and threads."""
    processes = resources.processes
    limit = value_of(processes.limit.effective, None)
    return _usage(processes.current, str, "in use", limit, value_of(processes.peak, None))


def disk_usage(resources: "Resources", *fields: str) -> Usage:
    """Format the sum of *fields* of the traffic over all devices, in bytes."""
    return _usage(disk_bytes(resources, *fields), size, "in all")


def disk_bytes(resources: "Resources", *fields: str) -> Fact[int]:
    """Return the sum of *fields* of the traffic over all devices."""
    return derive(
        resources.disks.usage,
        lambda all_: sum([getattr(each, field) or 0 for each in all_ for field in fields]),
    )


def _usage(
    fact: Fact[T],
    form: Callable[[T], str],
    noun: str,
    limit: float | None = None,
    peak: int | None = None,
    otherwise: tuple[int, str] = (0, ""),
) -> Usage:
    """Compare with *limit*, else with all there is: *otherwise*, and how it is named."""
    words = text_of(fact, form)
    if isinstance(fact, Unknown):
        return Usage(words)
    whole, named = (limit, "") if limit is not None else otherwise
    if not whole:
        return Usage(words, noun)
    percent = min(_PERCENT, _PERCENT * fact.value / whole)
    highest = None if peak is None else min(_PERCENT, _PERCENT * peak / whole)
    severity: Severity = "none"
    if limit is not None:
        severity = "reached" if percent >= _REACHED else "close" if percent >= _CLOSE else "ok"
    share = "under 1 %" if 0 < percent < 1 else f"{int(percent)} %"
    share = f"{share} {named}".rstrip() + _NEAR.get(severity, "")
    return Usage(words, noun, share, Utilization(percent, highest, severity))
