"""The texts of ``/metrics``, parsed by Prometheus's own client."""

import math
from collections.abc import Iterable
from pathlib import Path

import pytest
from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families as text

from devops_info_service.app.routes import PATHS, build
from devops_info_service.app.services import Services
from devops_info_service.expectations.conformance import evaluate, load_expectations
from devops_info_service.facts.system_files import Machine
from devops_info_service.handlers.metrics import FRESH_SECONDS, metrics, prefers_open_metrics
from devops_info_service.http.shared_memory.counters import CLOSED, OPENED, READY, Counters
from devops_info_service.http.shared_memory.route_metrics import BOUNDS, RouteMetrics
from devops_info_service.http.wire.message import Client, Request
from devops_info_service.prometheus.exposition import (
    OPEN_METRICS,
    TEXT,
    Family,
    Sample,
    histogram,
    render,
    single,
)
from devops_info_service.prometheus.metric_families import (
    expectation_families,
    platform_families,
    worker_families,
)
from devops_info_service.recording.machine_file import MachineFile
from devops_info_service.snapshot import read_platform

from ..recorded import DATA, TREES, FrozenClock, RecordedFiles
from ..standards.test_signs import Files

NASTY = 'a "quoted" \\ back\nslash {},=é'
PARSERS = pytest.mark.parametrize("is_open", [False, True], ids=["text", "openmetrics"])

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def parse(body: bytes, *, is_open: bool) -> list[Metric]:
    """Parse *body* in its format."""
    read = open_metrics if is_open else text
    return list(read(body.decode()))


def samples_of(families: Iterable[Metric]) -> Samples:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


@PARSERS
def test_nasty_text(*, is_open: bool) -> None:
    """Any text of a label and of a help is parsed to the same text."""
    family = Family("a_total", "counter", NASTY, (Sample(7, (("x", NASTY), ("y", ""))),))

    (read,) = parse(render([family], open_metrics=is_open), is_open=is_open)

    assert (read.name, read.type, read.documentation) == ("a", "counter", NASTY)
    assert samples_of([read]) == {("a_total", (("x", NASTY), ("y", ""))): 7}


@PARSERS
@pytest.mark.parametrize("value", [0, 1, 2**53, 0.1, 1e-9, 1e22, math.inf, 1795426105.66])
def test_values(value: float, *, is_open: bool) -> None:
    """A number is parsed to the same number; no limit is infinite."""
    body = render([single("a", "gauge", "A.", value)], open_metrics=is_open)

    assert samples_of(parse(body, is_open=is_open)) == {("a", ()): value}


@PARSERS
def test_unknown(*, is_open: bool) -> None:
    """An unknown value has no line at all."""
    body = render([single("a", "gauge", "A.", None)], open_metrics=is_open)

    assert body == (b"# EOF\n" if is_open else b"")


@PARSERS
def test_histogram(*, is_open: bool) -> None:
    """Buckets add up, the last one is the count, and bounds are numbers to every reader."""
    labels = (("path", "/"),)
    samples = histogram(labels, (0.005, 1.0), (3, 2, 1), 12.5)
    body = render([Family("a_seconds", "histogram", "A.", samples)], open_metrics=is_open)

    (read,) = parse(body, is_open=is_open)

    assert [(sample.name, sample.labels.get("le"), sample.value) for sample in read.samples] == [
        ("a_seconds_bucket", "0.005", 3),
        ("a_seconds_bucket", "1.0", 5),
        ("a_seconds_bucket", "+Inf", 6),
        ("a_seconds_sum", None, 12.5),
        ("a_seconds_count", None, 6),
    ]


@pytest.mark.parametrize(
    ("accept", "is_open"),
    [
        (b"", False),
        (b"*/*", False),
        (b"text/plain", False),
        (b"application/openmetrics-text", True),
        (b"Application/OpenMetrics-Text; Version=1.0.0", True),
        (b'application/openmetrics-text; version="1.0.0"', True),
        (b"application/openmetrics-text;version=0.0.1", False),
        (b"application/openmetrics-text;q=0", False),
        (b"application/openmetrics-text;q=nonsense", False),
        (b"application/openmetrics-text;q=.5", True),
        (b"application/openmetrics-text;q=0.4,text/plain;q=0.5", False),
        (b"\xff\xfe,;;=,application/openmetrics-text;;", True),
        # Prometheus 2.42 and 3.5, as they send it.
        (
            (
                b"application/openmetrics-text;version=1.0.0,application/openmetrics-text;"
                b"version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
            ),
            True,
        ),
        (
            (
                b"application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
                b"application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;"
                b"escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
            ),
            True,
        ),
    ],
)
def test_accept(accept: bytes, *, is_open: bool) -> None:
    """OpenMetrics is for a client that names it and wants it no less than text."""
    assert prefers_open_metrics(accept) is is_open


