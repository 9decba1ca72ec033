"""The modules a program needs: sources of a few modules, each with the fact it shows."""

from collections.abc import Mapping

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onebin.model import Import, ModuleImports, ModuleOrigin
from onebin.selection.import_graph import ImportGraph, build_graph, import_failure, reachable
from onebin.selection.importability import ImportFailure

from .analyzed import graph_of, reached


def modules(text: str) -> dict[str, str]:
    """Read ``app: import a; import b | a:`` as sources by name; ``\\`` ends a line of one."""
    pairs = (item.partition(":") for item in text.split(" | "))
    return {name.strip(): source.strip().replace("\\", "\n") for name, _, source in pairs}


FALLBACK = "try: import fast\\except ImportError: import slow"


@pytest.mark.parametrize(
    ("text", "needed"),
    [
        ("app: import a | a: import b | b: | other:", "app a b"),
        ("app: def f(): import a | a:", "app a"),
        ("app: from pkg import sub | pkg: | pkg.sub:", "app pkg pkg.sub"),
        ("app: from pkg import x | pkg: x = 1", "app pkg"),
        ("app: import pkg.sub.leaf | pkg: | pkg.sub: | pkg.sub.leaf:",
         "app pkg pkg.sub pkg.sub.leaf"),
        ("app: import a | a: import app", "app a"),
        (f"app: {FALLBACK} | fast: | slow:", "app fast"),
        (f"app: {FALLBACK} | slow:", "app slow"),
        (f"app: {FALLBACK} | slow: | fast: import nowhere", "app slow"),
        (f"app: {FALLBACK} | slow: | fast: raise ImportError('old')", "app slow"),
        (f"app: {FALLBACK} | slow: | fast: if x: raise ImportError", "app fast slow"),
        ("app: def f():\\ try: import fast\\ except ImportError: import slow | fast: | slow:",
         "app fast"),
        ("app: try: import fast\\except: import slow | fast: | slow:", "app fast slow"),
        ("app: try:\\ import fast; fast.load()\\except ImportError: import slow | fast: | slow:",
         "app fast slow"),
        ("app: try: from fast import new\\except ImportError: import slow | fast: | slow:",
         "app fast slow"),
        ("app: try: from fast import new\\except ImportError: import slow | fast: new = 1 | slow:",
         "app fast"),
        ("app: try: f()\\except ValueError: import rare | rare:", "app rare"),
        ("app: try: import nowhere\\except ImportError: pass\\else: import a | a:", "app"),
        ("app: try: import b\\except ImportError: pass\\else: import a | a: | b:", "app a b"),
        ("app: try: import nowhere\\except ImportError: pass\\finally: import a | a:", "app a"),
        ("app: def f():\\ import nowhere; import a | a:", "app"),
    ],
)  # fmt: skip
def test_import_that_may_run_is_needed(text: str, needed: str) -> None:
    """Imports are followed, with the parents of the imported names, and nothing else is taken."""
    names = reached(graph_of(modules(text)), "app").names

    assert set(needed.split()) == names - {"random"}


def test_module_that_cannot_be_imported_goes_with_all_it_alone_needs() -> None:
    """Without ``_ssl``, ``ssl`` is dropped, and all that only ssl imports."""
    text = (
        "app: try: import ssl\\except ImportError: pass\\import base64 | "
        "ssl: import calendar, _ssl | calendar: | base64:"
    )

    result = reached(graph_of(modules(text)), "app")

    assert {"app", "base64"} == result.names
    assert [("ssl", "app", "ssl needs _ssl")] == [
        (left.module, left.importer, left.reason) for left in result.omitted
    ]


@pytest.mark.parametrize(("origin", "is_project"), [("project", True), ("dependency", False)])
def test_omitted_code_of_the_project_is_told_apart(origin: str, *, is_project: bool) -> None:
    """With the chain to the missing module, so that the build can warn."""
    text = "app: def f(): import page | page: import private | private: import _none"

    (omitted,) = reached(graph_of(modules(text), origin=origin), "app").omitted

    assert ("page", ("page", "private")) == (omitted.module, omitted.chain)
    assert is_project is omitted.is_project


def test_ignored_import_is_omitted_with_its_reason() -> None:
    """Unless it comes in by another import."""

    def why_ignored(importer: str, _: Import, target: str) -> str:
        return "not wanted" if (importer, target) in {("app", "a"), ("app", "b")} else ""

    texts = modules("app: import c\\def f(): import a, b | a: | b: | c: import b")
    graph = graph_of(texts)

    found = reachable(["app"], graph, why_ignored)

    assert {"app", "b", "c"} == found.names
    assert [("a", "app", "not wanted")] == [
        (left.module, left.importer, left.reason) for left in found.omitted
    ]


FINDER = "import sys\\names = ['made']\\sys.meta_path.insert(0, names)"


