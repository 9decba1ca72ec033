"""The command line: arguments to calls of onebin; on stdout the result, on stderr the progress."""

import argparse
import errno
import gc
import itertools
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import msgspec

import onebin
from onebin import arguments as command_line
from onebin import (
    decide,
    depends,
    inputs,
    outputs,
    pipeline,
    planning,
    platforms,
    render,
    secret,
    tracing,
)
from onebin.arguments import Command
from onebin.effects import files, owned
from onebin.effects.atomic import install_program
from onebin.effects.interruption import TerminatedError, interruptible
from onebin.effects.progress import Progress
from onebin.effects.streams import prepare, write_notice, write_result
from onebin.errors import OnebinError, ProjectError, ToolError
from onebin.image import index, reference
from onebin.image.attachment import attach
from onebin.image.bill_formats import FORMATS
from onebin.inputs import Given, Input
from onebin.model import Obstacle, Project
from onebin.publish import Directory, Layout, defaults, parse, publish, require, require_writable
from onebin.publish.destination import PathDestination
from onebin.tools import Tools

OBJECTS: Final = 100_000
"""Made between two searches for cycles. Nearly all of a build's live to its end, and the usual 700
make these searches a twentieth of a build after a change."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command *arguments* (the process's own if absent) and return its exit status."""
    gc.set_threshold(OBJECTS)
    try:
        prepare()
        with interruptible():
            return _run(arguments)
    except SystemExit:
        # The parser has printed help; a full disk there is worth no traceback at the end.
        write_notice(sys.stdout, "")
        raise
    except KeyboardInterrupt as exc:
        write_notice(sys.stderr, "onebin: interrupted\n")
        number = signal.SIGTERM if isinstance(exc, TerminatedError) else signal.SIGINT
        return 128 + number  # as a shell has it


def _run(arguments: Sequence[str] | None) -> int:
    parser, args = (
        command_line.parser(COMMANDS),
        list(sys.argv[1:] if arguments is None else arguments),
    )
    end = args.index("--") if "--" in args else len(args)
    options = parser.parse_args(args[:end])
    options.command_line, options.arguments = args[end + 1 :], args
    if options.command_line and options.command is not _train:
        parser.error("only train takes a command after --")
    color = outputs.uses_color(sys.stderr, os.environ)
    progress = Progress(sys.stderr, terminal=sys.stderr.isatty(), color=color, timed=True)
    if options.quiet:
        progress = Progress.silent()
    command: Callable[[argparse.Namespace, Tools], int] = options.command
    # Group and umask 000 are common; nothing made here may be writable by others.
    os.umask(os.umask(0o022) | 0o022)
    try:
        outputs.require_current_directory()
        names = platforms.named(getattr(options, "platform", None) or ())
        if len(names) > 1 and command is not _image:
            raise ProjectError("--platform: only image takes several; expected one of them")
        options.platform = names or ("",)
        is_offline = getattr(options, "offline", False)
        tools = Tools.for_this_machine(
            progress, is_offline=is_offline, platform=options.platform[0]
        )
        return command(options, tools)
    except OnebinError as exc:
        _print_error(exc, color=color)
        return exc.exit_status
    except OSError as exc:
        if exc.errno == errno.ENAMETOOLONG:
            fault: OnebinError = ProjectError(f"{exc.filename}: its name is too long")
        elif (gone := owned.gone(exc, os.environ)) is not None:
            fault = gone
        else:
            raise
        _print_error(fault, color=color)
        return fault.exit_status
    except MemoryError:
        # Every stage has its limits; this machine or container is below them.
        _print_error(ToolError("not enough memory; expected 256 MiB for inspect"), color=color)
        return ToolError.exit_status


def _build(options: argparse.Namespace, tools: Tools) -> int:
    began_ns = time.time_ns()
    source = _input(options, tools)
    project = source.project()
    target = options.output or _dist(project, tools) / project.name
    require_writable(target)
    note = None
    if isinstance(source, inputs.Directory) and not options.verbose and options.trace is None:
        note = depends.Note(outputs.beside(project, target), options.arguments, began_ns)
    built = _built(project, options, tools, target)
    install_program(built.binary.path, target)
    if note is not None:
        note.keep(built, target, outputs.relative(target), tools.context)
    _print(outputs.relative(target))
    return 0


def _built(
    project: Project, options: argparse.Namespace, tools: Tools, *results: Path
) -> pipeline.BuildResult:
    project = outputs.beside(project, *results)
    if options.trace is not None:
        seconds = tracing.SECONDS if options.trace_seconds is None else options.trace_seconds
        # Only a program for this machine runs here.
        here = msgspec.structs.replace(tools, platform="")
        learned = tracing.trace(project, here, options.trace, seconds)
        options.trace = None
        text = render.learned(learned.new, outputs.relative(learned.path), project)
        write_notice(sys.stderr, f"{text}\n")
    built = pipeline.build(project, tools)
    _print_omitted(built, options)
    return built


def _prepare(options: argparse.Namespace, tools: Tools) -> int:
    pipeline.prepare(_input(options, tools).project(with_code=False), tools)
    return 0


