"""Whether a start is in the project's code, as far as its source shows."""

import ast
import difflib
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from onebin.effects import python_source
from onebin.errors import ProjectError
from onebin.model import EntryPoint

MAKES_NAMES: Final = frozenset({"globals", "vars", "exec", "setattr", "__getattr__", "modules"})
"""A module that mentions one may have names that no statement binds."""


def fault(code: Path, entry: EntryPoint) -> ProjectError | None:
    """Return why the project cannot have this start; one of a dependency is not known here.

    Args:
        code: The directory modules are imported from.
        entry: The start.
    """
    top, *rest = entry.module.split(".")
    place = code / top
    if not place.is_dir() and not (code / f"{top}.py").is_file():
        return None
    path = Path(place, *rest)
    file = next((file for file in (path / "__init__.py", path.with_suffix(".py"))
                 if file.is_file()), None)  # fmt: skip
    if not entry.function:
        return _not_runnable(entry.module, path, file)
    if file is not None:
        return _unbound(entry, path, file)
    is_ours = (place / "__init__.py").is_file() or not place.is_dir()
    return _missing(entry.module, path) if is_ours else None


def _not_runnable(module: str, path: Path, file: Path | None) -> ProjectError | None:
    if path.is_dir() and not (path / "__main__.py").is_file():
        return ProjectError(
            f"-m {module}: a package without __main__.py; expected a module that runs",
            hint="name a module of it, or module:function",
        )
    return _missing(module, path) if file is None and not path.is_dir() else None


def _missing(module: str, path: Path) -> ProjectError:
    known = [item.stem for item in path.parent.glob("*") if item.suffix in {".py", ""}]
    near = difflib.get_close_matches(path.name, known, n=1)
    hint = f"did you mean {near[0]}?" if near else "is it spelled right?"
    return ProjectError(f"{module}: no such module in the project", hint=hint)


def _unbound(entry: EntryPoint, path: Path, file: Path) -> ProjectError | None:
    name = entry.function.partition(".")[0]
    if (tree := python_source.tree_of(file)) is None:
        return None  # the build reports it; this Python may be older than the code
    bound = set(_bound(tree))
    is_module = (path / name).is_dir() or (path / f"{name}.py").is_file()
    if name in bound or is_module or bound & MAKES_NAMES or "*" in bound:
        return None
    near = difflib.get_close_matches(name, bound, n=1)
    return ProjectError(
        f"{entry.module}:{entry.function}: {entry.module} has no {name}",
        hint=f"did you mean {near[0]}?" if near else "is it spelled right?",
    )


def _bound(tree: ast.AST) -> Iterable[str]:
    """Yield each name that a statement binds anywhere, and each that may bind others."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.alias):
            yield node.asname or node.name.partition(".")[0]
        elif isinstance(node, ast.Name) and (
            isinstance(node.ctx, ast.Store) or node.id in MAKES_NAMES
        ):
            yield node.id
        elif isinstance(node, ast.Attribute) and node.attr in MAKES_NAMES:
            yield node.attr
        elif isinstance(node, ast.MatchAs | ast.MatchStar | ast.ExceptHandler) and node.name:
            yield node.name
        elif isinstance(node, ast.MatchMapping) and node.rest:
            yield node.rest
