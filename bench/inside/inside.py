"""Measure what compressing the files inside an executable costs and saves.

usage, in the repository: python3 -m bench.inside.inside [--starts 40]

Builds one program twice, its files compressed (LZ4, as a build does) and as they are, and runs
both by turns: start, each open of all sources of the standard library inside, memory. Prints one
table; nothing is written to the repository.
"""

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from unittest import mock

import onebin
from bench.lib.harness import log, machine
from onebin.embed import files
from onebin.errors import OnebinError

READER: Final = Path(__file__).with_name("reader.py")

PYPROJECT: Final = """\
[project]
name = "reader"
version = "1"
requires-python = ">=3.13"
[project.scripts]
reader = "reader:main"
"""

READS: Final = 5
"""Runs of the reader for each program; each opens every file three times."""

LAYER_LEVEL: Final = 9
"""Of gzip, as in an image's layer."""


def main(argv: Sequence[str] | None = None) -> int:
    """Build, run, print."""
    parser = argparse.ArgumentParser(prog="inside", description=__doc__.partition("\n")[0])
    parser.add_argument("--starts", type=int, default=40, metavar="N", help="default: %(default)s")
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="inside-") as name:
        folder = Path(name)
        try:
            programs = {"compressed": build(folder, "compressed"), "plain": build(folder, "plain")}
        except OnebinError as error:
            log(f"inside: {error}")
            return 2
        log(f"{options.starts} starts and {READS} reads of each, by turns")
        starts: dict[str, list[float]] = {kind: [] for kind in programs}
        reads: dict[str, list[dict[str, Any]]] = {kind: [] for kind in programs}
        for number in range(options.starts):
            for kind, program in programs.items():
                starts[kind].append(seconds_of([str(program), "start"]))
                if number < READS:
                    done = subprocess.run([program, "read"], capture_output=True, check=True)
                    reads[kind].append(json.loads(done.stdout))
        rows = {kind: figures(programs[kind], starts[kind], reads[kind]) for kind in programs}
    print(table(rows))
    print(f"\n{reads['plain'][0]['files']} files, {machine()}")
    return 0


def build(folder: Path, kind: str) -> Path:
    """Build the reader below *folder*, its files stored by *kind*, and return the executable."""
    project = folder / kind
    (project / "src").mkdir(parents=True)
    (project / "pyproject.toml").write_text(PYPROJECT, "utf-8")
    shutil.copyfile(READER, project / "src" / READER.name)
    log(f"building the {kind} one")
    # The cache keeps both: the version is part of the key.
    other = {"_packed": lambda data: data, "CACHE_VERSION": -files.CACHE_VERSION}
    with mock.patch.multiple(files, **(other if kind == "plain" else {"EPOCH": files.EPOCH})):
        return onebin.build(project).binary.path


def seconds_of(command: Sequence[str]) -> float:
    """Return the time from the start of *command* to its end."""
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def figures(
    program: Path, starts: Sequence[float], reads: Sequence[Mapping[str, Any]]
) -> dict[str, str]:
    """Return the row of *program* by column."""
    data = program.read_bytes()

    def opened(which: slice) -> str:
        every = [ns for run in reads for times in run["times"][which] for ns in times]
        most = statistics.quantiles(every, n=100)[98]
        return f"{statistics.median(every) / 1000:.0f} / {most / 1000:.0f}"

    grown = [sum(run["after"].values()) - sum(run["before"].values()) for run in reads]
    return {
        "executable, MB": f"{len(data) / 1e6:.2f}",
        f"gzip -{LAYER_LEVEL}, MB": f"{len(zlib.compress(data, LAYER_LEVEL)) / 1e6:.2f}",
        "start, ms": f"{statistics.median(starts) * 1000:.1f}",
        "first open and read, µs, median / 99 %": opened(slice(1)),
        "later ones": opened(slice(1, None)),
        "memory at start, MB": f"{sum(reads[0]['before'].values()) / 1e6:.1f}",
        "grown by all reads, MB": f"{statistics.median(grown) / 1e6:.1f}",
    }


def table(rows: Mapping[str, Mapping[str, str]]) -> str:
    """Return *rows* side by side."""
    kinds = list(rows)
    lines = [f"| {' | '.join(['', *kinds])} |", f"|{' --- |' * (len(kinds) + 1)}"]
    lines += [
        f"| {name} | {' | '.join(rows[kind][name] for kind in kinds)} |" for name in rows[kinds[0]]
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