def _image(options: argparse.Namespace, tools: Tools) -> int:
    # Faults of the place and the name show before the minutes of a build.
    epoch = outputs.epoch(os.environ)
    project = _input(options, tools).project()
    name = reference.parse(options.tag or f"{project.name}:latest")
    destinations = tuple(map(parse, options.to or ()))
    if not destinations:
        folder = Path(outputs.relative(options.output or _dist(project, tools)))
        destinations = defaults(folder, project.name)
    if options.sbom and not any(isinstance(item, Layout) for item in destinations):
        raise ProjectError(
            "--sbom: no destination holds a bill of materials; expected --to layout:DIRECTORY",
            hint="onebin sbom PROJECT -o FILE writes it to a file",
        )
    for destination in destinations:
        require(destination)
    if len(options.platform) > 1 and any(isinstance(item, Directory) for item in destinations):
        raise ProjectError(
            "--platform: a directory holds one platform; expected --to layout: or archive:"
        )
    paths = [item.path for item in destinations if isinstance(item, PathDestination)]
    every = []
    for platform in options.platform:
        there = msgspec.structs.replace(tools, platform=platform)
        built = _built(_input(options, there).project(), options, there, *paths)
        one = onebin.image(built, epoch=epoch, tools=there)
        if options.sbom:
            form = FORMATS[options.sbom]
            document = attach(form.document(built.bill, epoch), form.media_type, one.descriptor)
            one = msgspec.structs.replace(one, attached=(document,))
        every.append(one)
    made = every[0] if len(every) == 1 else index.build(every)
    with tools.context.progress.stage("write") as stage:
        publish(made, name, destinations)
        stage.summary = ", ".join(map(str, destinations))
    _print(f"{name.name}@{made.digest}")
    return 0


def _input(options: argparse.Namespace, tools: Tools) -> Input:
    """Return the input: a path, or a requirement of ``--from``."""
    entry = f"-m {options.module}" if options.module else options.entry_point or ""
    given = Given(
        entry_point=entry,
        lock=options.lock,
        extras=tuple(options.extra or ()),
        groups=tuple(options.group or ()),
    )
    if options.requirement is None:
        return inputs.find(options.project or Path(), given, tools.context)
    if options.project is not None:
        raise ProjectError(
            f"{options.project}: beside --from; expected one of them",
            hint="leave it out, or leave out --from",
        )
    return inputs.from_index(options.requirement, tools.target, tools.context, given)


def _dist(project: Project, tools: Tools) -> Path:
    """Return the default place of results; a link of the project may not lead elsewhere.

    Those of a wheel or a requirement go into the current directory.
    """
    if project.root.is_relative_to(tools.context.store.root):
        return Path("dist")
    return files.inside(project.root, "dist", where="the project", way_out=files.NAMED)


def _plan(options: argparse.Namespace, tools: Tools) -> int:
    read = _input(options, tools).project()
    plan = decide.plan_whole(read, tools)
    blocked = any(isinstance(item, Obstacle) for item in (*plan.obstacles, *plan.offers))
    pruning = None if blocked else pipeline.pruning(plan, tools)
    text = render.plan_json(plan, pruning) if options.json else render.plan(plan, pruning)
    # A lock may name a repository with a password.
    _print(secret.hidden(text))
    planning.require_no_obstacle(plan)
    if plan.unknown:
        raise ToolError(f"{plan.unknown}: the plan is not whole", hint=plan.unknown_hint)
    return 0


def _inspect(options: argparse.Namespace, _: Tools) -> int:
    from onebin.inspection import render as reports  # noqa: PLC0415  (a tenth of a start)

    report = onebin.inspect(options.path)
    if options.json:
        write_result(itertools.chain(reports.json(report), "\n"))
    else:
        write_result((reports.text(report, color=outputs.uses_color(sys.stdout, os.environ)),))
    return 0


def _sbom(options: argparse.Namespace, tools: Tools) -> int:
    from onebin import bills  # noqa: PLC0415  (a tenth of a start)

    form, epoch = FORMATS[options.format], outputs.epoch(os.environ)
    if options.output:
        require_writable(options.output)
    if options.project is not None and bills.is_built(options.project):
        data = bills.of_built(options.project, form, epoch, tools.context)
    else:
        built = pipeline.build(_input(options, tools).project(), tools)
        data = form.document(built.bill, epoch)
    if options.output:
        outputs.write(data, options.output)
        _print(outputs.relative(options.output))
    else:
        write_result((data.decode(),))
    return 0


def _lock(options: argparse.Namespace, tools: Tools) -> int:
    project = _input(options, tools).project(with_code=False)
    if options.output:
        require_writable(options.output)
    _print(outputs.relative(pipeline.write_lock(project, tools, options.output)))
    return 0


def _train(options: argparse.Namespace, tools: Tools) -> int:
    # A missing place shows before the minutes of a build.
    project = _input(options, tools).project()
    if not (options.output or project.options.profile):
        raise ProjectError(
            "where to write the profile?",
            hint='set tool.onebin.profile, as in: profile = "app.profile"; or give --output',
        )
    target = options.output or files.to_write(
        project.root, project.options.profile, where="tool.onebin.profile"
    )
    require_writable(target)
    text = pipeline.train(project, tools, options.command_line)
    outputs.write(text.encode(), target)
    _print(outputs.relative(target))
    return 0


COMMANDS: Final[dict[str, Command]] = {
    "build": _build, "image": _image, "sbom": _sbom, "prepare": _prepare, "plan": _plan,
    "train": _train, "inspect": _inspect, "lock": _lock,
}  # fmt: skip


def _print_omitted(built: pipeline.BuildResult, options: argparse.Namespace) -> None:
    if options.verbose and built.omitted:
        write_notice(sys.stderr, f"imports left out:\n{render.omitted(built.omitted)}\n")


def _print_error(error: OnebinError, *, color: bool) -> None:
    write_notice(sys.stderr, render.error(error, color=color))


def _print(text: str) -> None:
    write_result((text, "\n"))
