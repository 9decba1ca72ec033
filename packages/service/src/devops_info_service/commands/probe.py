"""``probe``: which system calls a filter of seccomp lets through, by trying them."""

import errno
import os
from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec

from devops_info_service import flags
from devops_info_service.catalog.row import Note, Row, row
from devops_info_service.config import load
from devops_info_service.errors import ServiceError
from devops_info_service.escape import printable_json
from devops_info_service.facts.system_files import SystemFiles
from devops_info_service.output import write_result
from devops_info_service.probe.attempt import Attempt, Probe, probe
from devops_info_service.probe.program import PROCESSORS
from devops_info_service.process_state import prevent_core_dumps
from devops_info_service.report.layout import Section, render


def run(args: Sequence[str], environ: Mapping[str, str]) -> int:
    """Print what came of each call and return the exit status 0.

    Raises:
        ConfigError: a flag is not allowed.
        ServiceError: nothing can be tried here, or the result cannot be written.
    """
    parser = flags.parser(
        "devops-info-service probe",
        description="Try some 50 system calls, each in a separate process and with arguments that"
        " the kernel rejects, and print which a seccomp filter blocks.",
        epilog="Exit status 0, 1 if nothing can be tried, 2 for a flag that is not allowed. A"
        " filter may log or report calls that it blocks.",
    )
    parser.add_argument("--json", action="store_true", help="one object on one line")
    options = parser.parse_args(args)
    load((), environ)
    prevent_core_dumps()  # of processes that a filter kills
    try:
        found = probe(SystemFiles("/", environ))
    except KeyError as exc:
        raise ServiceError(
            f"probe: no programs for {exc.args[0]}; expected {' or '.join(PROCESSORS)}"
        ) from exc
    except OSError as exc:
        raise ServiceError(
            f"probe: a program in memory cannot be run: {os.strerror(exc.errno or errno.EPERM)};"
            " expected memfd_create and execve to be allowed"
        ) from exc
    text = printable_json(msgspec.json.encode(found)) + b"\n" if options.json else _text(found)
    if reason := write_result(1, text):
        raise ServiceError(f"stdout: {reason}")
    return 0


def _text(found: Probe) -> bytes:
    states = Counter(each.state for each in found.calls)
    counts = ", ".join([f"{number} {state}" for state, number in states.items()])
    sections = [
        Section(f"System calls tried: {counts}", (row("seccomp", found.filter),)),
        *(
            Section(group, tuple(map(_row, (each for each in found.calls if each.group == group))))
            for group in dict.fromkeys(each.group for each in found.calls)
        ),
    ]
    return render(sections).encode()


def _row(attempt: Attempt) -> Row:
    value = f"{attempt.state} ({attempt.result}): {attempt.meaning}"
    return Row(attempt.call, value, (Note(attempt.why),))