@pytest.mark.parametrize(
    ("text", "fails"),
    [
        ("app: import m, made | m: import sys; sys.modules['made'] = 1", False),
        ("app: import m, made | m: import sys; sys.modules.setdefault('made', 1)", False),
        ("app: import m, made.part | m: import sys; sys.modules['made'] = 1", False),
        ("app: import m, made | m: import sys; x = sys.modules['made']", True),
        ("app: import m, made | m: import sys; sys.modules['other'] = 1", True),
        ("app: import m, made | m: import sys; sys.modules['made'] = None", True),
        ("app: import m, made | m: import sys; sys.modules['a'] = sys.modules['made'] = 1",
         False),
        ("app: import made | m.tests.a: import sys; sys.modules['made'] = 1", True),
        ("app: import made | m.test_a: import sys; sys.modules['made'] = 1", True),
        (f"app: import pkg | pkg: {FINDER} | pkg.part: import made", False),
        (f"app: import pkg.part | pkg: {FINDER} | pkg.part: import made.x", False),
        (f"app: import pkg, made | pkg: {FINDER}", True),
        ("app: import pkg.part | pkg: names = ['made'] | pkg.part: import made", True),
        ("app: import p.q | p: import sys; sys.meta_path.append(F('made')) | p.q: import made",
         True),
    ],
)  # fmt: skip
def test_module_that_another_makes(text: str, *, fails: bool) -> None:
    """A key of ``sys.modules`` for any importer, the names of a finder for its own package."""
    graph = graph_of(modules(text), builtins="sys")

    assert fails == (import_failure("app", graph) is not None)


@pytest.mark.parametrize(
    ("text", "chain", "missing"),
    [
        ("app: import nowhere", "app", "nowhere"),
        ("app: import serving | serving: import ssl | ssl: import _ssl", "app serving ssl",
         "_ssl"),
        ("app: import pkg.leaf | pkg: import nowhere | pkg.leaf:", "app pkg", "nowhere"),
        ("app: import pkg.leaf | pkg: | pkg.leaf: import nowhere.deep", "app pkg.leaf",
         "nowhere"),
        ("app: import a | a: import b | b: import a, nowhere", "app a b", "nowhere"),
        ("app: from a import b | a: c = 1", "app", "a.b"),
        ("app: from . import part | app.part: import nowhere", "app app.part", "nowhere"),
        ("app: from pkg import part | pkg: | pkg.part: import nowhere", "app pkg.part",
         "nowhere"),
        ("app: try: import yaml\\except ImportError: raise SystemExit('no yaml')", "app", "yaml"),
        ("app: try: import yaml\\except ImportError as e: raise ValueError('no') from e", "app",
         "yaml"),
        ("app: try: import yaml\\except ImportError: raise", "app", "yaml"),
        ("app: try: import yaml\\except KeyError: pass", "app", "yaml"),
        ("app: try: import yaml\\finally: pass", "app", "yaml"),
        ("app: try: pass\\finally: import yaml", "app", "yaml"),
        (f"app: {FALLBACK}", "app", "slow"),
        ("app: try: import a\\except ImportError: pass\\else: import nowhere | a:", "app",
         "nowhere"),
        ("app: if x: import nowhere\\else: import nowhere", "app", "nowhere"),
        ("app: class C: import nowhere", "app", "nowhere"),
        ("app: @nowhere(__import__('nowhere'))\\def f(): ...", "app", "nowhere"),
    ],
)  # fmt: skip
def test_failure_is_a_chain_of_imports(text: str, chain: str, missing: str) -> None:
    """Each module of the chain imports the next; the last import has no module."""
    failure = import_failure("app", graph_of(modules(text)))

    assert failure is not None
    assert (tuple(chain.split()), missing) == (failure.chain, failure.missing)
    assert f"{failure.chain[-1]} needs {missing}" == str(failure)


@pytest.mark.parametrize(
    "text",
    [
        "app: try: import nowhere\\except ImportError: pass",
        "app: try: import nowhere\\except ImportError:\\ if strict: raise",
        "app: with suppress(ImportError): import nowhere",
        "app: def f(): import nowhere",
        "app: f = lambda: __import__('nowhere')",
        "app: if x: import nowhere",
        "app: if x: import a\\else: import nowhere | a:",
        "app: while x: import nowhere",
        "app: for x in y: import nowhere",
        "app: x = y and __import__('nowhere')",
        "app: x = [__import__('nowhere') for y in z]",
        "app: match x:\\ case 1: import nowhere",
        "app: try: f()\\except ValueError: import nowhere",
        "app: try: import a\\except ImportError: import nowhere | a:",
        "app: try: import nowhere\\except ImportError: pass\\else: import nowhere_as_well",
        "app: import typing as t\\if t. TYPE_CHECKING: import no | typing: x = 0",
        "app: import sys\\if sys.platform == 'win32': import nowhere | sys:",
        "app: from a import made | a: globals()['made'] = 1",
        "app: from a import made | a: def __getattr__(name): ...",
        "app: from a import made | a: from b import * | b:",
        "app: from a import __name__ | a:",
        "app: try:\\ import x\\ raise ValueError\\except ValueError: pass | x:",
        "app: try: import a\\except ImportError: pass | a: raise ImportError",
    ],
)
def test_import_that_may_fail_breaks_nothing(text: str) -> None:
    """Only an import that must succeed can make a module fail."""
    assert not import_failure("app", graph_of(modules(text)))


