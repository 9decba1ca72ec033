"""Which modules a program needs: worlds of a few modules, each with the fact it shows."""

from collections.abc import Mapping

import pytest

from onebin.selection.import_graph import (
    Facts,
    Import,
    Place,
    Reached,
    Trouble,
    World,
    explore,
    reach,
    why_broken,
)


def world(text: str, *, builtins: str = "", foreign: str = "") -> World:
    """Build a world from lines ``module: import [kind[guard][/fallback]], …``.

    ``a: b`` is a hard import; ``soft1`` stands in try 1, ``late`` in a function, and
    ``hard/1`` in the except clause of try 1. ``b.c+d`` is ``from b.c import d``.
    """
    facts = {}
    for line in text.strip().splitlines():
        name, _, rest = line.strip().partition(":")
        facts[name] = Facts(tuple(_import(item) for item in rest.split(",") if item.strip()))
    places = {name: Place("source", is_package=True) for name in facts}
    places |= {name: Place("builtin") for name in builtins.split()}

    def analyse(found: Mapping[str, Place]) -> Mapping[str, Facts]:
        return {name: facts[name] for name in found}

    return explore(
        list(facts), places.get, analyse, {}, lambda *_: False, frozenset(foreign.split())
    )


def _import(item: str) -> Import:
    what, _, how = item.strip().partition(" ")
    module, *names = what.split("+")
    kind, _, fallback = (how or "hard").partition("/")
    guard = kind.lstrip("abcdefghijklmnopqrstuvwxyz")
    kind = kind.rstrip("0123456789")
    assert kind in {"hard", "soft", "late"}
    return Import(module, tuple(names), kind, int(guard or 0), int(fallback or 0))  # type: ignore[arg-type]


def reached(made: World, *roots: str) -> Reached:
    return reach(roots, made, lambda *_: False)


@pytest.mark.parametrize(
    ("text", "needed"),
    [
        ("app: a\na: b\nb:\nother:", "app a b"),
        ("app: a late\na:", "app a"),
        ("app: pkg+sub\npkg:\npkg.sub:", "app pkg pkg.sub"),
        ("app: pkg+attribute\npkg:", "app pkg"),
        ("app: pkg.sub.leaf\npkg:\npkg.sub:\npkg.sub.leaf:", "app pkg pkg.sub pkg.sub.leaf"),
        ("app: a\na: app", "app a"),
    ],
    ids=["chain", "late", "submodule", "attribute", "parents", "circle"],
)
def test_what_is_imported_is_needed(text: str, needed: str) -> None:
    """Imports are followed with the parents of what they name, and nothing else is taken."""
    assert set(needed.split()) == reached(world(text), "app").names


def test_fallback_is_left_out_where_the_first_choice_is_there() -> None:
    """``try: import _fast / except ImportError: import slow`` takes one of the two."""
    text = "app: _fast soft1, slow hard/1\nslow:"

    assert "slow" in reached(world(text), "app").names
    assert "slow" not in reached(world(text, builtins="_fast"), "app").names


def test_module_that_cannot_be_imported_goes_with_all_it_alone_needs() -> None:
    """``ssl`` goes when ``_ssl`` is absent, and what only ssl imports goes with it."""
    made = world("app: ssl soft1, base64\nssl: _ssl, calendar\ncalendar:\nbase64:")

    result = reached(made, "app")

    assert {"app", "base64"} == result.names
    assert [(left.module, left.importer, left.reason) for left in result.left_out] == [
        ("ssl", "app", "ssl needs _ssl")
    ]


@pytest.mark.parametrize(
    ("text", "chain", "lost"),
    [
        ("app: nowhere", "app", "nowhere"),
        ("app: serving\nserving: ssl\nssl: _ssl", "app serving ssl", "_ssl"),
        ("app: pkg.leaf\npkg: nowhere\npkg.leaf:", "app pkg", "nowhere"),
        ("app: pkg.leaf\npkg:\npkg.leaf: nowhere.deep", "app pkg.leaf", "nowhere"),
        ("app: a\na: b\nb: a, nowhere", "app a b", "nowhere"),
    ],
    ids=["itself", "chain", "parent", "submodule", "circle"],
)
def test_trouble_is_told_from_the_asker_to_its_root(text: str, chain: str, lost: str) -> None:
    """Each module of the chain imports the next; the last one needs what is not there."""
    trouble = why_broken("app", world(text))

    assert trouble is not None
    assert (tuple(chain.split()), lost) == (trouble.chain, trouble.lost)
    assert f"{trouble.chain[-1]} needs {lost}" == str(trouble)


def test_trouble_of_what_is_nowhere() -> None:
    """A module that is in no world says so itself."""
    assert Trouble(("app",), error="no such module") == why_broken("app", world("other:"))


@pytest.mark.parametrize("kind", ["soft1", "late"])
def test_optional_import_breaks_nothing(kind: str) -> None:
    """Only an import that must succeed can make a module fail."""
    assert not why_broken("app", world(f"app: nowhere {kind}"))


def test_failing_fallback_breaks() -> None:
    """Where neither the first choice nor the fallback is there, the import fails."""
    made = world("app: _fast soft1, slow hard/1")

    assert "app needs slow" == str(why_broken("app", made))


def test_foreign_module_breaks_nothing() -> None:
    """What imports another system's module does so behind a condition."""
    assert not why_broken("app", world("app: _winapi", foreign="_winapi"))


def test_package_may_make_its_submodules_itself() -> None:
    """``six.moves`` is in no file: a dependency's missing submodule is its own business."""
    made = world("app: six.moves.urllib\nsix:")
    lenient = World(
        {**made.places, "six": Place("source", origin="dependency")}, made.facts, made.hidden
    )

    assert "app needs six.moves" == str(why_broken("app", made))
    assert not why_broken("app", lenient)


def test_module_that_does_not_compile_is_broken() -> None:
    """A syntax error is a reason like any other."""
    made = World({"app": Place("source")}, {"app": Facts(error="invalid syntax")}, {})

    assert "invalid syntax" == str(why_broken("app", made))


def test_hidden_imports_are_followed() -> None:
    """What C code imports is needed although no source says so."""
    places = {"app": Place("source"), "_c": Place("builtin"), "helper": Place("source")}
    facts = {"app": Facts((_import("_c"),)), "helper": Facts()}
    made = explore(
        ["app"],
        places.get,
        lambda found: {name: facts[name] for name in found},
        {"_c": ("helper",)},
        lambda *_: False,
    )

    assert {"app", "_c", "helper"} == reached(made, "app").names
