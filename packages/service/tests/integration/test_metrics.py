"""``/metrics`` of real processes, read by Prometheus's own programs."""

import http.client
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable

import pytest
from prometheus_client.parser import text_string_to_metric_families

from .conftest import PATIENCE_SECONDS, Service, Start

Samples = dict[str, float]


def ask(service: Service, path: str, method: str = "GET") -> bytes:
    """Send one request over a new connection."""
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=PATIENCE_SECONDS)
    try:
        connection.request(method, path)
        return connection.getresponse().read()
    finally:
        connection.close()


def scrape(service: Service) -> Samples:
    """Return each sample by its name and its labels in the order they were written."""
    samples = {}
    for family in text_string_to_metric_families(ask(service, "/metrics").decode()):
        for sample in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sample.labels.items())
            samples[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return samples


def scrape_until(service: Service, condition: Callable[[Samples], bool]) -> Samples:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition(samples := scrape(service)):
        assert time.monotonic() < deadline, samples
    return samples


def test_requests_are_counted(start: Start) -> None:
    """Requests, rejections and connections are counted as a client made them."""
    service = start()
    for _ in range(7):
        ask(service, "/health")
    ask(service, "/nowhere")
    ask(service, "/", "POST")
    with service.connect() as sock:
        sock.sendall(b"NONSENSE / HTTP/1.1\r\n\r\n")
        assert sock.recv(4096)

    samples = scrape(service)

    assert samples["http_requests_total{method=GET,path=/health,status=200}"] == 7
    assert samples["http_requests_total{method=GET,path=other,status=404}"] == 1
    assert samples["http_requests_total{method=POST,path=/,status=405}"] == 1
    assert samples["http_requests_rejected_total{status=501}"] == 1
    assert samples["http_connections_opened_total"] == 11
    last = "http_request_duration_seconds_bucket{method=GET,path=/health,status=200,le=+Inf}"
    assert samples[last] == 7
    assert 0 < samples["process_cpu_seconds_total"] < PATIENCE_SECONDS
    assert time.time() - samples["process_start_time_seconds"] < PATIENCE_SECONDS
    assert 4 < samples["process_open_fds"] < samples["process_max_fds"]
    assert samples["process_resident_memory_bytes"] < samples["process_virtual_memory_bytes"]


def test_any_worker_has_the_sums(start: Start) -> None:
    """Any worker returns the sums of all workers, including a killed one."""
    service = start("--workers", "3")
    for _ in range(60):
        ask(service, "/health")
    samples = scrape(service)
    assert samples["http_requests_total{method=GET,path=/health,status=200}"] == 60
    assert samples["service_workers"] == 3

    children = f"/proc/{service.process.pid}/task/{service.process.pid}/children"
    with open(children) as file:  # noqa: PTH123  a file of the kernel's
        killed = int(file.read().split()[0])
    os.kill(killed, signal.SIGKILL)

    after = scrape_until(service, lambda now: now["service_worker_restarts_total"] == 1)
    after = scrape_until(service, lambda now: now["service_workers"] == 3)
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
            ask(service, "/version")
            samples = scrape(service)
            found.append(samples.get(counted, 0.0))
        assert min(found) >= last
        last = max(found)
        time.sleep(1.01)
    assert last > 0


def test_series_stay_few(start: Start) -> None:
    """Thousands of unknown paths and methods add a handful of lines."""
    service = start()
    scraped = "http_requests_total{method=GET,path=/metrics,status=200}"
    before = len(scrape_until(service, lambda now: scraped in now))
    methods = ("GET", "MKCOL", "PROPFIND", "LINK", "SUBSCRIBE", "PURGE", "REPORT", "SEARCH")
    with service.connect() as sock:
        for number in range(2000):
            method = methods[number % len(methods)]
            sock.sendall(f"{method} /{number}%22%5C HTTP/1.1\r\nHost: a\r\n\r\n".encode())
            assert sock.recv(65536).startswith(b"HTTP/1.1 404 ")

    def other(now: dict[str, float]) -> float:
        return sum(
            now.get(f"http_requests_total{{method={method},path=other,status=404}}", 0)
            for method in ("GET", "other")
        )

    after = scrape_until(service, lambda now: other(now) == 2000)
    assert len(after) <= before + 2 * 15


@pytest.mark.prometheus
@pytest.mark.skipif(not shutil.which("promtool"), reason="no promtool: run .ci/prepare-prometheus")
def test_promtool(start: Start) -> None:
    """The linter of Prometheus has no complaint."""
    service = start("--workers", "2")
    ask(service, "/nowhere")
    ask(service, "/platform")
    scrape(service)

    done = subprocess.run(
        ["promtool", "check", "metrics"],
        input=ask(service, "/metrics"),
        capture_output=True,
        check=False,
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
