"""Alerts and dashboard name metrics that the service has."""

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from tests.lib.running_service import free_port
from tests.lib.waiting import until

from .conftest import CHART, DEPLOY, ROOT, run

RULES: Final = CHART / "rules/rules.yaml"
DASHBOARD: Final = CHART / "dashboards/devops-info-service.json"
METRIC: Final = re.compile(
    r"\b(?:http|platform|service|process|up)(?:_[a-z_]+)?\b(?=\s*[{\[)=\s/!]|$)"
)


def expressions() -> Iterator[str]:
    for group in yaml.safe_load(RULES.read_text())["groups"]:
        yield from (rule["expr"] for rule in group["rules"])
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        yield from (target["expr"] for target in panel.get("targets", ()))


@pytest.mark.prometheus
def test_rules() -> None:
    if shutil.which("promtool") is None:
        pytest.skip("no promtool: run .ci/prepare-prometheus")
    run(["promtool", "check", "rules", RULES])
    run(["promtool", "test", "rules", DEPLOY / "prometheus/rules_test.yaml"])


@pytest.mark.prometheus
def test_queries_are_promql(tmp_path: Path) -> None:
    """A query of the dashboard is a rule that promtool takes, once its variables have values."""
    if shutil.which("promtool") is None:
        pytest.skip("no promtool: run .ci/prepare-prometheus")
    queries = [
        each.replace("$__rate_interval", "5m").replace("$namespace", ".*").replace("$job", ".*")
        for each in expressions()
    ]
    rules = [{"record": f"query:{n}", "expr": each} for n, each in enumerate(queries)]
    file = tmp_path / "queries.yaml"
    file.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))

    assert len(rules) > 20
    run(["promtool", "check", "rules", file])


def test_metrics_exist() -> None:
    """Every metric of an alert or a panel is in the reference, which a test holds."""
    reference = (ROOT / "docs/reference/service.md").read_text()
    used = {name for each in expressions() for name in METRIC.findall(each)} - {"up"}

    assert len(used) > 15
    for name in used:
        base = re.sub(r"_(bucket|sum|count)$", "", name)
        assert f"`{base}`" in reference, name


def test_alerts_have_tests() -> None:
    """Each alert is named by a unit test of the rules."""
    rules = yaml.safe_load(RULES.read_text())["groups"]
    alerts = {rule["alert"] for group in rules for rule in group["rules"] if "alert" in rule}
    tests = (DEPLOY / "prometheus/rules_test.yaml").read_text()

    assert {name for name in alerts if name not in tests} == set()


def test_dashboard() -> None:
    """Ids are unique and no two panels overlap."""
    panels = json.loads(DASHBOARD.read_text())["panels"]
    cells = [
        (x, y)
        for panel in panels
        for place in (panel["gridPos"],)
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]

    assert len({panel["id"] for panel in panels}) == len(panels)
    assert len(set(cells)) == len(cells)


@pytest.mark.prometheus
def test_dashboard_with_real_data(tmp_path: Path) -> None:
    """Prometheus scrapes the service with an expectation that fails: panels, alerts have data."""
    if shutil.which("prometheus") is None:
        pytest.skip("no prometheus: run .ci/prepare-prometheus")
    port, own = free_port(), free_port()
    config = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(RULES)],
        "scrape_configs": [
            {
                "job_name": "devops-info-service",
                "static_configs": [
                    {"targets": [f"127.0.0.1:{port}"], "labels": {"namespace": "n", "pod": "p"}}
                ],
            }
        ],
    }
    (tmp_path / "prometheus.yaml").write_text(json.dumps(config))
    environ = {**os.environ, "HOST": "127.0.0.1", "PORT": str(port)}
    environ["EXPECTATIONS"] = "memory.limit: 1Ki"
    with (
        running([sys.executable, "-m", "devops_info_service"], environ),
        running(
            [
                "prometheus",
                f"--config.file={tmp_path / 'prometheus.yaml'}",
                f"--storage.tsdb.path={tmp_path / 'data'}",
                f"--web.listen-address=127.0.0.1:{own}",
            ],
            dict(os.environ),
        ),
    ):

        def query(text: str) -> list[Any]:
            url = f"http://127.0.0.1:{own}/api/v1/query?{urllib.parse.urlencode({'query': text})}"
            with urllib.request.urlopen(url, timeout=10) as response:
                found: list[Any] = json.load(response)["data"]["result"]
            return found

        until(lambda: responds(own))
        until(lambda: query('ALERTS{alertname="PlatformExpectationNotMet"}'))
        until(lambda: query("rate(http_requests_total[1m]) > 0"))
        empty = {
            each
            for each in expressions()
            if not query(
                each.replace("$__rate_interval", "1m")
                .replace("$namespace", ".*")
                .replace("$job", ".*")
            )
        }

    # Nothing was slow, rejected or killed, and a laptop may have no limit.
    assert not any("http_requests_total" in each and "5.." not in each for each in empty)
    assert not any("platform_expectation_met" in each and "!=" not in each for each in empty)


def responds(port: int) -> bool:
    """Return whether Prometheus at *port* is ready."""
    with contextlib.suppress(OSError):
        urllib.request.urlopen(f"http://127.0.0.1:{port}/-/ready", timeout=10).close()
        return True
    return False


@contextlib.contextmanager
def running(argv: list[str], environ: dict[str, str]) -> Iterator[None]:
    process = subprocess.Popen(
        argv, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=30)
