"""Facts of a ``setup.py`` as Linux runs it: libraries it links with, programs it starts.

It does not run: its calls are read, those under a condition only where the condition is known.
"""

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Final

from onebin.effects import python_source
from onebin.target.conditions import UNKNOWN, Conditions

STARTS: Final = frozenset(
    {"run", "call", "check_call", "check_output", "Popen", "spawn", "system", "getoutput", "which"}
)
"""Functions of subprocess, os, distutils and shutil that start a program or search for it."""


def literals(tree: Path, name: str) -> frozenset[str]:
    """Return the literal texts of ``NAME=["…"]`` in the calls of the script of *tree*."""
    return frozenset(
        item
        for call in _calls(tree)
        for keyword in call.keywords
        if keyword.arg == name
        for item in _texts(keyword.value)
    )


def programs(tree: Path) -> frozenset[str]:
    """Return the programs that the script of *tree* starts or searches for, by literal names."""
    found: set[str] = set()
    for call in _calls(tree):
        name = call.func.attr if isinstance(call.func, ast.Attribute) else ""
        name = call.func.id if isinstance(call.func, ast.Name) else name
        if name in STARTS and call.args:
            words = _texts(call.args[0])
            found.update(PurePosixPath(word.split()[0]).name for word in words[:1] if word.split())
    return frozenset(found)


def _texts(node: ast.expr) -> list[str]:
    """Return the literal texts of *node*, up to the first item that is none."""
    texts: list[str] = []
    for item in node.elts if isinstance(node, ast.List | ast.Tuple) else [node]:
        if not (isinstance(item, ast.Constant) and isinstance(item.value, str)):
            break
        texts.append(item.value)
    return texts


def _calls(tree: Path) -> Iterator[ast.Call]:
    if (script := python_source.tree_of(tree / "setup.py")) is None:
        return
    conditions = Conditions("__main__", asserts=True)
    waiting: list[ast.AST] = [script]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Call):
            yield node
        waiting += _reached(node, conditions)


def _reached(node: ast.AST, conditions: Conditions) -> Iterable[ast.AST]:
    if not isinstance(node, ast.If):
        return ast.iter_child_nodes(node)
    value = conditions.evaluate(node.test)
    if value is UNKNOWN:
        return ()
    return node.body if value else node.orelse
