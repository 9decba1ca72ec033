"""The command line: arguments to calls of onebin; on stdout the result, on stderr the progress."""

import argparse
import errno
import itertools
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import msgspec

import onebin
from onebin import bills, decide, inputs, outputs, pipeline, planning, render, secret, tracing
from onebin.effects import files
from onebin.effects.atomic import install_program
from onebin.effects.interruption import TerminatedError, on_terminate
from onebin.effects.progress import Progress
from onebin.effects.streams import prepare, write_notice, write_result
from onebin.errors import OnebinError, ProjectError, ToolError
from onebin.image import reference
from onebin.image.attachment import attach
from onebin.image.bill_formats import FORMATS
from onebin.inputs import Given, Input
from onebin.inspection import render as reports
from onebin.model import PLATFORMS, Obstacle, Project
from onebin.publish import DESTINATIONS, Layout, defaults, parse, publish, require, require_writable
from onebin.publish.destination import PathDestination
from onebin.tools import Tools

EXAMPLES: Final = """\
examples:
  onebin build packages/service          prints dist/devops-info-service, a static executable
  onebin build . -o /tmp/app             the same, written to /tmp/app
  onebin build backup.py                 a script, with its dependencies in a comment (PEP 723)
  onebin build --from httpie==3.2.4      a program of the index
  onebin image . --tag app:1.2           writes an OCI layout and an archive for `docker load`,
                                         prints the image's digest
  onebin image . --to dir:/out           writes its files and settings, for a Dockerfile
  onebin inspect dist/app                reports its contents, and checks them
  onebin inspect --json dist/app.tar     the same as JSON
  onebin sbom dist/app                   prints its bill of materials, as SPDX
  onebin plan . --json                   prints what a build would do; writes nothing
  onebin train . -- ./workload.sh        builds it with counters, lets ./workload.sh use
                                         $ONEBIN_PROGRAM, writes the profile for later builds
  onebin lock .                          chooses the dependencies' versions, writes the lock
  onebin prepare .                       builds CPython and the dependencies: for an early layer
                                         of a Dockerfile, or the cache of a CI

exit status: 0 done; 1 something failed; 2 the project or the command line must change.
environment: ONEBIN_CACHE (the cache), ONEBIN_PYTHON_SOURCE (CPython's source, as
tool.onebin.python-source), SOURCE_DATE_EPOCH (the image's date, seconds, 0 if absent), NO_COLOR.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command *arguments* (the process's own if absent) and return its exit status."""
    try:
        prepare()
        on_terminate()
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
    parser, args = _parser(), list(sys.argv[1:] if arguments is None else arguments)
    end = args.index("--") if "--" in args else len(args)
    options = parser.parse_args(args[:end])
    options.command_line = args[end + 1 :]
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
        tools = Tools.for_this_machine(
            progress, is_offline=getattr(options, "offline", False),
            platform=getattr(options, "platform", None) or "",
        )  # fmt: skip
        return command(options, tools)
    except OnebinError as exc:
        _print_error(exc, color=color)
        return exc.exit_status
    except OSError as exc:
        if exc.errno != errno.ENAMETOOLONG:
            raise
        _print_error(ProjectError(f"{exc.filename}: its name is too long"), color=color)
        return ProjectError.exit_status
    except MemoryError:
        # Every stage has its limits; this machine or container is below them.
        _print_error(ToolError("not enough memory; expected 256 MiB for inspect"), color=color)
        return ToolError.exit_status


def _build(options: argparse.Namespace, tools: Tools) -> int:
    project = _input(options, tools).project()
    target = options.output or _dist(project, tools) / project.name
    require_writable(target)
    built = _built(project, options, tools, target)
    install_program(built.binary.path, target)
    _print(outputs.relative(target))
    return 0


def _built(
    project: Project, options: argparse.Namespace, tools: Tools, *results: Path
) -> pipeline.BuildResult:
    project = outputs.beside(project, *results)
    if options.trace is not None:
        seconds = tracing.SECONDS if options.trace_seconds is None else options.trace_seconds
        learned = tracing.trace(project, tools, options.trace, seconds)
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
    paths = (item.path for item in destinations if isinstance(item, PathDestination))
    built = _built(project, options, tools, *paths)
    made = onebin.image(built, epoch=epoch, tools=tools)
    if options.sbom:
        form = FORMATS[options.sbom]
        document = attach(form.document(built.bill, epoch), form.media_type, made.descriptor)
        made = msgspec.structs.replace(made, attached=(document,))
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
    return 0


def _inspect(options: argparse.Namespace, _: Tools) -> int:
    report = onebin.inspect(options.path)
    if options.json:
        write_result(itertools.chain(reports.json(report), "\n"))
    else:
        write_result((reports.text(report, color=outputs.uses_color(sys.stdout, os.environ)),))
    return 0


