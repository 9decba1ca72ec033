"""YAML is read as Kubernetes' tools read it, and hostile texts cost no more than their bounds."""

import contextlib
import json
import math
import re
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from devops_info_service.manifests.yaml_values import (
    MAX_DEPTH,
    MAX_NODES,
    ManifestError,
    documents,
)

names = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=12)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=20)
    | st.sampled_from(["y", "No", "0x1F", "1_0", "~", "", "1e3", ".5", "<<", "2001-01-01", "0b1"])
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4),
    max_leaves=20,
)


class QuotingDumper(yaml.SafeDumper):  # type: ignore[misc]
    """PyYAML's, with quotes around the letters that it alone takes for texts (YAML 1.1, bool)."""


QuotingDumper.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^[yYnN]$"), list("yYnN"))
# PyYAML takes 0E0 for a text.
NUMBER = re.compile(r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$")
QuotingDumper.add_implicit_resolver("tag:yaml.org,2002:float", NUMBER, list("-+.0123456789"))


def read(text: str) -> list[Any]:
    return [value for _, value in documents(text)]


def same(one: object, other: object) -> bool:
    """Compare as JSON does, where 1.0 is 1 and true is not."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[k], other[k]) for k in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, float) or isinstance(other, float):
        return isinstance(one, int | float) and math.isclose(one, other)  # type: ignore[arg-type]
    return type(one) is type(other) and one == other


@given(values)
def test_json_is_read(value: object) -> None:
    """JSON is a part of YAML; its strings stay strings, however they read without quotes."""
    assert same(read(json.dumps(value))[0], value)


@given(values, st.sampled_from([None, True, False]), st.integers(1, 8), st.booleans())
def test_output_of_pyyaml_is_read(value: object, flow: Any, indent: int, unicode: Any) -> None:
    """Blocks, flows, quotes, folded texts, anchors of repeated values."""
    twice = [value, value]
    style = {"default_flow_style": flow, "indent": indent, "allow_unicode": unicode}
    text = yaml.dump(twice, Dumper=QuotingDumper, **style)

    assert same(as_text(read(text)[0]), as_text(yaml.safe_load(text)))


def as_text(value: object) -> object:
    """Numbers of base eight and dates are read otherwise by PyYAML: compare the rest."""
    if isinstance(value, dict):
        return {str(key): as_text(member) for key, member in value.items()}
    if isinstance(value, list):
        return [as_text(member) for member in value]
    return "…" if not isinstance(value, str) or len(value) < 12 else value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", True), ("Y", True), ("on", True), ("TRUE", True), ("y", True),
        ("n", False), ("No", False), ("OFF", False), ("false", False), ("yEs", "yEs"),
        ("~", None), ("", None), ("Null", None), ("nULL", "nULL"),
        ("0", 0), ("010", 8), ("0o10", 8), ("0x1f", 31), ("0b11", 3), ("-1", -1), ("+1", 1),
        ("1_000", 1000), ("09", 9), ("0.0", 0), ("1e3", 1000), ("0.5", 0.5), (".5", 0.5),
        ("1.2.3", "1.2.3"), ("-x", "-x"), ("500m", "500m"), ("256Mi", "256Mi"), ("2001-01-01",) * 2,
        ("'yes'", "yes"), ('"0"', "0"), ("!!str yes", "yes"), ("! 1", "1"), ("|-\n  yes", "yes"),
        ("1e400", "1e400"), ("._5", "._5"), (".5_", ".5_"),
        (".inf", ".inf"), ("9" * 41, "9" * 41), ("=", "="), ("1:30", "1:30"),
    ],
)  # fmt: skip
def test_type_of_a_scalar(text: str, value: object) -> None:
    """As Go's reader of YAML 1.1 has them: a field that is true to the API server is true here."""
    found = read(f"a: {text}\n")[0]["a"]

    assert (type(found), found) == (type(value), value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: &a {x: 1}\nb: {<<: *a, x: 2}\n", {"x": 2}),
        ("a: &a {x: 1}\nb: {x: 2, <<: *a}\n", {"x": 1}),
        ("a: &a {x: 1}\nb: {x: 2, <<: *a, z: 3}\n", {"x": 1, "z": 3}),
        ("a: &a {x: 1}\nb: {x: 0, <<: *a, <<: {x: 2}}\n", {"x": 2}),
    ],
)
def test_merge_takes_its_turn(text: str, value: object) -> None:
    """A name before a merge is overwritten by it, as for kubectl, which sends the result."""
    assert read(text)[0]["b"] == value


