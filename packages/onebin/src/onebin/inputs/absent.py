"""Imports of a project's own code that must fail: known from its source, before anything is built.

Only what Python runs for certain counts: an import of a module's first level, outside ``try``,
``if``, ``with`` and functions, in a module that the start imports so.
"""

import ast
import difflib
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

import msgspec

from onebin.effects import python_source
from onebin.errors import ProjectError
from onebin.model import EntryPoint
from onebin.model.absent_modules import (
    BEHIND_A_CONDITION,
    NOBODY,
    NOT_IN_RUNTIME,
    OF_ANOTHER,
    OTHER_PLATFORMS,
    REMOVED,
    once_there,
)
from onebin.requirement import shown

UNLISTED: Final = frozenset({
    "__main__", "annotationlib", "compression", "profiling", "test",
    "_colorize", "_hmac", "_interpchannels", "_interpqueues", "_interpreters", "_opcode_metadata",
    "_py_warnings", "_pyrepl", "_remote_debugging", "_suggestions", "_sysconfig", "_types", "_zstd",
})  # fmt: skip
"""Modules that are there, and that the Python which runs onebin may not list as its own: those
that came with 3.12 to 3.15."""

NEVER: Final = OTHER_PLATFORMS | set(NOT_IN_RUNTIME)

MAKES_MODULES: Final = frozenset(
    {"path", "modules", "meta_path", "path_hooks", "addsitedir", "extend_path"}
)
"""Attributes of ``sys``, ``site`` and ``pkgutil`` by which modules appear where no file is."""


class Absent(msgspec.Struct, frozen=True):
    """An import that nothing provides."""

    module: str
    place: str
    """The file and the line of the import."""
    chain: tuple[str, ...]
    """The modules that import each other, from the start on."""


def may_have(module: str) -> bool:
    """Whether a distribution that is not known may have *module*."""
    return module not in NEVER


def absent(
    code: Path, entry: EntryPoint, series: str, is_known: Callable[[str], bool]
) -> list[Absent]:
    """Return the imports that must fail when the program starts.

    Args:
        code: The directory its modules are imported from.
        entry: The start.
        series: Of the Python it gets, ``3.13``.
        is_known: Whether a module of the first level, which is neither the project's nor the
            standard library's, may come from a distribution.
    """
    found: dict[str, Absent] = {}
    seen: dict[str, tuple[str, ...]] = {}
    waiting: list[tuple[str, tuple[str, ...]]] = [(name, ()) for name in _parents(entry.module)]
    if not entry.function:
        waiting.append((f"{entry.module}.__main__", ()))
    version = tuple(map(int, series.split(".")))
    while waiting:
        name, above = waiting.pop(0)
        file = _file(code, name)
        if name in seen or file is None:
            continue
        chain = seen[name] = (*above, name)
        tree = python_source.tree_of(file)
        if tree is None:
            continue
        if _makes_modules(tree):
            return []
        is_package = file.name == "__init__.py"
        for line, target, names in _certain(tree, name, is_package=is_package):
            missing = _missing(code, target, version, is_known)
            if missing:
                where = f"{file.relative_to(code)}:{line}"
                found.setdefault(missing, Absent(missing, where, chain))
                continue
            inner = [f"{target}.{one}" for one in names]
            waiting += [(one, chain) for one in (*_parents(target), *inner)]
    return list(found.values())


def start(
    code: Path, entry: EntryPoint, series: str, is_known: Callable[[str], bool]
) -> ProjectError | None:
    """Return the fault of a start in a module that nothing provides; see ``absent``.

    A back end may leave a package out that its author sees in the folder.
    """
    if entry.file:
        return None
    version = tuple(map(int, series.split(".")))
    missing = _missing(code, entry.module, version, is_known)
    # A module that a package lacks is a fault of the start itself (``start.fault``).
    if missing != entry.module.partition(".")[0] or any(code.glob("*.pth")):
        return None
    have = ", ".join(map(shown, modules_of(code))) or "no module"
    return ProjectError(
        f"entry point {entry.module}: neither the project nor a dependency has {missing}",
        hint=f"the project has {have}: is it spelled right, and does the back end pack it?",
    )


