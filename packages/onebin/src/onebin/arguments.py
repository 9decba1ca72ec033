"""The command line as a parser: commands, their arguments, the help."""

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from onebin import tracing
from onebin.image.bill_formats import FORMATS
from onebin.model import PLATFORMS
from onebin.publish import DESTINATIONS
from onebin.tools import Tools
from onebin.version import VERSION

Command = Callable[[argparse.Namespace, Tools], int]
"""Carries out one command and returns the exit status."""

EXAMPLES: Final = """\
examples:
  onebin build packages/service          prints dist/devops-info-service, a static executable
  onebin build . -o /tmp/app             the same, written to /tmp/app
  onebin build backup.py                 a script, with its dependencies in a comment (PEP 723)
  onebin build --from httpie==3.2.4      a program of the index
  onebin image . --tag app:1.2           writes an OCI layout and an archive for `docker load`,
                                         prints the image's digest
  onebin image . --platform linux/amd64,linux/arm64
                                         the same for two platforms, with an index
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


def parser(commands: Mapping[str, Command]) -> argparse.ArgumentParser:
    """Return the parser of the command line; *commands* has the function of each command."""
    top = argparse.ArgumentParser(
        prog="onebin",
        description="A Python project in, one fully static executable out, and an image of it.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"onebin {VERSION}")
    places = top.add_subparsers(title="commands", required=True, metavar="COMMAND")

    def add(name: str, text: str) -> argparse.ArgumentParser:
        sub = places.add_parser(name, help=text, description=text)
        sub.set_defaults(command=commands[name])
        if name != "inspect":
            _add_input(sub)
        if name not in {"inspect", "train"}:
            several = ", or several for image" if name == "image" else ""
            text = f"of the executable, if not this machine's: {', '.join(PLATFORMS)}{several}"
            sub.add_argument("--platform", action="append", metavar="PLATFORM", help=text)
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

    sub = add("build", "build one static executable and print its path")
    sub.add_argument("-o", "--output", type=Path, help="the file to write (PROJECT/dist/NAME)")

    sub = add("image", "build an OCI image without an engine and print its digest")
    place = sub.add_mutually_exclusive_group()
    place.add_argument("-o", "--output", type=Path, help="the directory to write to (PROJECT/dist)")
    kinds = "; ".join(f"{known.kind}: {known.summary}" for known in DESTINATIONS)
    place.add_argument(
        "--to", action="append", metavar="KIND:WHERE", help=f"a destination, repeatable; {kinds}"
    )
    sub.add_argument("-t", "--tag", help="the image's name (NAME:latest)")
    text = "attach the bill of materials to the image, in each layout"
    sub.add_argument("--sbom", choices=FORMATS, help=text)

    sub = add("sbom", "print the bill of materials of a project, an executable or an image")
    sub.add_argument("--format", choices=FORMATS, default="spdx", help="SPDX 2.3, CycloneDX 1.6")
    sub.add_argument("-o", "--output", type=Path, help="the file to write (stdout)")

    sub = add("prepare", "build CPython and the dependencies, not the project's code")

    sub = add("plan", "print what a build would do; writes nothing")
    sub.add_argument("--json", action="store_true", help="as JSON")

    sub = add("train", "count what a workload runs, and write a profile")
    sub.add_argument("-o", "--output", type=Path, help="the file to write (tool.onebin.profile)")
    sub.usage = f"{sub.prog} [-h] [-q] [-o OUTPUT] [project] [-- COMMAND …]"
    sub.epilog = "COMMAND uses $ONEBIN_PROGRAM and lets it end; without one the program runs alone."

    sub = add("inspect", "report what an executable or an image contains")
    sub.add_argument("path", type=Path, help="an executable, an OCI layout or an archive")
    sub.add_argument("--json", action="store_true", help="as JSON")

    sub = add("lock", "choose the dependencies' versions and write the lock file")
    sub.add_argument("-o", "--output", type=Path, help="the file to write (tool.onebin.lock)")
    return top


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
