"""Where a module uses more than imported code: files, metadata, sources, docstrings, a Python.

A name counts by where it was imported from: ``files`` of ``importlib.resources``, whatever the
module calls it.
"""

import ast
import itertools
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from onebin.target.nodes import Nodes

KINDS = {
    "files": (
        "importlib.resources", "importlib_resources", "pkgutil.get_data",
        "pkg_resources.resource_filename", "pkg_resources.resource_string",
        "pkg_resources.resource_stream", "pkg_resources.resource_exists",
        "pkg_resources.resource_listdir", "pkg_resources.resource_isdir",
    ),
    "metadata": (
        "importlib.metadata", "importlib_metadata", "pkg_resources.get_distribution",
        "pkg_resources.iter_entry_points", "pkg_resources.require", "pkg_resources.working_set",
        "pkg_resources.load_entry_point", "pkg_resources.get_entry_map",
    ),
    "modules": ("pkgutil.iter_modules", "pkgutil.walk_packages"),
    "sources": (
        "inspect.getsource", "inspect.getsourcelines", "inspect.getsourcefile",
        "inspect.getcomments", "linecache.getline", "linecache.getlines",
    ),
    "docstrings": ("inspect.getdoc", "pydoc", "doctest"),
    "interpreter": (
        "sys.executable", "multiprocessing.Process", "multiprocessing.Pool",
        "multiprocessing.Manager", "multiprocessing.get_context",
        "multiprocessing.set_start_method", "concurrent.futures.ProcessPoolExecutor",
    ),
}  # fmt: skip
"""Kinds of use, each with the functions and values that make it; a module means all its names."""

NAMES = {"__file__": "files", "__path__": "files", "__doc__": "docstrings"}
"""The same for names that every module has, its own or another's."""

MAX_TEXT = 100
"""Characters of a line that are shown."""


def uses(tree: ast.AST, nodes: Nodes) -> list[tuple[int, str, str]]:
    """Return the line, the kind and the text of each use in *tree*, in the order of the lines.

    *nodes* are those of the tree.
    """
    names = imported(nodes.imports)
    if not may_use(nodes, names):
        return []
    found: dict[tuple[int, str], str] = {}
    for outer in outermost(tree):
        for node in ast.walk(outer):
            if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Load):
                kind = kind_of(node, names)
                if kind:
                    found.setdefault((node.lineno, kind), ast.unparse(outer)[:MAX_TEXT])
    return sorted((line, kind, text) for (line, kind), text in found.items())


def kind_of(node: ast.Name | ast.Attribute, names: dict[str, str]) -> str:
    """Return what *node* uses; empty for any other name."""
    last = node.attr if isinstance(node, ast.Attribute) else node.id
    if last in NAMES:
        return NAMES[last]
    name = dotted(node, names)
    if not name:
        return ""
    for kind, known in KINDS.items():
        for one in known:
            if name == one or name.startswith(f"{one}."):
                return kind
    return ""


def may_use(nodes: Nodes, names: Mapping[str, str]) -> bool:
    """Whether *nodes* have all the words of a use, anywhere: most modules have those of none."""
    words = {node.id for node in nodes.names}
    attributes = {node.attr for node in nodes.attributes}
    if not NAMES.keys().isdisjoint(words | attributes):
        return True
    for name in words & names.keys():
        given = f"{names[name]}."
        for known in itertools.chain(*KINDS.values()):
            rest = f"{known}.".removeprefix(given)
            is_below = given.startswith(f"{known}.")
            if is_below or (rest != f"{known}." and attributes.issuperset(rest.split(".")[:-1])):
                return True
    return False


def imported(imports: Iterable[ast.Import | ast.ImportFrom]) -> dict[str, str]:
    """Return the dotted name of what each name that one of *imports* binds refers to."""
    found = {}
    for node in imports:
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.partition(".")[0]
                found[alias.asname or top] = alias.name if alias.asname else top
        elif node.module and not node.level:
            for alias in node.names:
                found[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return found


def dotted(node: ast.AST, names: dict[str, str]) -> str:
    """Return the whole name of ``a.b.c`` where ``a`` was imported; empty for anything else."""
    if isinstance(node, ast.Name):
        return names.get(node.id, "")
    if isinstance(node, ast.Attribute):
        base = dotted(node.value, names)
        return f"{base}.{node.attr}" if base else ""
    return ""


def outermost(tree: ast.AST) -> Iterator[ast.expr]:
    """Yield the expressions of *tree* that are in no other, but annotations."""
    queue: list[Any] = [tree]
    while queue:
        node = queue.pop()
        for name, value in ast.iter_fields(node):
            if name in {"annotation", "returns"}:
                continue
            for part in value if isinstance(value, list) else [value]:
                if isinstance(part, ast.expr):
                    yield part
                elif isinstance(part, ast.AST):
                    queue.append(part)
