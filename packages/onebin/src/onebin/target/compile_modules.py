"""Compile modules and list their imports, in the very CPython that will run them.

Run by ``embed/compile.py`` with the static interpreter, beside the modules it imports and nothing
else of onebin: bytecode, marshal and grammar belong to one release, and the interpreter that runs
onebin is another. One JSON request on stdin:

    {"asserts": bool, "docstrings": bool, "out": directory, "names_of_interest": [str, …],
     "modules": [{"name": str, "path": str, "label": str, "package": bool}, …]}

The marshaled code of the n-th module goes to ``out/n``; stdout gets a JSON list of facts:

    {"imports": [node, …], "binds": [str, …], "makes": [str, …], "finds": [str, …],
     "codecs": [str, …], "mentions": [names of interest it contains], "names": {text: line, …},
     "computed": [[line, text], …], "uses": [[line, kind, text], …], "error": str}

``imports.py`` describes a node. ``binds`` are the names of the module, and ``*`` if it may
have others; ``makes`` are modules that it puts into ``sys.modules``, ``finds`` those that a
finder it adds may find. ``computed.py`` describes ``names`` and ``computed``, ``uses.py`` the last.
"""

import ast
import gc
import json
import marshal
import os
import sys
from typing import Any

from onebin.target.computed import computed_imports, module_names
from onebin.target.imports import ImportCollector
from onebin.target.nodes import both, nodes_of
from onebin.target.uses import uses

LEAST = 64 * 1024
"""Bytes of source for a process: to start another one takes as long as to compile some."""

NUMBER = 4
"""Bytes of a module's number in the queue."""


def main() -> None:
    """Serve the request on stdin."""
    request = json.load(sys.stdin)
    json.dump(compile_all(request, len(os.sched_getaffinity(0))), sys.stdout)


def compile_all(request: dict[str, Any], cpus: int) -> list[dict[str, Any]]:
    """Compile the modules of *request*, in a process for each CPU, and return their facts."""
    sizes = [os.stat(module["path"]).st_size for module in request["modules"]]
    largest_first = sorted(range(len(sizes)), key=lambda n: -sizes[n])
    with open(f"{request['out']}/queue", "w+b", buffering=0) as queue:
        queue.write(b"".join(n.to_bytes(NUMBER, "big") for n in largest_first))
        queue.seek(0)
        # Started before this process compiles: each has less memory of it.
        others = range(1, min(cpus, sum(sizes) // LEAST))
        children = [start(number, queue.fileno(), request) for number in others]
        found = compile_queued(queue.fileno(), request)
    for number, child in zip(others, children, strict=True):
        _, status = os.waitpid(child, 0)
        if not status:
            with open(facts_file(number, request), "rb") as file:
                found |= {int(n): facts for n, facts in json.load(file).items()}
    # Another process may have had no memory, beside the others.
    return [found.get(n) or compile_one(module, n, request)
            for n, module in enumerate(request["modules"])]  # fmt: skip


def start(number: int, queue: int, request: dict[str, Any]) -> int:
    """Start process *number*, which takes modules from *queue*; return its id."""
    parent = os.getpid()
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        facts = compile_queued(queue, request, parent)
        with open(facts_file(number, request), "w", encoding="ascii") as file:
            json.dump(facts, file)
        status = 0
    finally:
        os._exit(status)


def facts_file(number: int, request: dict[str, Any]) -> str:
    """Return the file for the facts of process *number*."""
    return f"{request['out']}/facts-{number}"


def compile_queued(
    queue: int, request: dict[str, Any], parent: int | None = None
) -> dict[int, dict[str, Any]]:
    """Return the facts of the modules that this process takes from *queue*.

    Its descriptor has one offset in all processes, and a read moves it (read(2)). A process ends
    with its *parent*: the build was killed.
    """
    facts = {}
    while data := os.read(queue, NUMBER):
        if parent is not None and os.getppid() != parent:
            break
        n = int.from_bytes(data, "big")
        facts[n] = compile_one(request["modules"][n], n, request)
    return facts


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
        used = uses(tree, both(runs, told))
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
        "makes": sorted(collector.makes), "finds": sorted(collector.finds),
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
    gc.disable()  # a tree has no cycles; the search for them takes a tenth of the time
    main()
