"""Metrics of the service and of its platform, as families.

Names and units follow Prometheus's naming rules. No limit is ``+Inf``, so that usage over limit
is 0 there; an unknown value has no sample.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from devops_info_service.catalog.property import Metric, ResourcesAlone, at_path
from devops_info_service.catalog.resources import RESOURCES
from devops_info_service.catalog.row import proved
from devops_info_service.facts.fact import Unknown
from devops_info_service.facts.linux.process import Usage
from devops_info_service.facts.linux.resources import Resources
from devops_info_service.http.shared_memory.counters import Totals
from devops_info_service.http.shared_memory.route_metrics import BOUNDS, RouteSeries

from .exposition import Family, Labels, Sample, Type, histogram, single

if TYPE_CHECKING:
    # Most services expect nothing: they import none of it.
    from devops_info_service.expectations.conformance import Conformance

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


def process_families(usage: Usage) -> list[Family]:
    """Return the use of the service's processes."""
    return [single(name, kind, text, getattr(usage, field)) for field, name, kind, text in _PROCESS]


def platform_families(resources: Resources, limit_changes: int) -> list[Family]:
    """Return grants and use of the platform: the catalog's metrics."""
    root = ResourcesAlone(resources)
    return [
        *(_family(each.metric, at_path(root, each.path)) for each in RESOURCES if each.metric),
        single(
            "platform_limit_changes_total",
            "counter",
            "Limits found changed while the service ran.",
            limit_changes,
        ),
    ]


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


def expectation_family(conformance: "Conformance") -> Family:
    """Return whether each expectation is met; the catalog bounds the names."""
    return Family(
        "platform_expectation_met",
        "gauge",
        "1 if the expectation is met, 0 if it is not met or unknown.",
        tuple(
            [
                Sample(int(each.state == "met"), (("name", each.name),))
                for each in conformance.expectations
            ]
        ),
    )
