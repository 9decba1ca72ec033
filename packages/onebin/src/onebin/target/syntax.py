"""Facts of single nodes of a syntax tree."""

import ast
from collections.abc import Iterable
from typing import Any

IMPORT_ERRORS = {"ImportError", "ModuleNotFoundError"}
BROAD_ERRORS = {"Exception", "BaseException"}
IMPORT_CALLS = {"import_module", "__import__"}


def listed_names(tree: ast.AST) -> set[str]:
    """Return the names that lists, tuples, sets and keys of dictionaries in *tree* have as text."""
    found = set[str]()
    for node in ast.walk(tree):
        parts = node.keys if isinstance(node, ast.Dict) else getattr(node, "elts", ())
        texts = (part.value for part in parts if isinstance(part, ast.Constant))
        found.update(text for text in texts if isinstance(text, str) and text.isidentifier())
    return found


def as_list(part: Any) -> list[ast.AST]:
    """Return the statements of a block, or the one expression."""
    return part if isinstance(part, list) else [part]


def is_load(node: ast.Name) -> bool:
    """Whether *node* reads its name."""
    return isinstance(node.ctx, ast.Load)


def last_name(node: ast.AST) -> str:
    """Return ``c`` of ``a.b().c``; empty for other expressions."""
    return str(getattr(node, "attr", None) or getattr(node, "id", ""))


def first_text(node: ast.Call) -> str:
    """Return the first argument if it is a literal string, else an empty one."""
    first = node.args[0] if node.args else None
    return first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else ""


def catches(node: ast.expr | None) -> bool:
    """Whether an ``except`` of *node* catches a failed import."""
    if node is None:
        return True
    if isinstance(node, ast.Tuple):
        return any(catches(element) for element in node.elts)
    return last_name(node) in IMPORT_ERRORS | BROAD_ERRORS


def catches_only_imports(node: ast.expr | None) -> bool:
    """Whether an ``except`` of *node* catches nothing but failed imports."""
    errors = node.elts if isinstance(node, ast.Tuple) else [node]
    return all(error is not None and last_name(error) in IMPORT_ERRORS for error in errors)


def may_fail_otherwise(body: Iterable[ast.AST]) -> bool:
    """Whether *body* may raise ImportError other than by an import with a known name."""
    for statement in body:
        for node in ast.walk(statement):
            if isinstance(node, ast.Raise):
                return True
            if isinstance(node, ast.Call):
                known = last_name(node.func) in IMPORT_CALLS and first_text(node)
                if not known:
                    return True
    return False
