"""Learn from a run: the modules and files that a program uses beyond its visible imports."""

import os
import shlex
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, Literal

import msgspec

from onebin import pipeline, project_files
from onebin.effects import files
from onebin.effects.atomic import replace_atomically
from onebin.effects.process import run_for
from onebin.effects.progress import Progress
from onebin.errors import ProjectError, ToolError
from onebin.freezing import Frozen
from onebin.model import InsideFile, Project, Trace
from onebin.selection import contents
from onebin.tools import Tools

SECONDS: Final = 60
"""Of a command that does not end by itself, such as a service."""

PREFIX: Final = f"{contents.PREFIX}/"

MODULE: Final = "m"
FILE: Final = "f"
FOLDER: Final = "l"
"""How the lines of ``csrc/trace.c`` and ``target/trace.py`` begin."""


class Learned(msgspec.Struct, frozen=True):
    """What a run has shown."""

    new: Trace
    """What the project's trace did not have."""
    whole: Trace
    """The project's trace with it."""
    path: Path
    """Of the project's trace."""
    in_time: bool
    """Whether the command ended by itself."""


def trace(project: Project, tools: Tools, command: str, seconds: float = SECONDS) -> Learned:
    """Let *command* use the program, built whole, and add the names it used to the trace.

    The words of *command* are those of a shell's line, without a shell; the program is found by
    its name. It runs in the current directory, with the rights of the caller.

    Raises:
        ProjectError: *command* is not a line of words, or the project must change.
        ToolError: the command failed, or the program was not used.
    """
    words = _words(command, project.name)
    target = files.to_write(project.root, name := project_files.trace_name(project), where=name)
    traced = _pruned(project, "nothing")
    built = pipeline.build(msgspec.structs.replace(traced, is_traced=True), tools)
    with tools.context.progress.stage("trace") as stage:
        lines, in_time = _run(words, built.binary.path, tools, seconds)
        stage.summary = f"{len(lines)} lines" if in_time else f"ended after {seconds:g} s"
    before = project_files.trace_of(project)
    silent = msgspec.structs.replace(tools.context, progress=Progress.silent())
    quiet = msgspec.structs.replace(tools, context=silent)
    whole = pipeline.frozen_of(traced, quiet)
    shown = pipeline.frozen_of(_pruned(project, "reachable"), quiet)
    version = f"{built.plan.series}"
    found = Trace(
        modules=tuple(sorted(_modules(lines, whole, shown))),
        files=tuple(sorted(_files(lines, whole, version, contents.script_path(project)))),
    )
    both = Trace(
        modules=tuple(sorted({*before.modules, *found.modules})),
        files=tuple(sorted({*before.files, *found.files})),
    )
    new = Trace(
        modules=tuple(item for item in found.modules if item not in before.modules),
        files=tuple(item for item in found.files if item not in before.files),
    )
    if both != before:
        with replace_atomically(target) as file:
            file.write_text(project_files.trace_text(both), "utf-8")
    return Learned(new, both, target, in_time)


def _words(command: str, name: str) -> list[str]:
    try:
        words = shlex.split(command)
    except ValueError as exc:
        raise ProjectError(f"--trace: {command!r}: {exc}; expected words of a shell") from exc
    if not words:
        raise ProjectError(
            "--trace: no command; expected a line that uses the program",
            hint=f"as in --trace '{name} --help'",
        )
    return words


def _pruned(project: Project, prune: Literal["nothing", "reachable"]) -> Project:
    options = msgspec.structs.replace(project.options, prune=prune)
    return msgspec.structs.replace(project, options=options)


def _run(
    words: list[str], program: Path, tools: Tools, seconds: float
) -> tuple[frozenset[str], bool]:
    """Run *words*, and return the lines that the processes of *program* have written.

    Raises:
        ToolError: see ``trace``.
    """
    ctx = tools.context
    with ctx.store.scratch() as scratch:
        notes = scratch / "notes"
        notes.touch()
        path = f"{program.parent}:{os.environ.get('PATH', os.defpath)}"
        ended = run_for(
            words,
            env={"PATH": path, "ONEBIN_PROGRAM": str(program), "ONEBIN_TRACE": str(notes)},
            cwd=Path.cwd(),
            seconds=seconds,
            on_line=lambda line: ctx.progress.report(line.strip()),
        )
        text = notes.read_text("utf-8", "surrogateescape")
    line = shlex.join(words)
    if ended.in_time and ended.status:
        how = f"status {ended.status}" if ended.status > 0 else f"signal {-ended.status}"
        raise ToolError(
            f"--trace: {line}: ended with {how}; expected 0, so that all of the run is seen",
            hint="where that status is right: --trace \"sh -c 'COMMAND || true'\"",
            detail=ended.output,
        )
    if not text:
        raise ToolError(
            f"--trace: {line}: the program {program.name} was not used",
            hint=f"start it by its name: --trace '{program.name} ARGUMENTS'",
            detail=ended.output,
        )
    return frozenset(text.split("\n")) - {""}, ended.in_time


def _modules(lines: Iterable[str], whole: Frozen, shown: Frozen) -> Iterator[str]:
    """Yield the modules that were used and that visible imports do not reach."""
    hidden = _names(whole) - _names(shown)
    for line in lines:
        kind, _, name = line.partition(" ")
        if kind == MODULE and name in hidden:
            yield name


def _names(made: Frozen) -> set[str]:
    selection = made.selection
    extensions = (item.module for item in selection.extensions)
    return {*selection.modules, *selection.builtins, *extensions}


def _files(lines: Iterable[str], whole: Frozen, version: str, script: str) -> Iterator[str]:
    """Yield the files that were opened or described, and the folders of data that were listed."""
    data = set(_folders_of_data(whole.files))
    for line in lines:
        kind, _, path = line.partition(" ")
        inside = path.removeprefix(PREFIX)
        if kind == FILE and inside not in {path, script}:
            yield contents.traced_name(inside, version)
        elif kind == FOLDER and inside in data:
            yield f"{contents.traced_name(inside, version)}/"


def _folders_of_data(inside: Iterable[InsideFile]) -> Iterator[str]:
    """Yield the folders with files that are no code: an import lists those of code as well."""
    for file in inside:
        if file.kind == "data" and not file.module and not file.path.endswith(".py"):
            yield file.path.rpartition("/")[0]
