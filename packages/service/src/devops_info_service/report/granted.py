"""What most people look for first: what was granted, and to whom."""

from collections.abc import Callable
from typing import Final, TypeVar

import msgspec

from devops_info_service.facts.fact import Fact, Known, Unknown, value_of
from devops_info_service.facts.kubernetes.identity import NOT_A_POD, Identity
from devops_info_service.facts.kubernetes.resource_requests import CpuRequest, Range
from devops_info_service.facts.linux.limits import HIDDEN, Limit
from devops_info_service.facts.linux.resources import Resources
from devops_info_service.facts.linux.sandbox import Guess
from devops_info_service.standards.security import Process

from .formatting import count, cpus, listed, row, seconds, size, sources
from .layout import Row, Section

N = TypeVar("N", int, float)

_PERCENT: Final = 100


def granted(resources: Resources) -> Section:
    """CPU, memory and processes: the limits, and what is used of them."""
    cpu, memory, processes = resources.cpu, resources.memory, resources.processes
    rows = [
        _limit("CPU", cpu_limit(resources)),
        row("CPUs to plan for", cpu.usable),
        row("CPUs Python counts", cpu.python),
        _throttled(resources),
        _limit("memory", memory_limit(resources)),
        row("memory in use", memory.working_set, lambda used: _used(used, resources)),
        row("memory, highest", memory.peak, size),
        row("OOM kills", memory.oom_kills),
        _limit("PIDs", process_limit(resources)),
        row("PIDs in use", processes.current),
    ]
    if not all(limit.complete for limit in (cpu.limit, memory.limit, processes.limit)):
        rows.append(Row("limits above", "hidden", (f"{HIDDEN.reason}; a pod's may be lower",)))
    return Section("What was granted", tuple(rows))


class Most(msgspec.Struct, frozen=True):
    """A limit in words."""

    words: str
    remark: str
    """What else belongs to it: whose it is, or what there is where nothing limits; or empty."""
    notes: tuple[str, ...]
    is_limited: bool = False


def cpu_limit(resources: Resources) -> Most:
    """Say how many CPUs' worth of time, or how many there are to run on."""
    affinity = value_of(resources.cpu.affinity, ())
    return _most(resources.cpu.limit, cpus, f"{cpus(len(affinity))} to run on")


def memory_limit(resources: Resources) -> Most:
    """Say how much memory, or how much the machine has."""
    machine = value_of(resources.memory.machine, 0)
    return _most(resources.memory.limit, size, f"the machine has {size(machine)}")


def process_limit(resources: Resources) -> Most:
    """Say how many processes and threads."""
    return _most(resources.processes.limit, str, "")


def _most(limit: Limit[N], words: Callable[[N], str], otherwise: str) -> Most:
    own, effective = limit.own, limit.effective
    if isinstance(effective, Unknown):
        return Most("unknown", "", (effective.reason,))
    seen = sources(effective.evidence)
    if effective.value is None:
        return Most("no limit", otherwise, seen)
    remark = ""
    if isinstance(own, Known) and own.value != effective.value:
        said = "no limit" if own.value is None else words(own.value)
        remark = f"of a group above, the container's own: {said}"
    return Most(words(effective.value), remark, seen, is_limited=True)


def _limit(label: str, most: Most) -> Row:
    return Row(label, "; ".join(filter(None, (most.words, most.remark))), most.notes)


def _used(used: int, resources: Resources) -> str:
    limit = value_of(resources.memory.limit.effective, None)
    share = f" ({used * _PERCENT // limit} %)" if limit else ""
    return f"{size(used)}{share}"


def _throttled(resources: Resources) -> Row:
    found = resources.cpu.throttling
    if isinstance(found.throttled_periods, Unknown) or isinstance(found.periods, Unknown):
        return row("CPU throttled", found.throttled_periods)
    waited = value_of(found.throttled_microseconds, None)
    lost = "" if waited is None else f", {seconds(waited)}"
    periods = count(found.periods.value, "period")
    return row(
        "CPU throttled", found.throttled_periods, lambda times: f"{times} of {periods}{lost}"
    )


def who(identity: Identity, process: Process) -> Section:
    """The process, its container, its pod."""
    rows: list[tuple[str, Fact[object]]] = [
        ("pod", identity.pod),
        ("namespace", identity.namespace),
        ("container", identity.container),
        ("node", identity.node),
        ("service account", identity.service_account),
        ("QoS class", identity.qos),
        ("pod uid", identity.pod_uid),
    ]
    found = [
        row("user id", process.user_ids, _ids),
        row("group id", process.group_ids, _ids),
        row("engine", identity.engine, _guess),
        row("sandbox", identity.sandbox, _guess),
        row("hostname", identity.hostname),
        *(row(label, fact) for label, fact in rows if fact != NOT_A_POD or label == "pod"),
        row("memory requested", identity.memory_request, _memory_range),
        row("CPU requested", identity.cpu_request, _cpu_request),
        row("container id", identity.container_id),
        row(
            "labels", identity.labels, lambda labels: listed(f"{k}={v}" for k, v in labels.items())
        ),
        row("annotations", identity.annotations, listed),
    ]
    if identity.qos == NOT_A_POD:
        absent = {"memory requested", "CPU requested", "labels", "annotations"}
        found = [each for each in found if each.label not in absent or each.value != "unknown"]
    return Section("Who am I", tuple(found))


def _ids(ids: tuple[int, ...]) -> str:
    names = ("real", "effective", "saved", "file system")
    if len(set(ids)) == 1:
        return str(ids[0])
    return ", ".join(f"{number} {name}" for name, number in zip(names, ids, strict=False))


def _guess(guess: Guess) -> str:
    return guess.name if guess.sure == "certain" else f"{guess.name} ({guess.sure})"


def _memory_range(found: Range) -> str:
    if found.low == found.high:
        return size(found.low)
    return f"{size(found.low)} to {size(found.high)}"


def _cpu_request(found: CpuRequest) -> str:
    linear, quadratic = _millis(found.linear), _millis(found.quadratic)
    if linear == quadratic or not quadratic:
        return linear
    since = f"{quadratic} by runc 1.3.2, crun 1.23 or later"
    return f"{since}, {linear} by an earlier one" if linear else since


def _millis(found: Range | None) -> str:
    if found is None:
        return ""
    return f"{found.low}m" if found.low == found.high else f"{found.low}m to {found.high}m"
