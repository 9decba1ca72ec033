"""``report``: what the platform gives this container, as text or JSON, with an exit status."""

import os
from collections.abc import Mapping, Sequence
from typing import Final

from devops_info_service import flags
from devops_info_service.config import load
from devops_info_service.errors import ConfigError, ServiceError
from devops_info_service.expectations.conformance import Conformance
from devops_info_service.facts.system_files import Machine, SystemFiles
from devops_info_service.output import write_result
from devops_info_service.report.scorecard import Standard, holds
from devops_info_service.snapshot import PlatformSnapshot, read_platform

REPORT_SECONDS: Final = 600.0
"""Seconds that a pager may leave the report unread."""


def run(args: Sequence[str], environ: Mapping[str, str]) -> int:
    """Print the report and return the exit status.

    Raises:
        ConfigError: a flag, a setting or an expectation is not allowed.
        ServiceError: the report cannot be written.
    """
    parser = flags.parser(
        "devops-info-service report",
        description="Print what the platform really gives this container, with the evidence.",
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
        help="lowest verdict that fails the profile (default: fail)",
    )
    parser.add_argument(
        "--expectations",
        metavar="VALUE",
        help="expectations that decide it as well: a mapping such as 'memory.limit: 256Mi', or the"
        " path of a file, beginning with / or ./ (default: $EXPECTATIONS)",
    )
    source = parser.add_mutually_exclusive_group()
    source.add_argument(
        "--record",
        metavar="DIR",
        help="also keep the files the report reads in DIR, a new folder, without secrets: for a"
        " report of a bug",
    )
    source.add_argument(
        "--from", dest="recording", metavar="DIR", help="report the recording in DIR"
    )
    options = parser.parse_args(args)
    if options.fail_on and not options.profile:
        raise ConfigError("--fail-on: no profile is given; expected --profile beside it")
    config = load((), environ)
    shown = frozenset(config.show_environment)
    snapshot = _read(options.record, options.recording, environ, shown)
    conformance = _evaluate(options.expectations or config.expectations, snapshot)
    text = (
        _json(snapshot, conformance)
        if options.json
        else _text(snapshot, conformance, options.profile, environ)
    )
    if reason := write_result(1, text, seconds=REPORT_SECONDS):
        raise ServiceError(f"stdout: {reason}")
    if conformance and not conformance.conforms:
        return 1
    if options.profile is None:
        return 0
    return 0 if holds(snapshot.security, options.profile, options.fail_on or "fail") else 1


def _read(
    record: str | None, recording: str | None, environ: Mapping[str, str], shown: frozenset[str]
) -> PlatformSnapshot:
    if record is not None:
        from devops_info_service.recording.recorder import record_platform  # noqa: PLC0415

        snapshot, summary = record_platform(record, environ, shown)
        write_result(2, f"devops-info-service: {summary}\n".encode())
        return snapshot
    if recording is not None:
        from devops_info_service.recording.replay import replay_platform  # noqa: PLC0415

        snapshot = replay_platform(recording, shown)
        text = f"devops-info-service: recorded at {snapshot.taken_at}, not of this machine\n"
        write_result(2, text.encode())
        return snapshot
    return read_platform(SystemFiles("/", environ), Machine(), shown)


def _evaluate(expectations: str, snapshot: PlatformSnapshot) -> Conformance | None:
    if not expectations:
        return None
    # Imported late: most reports are held against nothing.
    from devops_info_service.expectations.conformance import evaluate, load_expectations  # noqa: PLC0415

    return evaluate(load_expectations(expectations), snapshot)


def _json(snapshot: PlatformSnapshot, conformance: Conformance | None) -> bytes:
    from devops_info_service.report.json_report import report_json  # noqa: PLC0415

    return report_json(snapshot, conformance)


def _text(
    snapshot: PlatformSnapshot,
    conformance: Conformance | None,
    profile: Standard | None,
    environ: Mapping[str, str],
) -> bytes:
    from devops_info_service.report.text import report  # noqa: PLC0415

    terminal = os.isatty(1)
    width = os.get_terminal_size(1).columns if terminal else None
    # https://no-color.org: set, and not empty.
    color = terminal and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"
    return report(snapshot, profile, conformance, width=width, color=color).encode()
