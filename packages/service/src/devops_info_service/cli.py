"""The command line: the one place where errors become a line of text and an exit status."""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from . import __version__
from .config import load
from .errors import ConfigError, ServiceError, StartError
from .http import ListenError
from .output import write_result
from .process_state import prepare_command, prepare_service, prepare_streams

PROGRAM: Final = "devops-info-service"

COMMANDS: Final = ("serve", "check", "report", "audit", "probe", "load")

HELP: Final = f"""\
usage: {PROGRAM} [serve] [FLAG ...]        serve GET / and GET /health (the default)
       {PROGRAM} check [FLAG ...] [URL]    request a running service's health once
       {PROGRAM} report [FLAG ...]         print what the platform gives this container
       {PROGRAM} audit [FLAG ...] FILE ... hold manifests against the Pod Security Standards
       {PROGRAM} probe [FLAG ...]          try which system calls are let through
       {PROGRAM} load [FLAG ...] URL       send requests, print failures and latencies
       {PROGRAM} --help | --version
       {PROGRAM} serve --help | check --help | report --help | audit --help |
                           probe --help | load --help

examples:
  {PROGRAM}
      listens on 0.0.0.0:8080; SIGTERM or SIGINT ends it with status 0
  PORT=9000 {PROGRAM} --access-log
      a flag wins over its variable, and a variable over the default
  {PROGRAM} check http://127.0.0.1:8080/health
      status 0 and "200 OK", or status 1 and one line with the reason
  {PROGRAM} report --profile restricted
      status 0 if nothing that this Pod Security Standard forbids is seen, else 1
  helm template CHART | {PROGRAM} audit -
      status 0 if the restricted standard allows every pod, else 1
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command that *argv* names and return the exit status."""
    prepare_streams()
    try:
        return _run(list(sys.argv[1:] if argv is None else argv), os.environ)
    except ServiceError as exc:
        _print_error(exc)
        return exc.exit_status
    except KeyboardInterrupt:
        return 128 + 2  # SIGINT before the server took it over; a shell's status for that


def _run(args: list[str], environ: Mapping[str, str]) -> int:
    command = args.pop(0) if args and not args[0].startswith("-") else ""
    is_service = command in {"", "serve"} and args not in (["--help"], ["-h"], ["--version"])
    if not is_service:
        prepare_command()
    match command, args:
        case "", ["--help" | "-h"]:
            return _print(HELP)
        case "", ["--version"]:
            return _print(f"{PROGRAM} {__version__}\n")
        case "" | "serve", _:
            _serve(args, environ)
            return 0
        case "check", _:
            from .commands.check import run as check  # noqa: PLC0415

            return _print(check(args, environ))
        case _:
            return _command(command)(args, environ)


def _command(name: str) -> Callable[[Sequence[str], Mapping[str, str]], int]:
    # A command's modules are imported when it is named: a check has no use for an engine.
    match name:
        case "report":
            from .commands.report import run  # noqa: PLC0415
        case "audit":
            from .commands.audit import run  # noqa: PLC0415
        case "probe":
            from .commands.probe import run  # noqa: PLC0415
        case "load":
            from .commands.load import run  # noqa: PLC0415
        case _:
            raise ConfigError(_unknown(name))
    return run


def _serve(args: list[str], environ: Mapping[str, str]) -> None:
    open_files = prepare_service()
    config = load(args, environ)
    # After the settings: a wrong one is reported without the cost of engine and routes.
    from .commands.serve import serve  # noqa: PLC0415

    try:
        serve(config, open_files)
    except ListenError as exc:
        raise StartError(str(exc)) from exc
    except OSError as exc:
        # Before it serves: a file, memory or a process is refused.
        raise StartError(f"cannot start: {exc}") from exc


def _unknown(command: str) -> str:
    from .suggestion import nearest  # noqa: PLC0415

    *others, last = COMMANDS
    known = f"{', '.join(others)} or {last}"
    near = nearest(command, COMMANDS)
    return f"unknown command {command!r}; expected {known}; the nearest is {near}"


def _print(text: str) -> int:
    """Write the result of a command. Whether it is read does not change the exit status."""
    if reason := write_result(1, text.encode("utf-8", "backslashreplace")):
        _print_error(ServiceError(f"stdout: {reason}"))
    return 0


def _print_error(exc: ServiceError) -> None:
    from .escape import printable  # noqa: PLC0415

    # One line whatever is in it, and nothing that a terminal obeys: a message quotes arguments,
    # variables and paths.
    write_result(2, f"{PROGRAM}: {printable(str(exc))}\n".encode())
