"""Compile modules and list their imports, in the very CPython that will run them.

Run by ``embed/compile.py`` with the static interpreter, beside the modules it imports and nothing
else of onebin: bytecode, marshal and grammar belong to one release, and the interpreter that runs
onebin is another. One JSON request on stdin:

    {"asserts": bool, "docstrings": bool, "out": directory, "names_of_interest": [str, …],
     "modules": [{"name": str, "path": str, "label": str, "package": bool}, …]}

The marshaled code of the n-th module goes to ``out/n``; stdout gets a JSON list of facts:

    {"imports": [node, …], "binds": [str, …], "codecs": [str, …],
     "mentions": [names of interest it contains], "names": {text: line, …},
     "computed": [[line, text], …], "uses": [[line, kind, text], …], "error": str}

``imports.py`` describes a node. ``binds`` are the names of the module, and ``*`` if it may
have others. ``computed.py`` describes ``names`` and ``computed``, ``uses.py`` the last.
"""

import ast
import json
import marshal
import os
import sys
from collections.abc import Iterable
from typing import Any

from onebin.target.computed import computed_imports, module_names
from onebin.target.imports import ImportCollector
from onebin.target.nodes import nodes_of
from onebin.target.uses import uses

FEWEST = 16
"""Modules of a process: to start another one takes as long as to compile some."""


def main() -> None:
    """Serve the request on stdin."""
    request = json.load(sys.stdin)
    json.dump(compile_all(request, len(os.sched_getaffinity(0))), sys.stdout)


def compile_all(request: dict[str, Any], cpus: int) -> list[dict[str, Any]]:
    """Compile the modules of *request*, in a process for each CPU, and return their facts."""
    count = len(request["modules"])
    step = max(1, min(cpus, count // FEWEST))
    parts = [range(first, count, step) for first in range(step)]
    # Started before this process compiles: each has less memory of it.
    children = [start(part, request) for part in parts[1:]]
    found = compile_part(parts[0], request)
    for part, child in zip(parts[1:], children, strict=True):
        _, status = os.waitpid(child, 0)
        if status:
            found |= compile_part(part, request)  # it may have had no memory, beside the others
            continue
        with open(facts_file(part, request), "rb") as file:
            found |= {int(n): facts for n, facts in json.load(file).items()}
    return [found[n] for n in range(count)]


def start(part: range, request: dict[str, Any]) -> int:
    """Start a process that compiles *part* of the modules; return its number."""
    parent = os.getpid()
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        facts = {}
        for n in part:
            if os.getppid() != parent:
                break  # The build was killed.
            facts[n] = compile_one(request["modules"][n], n, request)
        with open(facts_file(part, request), "w", encoding="ascii") as file:
            json.dump(facts, file)
        status = 0
    finally:
        os._exit(status)


def facts_file(part: range, request: dict[str, Any]) -> str:
    """Return the file for the facts of *part*."""
    return f"{request['out']}/facts-{part.start}"


def compile_part(part: Iterable[int], request: dict[str, Any]) -> dict[int, dict[str, Any]]:
    """Return the facts of the modules with the numbers of *part*."""
    return {n: compile_one(request["modules"][n], n, request) for n in part}


def compile_one(module: dict[str, Any], number: int, request: dict[str, Any]) -> dict[str, Any]:
    """Compile one module of *request* and return its facts."""
    with open(module["path"], "rb") as file:
        source = file.read()
    try:
        tree = ast.parse(source, module["label"])
        collector = ImportCollector(
            module["name"], package=module["package"], asserts=request["asserts"],
            names_of_interest=frozenset(request["names_of_interest"]),
        )  # fmt: skip
        collector.visit(tree)
        runs, told = nodes_of(tree)
        names, computed = module_names(runs), computed_imports(runs)
        used = uses(tree, [*runs, *told])
        if not request["docstrings"]:
            strip_docstrings(tree)
        code = compile(
            tree, module["label"], "exec", dont_inherit=True,
            optimize=0 if request["asserts"] else 1,
        )  # fmt: skip
    except (SyntaxError, ValueError, RecursionError) as exc:
        return {"imports": [], "binds": [], "codecs": [], "mentions": [], "error": f"{exc}"}
    with open(f"{request['out']}/{number}", "wb") as out:
        out.write(marshal.dumps(code))
    return {
        "imports": collector.block, "binds": sorted(collector.binds),
        "codecs": sorted(collector.codecs), "mentions": sorted(collector.mentions),
        "names": names, "computed": computed, "uses": used, "error": "",
    }  # fmt: skip


def strip_docstrings(tree: ast.Module) -> None:
    """Drop docstrings, which are never shown; ``__doc__`` becomes None."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body
            if ast.get_docstring(node, clean=False) is not None:
                # ``...`` fills a body that would be empty; a second string after the first must
                # not become the docstring.
                first = body[0]
                while body and isinstance(body[0], ast.Expr) and is_string(body[0].value):
                    del body[0]
                if not body and not isinstance(node, ast.Module):
                    filler = ast.Expr(ast.Constant(...))
                    body.append(ast.fix_missing_locations(ast.copy_location(filler, first)))


def is_string(node: ast.AST | None) -> bool:
    """Whether *node* is a literal string."""
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


if __name__ == "__main__":
    main()
