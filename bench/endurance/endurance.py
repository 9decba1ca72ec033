"""Hold out: ten minutes of full load, 10,000 idle connections, slow attackers, real clients.

usage, in the repository: python3 -m bench.endurance.endurance [--seconds 600] [--only PART]...
                                                               [--program FILE] [--gate]

Against the executable as a real process, on one core; the generators have another.
"""

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, NoReturn

from bench.lib.harness import ROOT, MeasureError, log, machine, run, write_results
from bench.lib.server_process import Command
from bench.load.contender_list import CONTENDERS, WORKSHOP

from . import clients, idle, slow, soak
from .gate import Verdict, judge

_RESULTS: Final = Path(__file__).with_name("results.json")
"""Medians alone; what ``make figures`` reads."""

_EVERYTHING: Final = WORKSHOP / "endurance.json"
"""Every sample, outside of git."""

_PARTS: Final = ("clients", "slow", "idle", "soak")
"""The quick ones first: what fails is seen soon."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What one part found."""

    name: str
    found: object
    """Its own dataclass, or a list of it: goes into the JSON as it is."""
    table: str
    verdicts: Sequence[Verdict]


def measure(
    name: str, command: Command, *, seconds: int, connections: int, server_cpus: Sequence[int]
) -> Part:
    """Run one part.

    Raises:
        MeasureError: it could not be run to its end.
    """
    terms: dict[str, Any] = {"server_cpus": server_cpus}
    found: Any
    match name:
        case "soak":
            found = soak.soak(command, seconds=seconds, **terms)
            table, judged = soak.table(found), soak.judged(found)
        case "idle":
            found = idle.idle(command, connections=connections, **terms)
            table, judged = idle.table(found), idle.judged(found)
        case "slow":
            found = slow.slow(command, **terms)
            table, judged = slow.table(found), slow.judged(found)
        case _:
            found = clients.clients(command, **terms)
            table, judged = clients.table(found), clients.judged(found)
    return Part(name=name, found=found, table=table, verdicts=judged)


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, and with ``--gate`` judge."""
    options = _options(argv)
    signal.signal(signal.SIGTERM, _end)
    where = machine()  # before the affinity of this process is narrowed
    cpus = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, cpus[:1])  # the generators', which inherit it
    parts = []
    try:
        run([ROOT / ".ci/prepare-clients"])
        command = _command(options.program)
        for name in options.only or _PARTS:
            log(f"== {name}")
            parts.append(
                measure(
                    name,
                    command,
                    seconds=options.seconds,
                    connections=options.connections,
                    server_cpus=cpus[-1:],
                )
            )
    except MeasureError as error:
        log(f"endurance: {error}")
        return 2
    verdicts = [verdict for part in parts for verdict in part.verdicts]
    head = f"{where}\n{command.version}; the service has one core, the generators another."
    tables = "\n\n".join([head, *(part.table for part in parts), judge(verdicts)])
    print(tables)
    if not options.only:
        head_of_results = {"machine": asdict(where), "version": command.version}
        found = {part.name: _plain(part.found) for part in parts}
        everything = {**head_of_results, "verdicts": [asdict(one) for one in verdicts], **found}
        write_results(_EVERYTHING, everything)
        # Samples of each second and 53 wanted outcomes add nothing to the verdicts.
        del everything["clients"]
        everything["soak"] = {**found["soak"], "samples": []}
        write_results(_RESULTS, everything)
    return int(options.gate and not all(verdict.holds for verdict in verdicts))


def _command(program: Path | None) -> Command:
    """Return *program*, or build the current one."""
    if program is None:
        WORKSHOP.mkdir(parents=True, exist_ok=True)
        return next(one for one in CONTENDERS if one.name == "static").make()
    return Command(
        argv=(str(program.absolute()),),
        version=run([program.absolute(), "--version"]).strip(),
        env={"HOST": "{address}", "PORT": "{port}", "WORKERS": "{workers}"},
    )


def _plain(found: Any) -> Any:  # noqa: ANN401  what asdict takes
    return [asdict(one) for one in found] if isinstance(found, list) else asdict(found)


def _end(number: int, _: object) -> NoReturn:
    """Leave as an exception does, so that every server is killed on the way out."""
    sys.exit(128 + number)


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="endurance", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--seconds", type=int, default=600, help="of the soak, %(default)s")
    parser.add_argument(
        "--connections", type=int, default=idle.CONNECTIONS, help="idle ones, %(default)s"
    )
    parser.add_argument(
        "--only",
        action="append",
        choices=_PARTS,
        help="this part; may be given again. Writes no results",
    )
    parser.add_argument("--program", type=Path, help="an executable that is there already")
    parser.add_argument("--gate", action="store_true", help="exit 1 unless every requirement holds")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
