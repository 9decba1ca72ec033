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
import sys
from typing import Any

from onebin.target.computed import computed_imports, module_names
from onebin.target.imports import ImportCollector
from onebin.target.uses import uses


def main() -> None:
    """Serve the request on stdin."""
    request = json.load(sys.stdin)
    json.dump(
        [compile_one(module, n, request) for n, module in enumerate(request["modules"])], sys.stdout
    )


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
        names, computed, used = module_names(tree), computed_imports(tree), uses(tree)
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
