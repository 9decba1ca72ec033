"""Events of a container's life in its metrics; and a real Prometheus that scrapes them."""

import itertools
import json
import shutil
import subprocess
import threading
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest

from tests.lib.http_client import ProtocolError, get
from tests.lib.metrics_text import scrape
from tests.lib.running_service import free_port
from tests.lib.waiting import until

from .conftest import ROOT, Engine, running, wait_for

pytestmark = pytest.mark.engine

MIB: Final = 2**20
START_SECONDS: Final = 180
"""For Prometheus to start and have a rate; it only ends a test that would hang."""

needs_prometheus = pytest.mark.skipif(
    not shutil.which("prometheus"), reason="no Prometheus: run .ci/prepare-prometheus"
)


@contextmanager
def load(port: int) -> Iterator[None]:
    """Send the most expensive request repeatedly until the block ends."""
    over = threading.Event()

    def run() -> None:
        while not over.is_set():
            get(port, "/platform")

    client = threading.Thread(target=run)
    client.start()
    try:
        yield
    finally:
        over.set()
        client.join()


def test_throttling(engine: Engine, image: str, free_port: int) -> None:
    """A tenth of a CPU is reported as such, and its periods run out under load."""
    throttled, periods = "platform_cpu_throttled_periods_total", "platform_cpu_periods_total"
    waited = "platform_cpu_throttled_seconds_total"
    with running(engine, "--publish", f"{free_port}:8080", "--cpus", "0.1", image):
        wait_for(free_port)
        before = scrape(free_port)
        with load(free_port):
            until(lambda: scrape(free_port)[throttled] >= before[throttled] + 10, START_SECONDS)
        after = scrape(free_port)

    assert (before["platform_cpu_quota_seconds"], before["platform_cpu_limit_cores"]) == (0.01, 0.1)
    assert after[periods] - before[periods] >= after[throttled] - before[throttled] >= 10
    assert after[waited] > before[waited]


def test_resize_is_noticed(engine: Engine, image: str, free_port: int) -> None:
    """``docker update`` shows: in the history, as a metric and in the log."""
    limits = ("--cpus", "0.5", "--memory", "64m", "--memory-swap", "64m")
    with running(engine, "--publish", f"{free_port}:8080", *limits, image) as container:
        wait_for(free_port)
        assert history(free_port) == []
        assert scrape(free_port)["platform_limit_changes_total"] == 0
        # The first change that is noticed proves that the limits are watched from now on.
        hundredths = itertools.count(51)
        while not history(free_port):
            engine.run("update", "--cpus", f"0.{next(hundredths)}", container)
        cpus = history(free_port)[-1]["to"]
        earlier = len(history(free_port))

        engine.run(
            *("update", "--cpus", "1.5", "--memory", "96m", "--memory-swap", "96m"), container
        )

        until(lambda: len(limits_from(free_port, earlier)) == 2)
        until(lambda: scrape(free_port)["platform_memory_limit_bytes"] == 96 * MIB)
        after = scrape(free_port)
        changes = limits_from(free_port, earlier)
        log = [json.loads(line) for line in engine.run("logs", container).splitlines()]

        assert changes["cpu.limit"][1] == after["platform_cpu_limit_cores"] == 1.5
        assert changes["cpu.limit"][0] >= cpus
        assert changes["memory.limit"] == (64 * MIB, 96 * MIB)
        logged = [(line["limit"], line["to"]) for line in log if line["event"] == "limit_changed"]
        assert {("cpu.limit", 1.5), ("memory.limit", 96 * MIB)} < set(logged)
        assert after["platform_limit_changes_total"] == len(history(free_port)) == len(logged)


def history(port: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = get(port, "/platform/resources").json["history"]
    return found


def limits_from(port: int, earlier: int) -> dict[str, tuple[Any, Any]]:
    """Return each limit that changed after *earlier* changes, with its last two values."""
    return {each["limit"]: (each["from"], each["to"]) for each in history(port)[earlier:]}


def test_oom_kill(engine: Engine, binary: Path, free_port: int) -> None:
    """A neighbor in the container that uses up its memory is killed, and counted."""
    subprocess.run([ROOT / ".ci/prepare-bases", "debian:trixie-slim"], check=True)
    # tail keeps a whole line, and this one never ends. The test sends the signal.
    script = "/service & trap 'tail /dev/zero' USR1; while :; do wait; done"
    arguments = (
        *("--publish", f"{free_port}:8080", "--memory", "64m", "--memory-swap", "64m"),
        *("--volume", f"{binary}:/service:ro", "--entrypoint", "sh"),
    )
    with running(engine, *arguments, "debian:trixie-slim", "-c", script) as container:
        wait_for(free_port)
        assert scrape(free_port)["platform_memory_oom_kills_total"] == 0

        engine.run("kill", "--signal", "USR1", container)

        killed = "platform_memory_oom_kills_total"
        until(lambda: scrape(free_port)[killed] == 1)
        after = scrape(free_port)
        assert after["platform_memory_limit_bytes"] == 64 * MIB
        assert after["platform_memory_peak_bytes"] > 60 * MIB


@contextmanager
def prometheus(directory: Path, port: int, target: int) -> Iterator[Callable[[str], list[Any]]]:
    """Run a Prometheus that scrapes the service every second; yield a function that queries it."""
    config = directory / "prometheus.yml"
    config.write_text(
        "global: {scrape_interval: 1s}\n"
        "scrape_configs:\n"
        "  - job_name: devops-info-service\n"
        f'    static_configs: [{{targets: ["127.0.0.1:{target}"]}}]\n'
    )
    process = subprocess.Popen(
        [
            "prometheus",
            f"--config.file={config}",
            f"--storage.tsdb.path={directory / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )

    def query(text: str) -> list[Any]:
        path = f"/api/v1/query?{urllib.parse.urlencode({'query': text})}"
        try:
            response = get(port, path)
        except (OSError, ProtocolError):
            return []  # It has not started yet.
        found: list[Any] = response.json["data"]["result"] if response.status == 200 else []
        return found

    try:
        yield query
    finally:
        process.terminate()
        process.wait(START_SECONDS)


@pytest.mark.prometheus
@needs_prometheus
def test_prometheus_scrapes(engine: Engine, image: str, free_port: int, tmp_path: Path) -> None:
    """Prometheus accepts every sample, and Flagger's queries for podinfo have a result."""
    success = (
        'sum(rate(http_request_duration_seconds_count{status!~"5.*"}[30s]))'
        " / sum(rate(http_request_duration_seconds_count[30s])) * 100"
    )
    duration = (
        "histogram_quantile(0.99, sum(rate(http_request_duration_seconds_bucket[30s])) by (le))"
    )
    with (
        running(engine, "--publish", f"{free_port}:8080", image),
        prometheus(tmp_path, another_port(free_port), free_port) as query,
    ):
        until(lambda: query("up == 1"), START_SECONDS)
        with load(free_port):
            until(lambda: query(f"{success} > 0"), START_SECONDS)
            until(lambda: query(f"{duration} > 0"), START_SECONDS)

        assert [each["value"][1] for each in query(success)] == ["100"]
        # Every sample of a scrape is stored, and five of Prometheus's own beside them.
        stored = 'count({job="devops-info-service"}) == scalar(scrape_samples_scraped) + 5'
        until(lambda: query(stored), START_SECONDS)
        assert int(query("scrape_samples_scraped")[0]["value"][1]) > 60


def another_port(port: int) -> int:
    """Return a free port that is not *port*."""
    while (found := free_port()) == port:
        pass
    return found
