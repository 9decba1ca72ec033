"""What lines of source seem to import: compiled in the same batch, and no part of a program."""

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onebin.model import ModuleImports, ModuleOrigin
from onebin.selection.ahead import analyze_ahead, seem_imported
from onebin.selection.import_graph import build_graph
from onebin.selection.importability import targets

from .analyzed import facts_of


@pytest.mark.parametrize(
    ("source", "named"),
    [
        ("import a", "a"),
        ("import a.b as c, d  # e", "a.b d"),
        ("import a; import b", "a"),
        ("  import a", "a:late"),
        ("from a import b", "a a.b"),
        ("from a.b import (c,\n    d as e,  # f\n)", "a.b a.b.c a.b.d"),
        ("from a import *", "a"),
        ("from . import b", "top.pkg top.pkg.b"),
        ("from .b import c", "top.pkg.b top.pkg.b.c"),
        ("from ..b import c", "top.b top.b.c"),
        ("from .... import b", ""),
        ("from", ""),
        ("import", ""),
        ("importing = a", ""),
        ("from a import(b)", "a a.b"),
        ("x = 1  # import a", ""),
        ("def f(): import a", ""),
    ],
)
@pytest.mark.parametrize("name", ["top.pkg", "top.pkg.module"])
def test_lines_that_look_like_imports(source: str, named: str, name: str) -> None:
    """Relative to the package of the module, which may be a package itself."""
    is_package = name == "top.pkg"
    origin = ModuleOrigin("source", text=source, is_package=is_package)

    found = [
        f"{target}:late" if statement.kind == "late" else target
        for statement in seem_imported(name, origin)
        for target in targets(statement)
    ]

    assert named.split() == found


def test_file_that_cannot_be_read_seems_to_import_nothing() -> None:
    assert [] == [*seem_imported("a", ModuleOrigin("source", label="gone.py"))]


NAMES = ["app", "a", "b", "c", "pkg", "pkg.x", "pkg.y", "pkg.inner", "pkg.inner.z"]
PACKAGES = ["pkg", "pkg.inner"]
LINES = st.sampled_from(
    [
        *(f"import {name}" for name in [*NAMES, "nowhere", "made.of.c"]),
        *(f"from {name} import x, y, inner" for name in [*NAMES, "nowhere"]),
        "from . import x", "from .. import y", "from .inner import z", "from .x import *",
        "def f():\n    import c", "try:\n    import b\nexcept ImportError:\n    import c",
        "'''\nimport a\n'''", "if x:\n    from pkg import (\n        x,\n        y,\n    )",
    ]
)  # fmt: skip
TEXTS = st.dictionaries(
    st.sampled_from(NAMES[1:]), st.lists(LINES, max_size=4).map("\n".join), min_size=4
)
NATIVE = st.dictionaries(
    st.sampled_from([*NAMES, "made.of.c"]),
    st.lists(st.sampled_from([*NAMES, "nowhere", "made.of.c"]), max_size=2).map(tuple),
    max_size=3,
)


@given(TEXTS, st.lists(LINES, min_size=1, max_size=4).map("\n".join), NATIVE)
def test_graph_is_the_same(
    texts: dict[str, str], start: str, native: dict[str, tuple[str, ...]]
) -> None:
    """Of no module more, and in no more batches with a new module than without."""
    texts["app"] = start
    origins = {
        name: ModuleOrigin("source", text=text, is_package=name in PACKAGES)
        for name, text in texts.items()
    } | {"made.of.c": ModuleOrigin("extension")}

    def graph(*, is_ahead: bool) -> tuple[object, Sequence[int]]:
        known = set[str]()
        batches = list[int]()

        def analyze(found: Mapping[str, ModuleOrigin]) -> Mapping[str, ModuleImports]:
            batches.append(len(found.keys() - known))
            known.update(found)
            return {
                name: facts_of(name, texts[name], is_package=name in PACKAGES) for name in found
            }

        def never(*_: object) -> str:
            return ""

        used = analyze_ahead(analyze, origins.get, never, native) if is_ahead else analyze
        made = build_graph(["app"], origins.get, used, native, never)
        return (made.origins, made.imports), [size for size in batches if size]

    plain, batches = graph(is_ahead=False)
    ahead, fewer = graph(is_ahead=True)

    assert plain == ahead
    assert len(fewer) <= len(batches)
    assert sum(batches) <= sum(fewer)
