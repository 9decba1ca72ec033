"""Events of a container's life in its metrics; and a real Prometheus that scrapes them."""

import json
import shutil
import subprocess
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from .conftest import ROOT, Engine, answer, running, wait_for

pytestmark = pytest.mark.engine

MIB = 2**20
NOTICED_SECONDS = 2
"""From the change of a limit to the service's report; snapshots are a second apart."""
SLACK_SECONDS = 1
"""For the engine's own work in between, on a busy machine."""

needs_prometheus = pytest.mark.skipif(
    not shutil.which("prometheus"), reason="no Prometheus: run .ci/prepare-prometheus"
)


def scrape(port: int) -> dict[str, float]:
    """Return the value of each sample by name and labels, without quotes."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as reply:
        text = reply.read().decode()
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sample.labels.items())
            found[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return found


@contextmanager
def load(port: int) -> Iterator[None]:
    """Send the most expensive request repeatedly until the block ends."""
    over = threading.Event()

    def ask() -> None:
        while not over.is_set():
            answer(port, "/platform")

    asker = threading.Thread(target=ask)
    asker.start()
    try:
        yield
    finally:
        over.set()
        asker.join()


def test_throttling(engine: Engine, image: str, free_port: int) -> None:
    """A tenth of a CPU is reported as such, and its periods run out under load."""
    with running(engine, "--publish", f"{free_port}:8080", "--cpus", "0.1", image):
        answer(free_port, "/health")
        before = scrape(free_port)
        throttled = "platform_cpu_throttled_periods_total"
        with load(free_port):
            assert wait_for(lambda: scrape(free_port)[throttled] >= before[throttled] + 10, 30)
        after = scrape(free_port)

    assert (before["platform_cpu_quota_seconds"], before["platform_cpu_limit_cores"]) == (0.01, 0.1)
    periods, waited = "platform_cpu_periods_total", "platform_cpu_throttled_seconds_total"
    assert after[periods] - before[periods] >= after[throttled] - before[throttled] >= 10
    # Ten periods of 0.1 s, throttled for most of each.
    assert after[waited] - before[waited] > 0.3


def test_resize_is_noticed(engine: Engine, image: str, free_port: int) -> None:
    """``docker update`` shows within two seconds: in the history, as a metric and in the log."""
    limits = ("--cpus", "0.5", "--memory", "64m", "--memory-swap", "64m")
    with running(engine, "--publish", f"{free_port}:8080", *limits, image) as container:
        assert answer(free_port, "/platform/resources")["history"] == []
        time.sleep(1.5)  # The first snapshot, after a second, is the one to compare with.
        before = scrape(free_port)

        engine.run(
            *("update", "--cpus", "1.5", "--memory", "96m", "--memory-swap", "96m"), container
        )

        seconds = NOTICED_SECONDS + SLACK_SECONDS
        assert wait_for(lambda: len(history(free_port)) >= 2, seconds), history(free_port)
        # Scrapes share a snapshot for a second.
        limit = "platform_memory_limit_bytes"
        assert wait_for(lambda: scrape(free_port)[limit] == 96 * MIB, seconds)
        after = scrape(free_port)
        told = [json.loads(line) for line in engine.run("logs", container).splitlines()]

        assert {each["limit"]: (each["from"], each["to"]) for each in history(free_port)} == {
            "cpu.limit": (0.5, 1.5),
            "memory.limit": (64 * MIB, 96 * MIB),
        }
        changes = [line for line in told if line["event"] == "limit_changed"]
        assert {line["limit"] for line in changes} == {"cpu.limit", "memory.limit"}
        assert before["platform_limit_changes_total"] == 0
        assert after["platform_limit_changes_total"] == 2
        assert after["platform_cpu_limit_cores"] == 1.5


def history(port: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = answer(port, "/platform/resources")["history"]
    return found


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
        answer(free_port, "/health")
        assert scrape(free_port)["platform_memory_oom_kills_total"] == 0

        engine.run("kill", "--signal", "USR1", container)

        killed = "platform_memory_oom_kills_total"
        assert wait_for(lambda: scrape(free_port)[killed] == 1, 20), scrape(free_port)[killed]
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
    url = f"http://127.0.0.1:{port}"
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
        asked = f"{url}/api/v1/query?{urllib.parse.urlencode({'query': text})}"
        try:
            with urllib.request.urlopen(asked, timeout=5) as reply:
                found: list[Any] = json.load(reply)["data"]["result"]
                return found
        except OSError:
            return []  # It has not started yet.

    try:
        yield query
    finally:
        process.terminate()
        process.wait(20)


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
        prometheus(tmp_path, _another(free_port), free_port) as query,
    ):
        assert wait_for(lambda: query("up == 1") != [], 20)
        with load(free_port):
            assert wait_for(lambda: query(f"{success} > 0") != [], 20)
            assert wait_for(lambda: query(f"{duration} > 0") != [], 20)

        assert [each["value"][1] for each in query(success)] == ["100"]
        assert 0 < float(query(duration)[0]["value"][1]) < 10
        scraped = int(query("scrape_samples_scraped")[0]["value"][1])
        assert scraped == int(query('count({job="devops-info-service"})')[0]["value"][1]) - 5
        assert scraped > 60


def _another(port: int) -> int:
    """Return a port beside *port* that is probably free."""
    return port + 1 if port < 65535 else port - 1
