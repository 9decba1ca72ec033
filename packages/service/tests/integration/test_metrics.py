"""``/metrics`` of real processes, read by Prometheus's own programs."""

import os
import shutil
import signal
import subprocess
import time

import pytest

from tests.lib.http_client import request
from tests.lib.metrics_text import scrape
from tests.lib.running_service import Start
from tests.lib.waiting import until


def test_requests_are_counted(start: Start) -> None:
    """Requests, rejections and connections are counted as a client made them."""
    before = time.time() - 1  # the kernel counts from its start, in ticks
    service = start()
    for _ in range(7):
        service.get("/health")
    service.get("/nowhere")
    service.get("/", method="POST")
    with service.connect() as connection:
        connection.send(b"NONSENSE / HTTP/1.1\r\n\r\n")
        assert connection.read().status == 501

    samples = scrape(service.port)

    assert samples["http_requests_total{method=GET,path=/health,status=200}"] == 7
    assert samples["http_requests_total{method=GET,path=other,status=404}"] == 1
    assert samples["http_requests_total{method=POST,path=/,status=405}"] == 1
    assert samples["http_requests_rejected_total{status=501}"] == 1
    assert samples["http_connections_opened_total"] == 11
    last = "http_request_duration_seconds_bucket{method=GET,path=/health,status=200,le=+Inf}"
    assert samples[last] == 7
    assert samples["process_cpu_seconds_total"] > 0
    assert before < samples["process_start_time_seconds"] < time.time()
    assert 4 < samples["process_open_fds"] < samples["process_max_fds"]
    assert samples["process_resident_memory_bytes"] < samples["process_virtual_memory_bytes"]


def test_any_worker_has_the_sums(start: Start) -> None:
    """Any worker returns the sums of all workers, including a killed one."""
    service = start("--workers", "3")
    for _ in range(60):
        service.get("/health")
    samples = scrape(service.port)
    assert samples["http_requests_total{method=GET,path=/health,status=200}"] == 60
    assert samples["service_workers"] == 3

    os.kill(service.children()[0], signal.SIGKILL)

    until(lambda: scrape(service.port)["service_worker_restarts_total"] == 1)
    until(lambda: scrape(service.port)["service_workers"] == 3)
    after = scrape(service.port)
    assert after["http_requests_total{method=GET,path=/health,status=200}"] == 60
    assert after["process_cpu_seconds_total"] >= samples["process_cpu_seconds_total"]


def test_sums_do_not_fall_between_workers(start: Start) -> None:
    """Texts of different workers, a second apart, never fall.

    Prometheus would take a fall for a restart.
    """
    service = start("--workers", "2")
    counted = "http_requests_total{method=GET,path=/version,status=200}"
    last = 0.0
    for _ in range(4):
        found = []
        for _ in range(6):
            service.get("/version")
            samples = scrape(service.port)
            found.append(samples.get(counted, 0.0))
        assert min(found) >= last
        last = max(found)
        time.sleep(1.01)
    assert last > 0


def test_series_stay_few(start: Start) -> None:
    """Thousands of unknown paths and methods add a handful of lines."""
    service = start()
    counted = "http_requests_total{{method={},path={},status={}}}".format
    # A text is rendered once a second: the first has no series of its own scrape.
    until(lambda: counted("GET", "/metrics", 200) in scrape(service.port))
    before = len(scrape(service.port))
    methods = ("GET", "MKCOL", "PROPFIND", "LINK", "SUBSCRIBE", "PURGE", "REPORT", "SEARCH")
    with service.connect() as connection:
        for number in range(2000):
            method = methods[number % len(methods)]
            assert connection.request(request(f"/{number}%22%5C", method=method)).status == 404

    def unknown() -> float:
        samples = scrape(service.port)
        return sum(samples.get(counted(method, "other", 404), 0) for method in ("GET", "other"))

    until(lambda: unknown() == 2000)
    assert len(scrape(service.port)) <= before + 2 * 15


@pytest.mark.prometheus
@pytest.mark.skipif(not shutil.which("promtool"), reason="no promtool: run .ci/prepare-prometheus")
def test_promtool(start: Start) -> None:
    """The linter of Prometheus has no complaint."""
    service = start("--workers", "2")
    service.get("/nowhere")
    service.get("/platform")
    scrape(service.port)

    done = subprocess.run(
        ["promtool", "check", "metrics"],
        input=service.get("/metrics").body,
        capture_output=True,
        check=False,
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
