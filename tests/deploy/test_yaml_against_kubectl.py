"""The audit reads YAML as kubectl does: the same types, merge keys and documents."""

import json
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from devops_info_service.manifests.yaml_values import documents

pytestmark = pytest.mark.kubernetes

HEAD: Final = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n"
WORDS: Final = (  # noqa: SIM905
    "y Y yes n no NO on off true tRUE ~ null Null nUll 0 010 08 0o17 0O17 0x1F 0b101 -0b1 +5 1_000"
    " 1__0 1e3 1.5e3 .5 5. 1.0 -0 12:30 2001-01-01 = 500m 1Gi 0.1.2 1e400 0x 0b2 0o8 09.5"
).split()

scalars = (
    st.sampled_from(WORDS)
    | st.text("0123456789_.eE+-xXobyn", min_size=1, max_size=8)
    | st.integers().map(str)
    | st.floats(allow_nan=False, allow_infinity=False).map(repr)
).filter(lambda text: text.strip("-") and not text.startswith("- "))


def kubectl(tools: Path, manifest: str) -> dict[str, Any]:
    """Return *manifest* as kubectl reads it, without a cluster."""
    done = subprocess.run(
        [tools / "kubectl", "label", "--local", "--dry-run=client", "-o=json", "-f-", "a=b"],
        input=manifest,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, (done.stderr, manifest)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def same(one: object, other: object) -> bool:
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if {type(one), type(other)} <= {int, float}:
        # kubectl prints large ones as floats, rounded; no field of a pod is so large.
        return float(one) == float(other)  # type: ignore[arg-type]
    return type(one) is type(other) and one == other


# Without shrinking: each try is a run of kubectl, and the failure lists the texts anyway.
@settings(max_examples=5, phases=[Phase.generate])
@given(st.lists(scalars, min_size=100, max_size=400))
def test_types(tools: Path, texts: list[str]) -> None:
    """Plain scalars, hundreds in one document."""
    lines = [f"  k{n}: {text}\n  q{n}: '{text}'\n" for n, text in enumerate(texts)]
    manifest = f"{HEAD}values:\n{''.join(lines)}"
    theirs = kubectl(tools, manifest)["values"]
    [(_, found)] = documents(manifest)

    assert [
        (texts[int(key[1:])], value, theirs.get(key))
        for key, value in found["values"].items()
        if not same(value, theirs.get(key))
    ] == []


@pytest.mark.parametrize(
    "text",
    [
        "a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\n",
        "a: &a {x: 1}\nb: &b {x: 2, z: 3}\nc: {<<: [*a, *b]}\nd: {<<: [*b, *a]}\n",
        "a: &a [1, yes]\nb: *a\nc: [*a, *a]\n",
        "a: |\n  yes\nb: >-\n  1\n  2\nc: 'y'\nd: \"\\x41\\u00e9\\U0001F600\"\n",
        "a: !!str 1\nb: !!str yes\nc: ! 2\n",
        "a:\n- b\n-\n  c: d\n- {e: f}\n? g\n: h\n",
        "a: 'it''s'\nb: [a, 'b', \"c\",]\nc: {}\nd: []\ne:\n",
        "1: a\ntrue: b\nx y: c\n",
        "a: &a {x: 1, y: 2}\nb: {y: 3, <<: *a}\nc: {y: 3, <<: *a, x: 4}\nd: {<<: *a, <<: {x: 9}}\n",
        "a: b\t# c\nd:\t'e'\t# f\ng: h\ti\nj: |\n  l\tm\nn: [o\t,\tp]\n",
    ],
)
def test_documents(tools: Path, text: str) -> None:
    indented = "".join(f"  {line}\n" for line in text.splitlines())
    manifest = f"{HEAD}values:\n{indented}"
    [(_, found)] = documents(manifest)

    assert same(found["values"], kubectl(tools, manifest)["values"])
