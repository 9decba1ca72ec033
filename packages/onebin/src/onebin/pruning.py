"""The gain and the risks of ``prune = "reachable"``, by the selection that a build makes."""

from collections.abc import Container, Iterable, Mapping
from pathlib import Path
from typing import Literal

import msgspec

from onebin import freezing
from onebin.effects.context import Context
from onebin.embed import files
from onebin.errors import ProjectError
from onebin.freezing import Frozen
from onebin.model import CPython, Distribution, Project
from onebin.runtime.modules import MODULES
from onebin.selection.finder import Finder
from onebin.selection.risks import Risk, Sides, risks


class Contents(msgspec.Struct, frozen=True):
    """What one selection puts into an executable."""

    modules: int
    code_bytes: int
    """Of their code, as it is stored."""
    files: int
    file_bytes: int
    """Of the files and their table, as they are stored."""
    c_modules: tuple[str, ...]
    """Of CPython and of distributions."""
    libraries: tuple[str, ...]
    """C libraries behind them."""

    @property
    def size(self) -> int:
        """Bytes of code and files; C is the linker's business."""
        return self.code_bytes + self.file_bytes


class Pruning(msgspec.Struct, frozen=True):
    """One program, whole and pruned."""

    whole: Contents
    reachable: Contents | None
    """None if the program cannot be pruned."""
    refusal: str = ""
    """Why it cannot."""
    risks: tuple[Risk, ...] = ()
    extension_bytes: int = 0
    """Of the objects of distributions' C modules that are left out; the linker takes less."""


def compare(
    project: Project,
    python: CPython,
    distributions: tuple[Distribution, ...],
    native_imports: Mapping[str, tuple[str, ...]],
    ctx: Context,
) -> Pruning:
    """Select the modules of *project* both ways, as ``freezing.freeze`` does, and compare.

    Raises:
        ProjectError: the program cannot start, whole or not.
    """

    def frozen(prune: Literal["nothing", "reachable"]) -> Frozen:
        options = msgspec.structs.replace(project.options, prune=prune)
        other = msgspec.structs.replace(project, options=options)
        return freezing.freeze(other, python, distributions, native_imports, ctx)

    whole = frozen("nothing")
    over = python.runtime.library_modules
    before = _contents(whole, over, ctx)
    try:
        pruned = frozen("reachable")
    except ProjectError as exc:
        return Pruning(before, None, str(exc))
    after = _contents(pruned, over, ctx)
    stdlib = python.interpreter.stdlib
    builtins = {*python.runtime.builtins, *python.runtime.library_modules}
    finder = Finder(project.code, whole.distributions, stdlib, builtins)
    facts = {module.name: module.imports for module in pruned.modules}
    sides = Sides(whole.selection, pruned.selection, facts, whole.files)
    gone = set(whole.selection.extensions) - set(pruned.selection.extensions)
    return Pruning(
        before,
        after,
        risks=risks(sides, project, whole.distributions, finder),
        extension_bytes=_bytes(item.object for item in gone),
    )


def _contents(made: Frozen, over_libraries: Container[str], ctx: Context) -> Contents:
    selection = made.selection
    names = (*selection.builtins, *(item.module for item in selection.extensions))
    built = {item.name for one in selection.extensions for item in one.built}
    over = [module for module in selection.builtins if module in over_libraries]
    needed = {name for module in over for name in MODULES[module].libraries}
    return Contents(
        modules=len(made.modules),
        code_bytes=sum(module.size for module in made.modules),
        files=len(made.files),
        file_bytes=files.stored_bytes(made.files, len(made.modules), ctx) if made.files else 0,
        c_modules=names,
        libraries=tuple(sorted(built | needed)),
    )


def _bytes(paths: Iterable[Path]) -> int:
    return sum(path.stat().st_size for path in paths)