@pytest.mark.parametrize(
    "text",
    [
        "a: b\t# c\n",
        "a:\tb\t\n",
        "a: 'b'\t# c\n",
        "a: [b\t,\t]\n",
        "{\n\ta:\tb\n}\n",
    ],
)
def test_tab_within_a_line_is_a_blank(text: str) -> None:
    assert read(text)[0]["a"] in ("b", ["b"])


@pytest.mark.parametrize("text", ["a:\n\tb: c\n", "\ta: b\n", "- a\n\t- b\n"])
def test_tab_is_no_indentation(text: str) -> None:
    with pytest.raises(ManifestError, match="line"):
        read(text)


def test_merge_keys() -> None:
    text = "a: &a {x: 1, v: 1}\nb: &b {v: 2, z: 2}\nc: {<<: [*a, *b], x: 9}\nd: {'<<': *a}\n"

    assert read(text)[0]["c"] == {"x": 9, "v": 1, "z": 2}
    assert read(text)[0]["d"] == {"<<": {"x": 1, "v": 1}}


def test_documents_have_their_lines() -> None:
    assert list(documents("---\na: 1\n---\n---\n- 2\n...\n")) == [
        (1, {"a": 1}),
        (3, None),
        (4, [2]),
    ]


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("a: &a\n  b: *a", 2, "within its own anchor"),
        ("a: *b", 1, "no anchor before it"),
        ("a: 1\n---\nb: &x 1\n---\nc: *x", 5, "no anchor before it"),
        ("a: 1\na: 2", 2, "repeated"),
        ("a: !!python/object/apply:os.system [x]", 1, "tag !!python"),
        ("a: !!binary aGk=", 1, "tag !!binary"),
        ("a: !x 1", 1, "tag !x"),
        ("{[a]: 1}", 1, "a name is a list"),
        ("&a [1]: 2", 1, "a name is a list"),
        ("a: {<<: 1}", 1, "expected a mapping"),
        ("a: {{ .Values.x }}", 1, "a list or a mapping"),
        ("{{- if .x }}\na: 1", 1, "helm template"),
        ("a:\n\t- b", 2, "found character"),
        ("a: \x00", 1, "character U.0000"),
        ("a: 'b", 1, "end of stream"),
        (r'a: "\ud800"', 1, "half of a pair"),
        (r'{"\udc00\ud800": 1}', 1, "half of a pair"),
        ("%YAML 9.0\n---\na", 1, "incompatible"),
        ("[" * (MAX_DEPTH + 2), 1, f"more than {MAX_DEPTH}"),
        ("\n".join(" " * n + "a:" for n in range(MAX_DEPTH + 2)), MAX_DEPTH, "more than"),
    ],
)
def test_refused(text: str, line: int, reason: str) -> None:
    with pytest.raises(ManifestError, match=f"^line {line}: .*{reason}"):
        read(text)


@pytest.mark.claim("manifests are bounded")
@pytest.mark.parametrize("tail", ["*", "<<: *"])
def test_laughs_are_bounded(tail: str) -> None:
    """Aliases of aliases stop at the bound of values, by list as by merge."""
    lines = ["a0: &a0 [1, 2, 3, 4, 5, 6, 7, 8]"]
    for n in range(1, 30):
        members = ", ".join([f"{{x: *a{n - 1}}}"] * 8)
        lines.append(f"a{n}: &a{n} [{members}]")
    lines.append("b: {<<: {c: *a29}}" if tail.startswith("<") else "b: *a29")

    with pytest.raises(ManifestError, match=f"more than {MAX_NODES} values"):
        read("\n".join(lines))


@given(st.text(max_size=60) | st.text(st.sampled_from("&*a:-[]{}!<>|'\"\n ,?%#"), max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    """No text ends in another error."""
    with contextlib.suppress(ManifestError):
        read(text)
