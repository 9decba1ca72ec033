"""Imports whose name is made when the program runs, and the texts of a module that may name one.

A name in a table (``{"csv": "csv.reader"}``), an entry of a configuration, the code or the module
of an interpreter's command line (``-c``, ``-m``): a text that begins with a module of the standard
library may be imported although no statement does it.
"""

import ast
import re
import sys
import warnings
from collections.abc import Iterable, Iterator
from typing import Any

IMPORTS_BY_NAME = {"import_module", "__import__", "resolve_name", "run_module", "find_spec"}
"""Functions that import the module that their first argument names."""

RUNS_CODE = {"exec", "eval"}

NAME = re.compile(r"([A-Za-z_]\w*)((?:\.[A-Za-z_]\w*)*)(\.|:[A-Za-z_][\w.]*)?")
"""``a.b``, ``a.b:c``; with a dot at its end the beginning of a name."""

BEGINNING = re.compile(r"([A-Za-z_]\w*)((?:\.[A-Za-z_]\w*)*)\.(?:%s|\{\w*\})[\w.%{}]*")
"""``a.%s``, ``a.{}``: the beginning of a name, which goes on from a package."""

SEPARATORS = re.compile(r"[\s,;]+")
"""Between the names of a list that is written as one text."""

IMPORTS = re.compile(r"(?:^|[;\n:])[ \t]*(?:import|from)[ \t]+[A-Za-z_]")

MAX_CODE = 100_000
"""Characters of a text that is read as code: more is data."""


def computed_imports(nodes: Iterable[ast.AST]) -> list[tuple[int, str]]:
    """Return the line and the text of each import among *nodes* whose name is made at run time."""
    found = []
    for node in nodes:
        if isinstance(node, ast.Call) and node.args and is_computed(node):
            found.append((node.lineno, ast.unparse(node)))
        elif isinstance(node, ast.Constant) and node.value == "-m":
            found.append((node.lineno, "-m"))
    return found


def is_computed(call: ast.Call) -> bool:
    """Whether *call* imports, or runs code, by a text made at run time."""
    function, first = call.func, call.args[0]
    name = getattr(function, "attr", None) or getattr(function, "id", "")
    if isinstance(function, ast.Name) and name in RUNS_CODE:
        # A variable holds code of any kind; a text made here may be an import.
        return not isinstance(first, ast.Constant | ast.Name)
    return name in IMPORTS_BY_NAME and not isinstance(first, ast.Constant)


def module_names(tree: ast.AST) -> dict[str, int]:
    """Return the texts in *tree* that may name modules of the standard library, with their lines.

    A name that ends in a dot means all modules that begin so; in a colon: code imports it.
    """
    found: dict[str, int] = {}

    def add(name: str, line: int) -> None:
        found[name] = min(line, found.get(name, line))

    for line, text in texts(tree):
        match = NAME.fullmatch(text)
        if match and match[1] in sys.stdlib_module_names:
            end = match[3] or ""
            add(match[1] + match[2] + ("." if end == "." else ""), line)
        elif (begun := BEGINNING.fullmatch(text)) and begun[1] in sys.stdlib_module_names:
            add(f"{begun[1]}{begun[2]}.", line)
        elif not match and len(text) <= MAX_CODE:
            code = names_in_code(text) if IMPORTS.search(text) else ()
            for name in code or listed_names(text):
                add(name, line)
    return found


def listed_names(text: str) -> list[str]:
    """Return the modules of the standard library in *text* if it is a list of names.

    At least half of its words are such modules: a sentence has a few by chance.
    """
    words = [NAME.fullmatch(word) for word in SEPARATORS.split(text.strip(" \t\r\n,;"))]
    known = [f"{word[1]}{word[2]}" for word in words if word and word[1] in sys.stdlib_module_names]
    is_list = len(words) > 1 and all(words) and 2 * len(known) >= len(words)
    return known if is_list else []


def names_in_code(text: str) -> set[str]:
    """Return what *text* imports from the standard library; nothing unless it is code."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text.lstrip())
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set()
    found = set[str]()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.update(f"{node.module}.{alias.name}" for alias in node.names if alias.name != "*")
            found.add(node.module)
    return {f"{name}:" for name in found if name.partition(".")[0] in sys.stdlib_module_names}


def texts(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield the literal strings of *tree* with their lines, but annotations and docstrings.

    These name no import. The line of a string that code has made is 0.
    """
    queue: list[Any] = [tree]
    while queue:
        node = queue.pop()
        if isinstance(node, ast.Constant):
            if isinstance(node.value, str):
                yield getattr(node, "lineno", 0), node.value
            continue
        if isinstance(node, ast.Name | ast.expr_context):
            continue  # A third of all nodes, and without a text.
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue
        for name in node._fields:
            if name in {"annotation", "returns"}:
                continue
            value = getattr(node, name, None)
            if isinstance(value, list):
                queue += [part for part in value if isinstance(part, ast.AST)]
            elif isinstance(value, ast.AST):
                queue.append(value)
