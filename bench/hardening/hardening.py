"""The cost of hardening: the executable without each measure, sizes and speed in turns.

usage, in the repository: python3 -m bench.hardening.hardening [--rounds N] [--seconds N]

onebin has no switch for this on purpose. Each variant is built by a copy of onebin with one line
changed, so two of them compile CPython again: minutes the first time, then cached.
"""

import argparse
import gzip
import os
import shutil
import statistics
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from bench.lib.harness import (
    ROOT,
    MeasureError,
    log,
    machine,
    markdown_table,
    run,
    timed_step,
    write_results,
)
from bench.lib.network_namespace import own_network
from bench.lib.server_process import Command, serving
from bench.lib.wrk import Work, load

ONEBIN: Final = ROOT / "packages/onebin/src/onebin"

_RESULTS: Final = Path(__file__).with_name("results.json")
_ROUNDS: Final = 7
_SECONDS: Final = 3

_FLAGS: Final = "runtime/flags.py"
_TOOLCHAIN: Final = "runtime/toolchain.py"
_RUNTIME: Final = "runtime/build.py"
_LINK: Final = "link/linker.py"


@dataclass(frozen=True, slots=True)
class Change:
    """One line of onebin, changed."""

    file: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Variant:
    """The executable with one measure left out."""

    title: str
    changes: tuple[Change, ...] = ()


VARIANTS: Final = (
    Variant("as shipped"),
    Variant(
        "without stack protector",
        (Change(_FLAGS, '    "-fstack-protector-strong",\n', ""),),
    ),
    Variant(
        "without position independence",
        (
            Change(_FLAGS, '    "-fPIE",\n', '    "-fno-pie",\n'),
            Change(_TOOLCHAIN, '"-O2", "-pie", "-v"', '"-O2", "-no-pie", "-v"'),
            Change(_TOOLCHAIN, "rcrt1.o", "crt1.o"),
            Change(_RUNTIME, '"LDFLAGS": "-pie"', '"LDFLAGS": "-no-pie"'),
            Change(_RUNTIME, '"CCSHARED": "-fPIE"', '"CCSHARED": "-fno-pie"'),
            Change(_LINK, '    "-pie",\n    "--no-dynamic-linker",\n', ""),
            Change(_LINK, '    "--pack-dyn-relocs=relr",\n', ""),
        ),
    ),
    Variant("without RELRO", (Change(_LINK, '"relro",', '"norelro",'),)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Size and speed of one variant."""

    title: str
    unpacked: int
    """Bytes."""
    compressed: int
    """Bytes, gzip -9."""
    requests_per_second: tuple[float, ...]
    """Of ``/``, 64 connections, one core: a figure a round."""

    @property
    def median(self) -> float:
        """The middle round."""
        return statistics.median(self.requests_per_second)


def build(variant: Variant, folder: Path) -> Path:
    """Build *variant* of the service into *folder*.

    Raises:
        MeasureError: a line to be changed is not in onebin any more, or the build failed.
    """
    copy = folder / "onebin"
    shutil.copytree(ONEBIN, copy)
    apply(variant, copy)
    target = folder / "devops-info-service"
    with timed_step(f"building it {variant.title}"):
        run(
            [sys.executable, "-m", "onebin", "build", "packages/service", "--output", target],
            env={**os.environ, "PYTHONPATH": str(folder)},
        )
    return target


def apply(variant: Variant, copy: Path) -> None:
    """Change the lines of *copy*, a onebin, that make *variant* of it.

    Raises:
        MeasureError: one of them is not in onebin any more.
    """
    for change in variant.changes:
        file = copy / change.file
        text = file.read_text("utf-8")
        if change.old not in text:
            raise MeasureError(f"{change.file} has no line {change.old.strip()!r} any more")
        file.write_text(text.replace(change.old, change.new), "utf-8")


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print; return an exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=_ROUNDS, help="of each variant (%(default)s)")
    parser.add_argument("--seconds", type=int, default=_SECONDS, help="a round (%(default)s)")
    options = parser.parse_args(argv)
    where = machine()  # before the affinity of this process is narrowed
    try:
        costs = _measure(options.rounds, options.seconds)
    except MeasureError as error:
        log(str(error))
        return 1
    write_results(_RESULTS, {"machine": asdict(where), "costs": [asdict(cost) for cost in costs]})
    print(f"{where}\n\n{table(costs)}")
    return 0


def _measure(rounds: int, seconds: int) -> list[Cost]:
    speeds: dict[str, list[float]] = {variant.title: [] for variant in VARIANTS}
    with tempfile.TemporaryDirectory() as temporary:
        programs = {}
        for n, variant in enumerate(VARIANTS):
            folder = Path(temporary, str(n))
            folder.mkdir()
            programs[variant.title] = build(variant, folder)
        log(own_network())
        work = Work(name="root", title="/")
        server_cpu, *others = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, others or [server_cpu])  # wrk's as well: it inherits this
        for number in range(rounds):
            log(f"round {number + 1} of {rounds}")
            for title, program in programs.items():
                with serving(
                    Command(argv=(str(program), "--port", "{port}"), version=""), [server_cpu]
                ) as on:
                    seen = load(work, on.url, seconds=seconds, threads=1).seen
                    speeds[title].append(seen.per_second)
        return [
            Cost(
                title=title,
                unpacked=program.stat().st_size,
                compressed=len(gzip.compress(program.read_bytes(), 9, mtime=0)),
                requests_per_second=tuple(speeds[title]),
            )
            for title, program in programs.items()
        ]


def table(costs: Sequence[Cost]) -> str:
    """Render *costs*; the first one is the yardstick."""
    shipped = costs[0]
    return markdown_table(
        ["", "unpacked", "gzip -9", "requests/s, median (lowest to highest)", "size", "speed"],
        [
            [
                cost.title,
                f"{cost.unpacked / 1e6:.2f} MB",
                f"{cost.compressed / 1e6:.2f} MB",
                (
                    f"{cost.median / 1e3:.1f} k ({min(cost.requests_per_second) / 1e3:.1f} to "
                    f"{max(cost.requests_per_second) / 1e3:.1f})"
                ),
                f"{cost.unpacked / shipped.unpacked:.3f}",
                f"{cost.median / shipped.median:.3f}",
            ]
            for cost in costs
        ],
    )


if __name__ == "__main__":
    sys.exit(main())
