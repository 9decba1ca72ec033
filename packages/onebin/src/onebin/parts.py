"""The parts of one executable, from all the steps before, in the order of its layout."""

from collections.abc import Iterable, Sequence

import msgspec

from onebin import native
from onebin.distributions import install
from onebin.effects.context import Context
from onebin.embed import files, frozen, program
from onebin.freezing import Frozen
from onebin.model import BuiltModule, CPython, Distribution, LinkInput, Plan, Toolchain
from onebin.runtime import build as runtime
from onebin.runtime import modules as modules_of_libraries
from onebin.selection import contents


class Prepared(msgspec.Struct, frozen=True):
    """All parts of a build that do not depend on the project's own code."""

    plan: Plan
    toolchain: Toolchain
    python: CPython
    distributions: tuple[Distribution, ...]
    native_imports: dict[str, tuple[str, ...]]
    """What each C extension imports when it is loaded."""


def libraries(ready: Prepared, builtins: Iterable[str], ctx: Context) -> tuple[BuiltModule, ...]:
    """Make those C modules of *builtins* that need a library, and the libraries."""
    python = ready.python.runtime
    names = [name for name in builtins if name in python.library_modules]
    if not names:
        return ()
    with ctx.progress.stage("libraries") as stage:
        made = native.library_modules(ready.plan, python, names, ctx)
        found = {library.name: library for module in made for library in module.libraries}
        versions = ", ".join(f"{item.name} {item.source.version}" for item in found.values())
        stage.summary = f"{versions} for {', '.join(names)}"
    return made


def together(
    ready: Prepared, made: Frozen, over_libraries: Sequence[BuiltModule], ctx: Context
) -> LinkInput:
    """Return all parts of the executable; their order decides its layout."""
    counters = LinkInput()
    if ready.plan.instrumented:
        from onebin.pgo import training  # noqa: PLC0415  (only for training)

        counters = training.counters()
    project, selection, modules = ready.plan.project, made.selection, made.modules
    own = {name for name, item in selection.modules.items() if item.origin == "project"}
    main, startup = program.main(), None
    if project.has_files:
        startup = selection.startup
        script = contents.script_path(project)
        main = files.link_input(
            made.files, modules, script, ctx,
            interprets=project.interprets, traces=project.is_traced,
        )  # fmt: skip
    # After CPython's own, whose entry it takes.
    ending = LinkInput() if project.interprets else program.no_interpreter(selection.builtins)
    return (
        main
        + program.allocator()
        + counters
        + program.held_signals(project.options.hold_signals)
        + program.environment(project.options.environment, has_zones=project.has_files)
        + frozen.link_input(modules, startup, own)
        + install.link_input(selection.extensions)
        + runtime.link_input(ready.python.runtime, selection.builtins)
        + modules_of_libraries.link_input(over_libraries, ready.python.runtime, ready.toolchain)
        + native.cxx(selection.extensions, ready.toolchain, ctx)
        + ending
    )
