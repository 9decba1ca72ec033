"""Imports whose name is made when the program runs, and the texts of a module that may name one.

A name in a table (``{"csv": "csv.reader"}``), an entry of a configuration, the code or the module
of an interpreter's command line (``-c``, ``-m``): a text that begins with a module of the standard
library may be imported although no statement does it.
"""

import ast
import re
import sys
import warnings

from onebin.target.nodes import Nodes

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


def computed_imports(nodes: Nodes) -> list[tuple[int, str]]:
    """Return the line and the text of each import among *nodes* whose name is made at run time."""
    calls = [node for node in nodes.calls if node.args and is_computed(node)]
    options = [node for node in nodes.constants if node.value == "-m"]
    found = [(node.lineno, ast.unparse(node)) for node in calls]
    return sorted([*found, *((node.lineno, "-m") for node in options)])


def is_computed(call: ast.Call) -> bool:
    """Whether *call* imports, or runs code, by a text made at run time."""
    function, first = call.func, call.args[0]
    name = getattr(function, "attr", None) or getattr(function, "id", "")
    if isinstance(function, ast.Name) and name in RUNS_CODE:
        # A variable holds code of any kind; a text made here may be an import.
        return not isinstance(first, ast.Constant | ast.Name)
    return name in IMPORTS_BY_NAME and not isinstance(first, ast.Constant)


def module_names(nodes: Nodes) -> dict[str, int]:
    """Return the texts among *nodes* that may name modules of the standard library.

    Each has its first line, which is 0 if code made the text; the first is first. A name that
    ends in a dot means all modules that begin so; in a colon: code imports it.
    """
    found: dict[str, int] = {}
    texts = [
        (getattr(node, "lineno", 0), node.value)
        for node in nodes.constants
        if isinstance(node.value, str)
    ]

    def add(name: str, line: int) -> None:
        found[name] = min(line, found.get(name, line))

    for line, text in texts:
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
    return dict(sorted(found.items(), key=lambda item: (item[1], item[0])))


def listed_names(text: str) -> list[str]:
    """Return the modules of the standard library in *text* if it is a list of names.

    At least half of its words are such modules: a sentence has a few by chance.
    """
    words = SEPARATORS.split(text.strip(" \t\r\n,;"))
    if len(words) < 2:  # noqa: PLR2004  (a list has two)
        return []
    known = []
    for word in words:
        name = NAME.fullmatch(word)
        if not name:
            return []
        if name[1] in sys.stdlib_module_names:
            known.append(f"{name[1]}{name[2]}")
    return known if 2 * len(known) >= len(words) else []


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
