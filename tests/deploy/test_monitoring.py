"""Alerts and dashboard name metrics that the service has."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
import yaml

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
