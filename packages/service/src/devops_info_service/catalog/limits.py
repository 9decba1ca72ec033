"""A limit as text: its value, the group it belongs to, and the reason none is known."""

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import msgspec

from devops_info_service.facts.fact import Known, Unknown, value_of
from devops_info_service.facts.linux.limits import HIDDEN, Limit

from .formatting import NO_LIMIT, count, cpus, size
from .row import Note, Row, sources, text_of

if TYPE_CHECKING:
    from devops_info_service.facts.linux.resources import Resources

N = TypeVar("N", int, float)


class LimitText(msgspec.Struct, frozen=True):
    """A limit and its sources."""

    words: str
    remark: str
    """The group that has it, or the host's total if there is no limit; or empty."""
    notes: tuple[Note, ...]
    is_limited: bool = False

    def row(self, label: str) -> Row:
        """Return it as a row of the report."""
        return Row(label, "; ".join(filter(None, (self.words, self.remark))), self.notes)


def cpu_limit(resources: "Resources") -> LimitText:
    """Format the CPU limit, or the number of CPUs the process may run on."""
    affinity = value_of(resources.cpu.affinity, ())
    return _limit_text(resources.cpu.limit, cpus, f"{cpus(len(affinity))} to run on")


def memory_limit(resources: "Resources") -> LimitText:
    """Format the memory limit, or the host's memory."""
    total = value_of(resources.memory.host_total, 0)
    return _limit_text(resources.memory.limit, size, f"the host has {size(total)}")


def process_limit(resources: "Resources") -> LimitText:
    """Format the limit of processes and threads."""
    return _limit_text(resources.processes.limit, str, "")


def disk_limit(resources: "Resources") -> LimitText:
    """Format how many devices have a limit."""
    fact = resources.disks.limits
    words = text_of(
        fact, lambda all_: f"{count(len(all_), 'device')} limited" if all_ else NO_LIMIT
    )
    return LimitText(words, "", (), is_limited=bool(value_of(fact, ())))


def hidden_limits(resources: "Resources") -> tuple[Row, ...]:
    """Return a row if a group above may limit more than can be read."""
    limits = (resources.cpu.limit, resources.memory.limit, resources.processes.limit)
    if all(limit.complete for limit in limits):
        return ()
    return (Row("limits above", "hidden", (Note(f"{HIDDEN.reason}; a pod's may be lower"),)),)


def _limit_text(limit: Limit[N], form: Callable[[N], str], otherwise: str) -> LimitText:
    own, effective = limit.own, limit.effective
    if isinstance(effective, Unknown):
        remark = ""
        if value_of(own, 0) is None:
            remark = "; ".join(filter(None, ("none in the container's group", otherwise)))
        return LimitText(text_of(effective), remark, (Note(effective.reason),))
    seen = sources(effective.evidence)
    if effective.value is None:
        return LimitText(NO_LIMIT, otherwise, seen)
    remark = ""
    if isinstance(own, Known) and own.value != effective.value:
        own_text = NO_LIMIT if own.value is None else form(own.value)
        remark = f"of a group above, the container's own: {own_text}"
    return LimitText(text_of(Known(effective.value), form), remark, seen, is_limited=True)
