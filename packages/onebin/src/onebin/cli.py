"""The command line: arguments in; on stdout the result, on stderr the story, and an exit status."""

import argparse
import os
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, TextIO

import msgspec

from onebin import __version__, pipeline, render, secret, terminal
from onebin.effects import files
from onebin.effects.atomic import replace_atomically
from onebin.effects.owned import default_root
from onebin.effects.process import allow_open_files, run
from onebin.effects.progress import Story
from onebin.effects.store import Store
from onebin.errors import OnebinError, ProjectError, ToolError
from onebin.image import reference
from onebin.inputs import directory as projects
from onebin.inspection import inspect
from onebin.inspection import render as reports
from onebin.model import ARCHITECTURES, Machine, Project
from onebin.publish import DESTINATIONS, defaults, parse, publish, require

EXAMPLES: Final = """\
examples:
  onebin build packages/service          prints dist/devops-info-service, a static executable
  onebin build . -o /tmp/app             the same, written where you want it
  onebin image . --tag app:1.2           writes an OCI layout and an archive for `docker load`,
                                         prints the image's digest
  onebin image . --to dir:/out           writes its files and settings, for a Dockerfile
  onebin inspect dist/app                what is in it, and what an auditor would say
  onebin inspect --json dist/app.tar     the same for machines
  onebin plan . --json                   what would be done, without doing it
  onebin train . -- ./workload.sh        builds it to count what runs, lets ./workload.sh use
                                         $ONEBIN_PROGRAM, writes the profile builds are made with
  onebin lock .                          chooses the dependencies' versions anew
  onebin prepare .                       builds all but the project's own code: for the layer of
                                         a Dockerfile, or the cache of a CI, that seldom changes

exit status: 0 done; 1 something failed; 2 the project or the command line must change.
environment: ONEBIN_CACHE (where results are kept), ONEBIN_PYTHON_SOURCE (CPython's source, as
tool.onebin.python-source), SOURCE_DATE_EPOCH (the image's date, seconds, 0 if absent), NO_COLOR.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command *arguments* (the process's own if absent) and return its exit status."""
    parser, words = _parser(), list(sys.argv[1:] if arguments is None else arguments)
    end = words.index("--") if "--" in words else len(words)
    options = parser.parse_args(words[:end])
    options.command_line = words[end + 1 :]
    if options.command_line and options.command is not _train:
        parser.error("only train takes a command behind --")
    colour = _colour(sys.stderr, os.environ)
    story = Story(
        open(os.devnull, "w", encoding="utf-8") if options.quiet else sys.stderr,  # noqa: PTH123, SIM115
        terminal=sys.stderr.isatty() and not options.quiet,
        colour=colour,
    )
    command: Callable[[argparse.Namespace, pipeline.Tools], int] = options.command
    allow_open_files()
    # Nothing we or what we start makes can be written by others; group and umask 000 are common.
    os.umask(os.umask(0o022) | 0o022)
    try:
        tools = pipeline.Tools(
            run,
            Store(default_root(os.environ)),
            story,
            _machine(os.uname().machine),
            _source(os.environ),
        )
        return command(options, tools)
    except OnebinError as exc:
        _explain(exc, colour=colour)
        return exc.exit_status
    except MemoryError:
        # Every stage has its limits; this is a machine or a container below them.
        _explain(ToolError("not enough memory; expected 256 MiB for inspect"), colour=colour)
        return ToolError.exit_status
    except KeyboardInterrupt:
        print("onebin: interrupted; nothing was written", file=sys.stderr)
        return 130  # 128 + SIGINT, as a shell has it


def _build(options: argparse.Namespace, tools: pipeline.Tools) -> int:
    built = pipeline.build(options.project, tools)
    target = options.output or _dist(built.plan.project) / built.binary.name
    _put(built.binary.path, target)
    print(_relative(target))
    return 0


def _prepare(options: argparse.Namespace, tools: pipeline.Tools) -> int:
    pipeline.prepare(options.project, tools)
    return 0


def _image(options: argparse.Namespace, tools: pipeline.Tools) -> int:
    # All that can be wrong about the place and the name, before the minutes of a build.
    epoch = _epoch(os.environ)
    project = projects.read(options.project, with_code=False)
    name = reference.parse(options.tag or f"{project.name}:latest")
    destinations = tuple(map(parse, options.to or ()))
    if not destinations:
        folder = Path(_relative(options.output or _dist(project)))
        destinations = defaults(folder, project.name)
    for destination in destinations:
        require(destination)
    made = pipeline.image(pipeline.build(options.project, tools), tools, epoch=epoch)
    with tools.story.stage("write") as ending:
        publish(made, name, destinations)
        ending.text = ", ".join(map(str, destinations))
    print(f"{name.name}@{made.digest}")
    return 0


def _dist(project: Project) -> Path:
    """Return the default place of results, which no link of the project's may lead elsewhere."""
    return files.inside(project.root, "dist", where="the project", way_out=files.NAMED)


def _plan(options: argparse.Namespace, tools: pipeline.Tools) -> int:
    plan = pipeline.make_plan(options.project, tools)
    if options.json:
        text = msgspec.json.encode(plan, enc_hook=str, order="deterministic")
        print(msgspec.json.format(text).decode())
        return 0
    print(secret.hidden(render.plan(plan)))
    return 0


def _inspect(options: argparse.Namespace, _: pipeline.Tools) -> int:
    report = inspect(options.path)
    if options.json:
        sys.stdout.writelines(reports.json(report))
        sys.stdout.write("\n")
    else:
        sys.stdout.write(reports.text(report, color=_colour(sys.stdout, os.environ)))
    return 0


