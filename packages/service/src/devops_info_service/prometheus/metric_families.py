"""Metrics of the service and of its platform, as families.

Names and units follow Prometheus's naming rules. No limit is ``+Inf``, so that usage over limit
is 0 there; an unknown value has no sample.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from devops_info_service.catalog.property import Metric, ResourcesAlone, at_path
from devops_info_service.catalog.resources import RESOURCES
from devops_info_service.catalog.row import proved
from devops_info_service.facts.container.placement import CONTAINER
from devops_info_service.facts.fact import Fact, Unknown
from devops_info_service.facts.linux.process import Usage
from devops_info_service.facts.linux.resources import Metered
from devops_info_service.facts.linux.sandbox import Detection
from devops_info_service.http.shared_memory.counters import Totals, WorkerTotals
from devops_info_service.http.shared_memory.route_metrics import BOUNDS, RouteSeries

from .exposition import Family, Labels, Sample, Type, histogram, single

if TYPE_CHECKING:
    # Most services expect nothing: they import none of it.
    from devops_info_service.expectations.conformance import Conformance, State

_SERVER: Final[tuple[tuple[str, str, Type, str], ...]] = (
    ("opened", "http_connections_opened_total", "counter", "Connections taken."),
    ("open", "http_connections_open", "gauge", "Connections that are open now."),
    (
        "aborted",
        "http_connections_aborted_total",
        "counter",
        "Connections cut off at the end of a drain.",
    ),
    ("workers", "service_workers", "gauge", "Processes that serve requests now."),
    ("restarts", "service_worker_restarts_total", "counter", "Workers replaced because they died."),
    (
        "hung",
        "service_worker_hangs_total",
        "counter",
        "Workers replaced because their heartbeat had stopped; included in restarts.",
    ),
    (
        "log_lines_dropped",
        "service_log_lines_dropped_total",
        "counter",
        "Lines of the log that could not be written in time.",
    ),
    (
        "reloads",
        "service_reloads_total",
        "counter",
        "Times that all workers were replaced by fresh ones.",
    ),
)
"""Attribute of ``Totals``, name, type, help."""

_WORKER: Final[tuple[tuple[str, str, Type, str], ...]] = (
    ("open", "http_worker_connections_open", "gauge", "Connections of a worker open now."),
    (
        "opened",
        "http_worker_connections_opened_total",
        "counter",
        "Connections taken by a worker and those of its number before it.",
    ),
    ("up", "service_worker_up", "gauge", "1 while a worker of this number serves, else 0."),
)
"""Attribute of ``WorkerTotals``, name, type, help."""

_PROCESS: Final[tuple[tuple[str, str, Type, str], ...]] = (
    (
        "cpu_seconds",
        "process_cpu_seconds_total",
        "counter",
        "CPU time spent by the service's processes, in seconds.",
    ),
    (
        "resident_bytes",
        "process_resident_memory_bytes",
        "gauge",
        "Resident memory of the service's processes, in bytes.",
    ),
    (
        "virtual_bytes",
        "process_virtual_memory_bytes",
        "gauge",
        "Virtual memory of the service's processes, in bytes.",
    ),
    (
        "started",
        "process_start_time_seconds",
        "gauge",
        "When the service started, in seconds since 1970.",
    ),
    (
        "open_files",
        "process_open_fds",
        "gauge",
        "Open file descriptors of the service's processes.",
    ),
    (
        "max_files",
        "process_max_fds",
        "gauge",
        "Most open file descriptors that one process may have.",
    ),
)
"""Attribute of ``Usage``, and the names that all of Prometheus's clients have."""


_STATES: Final[tuple["State", ...]] = ("met", "not met", "unknown")


def build_family(about: Mapping[str, str]) -> Family:
    """Return the family of the build; *about* are its labels."""
    samples = (Sample(1, tuple(about.items())),)
    return Family(
        "service_build_info",
        "gauge",
        "Version of the service and its interpreter; always 1.",
        samples,
    )


