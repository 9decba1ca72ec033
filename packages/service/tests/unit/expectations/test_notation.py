"""The part of YAML that is taken: its meaning is YAML's, and what is beyond it has a reason."""

import json
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from devops_info_service.expectations.notation import MAX_BYTES, Entry, read
from devops_info_service.expectations.scanner import NotationError

Said = dict[str, str | tuple[str, ...]]


def said(entries: tuple[Entry, ...]) -> Said:
    """Return names and values alone."""
    return {each.name: each.values if each.is_list else each.values[0] for each in entries}


BLOCK = """\
# What the platform owes us.
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
    """Names, nested names, quotes, comments and lists are what they are to YAML."""
    entries = read(BLOCK)

    assert said(entries) == {
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
    assert said(read(BLOCK.replace("\n", "\r\n"))) == said(entries)
    assert said(read("\ufeff" + BLOCK)) == said(entries)


def test_json() -> None:
    """JSON is read as it is, with its escapes and its lines."""
    entries = read('{\n\t"memory": {\n\t\t"limit":"256Mi"},\n  "a": "\\u0041\\n",\n "b":[1,true]}')

    assert said(entries) == {"memory.limit": "256Mi", "a": "A\n", "b": ("1", "true")}
    assert [each.line for each in entries] == [3, 4, 5]


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("", 1, "nothing is expected"),
        ("# only this\n\n", 3, "nothing is expected"),
        ("---\n", 2, "nothing is expected"),
        ("{}", 1, "expects nothing"),
        ("a: 1\nb: {}", 2, "b expects nothing"),
        ("a", 1, "it is no mapping of a name to a value"),
        ("a:1", 1, "is no mapping"),
        ("256Mi\n", 1, "is no mapping"),
        ("- a", 1, "a list where a mapping is wanted"),
        ("[a]", 1, "a name may be no list"),
        ("{[a]: 1}", 1, "a name may be no list"),
        ("a: 1\n\na: 2", 3, "'a' stands here again; it is in line 1"),
        ("a: {b: 1}\na.b: 2", 2, "'a.b' stands here again; it is in line 1"),
        ("a: {b: 1}\na: {c: 1}", 2, "'a' stands here again"),
        ('{"a": 1,\n "a": 2}', 2, "'a' stands here again"),
        ("a: 1\na:\n  b: 1", 2, "'a' stands here again"),
        (": 1", 1, "a name is missing"),
        ("a:", 1, "a has no value"),
        ("a: # why\nb: 1", 1, "a has no value"),
        ("a: ~", 1, "'a' has no value"),
        ("a: null", 1, "'a' has no value"),
        ("{a: }", 1, "'a' has no value"),
        ('{"a":null}', 1, "'a' has no value"),
        ("a:\n-\n", 2, "'a' has no value"),
        ("a: &x 1", 1, "'&' begins an anchor"),
        ("a: *x", 1, "'*' begins an alias"),
        ("&x a: 1", 1, "'&' begins an anchor"),
        ("*x : 1", 1, "'*' begins an alias"),
        ("a: !!int 1", 1, "'!' begins a tag"),
        ("a: != 1", 1, "'!' begins a tag in YAML; put the value between quotes"),
        ("a: >= 1", 1, "'>' begins a text of several lines"),
        ("a: |\n  b", 1, "'|' begins a text of several lines"),
        ("%YAML 1.2\n---\na: 1", 1, "'%' begins a directive"),
        ("a: @b", 1, "'@' begins a reserved character"),
        ("? a\n: 1", 1, "'?' begins a key of several lines"),
        ("<<: {a: 1}", 1, "a merge"),
        ("a: - 1", 1, "'-' begins a list"),
        ("a: 1\n---\nb: 1", 2, "a second document"),
        ("a: 1\n...\nb: 1", 2, "a second document"),
        ("{a: 1}\n---\n{b: 1}", 2, "a second document"),
        ("{a: 1}\nb: 1", 2, "a second document"),
        ("{a: 1,\n---\n b: 2}", 2, "a second document"),
        ("{a: 1} b", 1, "something stands behind }"),
        ("--- a: 1", 1, "something stands behind ---"),
        ("a: 1\n  b: 2", 2, "an indentation that fits no line above"),
        ("a: 1\n  more", 2, "an indentation that fits no line above"),
        ("a:\n    b: 1\n  c: 2", 3, "an indentation that fits no line above"),
        ("  a: 1\nb: 2", 2, "a line that is less indented than the first"),
        ("a:\n\tb: 1", 2, "a tab indents"),
        ("a: 'b", 1, "' is not closed on its line"),
        ('a: "b\n  c"', 1, '" is not closed on its line'),
        ('a: "b" c', 1, "something stands behind the value"),
        ('a: "b"#c', 1, "something stands behind the value"),
        (r'a: "\x41"', 1, "an escape that JSON does not have"),
        (r'a: "\ud800"', 1, "an escape that JSON does not have"),
        ("a: b: c", 1, "a colon within the value of 'a'"),
        ("a:\n- b: c", 2, "a colon within the value of 'a'"),
        ("a: [[b]]", 1, "a list within a list"),
        ("a:\n- - b", 2, "a list within a list"),
        ("a: [{b: c}]", 1, "a list within a list"),
        ("x: 1\na: [b,", 2, "[ is never closed"),
        ("{a: {b: 1}", 1, "{ is never closed"),
        ("{a: 1", 1, "{ is never closed"),
        ("{a: 'b' 'c'}", 1, "a comma is missing"),
        ("{a: 1,, b: 2}", 1, "',' begins a comma"),
        ("a: [b,, c]", 1, "'a' has no value"),
        ("a: ]", 1, "']' begins an end without its beginning"),
        ("a: b\x00c", 1, "the character U+0000"),
        ("a: 1\nb:\u00a02", 2, "the character U+00A0"),
        ("a: \udcff", 1, "the character U+DCFF"),
        ("{a: " * 9, 1, "more than 8 mappings within each other"),
        ("\n".join(" " * depth + "a:" for depth in range(9)), 9, "more than 8 mappings"),
        ("#" * (MAX_BYTES + 1), 1, "more than 65536 bytes"),
        ("#" + "ä" * (MAX_BYTES // 2), 1, "more than 65536 bytes"),
    ],
)
def test_refused(text: str, line: int, reason: str) -> None:
    """What is no such mapping, or more than this part of YAML, is refused with its line."""
    with pytest.raises(NotationError) as caught:
        read(text)

    assert reason in caught.value.reason
    assert line == caught.value.line
    assert caught.value.reason.isprintable()


def flat(value: Any, prefix: str = "") -> Said:
    """Return what another reader found, with dotted names."""
    found: Said = {}
    for key, inner in value.items():
        name = f"{prefix}{key}"
        if isinstance(inner, dict):
            found |= flat(inner, f"{name}.")
        else:
            found[name] = tuple(inner) if isinstance(inner, list) else inner
    return found


PIECES = (
    *"ab:#-,[]{}'\"\\&*!|>%@?~ \n.=<1",
    *(
        ": ",
        "\n  ",
        "\n    ",
        "\n- ",
        "a: ",
        "b: ",
        "{a: ",
        "[a, ",
        "---",
        " #",
        "''",
        '""',
        "c.d: ",
    ),
)


@given(st.lists(st.sampled_from(PIECES), max_size=25).map("".join))
@example("a: b\n...\n")
@example("a:\n- b\n- c\nd: e")
@example("a: 'b''c' # d")
@example("{a: b, 'c':d}")
@example("{a: b#c, d: e:f}")
def test_as_another_reader(text: str) -> None:
    """Whatever we take, PyYAML reads as the same."""
    try:
        ours = said(read(text))
    except NotationError:
        return

    assert ours == flat(yaml.load(text, yaml.BaseLoader))


NAMES = st.text("abcxyz_", min_size=1, max_size=5)
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=9)
MAPPINGS = st.recursive(
    st.dictionaries(NAMES, TEXTS | st.lists(TEXTS), min_size=1, max_size=3),
    lambda inner: st.dictionaries(NAMES, inner | TEXTS, min_size=1, max_size=3),
    max_leaves=6,
).filter(lambda value: len(str(value)) < 2000)


@given(value=MAPPINGS, flow=st.booleans(), ascii_=st.booleans())
def test_what_others_write(value: dict[str, Any], *, flow: bool, ascii_: bool) -> None:
    """What PyYAML and the JSON of Python write of such a mapping is taken, and is the same."""
    wanted = flat(value)

    assert wanted == said(read(json.dumps(value, ensure_ascii=ascii_)))
    assert wanted == said(read(json.dumps(value, indent=2)))
    written = yaml.safe_dump(value, allow_unicode=True, default_flow_style=flow, width=100_000)
    assert wanted == said(read(written))


@given(st.text(max_size=60))
def test_any_text(text: str) -> None:
    """Any text is taken or refused with a line that it has."""
    line = 1
    try:
        read(text)
    except NotationError as exc:
        line = exc.line
    assert 1 <= line <= text.count("\n") + 1
