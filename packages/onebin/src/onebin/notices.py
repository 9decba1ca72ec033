"""Warnings of a build: imports it leaves out or cannot follow, and unpinned requirements."""

from collections.abc import Iterable

from onebin.effects.progress import Progress
from onebin.locks import requirements
from onebin.model import (
    Distribution,
    FrozenModule,
    InsideFile,
    OmittedModule,
    Project,
    Trace,
)
from onebin.selection import contents
from onebin.selection.selector import Selection


def omitted(omitted: Iterable[OmittedModule], progress: Progress) -> None:
    """Name the project's own modules that are left out: their first import would fail."""
    for item in omitted:
        if item.is_project:
            chain = " -> ".join(item.chain)
            progress.warn(
                f"{item.module}, imported by {item.importer}, is left out: {item.reason} ({chain});"
                " add the missing module, or take it out of tool.onebin.exclude"
            )


def computed(
    project: Project,
    selection: Selection,
    modules: Iterable[FrozenModule],
    progress: Progress,
) -> None:
    """Name the project's computed imports, which pruning cannot follow; not if it has hints."""
    found = [
        f"{selection.modules[module.name].label}:{item.line} {item.text}"
        for module in modules
        if selection.modules[module.name].origin == "project"
        for item in module.imports.computed
    ]
    if found and not project.options.include and not project.trace.modules:
        progress.warn(
            f"computed imports, which prune does not follow: {'; '.join(found)}: name the modules "
            "in tool.onebin.include, or build the program whole"
        )


def gone(
    trace: Trace, selection: Selection, files: Iterable[InsideFile], version: str,
    progress: Progress,
) -> None:  # fmt: skip
    """Name what the trace has and the project or its dependencies no longer have."""
    there = {*selection.modules, *selection.builtins, *(e.module for e in selection.extensions)}
    absent = [name for name in trace.modules if name not in there]
    absent += contents.missing(trace, files, version)
    if absent:
        progress.warn(
            f"the trace has names that are gone: {', '.join(absent)}; make it again: "
            "remove it, then onebin build --trace"
        )


def unpinned(made: Iterable[Distribution], progress: Progress) -> None:
    """Name the build requirements that no lock pins, as lines for one."""
    for one in made:
        for line in one.unpinned:
            progress.warn(f"{one.pin}: built with what no lock pins: {requirements.line(line)}")