def fault(item: Absent, known: Iterable[str], beside: Iterable[str] = ()) -> ProjectError:
    """Return *item* as a fault.

    Args:
        item: The import.
        known: Modules of the project: it may be part of one, or a misspelling.
        beside: Modules in the folder of a script, which is packed without them.
    """
    chain = f" ({' -> '.join(item.chain)})" if len(item.chain) > 1 else ""
    if item.module in NOT_IN_RUNTIME:
        library, hint = NOT_IN_RUNTIME[item.module]
        reason = f"which requires {library}: the static runtime does not include it"
        return ProjectError(f"{item.place}: imports {item.module}, {reason}{chain}", hint=hint)
    if item.module in OTHER_PLATFORMS:
        return ProjectError(
            f"{item.place}: imports {item.module}, {OF_ANOTHER}{chain}", hint=BEHIND_A_CONDITION
        )
    known = list(known)
    if item.module in beside:
        return ProjectError(
            f"{item.place}: imports {item.module}, which is beside the script{chain}",
            hint="a script is packed alone; to pack both, add a pyproject.toml: [project] with its "
            f'name and dependencies, [tool.onebin] with entry-point = "-m {item.chain[0]}"',
        )
    if item.module.partition(".")[0] in known:
        return ProjectError(
            f"{item.place}: imports {item.module}, which is not in the project{chain}",
            hint="is it spelled right? a file that is generated has to be there, and a back end "
            "may leave one out",
        )
    which, hint = _nowhere(item.module, known)
    return ProjectError(f"{item.place}: imports {item.module}, which {which}{chain}", hint=hint)


def _nowhere(module: str, known: Iterable[str]) -> tuple[str, str]:
    """Return what *module*, which nothing provides, is to Python, and the hint."""
    if found := once_there(module):
        return found
    near = difflib.get_close_matches(module, known, n=1)
    maybe = f"did you mean {near[0]}? if not, " if near else ""
    hint = (
        f"{maybe}add the distribution that has it to the dependencies; if the program can do "
        "without, put the import into try … except ImportError"
    )
    return NOBODY, hint


def modules_of(code: Path) -> list[str]:
    """Return the modules of the first level in the folder *code*."""
    return sorted(
        path.stem for path in code.iterdir()
        if path.suffix == ".py" or (path.is_dir() and path.name.isidentifier())
    )  # fmt: skip


def _missing(
    code: Path, target: str, version: tuple[int, ...], is_known: Callable[[str], bool]
) -> str:
    """Return the first part of *target* that nothing provides; empty if something may."""
    top = target.partition(".")[0]
    if _is_own(code, top):
        # A package without files may be spread over distributions.
        regular = (code / top / "__init__.py").is_file() or (code / f"{top}.py").is_file()
        return next((p for p in _parents(target) if regular and not _is_own(code, p)), "")
    # The Python that runs onebin may lack a module of the other one, older or newer.
    if top in REMOVED:
        is_there = version < REMOVED[top]
    else:
        is_there = top in UNLISTED or (top in sys.stdlib_module_names and top not in NEVER)
    return "" if is_there or is_known(top) else top


def _is_own(code: Path, name: str) -> bool:
    place = code / name.replace(".", "/")
    return place.is_dir() or _file(code, name) is not None or any(
        place.parent.glob(f"{place.name}.*")
    )  # fmt: skip


def _file(code: Path, name: str) -> Path | None:
    place = code / name.replace(".", "/")
    files_of = (place / "__init__.py", place.with_name(f"{place.name}.py"))
    return next((file for file in files_of if file.is_file()), None)


def _makes_modules(tree: ast.Module) -> bool:
    """Whether code of *tree* touches what decides where modules are."""
    return any(
        (isinstance(node, ast.Attribute) and node.attr in MAKES_MODULES
         and isinstance(node.value, ast.Name) and node.value.id in {"sys", "site", "pkgutil"})
        or (isinstance(node, ast.Name) and node.id in {"__path__", "__import__", "exec"})
        or (isinstance(node, ast.ImportFrom) and node.module in {"sys", "site", "pkgutil"}
            and any(alias.name in MAKES_MODULES for alias in node.names))
        for node in ast.walk(tree)
    )  # fmt: skip


def _certain(
    tree: ast.Module, name: str, *, is_package: bool
) -> Iterator[tuple[int, str, list[str]]]:
    """Yield line, module and names of each import that runs, until something else may end it."""
    for node in tree.body:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name, []
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = name.split(".")
                keep = len(parts) - node.level + is_package
                if keep < 1:
                    continue
                base = ".".join([*parts[:keep], *([base] if base else [])])
            yield node.lineno, base, [alias.name for alias in node.names if alias.name != "*"]
        elif isinstance(node, ast.Raise):
            return


def _parents(name: str) -> list[str]:
    parts = name.split(".")
    return [".".join(parts[: n + 1]) for n in range(len(parts))]
