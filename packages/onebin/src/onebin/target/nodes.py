"""The nodes of a module's tree that others read, in one walk."""

import ast
from collections.abc import Iterable
from typing import Any, NamedTuple

PASSED_OVER = frozenset({
    int, str, bytes, float, complex, bool, type(None), type(...), ast.Load, ast.Store, ast.Del,
})  # fmt: skip
"""Classes of values that have no nodes, and are none that is read: half of all values."""


class Nodes(NamedTuple):
    """Some of the nodes of a tree, by their classes, those nearer to the root first."""

    constants: list[ast.Constant]
    calls: list[ast.Call]
    names: list[ast.Name]
    attributes: list[ast.Attribute]
    imports: list[ast.Import | ast.ImportFrom]


def nodes_of(tree: ast.AST) -> tuple[Nodes, Nodes]:
    """Return the nodes of *tree* that run, and those of annotations and docstrings.

    Texts of the latter name no import.
    """
    waiting, told = [tree], list[ast.AST]()
    for node in waiting:
        # ast.walk, by the names of fields, takes half as long again.
        for name, value in node.__dict__.items():
            kind = value.__class__
            if kind in PASSED_OVER:
                continue
            if kind is list:
                waiting += [part for part in value if isinstance(part, ast.AST)]
            elif isinstance(value, ast.AST):
                if name in ("annotation", "returns") or is_said(node, value):
                    told += ast.walk(value)
                else:
                    waiting.append(value)
    return sorted_out(waiting), sorted_out(told)


def sorted_out(nodes: Iterable[ast.AST]) -> Nodes:
    """Return those of *nodes* that are read."""
    found = Nodes([], [], [], [], [])
    places: dict[type, list[Any]] = {
        ast.Constant: found.constants, ast.Call: found.calls, ast.Name: found.names,
        ast.Attribute: found.attributes, ast.Import: found.imports, ast.ImportFrom: found.imports,
    }  # fmt: skip
    for node in nodes:
        place = places.get(node.__class__)
        if place is not None:
            place.append(node)
    return found


def both(one: Nodes, other: Nodes) -> Nodes:
    """Return the nodes of *one* and of *other*."""
    return Nodes(
        one.constants + other.constants,
        one.calls + other.calls,
        one.names + other.names,
        one.attributes + other.attributes,
        one.imports + other.imports,
    )


def is_said(node: ast.AST, value: ast.AST) -> bool:
    """Whether *value*, of *node*, is a statement that is a constant alone."""
    return isinstance(value, ast.Constant) and isinstance(node, ast.Expr)