@pytest.mark.parametrize(
    ("origin", "source", "fails"),
    [
        ("stdlib", "", True),
        ("dependency", "", False),
        ("project", "", True),
        ("project", "import sys; sys.modules['six.moves'] = object()", False),
    ],
)
@pytest.mark.parametrize("parts", [{}, {"six.part": ""}], ids=["module", "package"])
def test_module_may_make_its_submodules_itself(
    origin: str, source: str, parts: dict[str, str], *, fails: bool
) -> None:
    """``six.moves`` is in no file; a project's source shows whether it does the like."""
    texts = {"app": "import six.moves.urllib", "six": source, "sys": "", **parts}

    failure = import_failure("app", graph_of(texts, origin=origin))

    assert fails is (failure is not None)
    assert not fails or "app needs six.moves" == str(failure)


def test_module_that_does_not_compile_is_broken() -> None:
    """A syntax error is a reason like any other."""
    graph = build_graph(
        ["app"],
        {"app": ModuleOrigin("source")}.get,
        lambda _: {"app": ModuleImports(error="invalid syntax")},
        {},
        lambda *_: "",
    )

    assert "invalid syntax" == str(import_failure("app", graph))


def test_module_that_raises_is_named_with_its_statement() -> None:
    """Of ImportError it is left out; of another exception it stays, to raise it."""
    graph = graph_of(
        modules(
            "app: try: import a, b\\except Exception: pass | "
            "a: raise ValueError('old') | b: raise ImportError('new')"
        )
    )

    assert "runs: raise ValueError('old')" == str(import_failure("a", graph))
    assert "runs: raise ImportError('new')" == str(import_failure("b", graph))
    assert {"app", "a"} == reached(graph, "app").names


def test_module_that_is_nowhere() -> None:
    """A module missing from every graph is its own chain."""
    assert ImportFailure(("app",), error="no such module") == import_failure(
        "app", graph_of({"other": ""})
    )


def test_imports_made_from_c_are_followed() -> None:
    """An import made by C code counts although no source has it."""
    graph = graph_of({"app": "import _c", "helper": ""}, builtins="_c", native={"_c": ("helper",)})

    assert {"app", "_c", "helper"} == reached(graph, "app").names


def test_nothing_is_analyzed_twice() -> None:
    """Modules come in waves; each has its source read once, found or not."""
    texts = {"app": "import a, b, nowhere", "a": "import b", "b": "import app"}
    origins = {name: ModuleOrigin("source") for name in texts}
    read: list[str] = []

    def analyze(found: Mapping[str, ModuleOrigin]) -> Mapping[str, ModuleImports]:
        read.extend(found)
        imports = {name: texts[name].removeprefix("import ").split(", ") for name in found}
        return {
            name: msgspec.convert({"imports": [["import", m] for m in names]}, ModuleImports)
            for name, names in imports.items()
        }

    build_graph(["app"], origins.get, analyze, {}, lambda *_: "")

    assert sorted(texts) == sorted(read)


@given(
    imported=st.dictionaries(st.sampled_from("abcdefgh"), st.sets(st.sampled_from("abcdefghx"))),
    first=st.sets(st.sampled_from("abcdefgh")),
    more=st.sets(st.sampled_from("abcdefghx")),
)
def test_graph_that_grows_is_the_whole_graph(
    imported: dict[str, set[str]], first: set[str], more: set[str]
) -> None:
    """Of further roots nothing is found that is not found at once; some imports fail."""
    origins = {name: ModuleOrigin("source") for name in imported}
    read: list[str] = []

    def analyze(found: Mapping[str, ModuleOrigin]) -> Mapping[str, ModuleImports]:
        read.extend(found)
        return {
            name: msgspec.convert(
                {"imports": [["import", module] for module in sorted(imported[name])]},
                ModuleImports,
            )
            for name in found
        }

    def built(roots: set[str], known: ImportGraph | None = None) -> ImportGraph:
        return build_graph(roots, origins.get, analyze, {}, lambda *_: "", known)

    grown = built(first | more, built(first))
    in_steps = sorted(read)
    read.clear()
    whole = built(first | more)

    assert (whole.origins, whole.imports) == (grown.origins, grown.imports)
    assert whole.importability.failures.keys() == grown.importability.failures.keys()
    assert sorted(read) == in_steps