def _lock(options: argparse.Namespace, tools: pipeline.Tools) -> int:
    print(_relative(pipeline.write_lock(options.project, tools, options.output)))
    return 0


def _train(options: argparse.Namespace, tools: pipeline.Tools) -> int:
    # Before the minutes of a build.
    project = pipeline.make_plan(options.project, tools, counting=True).project
    if not (options.output or project.options.profile):
        raise ProjectError(
            "where to write the profile?",
            hint='set tool.onebin.profile, as in: profile = "app.profile"; or give --output',
        )
    target = options.output or files.to_write(
        project.root, project.options.profile, where="tool.onebin.profile"
    )
    text = pipeline.train(options.project, tools, options.command_line)
    _make_folder(target.parent)
    with replace_atomically(target) as new:
        new.write_text(text, "utf-8")
    print(_relative(target))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="onebin",
        description="A Python project in, one fully static executable out, and an image of it.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"onebin {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    def add(name: str, command: Callable[..., int], text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text)
        sub.set_defaults(command=command)
        if name != "inspect":
            sub.add_argument(
                "project", nargs="?", type=Path, default=Path(), help="a directory (.)"
            )
        sub.add_argument("-q", "--quiet", action="store_true", help="say only what fails")
        return sub

    sub = add("build", _build, "build one static executable and print its path")
    sub.add_argument("-o", "--output", type=Path, help="the file to write (PROJECT/dist/NAME)")

    sub = add("image", _image, "build an OCI image with no engine and print its digest")
    place = sub.add_mutually_exclusive_group()
    place.add_argument("-o", "--output", type=Path, help="the directory to write to (PROJECT/dist)")
    kinds = "; ".join(f"{known.kind}: {known.summary}" for known in DESTINATIONS)
    place.add_argument(
        "--to", action="append", metavar="KIND:WHERE", help=f"a destination, repeatable; {kinds}"
    )
    sub.add_argument("-t", "--tag", help="the image's name (NAME:latest)")

    sub = add("prepare", _prepare, "build CPython and the dependencies: all but the project's code")

    sub = add("plan", _plan, "print what would be built, of what, without building it")
    sub.add_argument("--json", action="store_true", help="for machines")

    sub = add("train", _train, "see what a workload runs most, for the compiler: a profile")
    sub.add_argument("-o", "--output", type=Path, help="the file to write (tool.onebin.profile)")
    sub.usage = f"{sub.prog} [-h] [-q] [-o OUTPUT] [project] [-- COMMAND …]"
    sub.epilog = "COMMAND uses $ONEBIN_PROGRAM and lets it end; without one it is run by itself."

    sub = add("inspect", _inspect, "say what is in an executable or an image")
    sub.add_argument("path", type=Path, help="an executable, an OCI layout or an archive")
    sub.add_argument("--json", action="store_true", help="for machines")

    sub = add("lock", _lock, "choose the dependencies' versions anew and write the lock file")
    sub.add_argument("-o", "--output", type=Path, help="the file to write (tool.onebin.lock)")
    return parser


def _explain(error: OnebinError, *, colour: bool) -> None:
    """Print *error* as every command does: what failed, what it printed, the way out."""
    red, dim, plain = ("\x1b[31m", "\x1b[2m", "\x1b[0m") if colour else ("", "", "")
    # Names out of a project or an archive may be in it, and an index's password.
    message = terminal.line(secret.hidden(str(error)))
    print(f"{red}onebin: error:{plain} {message}", file=sys.stderr)
    detail = error.detail if isinstance(error, ToolError) else ""
    for line in detail.splitlines():
        print(f"{dim}  | {secret.hidden(line)}{plain}", file=sys.stderr)
    if error.hint:
        print(f"  → {secret.hidden(error.hint)}", file=sys.stderr)


def _machine(name: str) -> Machine:
    for machine in ARCHITECTURES:
        if machine == name:
            return machine
    raise ToolError(f"{name}: not a processor onebin builds for: {', '.join(ARCHITECTURES)}")


def _source(environ: Mapping[str, str]) -> str:
    """Return ONEBIN_PYTHON_SOURCE, a path in it made absolute: it is of the caller's directory."""
    text = environ.get("ONEBIN_PYTHON_SOURCE", "")
    origin, mark, checksum = text.partition("#")
    is_path = origin not in {"", "apt"} and "://" not in origin
    return f"{Path(origin).absolute()}{mark}{checksum}" if is_path else text


def _epoch(environ: Mapping[str, str]) -> int:
    text = environ.get("SOURCE_DATE_EPOCH") or "0"
    if not (text.isascii() and text.isdigit()):
        raise ProjectError(f"SOURCE_DATE_EPOCH={text!r} is not a number of seconds")
    return int(text)


def _put(source: Path, target: Path) -> None:
    """Copy *source* to *target*, which is the old file or the whole new one at any time."""
    _make_folder(target.parent)
    if target.is_dir():
        raise ToolError(f"{target}: cannot be written: it is a directory", hint="name a file")
    with replace_atomically(target) as new:
        shutil.copyfile(source, new)
        new.chmod(0o755)


def _make_folder(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise ToolError(f"{path}: cannot be made: {exc.strerror}") from exc


def _relative(path: Path) -> str:
    absolute = path.absolute()
    return str(absolute.relative_to(Path.cwd()) if absolute.is_relative_to(Path.cwd()) else path)


def _colour(stream: TextIO, environ: Mapping[str, str]) -> bool:
    return stream.isatty() and not environ.get("NO_COLOR")
