"""Computed imports, and the texts that name modules of the standard library."""

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onebin.target.computed import computed_imports, module_names
from onebin.target.nodes import nodes_of, sorted_out


def names_in(tree: ast.AST) -> dict[str, int]:
    runs, _ = nodes_of(tree)
    return module_names(runs)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import_module(name)", ["import_module(name)"]),
        ("a.b.import_module(f'x.{y}')", ["a.b.import_module(f'x.{y}')"]),
        ("__import__('a' + b)", ["__import__('a' + b)"]),
        ("pkgutil.resolve_name(table[k])", ["pkgutil.resolve_name(table[k])"]),
        ("exec(f'import {n}')", ["exec(f'import {n}')"]),
        ("run([sys.executable, '-m', 'x'])", ["-m"]),
        ("import_module('json')", []),
        ("import_module()", []),
        ("exec(code)", []),
        ("eval('1')", []),
        ("db.exec(f'x {y}')", []),
        ("'m'", []),
    ],
)
def test_computed_imports(source: str, expected: list[str]) -> None:
    assert [(1, text) for text in expected] == computed_imports(
        sorted_out(ast.walk(ast.parse(source)))
    )


def test_lines() -> None:
    nodes = sorted_out(ast.walk(ast.parse("\nimport_module(a)\n['-m']\n__import__(b)")))

    assert [2, 3, 4] == [line for line, _ in computed_imports(nodes)]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("x = 'json'", {"json"}),
        ("x = {'a': ['html.parser', 'csv:reader']}", {"html.parser", "csv"}),
        ("f'xml.{x}'", {"xml."}),
        ("'xml.%s' % x", {"xml."}),
        ("'xml.sax.{}'.format(x)", {"xml.sax."}),
        ("'xml.{name}.x'.format(name=x)", {"xml."}),
        ("x = ['xml.%', 'json.{x y}']", set()),
        ("'csv json sched'.split()", {"csv", "json", "sched"}),
        ("x = 'csv, json:loads; own.part'", {"csv", "json"}),
        ("x = 'csv of our own'", set()),
        ("x = 'csv-file json'", set()),
        ("x = 'logging.handlers.RotatingFileHandler'", {"logging.handlers.RotatingFileHandler"}),
        ("x = 'import wsgiref; print(1)'", {"wsgiref:"}),
        ("x = 'x = 1\\nfrom xml import sax, no'", {"xml:", "xml.sax:", "xml.no:"}),
        ("x = 'if x: import cmd'", {"cmd:"}),
        ("'import this can be prose'", set()),
        ("'requests'", set()),
        ("'.json'", set()),
        ("'json-lines'", set()),
        ("b'json'", set()),
        ("def f(a: 'json') -> 'csv': 'json'", set()),
        ("x: 'json.X' = 'csv'", {"csv"}),
        ('"json"', set()),
        ("match x:\n  case 'json': pass", {"json"}),
    ],
)
def test_module_names(source: str, expected: set[str]) -> None:
    assert expected == names_in(ast.parse(source)).keys()


def test_a_text_has_its_first_line() -> None:
    tree = ast.parse("x = 1\ny = 2\n\nz = 'csv'\nw = 'csv'\nv = 'import cmd; x'")

    assert {"csv": 4, "cmd:": 6} == names_in(tree)


@given(st.text())
def test_any_text_is_read(text: str) -> None:
    """No text of a program stops a build."""
    tree = ast.Expression(ast.Tuple([ast.Constant(text), ast.Constant(f"import {text}")]))

    assert all(isinstance(name, str) for name in names_in(tree))


def test_code_of_any_depth_is_read() -> None:
    text = "import json\n" + "(" * 5000 + ")" * 5000

    assert {} == names_in(ast.Module([ast.Expr(ast.Call(ast.Constant(text), [], []))], []))
