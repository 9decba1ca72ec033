"""The path from what a project names to what needs another distribution."""

import pytest

from onebin import requirement
from onebin.locks import needs

EDGES = {"a": {"b", "c"}, "b": {"d"}, "c": {"b", "e"}, "d": {"a", "f"}, "lone": set[str]()}
"""With a circle: a, b, d."""


@pytest.mark.parametrize(
    ("name", "direct", "path"),
    [
        ("a", "a", ""),
        ("b", "a", "a"),
        ("e", "a", "a c"),
        ("f", "a", "a b d"),
        ("f", "a c d", "d"),
        ("a", "d", "d"),
        ("e", "c a", "c"),
        ("f", "lone", ""),
        ("unknown", "a", ""),
        ("b", "", ""),
    ],
)
def test_the_shortest_way_is_found(name: str, direct: str, path: str) -> None:
    """From a direct dependency to what needs the name; circles end."""
    assert needs.path(name, direct.split(), EDGES) == tuple(path.split())


@pytest.mark.parametrize(
    ("text", "path", "hint"),
    [
        ("leave it out", (), "leave it out"),
        ("leave it out", ("a",), "leave it out; a needs it"),
        ("leave it out", ("a", "b", "c"), "leave it out; a needs it through b, c"),
        ("", ("a",), "a needs it"),
        ("", (), ""),
    ],
)
def test_a_hint_names_the_path(text: str, path: tuple[str, ...], hint: str) -> None:
    """Behind the remedy, as a clause."""
    assert needs.hint(text, path) == hint


def test_stated_names_are_those_whose_markers_hold() -> None:
    """Those of an extra may be wanted; a malformed line gives none."""
    stated = {
        "One": "one",
        "two>=1; extra == 'x'": "two",
        "three; 'y' == extra and python_version >= '3'": "three",
        "four; python_version < '3'": "",
        "five; extra == 'x' and python_version < '3'": "",
        "six[z]<2; python_version >= '3'": "six",
        "-r elsewhere": "",
        "seven; nonsense == 'a'": "",
    }

    found = requirement.names_wanted(stated, {"python_version": "3.14"})

    assert found == set(filter(None, stated.values()))
    without = requirement.names_wanted(stated, {"python_version": "3.14"}, of_extras=False)
    assert without == {"one", "six"}
