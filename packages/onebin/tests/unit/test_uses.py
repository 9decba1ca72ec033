"""Lines that use files, metadata, sources, docstrings or a Python, whatever they are called."""

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onebin.target.nodes import sorted_out
from onebin.target.uses import KINDS, uses


def found_in(tree: ast.Module) -> list[tuple[int, str, str]]:
    return uses(tree, sorted_out(ast.walk(tree)))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("HERE = Path(__file__).parent", ["files: Path(__file__).parent"]),
        ("open(other.__file__)", ["files: open(other.__file__)"]),
        ("__path__ = extend_path(__path__, __name__)", ["files: extend_path(__path__, __name__)"]),
        ("__file__ = 'x'", []),
        ("from importlib.resources import files as f\nf('app') / 'x'", ["files: f('app') / 'x'"]),
        ("import importlib.resources\nimportlib.resources.read_text('a', 'b')",
         ["files: importlib.resources.read_text('a', 'b')"]),
        ("import importlib\nimportlib.metadata.version('a')",
         ["metadata: importlib.metadata.version('a')"]),
        ("from importlib import metadata as m\nx: m.EntryPoint = m.version('a')",
         ["metadata: m.version('a')"]),
        ("import pkg_resources as p\nfor x in p.iter_entry_points('g'): pass",
         ["metadata: p.iter_entry_points('g')"]),
        ("from pkgutil import iter_modules\n[x for x in iter_modules(p)]",
         ["modules: [x for x in iter_modules(p)]"]),
        ("import inspect\ndef f(): return inspect.getsource(g)", ["sources: inspect.getsource(g)"]),
        ("import sys\nrun([sys.executable, '-c', x])",
         ["interpreter: run([sys.executable, '-c', x])"]),
        ("from multiprocessing import Pool\nwith Pool(2) as p: pass", ["interpreter: Pool(2)"]),
        ("Parser(description=__doc__)", ["docstrings: Parser(description=__doc__)"]),
        ("def files(x): ...\nfiles('app')", []),
        ("import sys\nsys.executables", []),
        ("from .metadata import version\nversion('a')", []),
        ("def f(a: __file__) -> __file__: ...", []),
        ("match __file__:\n  case 'x' if __doc__: pass",
         ["files: __file__", "docstrings: __doc__"]),
    ],
)  # fmt: skip
def test_uses(source: str, expected: list[str]) -> None:
    assert expected == [f"{kind}: {text}" for _, kind, text in found_in(ast.parse(source))]


NAMES = st.sampled_from(sorted({name for names in KINDS.values() for name in names}))
ALIAS = st.from_regex(r"[a-z]{1,4}_x", fullmatch=True)
FORMS = st.sampled_from(
    ["{}", "f({})", "[{} for y in z]", "lambda: {}", "{}.more", "x if {} else y", "(yield {})"]
)
PLACES = st.sampled_from(
    [
        "x = {}", "def f():\n    return {}", "class C:\n    x = {}", "with {} as y:\n    pass",
        "if {}:\n    pass", "def f(a={}): ...", "@{}\ndef f(): ...", "try:\n    {}\nfinally: ...",
        "async def f():\n    await {}", "for x in {}: ...", "assert {}", "raise E from {}",
    ]
)  # fmt: skip


@given(name=NAMES, alias=ALIAS, form=FORMS, place=PLACES, whole=st.booleans())
def test_a_use_is_found_under_any_name_in_any_place(
    name: str, alias: str, form: str, place: str, *, whole: bool
) -> None:
    """However it is imported, and wherever the line has it."""
    above, _, last = name.rpartition(".")
    if whole or not above:
        head, called = f"import {above or name} as {alias}\n", f"{alias}.{last}"
    else:
        head, called = f"from {above} import {last} as {alias}\n", alias
    if name in {"pydoc", "doctest", "importlib_resources", "importlib_metadata"}:
        head, called = f"import {name} as {alias}\n", f"{alias}.thing"
    inner = form.format(called)
    if form.startswith("(yield") and place.startswith(("class", "x =", "with", "if", "@", "for")):
        inner = called  # only a function may yield
    text = head + place.format(inner)
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return

    found = found_in(tree)

    kinds = {kind for kind, names in KINDS.items() if name in names}
    assert kinds == {kind for _, kind, _ in found}
    assert all(2 <= line <= text.count("\n") + 1 for line, _, _ in found)
