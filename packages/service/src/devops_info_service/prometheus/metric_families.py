"""What the service knows of itself and of its platform, as families of metrics.

Names and units follow Prometheus's naming rules. No limit is ``+Inf``, so that usage over limit
is 0 there; what is not known has no sample.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Final, TypeVar

from devops_info_service.facts.fact import Fact, Unknown, value_of
from devops_info_service.facts.linux.pressure import Pressure, Pressures, Stall
from devops_info_service.facts.linux.process import Usage
from devops_info_service.facts.linux.resources import Resources
from devops_info_service.http.shared_memory.counters import Totals
from devops_info_service.http.shared_memory.route_metrics import BOUNDS, RouteSeries

from .exposition import Family, Labels, Sample, Type, histogram, one

if TYPE_CHECKING:
    # Most services expect nothing: they import none of it.
    from devops_info_service.expectations.conformance import Conformance

MICROSECONDS: Final = 1e6
"""In a second, of which all metrics are."""

N = TypeVar("N", int, float)


def build_family(about: Mapping[str, str]) -> Family:
    """Say what was built: *about* are the labels."""
    samples = (Sample(1, tuple(about.items())),)
    return Family("service_build_info", "gauge", "What runs here; always 1.", samples)


def request_families(series: Iterable[RouteSeries]) -> list[Family]:
    """Count requests and what they took; podinfo's names, labels and words."""
    counts: list[Sample] = []
    durations: list[Sample] = []
    for one_of_them in series:
        labels: Labels = (
            ("method", one_of_them.method),
            ("path", one_of_them.path),
            ("status", one_of_them.status),
        )
        counts.append(Sample(one_of_them.count, labels))
        durations += histogram(labels, BOUNDS, one_of_them.buckets, one_of_them.seconds)
    return [
        Family(
            "http_requests_total", "counter", "The total number of HTTP requests.", tuple(counts)
        ),
        Family(
            "http_request_duration_seconds",
            "histogram",
            "Seconds spent serving HTTP requests.",
            tuple(durations),
        ),
    ]


def server_families(totals: Totals) -> list[Family]:
    """Count what no route answers for: refusals, connections, workers."""
    return [
        Family(
            "http_requests_refused_total",
            "counter",
            "Bytes refused by status: no request, too slow, too much, too many connections.",
            tuple(
                Sample(count, (("status", str(status) if status else "none"),))
                for status, count in totals.rejected.items()
            ),
        ),
        one("http_connections_opened_total", "counter", "Connections taken.", totals.opened),
        one("http_connections_open", "gauge", "Connections that are open now.", totals.open),
        one(
            "http_connections_aborted_total",
            "counter",
            "Connections cut off at the end of a drain.",
            totals.aborted,
        ),
        one("service_workers", "gauge", "Processes that answer requests now.", totals.workers),
        one(
            "service_worker_restarts_total",
            "counter",
            "Workers replaced because they died.",
            totals.restarts,
        ),
        one(
            "service_worker_hangs_total",
            "counter",
            "Workers replaced because their heartbeat had stopped; restarts count them, too.",
            totals.hung,
        ),
        one(
            "service_log_lines_dropped_total",
            "counter",
            "Lines of the log that could not be written in time.",
            totals.log_lines_dropped,
        ),
        one(
            "service_reloads_total",
            "counter",
            "Times that all workers were replaced by fresh ones.",
            totals.reloads,
        ),
    ]


def process_families(usage: Usage) -> list[Family]:
    """Say what the service's processes use, by the names that all of Prometheus's clients have."""
    return [
        one(
            "process_cpu_seconds_total",
            "counter",
            "CPU time spent by the service's processes, in seconds.",
            usage.cpu_seconds,
        ),
        one(
            "process_resident_memory_bytes",
            "gauge",
            "Resident memory of the service's processes, in bytes.",
            usage.resident_bytes,
        ),
        one(
            "process_virtual_memory_bytes",
            "gauge",
            "Virtual memory of the service's processes, in bytes.",
            usage.virtual_bytes,
        ),
        one(
            "process_start_time_seconds",
            "gauge",
            "When the service started, in seconds since 1970.",
            usage.started,
        ),
        one(
            "process_open_fds",
            "gauge",
            "Open file descriptors of the service's processes.",
            usage.open_files,
        ),
        one(
            "process_max_fds",
            "gauge",
            "Most open file descriptors that one process may have.",
            usage.max_files,
        ),
    ]


def platform_families(resources: Resources, limit_changes: int) -> list[Family]:
    """Say what the platform gives and what of it is used."""
    return [
        *_cpu(resources),
        *_memory(resources),
        *_processes(resources),
        *_pressure(resources.pressure, resources.machine_pressure),
        one(
            "platform_limit_changes_total",
            "counter",
            "Limits found changed while the service ran.",
            limit_changes,
        ),
    ]


def expectation_family(conformance: "Conformance") -> Family:
    """Say of each expectation whether it is met; the vocabulary bounds the names."""
    return Family(
        "platform_expectation_met",
        "gauge",
        "Whether the platform gives what is expected: 1, or 0 if it does not or nobody can tell.",
        tuple(
            Sample(int(each.state == "met"), (("name", each.name),))
            for each in conformance.expectations
        ),
    )