@PARSERS
def test_service(tmp_path: Path, *, is_open: bool) -> None:
    """Every metric of the service can be parsed, and has a type and a help."""
    counters, tables = Counters(), RouteMetrics(PATHS)
    table = tables.worker(0)
    table.counts[table.slot_for("/health", "GET", 200)] += 1
    dispatch = build(Services(Machine(), "x", counters=counters, route_metrics=tables))
    accept = OPEN_METRICS if is_open else b"*/*"
    client = Client("192.0.2.7", 4242)
    request = Request("GET", "/metrics", b"", {b"accept": accept}, client, "1.1", keep_alive=True)

    response = dispatch(request)

    families = parse(response.body, is_open=is_open)
    found = samples_of(families)
    labels = (("method", "GET"), ("path", "/health"), ("status", "200"))
    assert (response.status, response.vary) == (200, b"Accept")
    assert response.content_type == (OPEN_METRICS if is_open else TEXT)
    assert {family.name for family in families} >= {
        "http_requests",
        "http_request_duration_seconds",
        "process_cpu_seconds",
        "process_resident_memory_bytes",
        "process_open_fds",
        "platform_limit_changes",
        "service_build_info",
    }
    assert all(family.documentation.endswith(".") for family in families)
    assert all(family.type in {"counter", "gauge", "histogram"} for family in families)
    assert found["http_requests_total", labels] == 1
    buckets = [name for name in found if name[0] == "http_request_duration_seconds_bucket"]
    assert len(buckets) == len(BOUNDS) + 1


class Clock:
    """Goes when it is moved."""

    def __init__(self) -> None:
        self.now = 0.0

    def time(self) -> float:
        return self.now

    def monotonic(self) -> float:
        return self.now


def test_rendered_once_a_second() -> None:
    """Each format is rendered once a second, counted from the end of the rendering."""
    clock, rendered = Clock(), 0
    takes = 5.0

    def source() -> list[Family]:
        nonlocal rendered
        rendered += 1
        clock.now += takes
        return [single("a", "gauge", "A.", rendered)]

    handler = metrics([source], clock)

    def scrape(accept: bytes = b"") -> bytes:
        fields = {b"accept": accept}
        client = Client("192.0.2.7", 1)
        return handler(Request("GET", "/metrics", b"", fields, client, "1.1", True)).body  # noqa: FBT003

    first = scrape()
    clock.now += FRESH_SECONDS - 0.01
    assert scrape() == first
    assert scrape(b"application/openmetrics-text") != first
    assert rendered == 2
    clock.now += 0.01
    assert scrape() != first
    assert rendered == 3


@pytest.mark.parametrize("accept", [b"application/openmetrics-text," * 40, b"," * 16_000])
def test_long_accept_is_ignored(accept: bytes) -> None:
    """A field longer than any scraper's counts as not sent."""
    assert not prefers_open_metrics(accept)


def test_workers() -> None:
    """Each worker has its connections; an ended one has none open and keeps its count."""
    counters = Counters(3)
    for number, (opened, closed, ready) in enumerate([(7, 2, 1), (5, 5, 0), (0, 0, 1)]):
        counters.register(number)
        slot = counters.worker(number)
        slot[OPENED], slot[CLOSED], slot[READY] = opened, closed, ready

    found = samples_of(parse(render(worker_families(counters.workers())), is_open=False))

    assert found == {
        (name, (("worker", str(number)),)): value
        for name, values in {
            "http_worker_connections_open": (5, 0, 0),
            "http_worker_connections_opened_total": (7, 5, 0),
            "service_worker_up": (1, 0, 1),
        }.items()
        for number, value in enumerate(values)
    }


@pytest.mark.parametrize("tree", TREES)
def test_expectations(tree: str) -> None:
    """Met, not met and unknown are three states of each name, and their sums."""
    lines = "memory.limit: 64Mi\nmemory.hugepages-2Mi: none\npids.limit: 1\nplacement: container"
    snapshot = read_platform(RecordedFiles(DATA / tree), FrozenClock())
    conformance = evaluate(load_expectations(lines), snapshot)

    found = samples_of(parse(render(expectation_families(conformance)), is_open=False))

    states = {each.name: each.state for each in conformance.expectations}
    for name, state in states.items():
        assert found["platform_expectation_met", (("name", name),)] == (state == "met")
        assert found["platform_expectation_unknown", (("name", name),)] == (state == "unknown")
    for state in ("met", "not met", "unknown"):
        sum_ = found["platform_expectations", (("state", state),)]
        assert sum_ == list(states.values()).count(state)


@pytest.mark.parametrize(
    ("limit", "metric", "state"),
    [
        ("2097152", 2097152, "met"),
        ("0", 0, "not met"),
        ("max", None, "unknown"),
        (None, None, "unknown"),
    ],
)
def test_huge_pages(limit: str | None, metric: float | None, state: str) -> None:
    """The limit of a size is a metric and an expectation, by the name a pod requests it.

    "No limit" is unknown here: a group above may have one.
    """
    files = {
        "/proc/self/mountinfo": "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
        "/proc/self/cgroup": "0::/\n",
        "/sys/fs/cgroup/cgroup.controllers": "hugetlb\n",
        "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages": "0\n",
    }
    if limit is not None:
        files["/sys/fs/cgroup/hugetlb.2MB.max"] = f"{limit}\n"
    snapshot = read_platform(Files(files, {}, MachineFile()), FrozenClock())

    found = samples_of(parse(render(platform_families(snapshot.resources, 0)), is_open=False))
    expected = load_expectations("memory.hugepages-2Mi: 2Mi\nmemory.hugepages-1Gi: none")
    results = evaluate(expected, snapshot).expectations

    name = ("platform_huge_pages_limit_bytes", (("page_size", "2Mi"),))
    assert found.get(name) == metric
    assert [each.state for each in results] == [state, "unknown"]
