"""Any values of the schema: rendered, valid, and refused for exactly the checks they loosen."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from .chart_values import SCHEMA, Values, chart_values, contradictions, of_schema, refused_by
from .conftest import CHART
from .test_manifests import failing, validate

pytestmark = pytest.mark.kubernetes

WORKLOADS: Final = frozenset({"Deployment", "DaemonSet"})
TOGETHER: Final = 10
"""Sets of values whose manifests are validated at once: the validator needs a second to start."""
NOT_BARE: Final = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
few = settings(
    max_examples=4,
    deadline=None,
    # A failure has all that is needed; a smaller one would take minutes.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def render(tools: Path, folder: Path, values: Values) -> subprocess.CompletedProcess[str]:
    file = folder / "values.yaml"
    # JSON that is YAML as well, which has no escapes by pairs, and no bare control characters.
    text = json.dumps(values, ensure_ascii=False)
    file.write_text(NOT_BARE.sub(lambda found: f"\\u{ord(found[0]):04x}", text), "utf-8")
    return subprocess.run(
        [tools / "helm", "template", "info", CHART, "--values", file],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@few
@given(st.lists(chart_values(), min_size=TOGETHER, max_size=TOGETHER))
def test_values_of_the_schema(tools: Path, tmp_path: Path, several: list[Values]) -> None:
    rendered = []
    for values in several:
        done = render(tools, tmp_path, values)
        wrong = contradictions(values)
        if wrong:
            assert done.returncode, (values, wrong)
            assert any(name in done.stderr for name in wrong), (values, wrong, done.stderr)
            continue
        assert done.returncode == 0, (values, done.stderr)
        assert failing(done.stdout) == refused_by(values), values
        assert strings_are_strings(done.stdout), values
        assert environment(done.stdout).items() >= given_settings(values).items(), values
        rendered.append(done.stdout)

    validate(tools, "\n---\n".join(rendered), tmp_path)


def environment(manifests: str) -> dict[str, str]:
    """Return the variables of the workload."""
    [workload] = [each for each in yaml.safe_load_all(manifests) if each["kind"] in WORKLOADS]
    [container] = workload["spec"]["template"]["spec"]["containers"]
    return {each["name"]: each.get("value", "") for each in container["env"]}


def given_settings(values: Values) -> dict[str, str]:
    """Return the settings as the service reads them: 1048576, not 1.048576e+06."""
    extra = {each["name"] for each in values.get("env", ())}
    return {
        name: value if isinstance(value, str) else json.dumps(value)
        for name, value in values.get("settings", {}).items()
        if name not in extra
    }


def strings_are_strings(manifests: str) -> bool:
    """Check what the schemas of Kubernetes leave open: names, labels and annotations are text."""
    for each in yaml.safe_load_all(manifests):
        metadata = [each["metadata"]]
        if "template" in each.get("spec", {}):
            metadata.append(each["spec"]["template"]["metadata"])
        for one in metadata:
            maps = [{"name": one.get("name", "")}, one.get("labels"), one.get("annotations")]
            for texts in maps:
                if not all(isinstance(text, str) for text in (texts or {}).values()):
                    return False
    return True


def wrong_values(schema: dict[str, Any], path: str) -> st.SearchStrategy[Any]:
    """Return values that *schema* does not take: of another type, or of none of its texts."""
    kinds = schema.get("type", [])
    kinds = {kinds} if isinstance(kinds, str) else set(kinds)
    if "enum" in schema or "oneOf" in schema or "$ref" in schema:
        return st.sampled_from((["x"], "no such value!"))
    others: list[Any] = []
    if not kinds & {"object"}:
        others.append({"x": {}})
    if not kinds & {"array"}:
        others.append([[]])
    if not kinds & {"string"}:
        others.append("text")
    if not kinds & {"integer", "number"}:
        others.append(7)
    if not kinds & {"boolean"}:
        others.append(True)
    if kinds & {"integer"}:
        others += [1.5, schema.get("minimum", 0) - 1]
    return st.sampled_from(others)


def leaves(schema: dict[str, Any], path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], Any]]:
    """Return the paths of all values, with their schemas."""
    properties = schema.get("properties", {})
    if not properties or path[:1] == ("settings",):
        return [(path, schema)] if path and path != ("global",) else []
    return [leaf for name, each in properties.items() for leaf in leaves(each, (*path, name))]


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_wrong_value_is_refused_by_its_path(
    tools: Path, tmp_path: Path, data: st.DataObject
) -> None:
    """The message names the path of the value."""
    path, schema = data.draw(st.sampled_from(leaves(SCHEMA)))
    value = data.draw(wrong_values(schema, "/".join(path)))
    values: Any = value
    for step in reversed(path):
        values = {step: values}

    done = render(tools, tmp_path, values)

    assert done.returncode, values
    assert f"at '/{'/'.join(path)}" in done.stderr, (values, done.stderr)


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_misspelled_name_is_refused(tools: Path, tmp_path: Path, data: st.DataObject) -> None:
    """At any level: a value that the chart does not have must not be ignored."""
    path, _ = data.draw(st.sampled_from(leaves(SCHEMA)))
    cut = data.draw(st.integers(0, len(path) - 1))
    name = data.draw(st.sampled_from((f"{path[cut]}s", path[cut].upper(), f"x{path[cut]}")))
    parent: Any = SCHEMA
    for step in path[:cut]:
        parent = parent["properties"][step]
    assume(name not in parent["properties"])
    values: Any = {name: {}}
    for step in reversed(path[:cut]):
        values = {step: values}

    done = render(tools, tmp_path, values)

    assert done.returncode, values
    assert f"'{name}' not allowed" in done.stderr, (values, done.stderr)


def test_every_value_is_generated() -> None:
    """The strategy knows each keyword of the schema."""
    for name, each in SCHEMA["properties"].items():
        of_schema(each, f"/{name}")
