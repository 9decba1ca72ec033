"""The command line: the one place where errors become a line of text and an exit status."""

import os
import sys
from collections.abc import Mapping, Sequence
from typing import Final

from . import __version__, flags
from .config import Config, load
from .errors import CheckError, ConfigError, ServiceError, StartError
from .output import write_result
from .process_state import prepare_command, prepare_service, prepare_streams

PROGRAM: Final = "devops-info-service"

HELP: Final = f"""\
usage: {PROGRAM} [serve] [FLAG ...]        serve GET / and GET /health (the default)
       {PROGRAM} check [FLAG ...] [URL]    ask a running service for its health
       {PROGRAM} report [FLAG ...]         say what the platform gives this container
       {PROGRAM} --help | --version
       {PROGRAM} serve --help | check --help | report --help

examples:
  {PROGRAM}
      listens on 0.0.0.0:8080; SIGTERM or SIGINT ends it with status 0
  PORT=9000 {PROGRAM} --access-log
      a flag wins over its variable, and a variable over the default
  {PROGRAM} check http://127.0.0.1:8080/health
      status 0 and "200 OK", or status 1 and one line why
  {PROGRAM} report --profile restricted
      status 0 if nothing forbidden by that Pod Security Standard is seen, else 1
"""

REPORT_SECONDS: Final = 600.0
"""For a pager, in which somebody reads."""

CHECK_SECONDS: Final = 3.0
"""Below the 5 s that Kubernetes and Compose examples give a probe, so our reason is seen."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command that *argv* names and return the exit status."""
    prepare_streams()
    try:
        return _run(list(sys.argv[1:] if argv is None else argv), os.environ)
    except ServiceError as exc:
        _say(exc)
        return exc.exit_status
    except KeyboardInterrupt:
        return 128 + 2  # SIGINT before the server took it over; a shell's status for that


def _run(words: list[str], environ: Mapping[str, str]) -> int:
    command = words.pop(0) if words and not words[0].startswith("-") else ""
    is_service = command in {"", "serve"} and words not in (["--help"], ["-h"], ["--version"])
    if not is_service:
        prepare_command()
    match command, words:
        case "", ["--help" | "-h"]:
            _print(HELP)
        case "", ["--version"]:
            _print(f"{PROGRAM} {__version__}\n")
        case "" | "serve", _:
            _serve(words, environ)
        case "check", _:
            _check(words, environ)
        case "report", _:
            return _report(words, environ)
        case _:
            raise ConfigError(f"{command!r} is no command; commands are serve, check and report")
    return 0


def _serve(words: list[str], environ: Mapping[str, str]) -> None:
    open_files = prepare_service()
    config = load(words, environ)
    # Imported late: engine and routes are most of the start, and a check needs none of it.
    from devops_info_service.commands.serve import serve  # noqa: PLC0415

    try:
        serve(config, open_files)
    except OSError as exc:
        # Before it serves: no file, no memory, no process to be had.
        raise StartError(f"cannot start: {exc}") from exc


def _check(words: list[str], environ: Mapping[str, str]) -> None:
    # Imported late, as above: a server has no use for it.
    from devops_info_service.commands.check import check_any  # noqa: PLC0415

    parser = flags.parser(
        f"{PROGRAM} check",
        description="GET a URL once. Exit status 0 for a 2xx answer, 1 for all else.",
        refuse=CheckError,  # not status 2: to Docker a health check of 2 is reserved
    )
    parser.add_argument("url", metavar="URL", nargs="?", help="default: this service's /health")
    parser.add_argument(
        "--timeout",
        metavar="SECONDS",
        type=float,
        default=CHECK_SECONDS,
        help="from the look-up of the name to the status (default %(default)s)",
    )
    options = parser.parse_args(words)
    if not 0 < options.timeout < float("inf"):
        raise CheckError(f"--timeout is {options.timeout:g}; allowed is a number above 0")
    if options.url:
        urls, proxy_protocol = [options.url], False
    else:
        # A service that has the same environment, as in the same container.
        config = _config(environ)
        urls, proxy_protocol = _health(config), config.proxy_protocol
    url, status = check_any(urls, timeout_seconds=options.timeout, proxy_protocol=proxy_protocol)
    _print(f"{url}: {status}\n")