def request_families(series: Iterable[RouteSeries]) -> list[Family]:
    """Return requests and their durations; podinfo's names, labels and help."""
    counts: list[Sample] = []
    durations: list[Sample] = []
    for each in series:
        labels: Labels = (
            ("method", each.method),
            ("path", each.path),
            ("status", each.status),
        )
        counts.append(Sample(each.count, labels))
        durations += histogram(labels, BOUNDS, each.buckets, each.seconds)
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
    """Return the counters of the server: rejections, connections, workers."""
    rejected = tuple(
        [
            Sample(count, (("status", str(status) if status else "none"),))
            for status, count in totals.rejected.items()
        ]
    )
    return [
        Family(
            "http_requests_rejected_total",
            "counter",
            "Rejections by status: not a request, too slow, too large, too many connections.",
            rejected,
        ),
        *(single(name, kind, text, getattr(totals, field)) for field, name, kind, text in _SERVER),
    ]


def worker_families(workers: Iterable[WorkerTotals]) -> list[Family]:
    """Return the connections of each worker: an uneven share shows here, a sum hides it."""
    found = tuple(workers)
    return [
        Family(
            name,
            kind,
            text,
            tuple(
                [Sample(getattr(each, field), (("worker", str(each.number)),)) for each in found]
            ),
        )
        for field, name, kind, text in _WORKER
    ]


def process_families(usage: Usage) -> list[Family]:
    """Return the use of the service's processes."""
    return [single(name, kind, text, getattr(usage, field)) for field, name, kind, text in _PROCESS]


def platform_families(metered: Metered, limit_changes: int) -> list[Family]:
    """Return grants and use of the platform: the catalog's metrics."""
    root = ResourcesAlone(metered)
    return [
        *(_family(each.metric, at_path(root, each.path)) for each in RESOURCES if each.metric),
        single(
            "platform_limit_changes_total",
            "counter",
            "Limits found changed while the service ran.",
            limit_changes,
        ),
    ]


def placement_family(placement: Fact[Detection]) -> Family:
    """Return whether the process is in a container; without a sign there is no sample."""
    found = proved(placement)
    return single(
        "platform_container",
        "gauge",
        "1 in a container, 0 on a machine without one: there no check fails.",
        None if isinstance(found, Unknown) else int(found.value.name == CONTAINER),
    )


def _family(metric: Metric, found: Any) -> Family:  # noqa: ANN401  a fact, or a part of them
    if metric.samples is not None:
        samples = tuple([Sample(value, labels) for labels, value in metric.samples(found)])
        return Family(metric.name, metric.type, metric.help, samples)
    found = proved(found)
    if isinstance(found, Unknown):
        return single(metric.name, metric.type, metric.help, None)
    value = float("inf") if found.value is None else found.value
    scaled = value if metric.per == 1 else value / metric.per
    return single(metric.name, metric.type, metric.help, scaled)


def expectation_families(conformance: "Conformance") -> list[Family]:
    """Return whether each expectation is met or unknown, and their sums by state.

    The catalog bounds the names.
    """
    states = [each.state for each in conformance.expectations]
    return [
        _by_name(
            "platform_expectation_met",
            "1 if the expectation is met, 0 if it is not met or unknown.",
            conformance,
            "met",
        ),
        _by_name(
            "platform_expectation_unknown",
            "1 if the value of the expectation cannot be known here, which meets nothing.",
            conformance,
            "unknown",
        ),
        Family(
            "platform_expectations",
            "gauge",
            "Expectations by state.",
            tuple([Sample(states.count(each), (("state", each),)) for each in _STATES]),
        ),
    ]


def _by_name(name: str, help_: str, conformance: "Conformance", state: "State") -> Family:
    found = [(each.name, each.state == state) for each in conformance.expectations]
    samples = tuple([Sample(int(is_it), (("name", which),)) for which, is_it in found])
    return Family(name, "gauge", help_, samples)