def _sbom(options: argparse.Namespace, tools: Tools) -> int:
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


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="onebin",
        description="A Python project in, one fully static executable out, and an image of it.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"onebin {onebin.__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    def add(name: str, command: Callable[..., int], text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text)
        sub.set_defaults(command=command)
        if name != "inspect":
            _add_input(sub)
        if name not in {"inspect", "train"}:
            text = f"what it is for, if not this machine: {', '.join(PLATFORMS)}"
            sub.add_argument("--platform", metavar="PLATFORM", help=text)
        amount = sub.add_mutually_exclusive_group()
        amount.add_argument("-q", "--quiet", action="store_true", help="print errors only")
        if name in {"build", "image"}:
            text = "list the imports that are left out, with the reason"
            amount.add_argument("-v", "--verbose", action="store_true", help=text)
            text = (
                "let COMMAND use the whole program by its name, and keep the names of all it needs"
            )
            sub.add_argument("--trace", metavar="COMMAND", help=text)
            text = f"end COMMAND after N seconds ({tracing.SECONDS})"
            sub.add_argument("--trace-seconds", metavar="N", type=float, help=text)
        return sub

    sub = add("build", _build, "build one static executable and print its path")
    sub.add_argument("-o", "--output", type=Path, help="the file to write (PROJECT/dist/NAME)")

    sub = add("image", _image, "build an OCI image without an engine and print its digest")
    place = sub.add_mutually_exclusive_group()
    place.add_argument("-o", "--output", type=Path, help="the directory to write to (PROJECT/dist)")
    kinds = "; ".join(f"{known.kind}: {known.summary}" for known in DESTINATIONS)
    place.add_argument(
        "--to", action="append", metavar="KIND:WHERE", help=f"a destination, repeatable; {kinds}"
    )
    sub.add_argument("-t", "--tag", help="the image's name (NAME:latest)")
    text = "attach the bill of materials to the image, in each layout"
    sub.add_argument("--sbom", choices=FORMATS, help=text)

    sub = add("sbom", _sbom, "print the bill of materials of a project, an executable or an image")
    sub.add_argument("--format", choices=FORMATS, default="spdx", help="SPDX 2.3, CycloneDX 1.6")
    sub.add_argument("-o", "--output", type=Path, help="the file to write (stdout)")

    sub = add("prepare", _prepare, "build CPython and the dependencies, not the project's code")

    sub = add("plan", _plan, "print what a build would do; writes nothing")
    sub.add_argument("--json", action="store_true", help="as JSON")

    sub = add("train", _train, "count what a workload runs, and write a profile")
    sub.add_argument("-o", "--output", type=Path, help="the file to write (tool.onebin.profile)")
    sub.usage = f"{sub.prog} [-h] [-q] [-o OUTPUT] [project] [-- COMMAND …]"
    sub.epilog = "COMMAND uses $ONEBIN_PROGRAM and lets it end; without one the program runs alone."

    sub = add("inspect", _inspect, "report what an executable or an image contains")
    sub.add_argument("path", type=Path, help="an executable, an OCI layout or an archive")
    sub.add_argument("--json", action="store_true", help="as JSON")

    sub = add("lock", _lock, "choose the dependencies' versions and write the lock file")
    sub.add_argument("-o", "--output", type=Path, help="the file to write (tool.onebin.lock)")
    return parser


def _add_input(sub: argparse.ArgumentParser) -> None:
    """Add the arguments that name the input; they win over ``[tool.onebin]``."""
    sub.add_argument("project", nargs="?", type=Path, help="a directory (.), a script or a wheel")
    sub.add_argument(
        "--from", dest="requirement", metavar="REQUIREMENT", help="of the index, as httpie==3.2.4"
    )
    start = sub.add_mutually_exclusive_group()
    start.add_argument(
        "--entry-point", metavar="START", help="a script of the project, or module:function"
    )
    start.add_argument("-m", dest="module", metavar="MODULE", help="run it as python -m does")
    sub.add_argument("--lock", type=Path, help="the lock to use")
    sub.add_argument("--extra", action="append", help="an extra of the project, repeatable")
    sub.add_argument("--group", action="append", help="a dependency group, repeatable")
    sub.add_argument(
        "--offline", action="store_true", help="fetch nothing: use the cache and PIP_FIND_LINKS"
    )


def _print_omitted(built: pipeline.BuildResult, options: argparse.Namespace) -> None:
    if options.verbose and built.omitted:
        write_notice(sys.stderr, f"imports left out:\n{render.omitted(built.omitted)}\n")


def _print_error(error: OnebinError, *, color: bool) -> None:
    write_notice(sys.stderr, render.error(error, color=color))


def _print(text: str) -> None:
    write_result((text, "\n"))
