"""Hostile names and claims stay text on the page, whatever is in them."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from devops_info_service.facts.fact import Evidence
from devops_info_service.page.markup import Markup, escape, join, tag
from devops_info_service.snapshot import PlatformSnapshot, read_platform

from ..recorded import DATA, TREES, FrozenClock, RecordedFiles
from .html_page import Page, a_request, render, snapshot_of

pytestmark = pytest.mark.claim("escaping")

HOSTILE = "</script><script>alert(1)</script>\"'&<img src=x onerror=alert(1)>\x00\u202e\ud800\n"


class HostileTree(RecordedFiles):
    """A pod with hostile names."""

    def environ(self) -> dict[str, str]:
        return {"HOSTNAME": HOSTILE, "PATH": HOSTILE, "POD_NAME": HOSTILE, HOSTILE: HOSTILE}


def hostile_in(value: object) -> object:
    """Replace every text of a value, except those that the types restrict to a few."""
    if isinstance(value, Evidence):
        return Evidence(HOSTILE, HOSTILE, HOSTILE)
    if isinstance(value, tuple):
        return tuple(map(hostile_in, value))
    if isinstance(value, dict):
        return {key: hostile_in(each) for key, each in value.items()}
    if isinstance(value, msgspec.Struct):
        keep = {"verdict", "profile", "confidence", "id", "baseline", "restricted", "unobservable"}
        fields = {
            name: each if name in keep else hostile_in(each)
            for name, each in msgspec.structs.asdict(value).items()
        }
        return msgspec.structs.replace(value, **fields)
    return HOSTILE if isinstance(value, str) else value


@pytest.mark.sample(every=3)
@pytest.mark.parametrize("name", TREES)
def test_hostile_platform(name: str) -> None:
    """Names, mounts, groups, labels and variables stay text."""
    honest = snapshot_of(name)
    snapshot = hostile_in(honest)
    assert isinstance(snapshot, PlatformSnapshot)
    request = a_request(user_agent=HOSTILE.encode("utf-8", "replace"), x_forwarded_for=b"<b>\x9b")

    data = render(snapshot, request)
    read, plain = Page(data), Page(render(honest))

    assert {tag for tag, _ in read.elements} == {tag for tag, _ in plain.elements}
    assert [tag for tag, _ in read.elements].count("script") == 1
    assert "alert(1)" in read.text
    attributes = {name for _, found in read.elements for name in found}
    assert attributes == {name for _, found in plain.elements for name in found}
    assert not {"\x00", "\u202e", "\x9b"} & set(data.decode())


def test_hostile_tree() -> None:
    """The same from the files on: a tree with such names gives such a page."""
    snapshot = read_platform(HostileTree(DATA / "crio-pod"), FrozenClock(), frozenset({"HOSTNAME"}))

    read = Page(render(snapshot))

    assert [tag for tag, _ in read.elements].count("script") == 1
    assert "$HOSTNAME </script><script>alert(1)</script>" in read.text


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("<b>", "&lt;b&gt;"),
        ("a & b", "a &amp; b"),
        ("\"'", "&quot;&#39;"),
        ("&lt;", "&amp;lt;"),
        ("\x00\x1b\u202e\ud800", "\\x00\\x1b\\u202e\\ud800"),
        (Markup("<b>"), "<b>"),
    ],
)
def test_escape(text: str, escaped: str) -> None:
    """Text is escaped once, and markup not at all."""
    assert escape(text) == escaped


@given(st.text(), st.text())
def test_any_text(content: str, value: str) -> None:
    """Any text stays one content and one attribute, and printable."""
    read = Page(tag("p", content, title=value).encode())

    ((name, attributes),) = read.elements
    assert name == "p"
    assert set(attributes) == {"title"}
    assert "".join(read.words).isprintable()


def test_markup_in_attribute() -> None:
    """Markup is text in an attribute."""
    assert tag("p", title=Markup('"><b>')) == '<p title="&quot;&gt;&lt;b&gt;"></p>'
    assert join(["<", tag("b")]) == "&lt;<b></b>"
