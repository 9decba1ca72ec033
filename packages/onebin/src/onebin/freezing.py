"""The Python part of an executable: its modules selected and compiled, and the files inside."""

import re
from collections.abc import Mapping
from typing import Final

import msgspec

from onebin.distributions import time_zones
from onebin.effects.context import Context
from onebin.embed.compile import CompileOptions, compile_modules
from onebin.model import (
    CPython,
    Distribution,
    FrozenModule,
    InsideFile,
    ModuleImports,
    ModuleOrigin,
    Project,
)
from onebin.selection import contents
from onebin.selection.named import SettingsWords
from onebin.selection.selector import NAMES_OF_INTEREST, Selection, select

ZONES: Final = re.compile(r"site-packages/tzdata/")
"""A file of the time zones, as a trace names it."""


class Frozen(msgspec.Struct, frozen=True):
    """What an executable has beside C."""

    selection: Selection
    modules: tuple[FrozenModule, ...]
    distributions: tuple[Distribution, ...]
    """The dependencies; with the time zones, if the program needs them."""
    files: tuple[InsideFile, ...]
    """Of a whole program, or of a pruned one with a trace."""


def freeze(
    project: Project,
    python: CPython,
    distributions: tuple[Distribution, ...],
    native_imports: Mapping[str, tuple[str, ...]],
    ctx: Context,
) -> Frozen:
    """Select the modules of *project*'s executable, which takes compiling them, and its files.

    Raises:
        ProjectError: the program cannot start; see ``selection.selector.select``.
    """
    options = CompileOptions(
        python.interpreter,
        asserts=project.options.asserts,
        docstrings=project.docstrings,
        columns=project.is_whole and project.options.sources,
        names_of_interest=NAMES_OF_INTEREST,
    )

    def analyze(origins: Mapping[str, ModuleOrigin]) -> Mapping[str, ModuleImports]:
        compiled = compile_modules(origins, options, ctx)
        return {name: module.imports for name, module in compiled.items()}

    def words_of(distribution: Distribution) -> frozenset[str]:
        return ctx.build(SettingsWords(distribution.code, distribution.key))

    def selected() -> Selection:
        return select(project, python, distributions, native_imports, analyze, words_of)

    selection = selected()
    wants_zones = project.is_whole or any(map(ZONES.match, project.trace.files))
    if wants_zones and time_zones.are_missing(selection.modules):
        zones = time_zones.time_zones(ctx)
        ctx.progress.report(f"{zones.pin}: for zoneinfo")
        distributions = (*distributions, zones)
        selection = selected()
    inside: tuple[InsideFile, ...] = ()
    if project.has_files:
        inside = contents.files(
            project, distributions, selection.modules, python.interpreter.version, selection.script
        )
    modules = tuple(compile_modules(selection.modules, options, ctx).values())
    return Frozen(selection, modules, distributions, inside)
