"""The modules a program needs: graphs of a few modules, each with the fact it shows."""

from collections.abc import Mapping

import msgspec
import pytest

from onebin.model import Import, ModuleImports, ModuleOrigin
from onebin.selection.import_graph import (
    ImportFailure,
    ImportGraph,
    Reachable,
    build_graph,
    import_failure,
    reachable,
)


def graph(text: str, *, builtins: str = "", foreign: str = "") -> ImportGraph:
    """Build a graph from lines ``module: import [kind[guard][/fallback]], …``.

    ``a: b`` is a hard import; ``soft1`` is in try 1, ``late`` in a function, and
    ``hard/1`` in the except clause of try 1. ``b.c+d`` is ``from b.c import d``.
    """
    imports = {}
    for line in text.strip().splitlines():
        name, _, rest = line.strip().partition(":")
        imports[name] = ModuleImports(
            tuple(_import(item) for item in rest.split(",") if item.strip())
        )
    origins = {name: ModuleOrigin("source", is_package=True) for name in imports}
    origins |= {name: ModuleOrigin("builtin") for name in builtins.split()}

    def analyze(found: Mapping[str, ModuleOrigin]) -> Mapping[str, ModuleImports]:
        return {name: imports[name] for name in found}

    return build_graph(
        list(imports), origins.get, analyze, {}, lambda *_: False, frozenset(foreign.split())
    )


def _import(item: str) -> Import:
    what, _, how = item.strip().partition(" ")
    module, *names = what.split("+")
    kind, _, fallback = (how or "hard").partition("/")
    guard = kind.lstrip("abcdefghijklmnopqrstuvwxyz")
    kind = kind.rstrip("0123456789")
    assert kind in {"hard", "soft", "late"}
    return Import(module, tuple(names), kind, int(guard or 0), int(fallback or 0))  # type: ignore[arg-type]


def reached(made: ImportGraph, *roots: str) -> Reachable:
    return reachable(roots, made, lambda *_: False)


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
def test_imported_modules_are_needed(text: str, needed: str) -> None:
    """Imports are followed, with the parents of the imported names, and nothing else is taken."""
    assert set(needed.split()) == reached(graph(text), "app").names


def test_fallback_is_left_out_where_the_first_choice_is_there() -> None:
    """``try: import _fast / except ImportError: import slow`` takes one of the two."""
    text = "app: _fast soft1, slow hard/1\nslow:"

    assert "slow" in reached(graph(text), "app").names
    assert "slow" not in reached(graph(text, builtins="_fast"), "app").names


def test_module_that_cannot_be_imported_goes_with_all_it_alone_needs() -> None:
    """Without ``_ssl``, ``ssl`` is dropped, and all that only ssl imports."""
    made = graph("app: ssl soft1, base64\nssl: _ssl, calendar\ncalendar:\nbase64:")

    result = reached(made, "app")

    assert {"app", "base64"} == result.names
    assert [(left.module, left.importer, left.reason) for left in result.omitted] == [
        ("ssl", "app", "ssl needs _ssl")
    ]


@pytest.mark.parametrize(("origin", "is_project"), [("project", True), ("dependency", False)])
def test_omitted_code_of_the_project_is_listed_apart(origin: str, *, is_project: bool) -> None:
    """With the chain to what is missing, so that the build can warn."""
    made = graph("app: page late\npage: secrets\nsecrets: _none")
    origins = {**made.origins, "page": ModuleOrigin("source", origin=origin)}  # type: ignore[arg-type]
    made = msgspec.structs.replace(made, origins=origins)

    (omitted,) = reached(made, "app").omitted

    assert (omitted.module, omitted.chain) == ("page", ("page", "secrets"))
    assert omitted.is_project is is_project


@pytest.mark.parametrize(
    ("text", "chain", "missing"),
    [
        ("app: nowhere", "app", "nowhere"),
        ("app: serving\nserving: ssl\nssl: _ssl", "app serving ssl", "_ssl"),
        ("app: pkg.leaf\npkg: nowhere\npkg.leaf:", "app pkg", "nowhere"),
        ("app: pkg.leaf\npkg:\npkg.leaf: nowhere.deep", "app pkg.leaf", "nowhere"),
        ("app: a\na: b\nb: a, nowhere", "app a b", "nowhere"),
    ],
    ids=["itself", "chain", "parent", "submodule", "circle"],
)
def test_broken_import_is_reported_with_its_chain(text: str, chain: str, missing: str) -> None:
    """Each module of the chain imports the next; the last import has no module."""
    failure = import_failure("app", graph(text))

    assert failure is not None
    assert (tuple(chain.split()), missing) == (failure.chain, failure.missing)
    assert f"{failure.chain[-1]} needs {missing}" == str(failure)


def test_missing_module_is_reported() -> None:
    """A module missing from every graph is its own chain."""
    assert ImportFailure(("app",), error="no such module") == import_failure("app", graph("other:"))


@pytest.mark.parametrize("kind", ["soft1", "late"])
def test_optional_import_breaks_nothing(kind: str) -> None:
    """Only an import that must succeed can make a module fail."""
    assert not import_failure("app", graph(f"app: nowhere {kind}"))


def test_failing_fallback_breaks() -> None:
    """Where neither the first choice nor the fallback is there, the import fails."""
    made = graph("app: _fast soft1, slow hard/1")

    assert "app needs slow" == str(import_failure("app", made))


def test_foreign_module_breaks_nothing() -> None:
    """An import of another system's module is behind a condition."""
    assert not import_failure("app", graph("app: _winapi", foreign="_winapi"))


def test_package_may_make_its_submodules_itself() -> None:
    """``six.moves`` is in no file: a dependency's missing submodule is not an error."""
    made = graph("app: six.moves.urllib\nsix:")
    lenient = ImportGraph(
        {**made.origins, "six": ModuleOrigin("source", origin="dependency")},
        made.imports,
        made.native_imports,
    )

    assert "app needs six.moves" == str(import_failure("app", made))
    assert not import_failure("app", lenient)


def test_module_that_does_not_compile_is_broken() -> None:
    """A syntax error is a reason like any other."""
    made = ImportGraph(
        {"app": ModuleOrigin("source")}, {"app": ModuleImports(error="invalid syntax")}, {}
    )

    assert "invalid syntax" == str(import_failure("app", made))


def test_hidden_imports_are_followed() -> None:
    """An import made by C code counts although no source has it."""
    origins = {
        "app": ModuleOrigin("source"),
        "_c": ModuleOrigin("builtin"),
        "helper": ModuleOrigin("source"),
    }
    imports = {"app": ModuleImports((_import("_c"),)), "helper": ModuleImports()}
    made = build_graph(
        ["app"],
        origins.get,
        lambda found: {name: imports[name] for name in found},
        {"_c": ("helper",)},
        lambda *_: False,
    )

    assert {"app", "_c", "helper"} == reached(made, "app").names