def _report(words: list[str], environ: Mapping[str, str]) -> int:
    parser = flags.parser(
        f"{PROGRAM} report",
        description="Say what the platform really gives this container, and where that is seen.",
        epilog="Exit status 0; 1 if the profile does not hold or an expectation is not met; 2 for"
        " a flag or an expectation that is not allowed."
        " Values of variables are shown only for those that $SHOW_ENVIRONMENT names.",
    )
    parser.add_argument("--json", action="store_true", help="as GET /platform, on one line")
    parser.add_argument(
        "--profile",
        choices=("baseline", "restricted"),
        help="let this Pod Security Standard decide the exit status",
    )
    parser.add_argument(
        "--fail-on",
        choices=("fail", "unknown"),
        help="the worst that lets the profile down: a check that fails (the default), or also"
        " one that nobody can tell",
    )
    parser.add_argument(
        "--expectations",
        metavar="VALUE",
        help="let these decide it, too: a mapping such as 'memory.limit: 256Mi', or the path of a"
        " file that has one, beginning with / or ./ (default: $EXPECTATIONS)",
    )
    options = parser.parse_args(words)
    if options.fail_on and not options.profile:
        raise ConfigError("--fail-on needs --profile, which says what may fail")

    from devops_info_service.facts.system_files import Machine, SystemFiles  # noqa: PLC0415
    from devops_info_service.report.scorecard import holds  # noqa: PLC0415

    from .snapshot import read_platform  # noqa: PLC0415

    config = load((), environ)
    look = read_platform(SystemFiles("/", environ), Machine(), frozenset(config.show_environment))
    conformance = None
    if given := options.expectations or config.expectations:
        # Imported late: most reports are held against nothing.
        from devops_info_service.expectations.conformance import (  # noqa: PLC0415
            evaluate,
            load_expectations,
        )

        conformance = evaluate(load_expectations(given), look)
    if options.json:
        from devops_info_service.report.json_report import report_json  # noqa: PLC0415

        _write(report_json(look, conformance))
    else:
        from devops_info_service.report.text import report  # noqa: PLC0415

        terminal = os.isatty(1)
        width = os.get_terminal_size(1).columns if terminal else None
        # https://no-color.org: set, and not empty.
        colour = terminal and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"
        _write(report(look, options.profile, conformance, width=width, color=colour).encode())
    if conformance and not conformance.conforms:
        return 1
    if options.profile is None:
        return 0
    return 0 if holds(look.security, options.profile, options.fail_on or "fail") else 1


def _write(data: bytes) -> None:
    """Write a report, which is the result itself: without it there is none."""
    if reason := write_result(1, data, seconds=REPORT_SECONDS):
        raise ServiceError(f"stdout: {reason}")


def _print(text: str) -> None:
    """Write what a command found. It stays found if nobody takes the words."""
    if reason := write_result(1, text.encode("utf-8", "backslashreplace")):
        _say(ServiceError(f"stdout: {reason}"))


def _say(exc: ServiceError) -> None:
    # One line whatever is in it: a message quotes what somebody typed.
    line = f"{PROGRAM}: {exc}\n"
    write_result(2, line.encode("utf-8", "backslashreplace"))


def _config(environ: Mapping[str, str]) -> Config:
    try:
        return load((), environ)
    except ConfigError as exc:
        raise CheckError(str(exc)) from exc


def _health(config: Config) -> list[str]:
    # Where "::" is listened on, either family may be the one that works.
    hosts = {"0.0.0.0": ["127.0.0.1"], "::": ["::1", "127.0.0.1"]}.get(config.host, [config.host])  # noqa: S104
    names = (f"[{host}]" if ":" in host else host for host in hosts)
    return [f"http://{name}:{config.port}/health" for name in names]
