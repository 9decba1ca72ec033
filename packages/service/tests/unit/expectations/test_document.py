"""YAML and JSON as names and values, and the rejected constructs."""

import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from devops_info_service.expectations.document import MAX_BYTES, read
from devops_info_service.expectations.entry import DocumentError, Entry

Values = dict[str, str | tuple[str, ...]]


def values(entries: tuple[Entry, ...]) -> Values:
    """Return names and values alone."""
    return {each.name: each.values if each.is_list else each.values[0] for each in entries}


BLOCK = """\
# What the platform grants.
---
memory.limit: 256Mi   # of the container
cpu:
  limit: "<= 500m"
  own_limit: '>= 0.1'

identity:
    pod: it's-a#pod
    node: [a, "b, c",
           'd''e',]
security.capabilities:
- CHOWN
- "KILL"
"dns.ndots": 2
filesystem: {writable: [], x: {"y":1, z: null-ish}}
"""


def test_block() -> None:
    """Names, nested names, quotes, comments and lists mean the same as in YAML."""
    entries = read(BLOCK)

    assert values(entries) == {
        "memory.limit": "256Mi",
        "cpu.limit": "<= 500m",
        "cpu.own_limit": ">= 0.1",
        "identity.pod": "it's-a#pod",
        "identity.node": ("a", "b, c", "d'e"),
        "security.capabilities": ("CHOWN", "KILL"),
        "dns.ndots": "2",
        "filesystem.writable": (),
        "filesystem.x.y": "1",
        "filesystem.x.z": "null-ish",
    }
    assert [each.line for each in entries] == [3, 5, 6, 9, 10, 12, 15, 16, 16, 16]
    assert values(read(BLOCK.replace("\n", "\r\n"))) == values(entries)
    assert values(read("\ufeff" + BLOCK)) == values(entries)


def test_json() -> None:
    """JSON is read with its escapes and its lines."""
    entries = read('{\n\t"memory": {\n\t\t"limit":"256Mi"},\n  "a": "\\u0041",\n "b":[1,true]}')

    assert values(entries) == {"memory.limit": "256Mi", "a": "A", "b": ("1", "true")}
    assert [each.line for each in entries] == [3, 4, 5]