def _cpu(resources: Resources) -> list[Family]:
    cpu = resources.cpu
    return [
        _one(
            "platform_cpu_quota_seconds",
            "gauge",
            "CPU time the group may use in each period.",
            cpu.quota_microseconds,
            MICROSECONDS,
        ),
        _one(
            "platform_cpu_period_seconds",
            "gauge",
            "Length of a period.",
            cpu.period_microseconds,
            MICROSECONDS,
        ),
        _one(
            "platform_cpu_limit_cores",
            "gauge",
            "Quota over period: of the group and of those above it that can be seen.",
            cpu.limit.effective,
        ),
        _one(
            "platform_cpu_effective_cores",
            "gauge",
            "The smaller of the limit and the CPUs the process may run on.",
            cpu.effective,
        ),
        _one(
            "platform_cpu_usage_seconds_total",
            "counter",
            "CPU time used by the group.",
            cpu.usage_microseconds,
            MICROSECONDS,
        ),
        _one(
            "platform_cpu_periods_total",
            "counter",
            "Periods in which anything of the group ran.",
            cpu.throttling.periods,
        ),
        _one(
            "platform_cpu_throttled_periods_total",
            "counter",
            "Periods in which the quota ran out.",
            cpu.throttling.throttled_periods,
        ),
        _one(
            "platform_cpu_throttled_seconds_total",
            "counter",
            "Time waited for the next period, summed over CPUs.",
            cpu.throttling.throttled_microseconds,
            MICROSECONDS,
        ),
    ]


def _memory(resources: Resources) -> list[Family]:
    memory = resources.memory
    events = value_of(memory.events, {})
    return [
        _one(
            "platform_memory_limit_bytes",
            "gauge",
            "Memory above which the kernel kills: of the group and of those above it.",
            memory.limit.effective,
        ),
        _one(
            "platform_memory_high_bytes",
            "gauge",
            "Memory above which the kernel slows down and reclaims.",
            memory.high,
        ),
        _one(
            "platform_memory_usage_bytes",
            "gauge",
            "Memory in use, with the page cache.",
            memory.current,
        ),
        _one("platform_memory_peak_bytes", "gauge", "The most that was in use.", memory.peak),
        _one(
            "platform_memory_working_set_bytes",
            "gauge",
            "Memory in use without the file cache nobody used lately.",
            memory.working_set,
        ),
        Family(
            "platform_memory_events_total",
            "counter",
            "Times that the group met a bound of its memory, by the kernel's name for it.",
            tuple(
                Sample(events[name], (("event", name),)) for name in MEMORY_EVENTS if name in events
            ),
        ),
        _one(
            "platform_memory_oom_kills_total",
            "counter",
            "Processes of the group that the kernel killed for want of memory.",
            memory.oom_kills,
        ),
    ]


MEMORY_EVENTS: Final = ("low", "high", "max", "oom", "oom_group_kill")
"""Of ``memory.events``; ``oom_kill`` has a family of its own. Version 1 counts ``max`` only."""


def _processes(resources: Resources) -> list[Family]:
    processes = resources.processes
    return [
        _one(
            "platform_pids_limit",
            "gauge",
            "Processes and threads the group may have.",
            processes.limit.effective,
        ),
        _one("platform_pids", "gauge", "Processes and threads the group has.", processes.current),
        _one("platform_pids_peak", "gauge", "The most it had.", processes.peak),
        _one(
            "platform_pids_refused_total",
            "counter",
            "Times that a new one was refused for the limit.",
            processes.refused,
        ),
    ]


def _pressure(group: Pressures, machine: Pressures) -> list[Family]:
    facts = [
        ((("resource", resource), ("scope", scope)), getattr(pressures, resource))
        for scope, pressures in (("group", group), ("machine", machine))
        for resource in ("cpu", "memory", "io")
    ]

    def samples(stall: Callable[[Pressure], Stall | None]) -> tuple[Sample, ...]:
        return tuple(
            Sample(found.total_microseconds / MICROSECONDS, labels)
            for labels, fact in facts
            if not isinstance(fact, Unknown) and (found := stall(fact.value)) is not None
        )

    return [
        Family(
            "platform_pressure_waiting_seconds_total",
            "counter",
            "Time in which at least one task waited for the resource (PSI some).",
            samples(lambda pressure: pressure.some),
        ),
        Family(
            "platform_pressure_stalled_seconds_total",
            "counter",
            "Time in which all tasks waited for the resource (PSI full).",
            samples(lambda pressure: pressure.full),
        ),
    ]


def _one(
    name: str, type_: Type, help_: str, fact: Fact[N | None] | Fact[N], per: float = 1
) -> Family:
    if isinstance(fact, Unknown):
        return one(name, type_, help_, None)
    value = float("inf") if fact.value is None else fact.value
    return one(name, type_, help_, value if per == 1 else value / per)