@pytest.mark.parametrize(
    "text",
    ["a: yes", "a: 010", "a: 1e3", "a: 2001-01-01", "a: 0x1F", "a: 1_000", "a: .inf", "a: 1:30"],
)
def test_values_are_texts(text: str) -> None:
    """A value is the text that was written, whatever YAML 1.1 makes of it."""
    assert values(read(text)) == {"a": text[3:]}


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("", 1, "nothing is expected"),
        ("# only this\n\n", 1, "nothing is expected"),
        ("---\n", 2, "nothing is expected"),
        ("{}", 1, "expects nothing"),
        ("a: 1\nb: {}", 2, "'b' expects nothing"),
        ("a", 1, "not a mapping of names to values"),
        ("a:1", 1, "not a mapping"),
        ("- a", 1, "not a mapping"),
        ("[a]", 1, "not a mapping"),
        ("{[a]: 1}", 1, "a name may not be a list"),
        ("a: 1\n\na: 2", 3, "'a' is repeated; it is in line 1"),
        ("a: {b: 1}\na.b: 2", 2, "'a.b' is repeated; it is in line 1"),
        ("a: {b: 1}\na: {c: 1}", 2, "'a' is repeated"),
        ('{"a": 1,\n "a": 2}', 2, "'a' is repeated"),
        ("a: 1\na:\n  b: 1", 2, "'a' is repeated"),
        ("? \n: 1", 1, "a name is missing"),
        (": 1", 1, "but found ':'"),
        ("a:", 1, "'a' has no value"),
        ("a: # why\nb: 1", 1, "'a' has no value"),
        ("a: ~", 1, "'a' has no value"),
        ("a: null", 1, "'a' has no value"),
        ("{a: }", 1, "'a' has no value"),
        ("a:\n-\n", 2, "'a' has no value"),
        ("a: &x 1", 1, "an anchor; put the value between quotes"),
        ("a: *x", 1, "an alias; put the value between quotes"),
        ("&x a: 1", 1, "an anchor"),
        ("&x {a: 1}", 1, "an anchor"),
        ("a: !!int 1", 1, "a tag"),
        ("a: != 1", 1, "a tag; put the value between quotes"),
        ("a: !secret!x y", 1, "a tag; put the value between quotes"),
        ("a: >= 1", 1, "expected chomping or indentation indicators, but found '='; put"),
        ("a: |\n  b", 1, "a text of several lines"),
        ("a: 1\n  more", 1, "a text of several lines"),
        ('a: "b\n  c"', 1, "a text of several lines"),
        ("a: @b", 1, "found character '@' that cannot start any token; put the value between"),
        ("a: 1\n---\nb: 1", 2, "a second document"),
        ("{a: 1}\n---\n{b: 1}", 2, "a second document"),
        ("a: 1\n  b: 2", 1, "a text of several lines"),
        ("a: b: c", 1, "mapping values are not allowed here"),
        ("a:\n    b: 1\n  c: 2", 3, "expected <block end>"),
        ("a:\n\tb: 1", 2, "a tab; indent by blanks"),
        ("a: 'b", 1, "found unexpected end of stream"),
        ('a: "b" c', 1, "expected <block end>"),
        (r'a: "\ud800"', 1, "the character U+D800"),
        (r'a: "\e[2J"', 1, "the character U+001B"),
        ("a: [[b]]", 1, "a list or a mapping within a list"),
        ("a:\n- - b", 2, "a list or a mapping within a list"),
        ("a: [{b: c}]", 1, "a list or a mapping within a list"),
        ("a: b\x00c", 1, "the character U+0000"),
        ("a: \udcff", 1, "the character U+DCFF"),
        ("{a: " * 9, 1, "more than 8 mappings within each other"),
        ("\n".join(" " * depth + "a:" for depth in range(10)), 9, "more than 8 mappings"),
        ("#" * (MAX_BYTES + 1), 1, "more than 65536 bytes"),
        ("#" + "ä" * (MAX_BYTES // 2), 1, "more than 65536 bytes"),
    ],
)
def test_rejected(text: str, line: int, reason: str) -> None:
    """Any other document, or an ambiguous one, is rejected with its line."""
    with pytest.raises(DocumentError) as caught:
        read(text)

    assert reason in caught.value.reason
    assert line == caught.value.line
    assert caught.value.reason.isprintable()


@pytest.mark.parametrize("piece", ["[", "{a: ", "a:\n ", "- ", "? ", "{a: [", "!x ", "&x "])
def test_nesting_is_bounded(piece: str) -> None:
    """However deep, it is refused at once."""
    with pytest.raises(DocumentError):
        read((piece * MAX_BYTES)[:MAX_BYTES])


def flat(value: Any, prefix: str = "") -> Values:
    """Return names joined by dots."""
    found: Values = {}
    for key, inner in value.items():
        name = f"{prefix}{key}"
        if isinstance(inner, dict):
            found |= flat(inner, f"{name}.")
        else:
            found[name] = tuple(inner) if isinstance(inner, list) else inner
    return found


NAMES = st.text("abcxyz_", min_size=1, max_size=5)
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=9)
MAPPINGS = st.recursive(
    st.dictionaries(NAMES, TEXTS | st.lists(TEXTS), min_size=1, max_size=3),
    lambda inner: st.dictionaries(NAMES, inner | TEXTS, min_size=1, max_size=3),
    max_leaves=6,
).filter(lambda value: len(str(value)) < 2000)


@given(value=MAPPINGS, flow=st.booleans())
def test_same_document_as_other_writers(value: dict[str, Any], *, flow: bool) -> None:
    """The output of PyYAML and of json for such a mapping reads as the same mapping."""
    wanted = flat(value)

    assert wanted == values(read(json.dumps(value, ensure_ascii=False)))
    assert wanted == values(read(json.dumps(value, ensure_ascii=False, indent=2)))
    written = yaml.safe_dump(value, allow_unicode=True, default_flow_style=flow, width=100_000)
    assert wanted == values(read(written))


@given(st.text(max_size=60))
def test_any_text(text: str) -> None:
    """Any text is taken or refused with a line that it has."""
    line = 1
    try:
        read(text)
    except DocumentError as exc:
        line = exc.line
    assert 1 <= line <= len(text.splitlines()) + 1
