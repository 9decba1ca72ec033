"""Time a build after a one-line change of a handler: the service and the Go original in turns.

usage, in the repository: python3 -m bench.rebuild.rebuild [--rounds N] [--gate SECONDS]

Works on copies in a temporary folder. Both builders keep their caches, as they do on a desk, and
each change is new to the caches.
"""

import argparse
import hashlib
import secrets
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

from bench.lib.harness import (
    ROOT,
    MeasureError,
    go,
    log,
    machine,
    markdown_table,
    run,
    write_results,
)

_RESULTS: Final = Path(__file__).with_name("results.json")
_ROUNDS: Final = 5
"""Timings differ by a third on a busy machine; a median of five stands one or two such rounds."""

_LEFT_BEHIND: Final = shutil.ignore_patterns(
    ".git", ".venv", "__pycache__", "*.egg-info", ".*_cache", "dist", "node_modules"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Builder:
    """One way to turn changed code into an executable."""

    name: str
    argv: tuple[str, ...]
    folder: str
    """Where it runs, relative to the repository."""
    handler: str
    """The file that is changed, relative to the repository."""
    line: str
    """The text that is changed in it, once."""
    output: str
    """The executable, relative to the repository."""
    env: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """The times of one builder."""

    name: str
    first_seconds: float
    """The build before any change, with whatever its caches held."""
    rounds_seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        """Seconds."""
        return statistics.median(self.rounds_seconds)


def builders() -> tuple[Builder, Builder]:
    """Return how both are built here.

    Raises:
        MeasureError: one of the two is not on this machine and cannot be put there.
    """
    try:
        run([sys.executable, "-m", "onebin", "--version"])
    except MeasureError:
        raise MeasureError(
            "onebin is not installed for this Python: pip install -e packages/onebin"
        ) from None
    return (
        Builder(
            name="onebin build",
            argv=(sys.executable, "-m", "onebin", "build", "packages/service"),
            folder=".",
            handler="packages/service/src/devops_info_service/handlers/health.py",
            line='Health("healthy"',
            output="packages/service/dist/devops-info-service",
        ),
        Builder(
            name="go build",
            argv=(go(), "build", "-ldflags=-w -s", "-o", "devops-info-service", "."),
            folder="reference/go",
            handler="reference/go/app.go",
            line='"healthy"',
            output="reference/go/devops-info-service",
            env={"CGO_ENABLED": "0", "GOFLAGS": "-mod=mod", "GOTOOLCHAIN": "local"},
        ),
    )


def measure(rounds: int, tree: Path) -> tuple[Timing, ...]:
    """Build *tree* with both, then *rounds* times after a change, in turns.

    Raises:
        MeasureError: a build failed, or a change did not reach its executable.
    """
    both = builders()
    first = {}
    for one in both:
        log(f"{one.name}, before any change ...")
        first[one.name] = _build(one, tree)
        log(f"{one.name}, before any change: {first[one.name]:.2f} s")
    took: dict[str, list[float]] = {one.name: [] for one in both}
    for number in range(1, rounds + 1):
        for one in both:
            before = _digest(tree / one.output)
            _change(one, tree)
            seconds = _build(one, tree)
            if _digest(tree / one.output) == before:
                raise MeasureError(f"{one.name} gave the same executable after a change")
            took[one.name].append(seconds)
            log(f"{one.name}, round {number} of {rounds}: {seconds:.2f} s")
    return tuple(
        Timing(name=one.name, first_seconds=first[one.name], rounds_seconds=tuple(took[one.name]))
        for one in both
    )


def table(timings: Sequence[Timing]) -> str:
    """Render *timings*; the last one is the yardstick."""
    yardstick = timings[-1].median
    return markdown_table(
        ("from a changed line to a new executable", "median", "lowest to highest", "to Go"),
        [
            (
                one.name,
                f"{one.median:.2f} s",
                f"{min(one.rounds_seconds):.2f} to {max(one.rounds_seconds):.2f} s",
                f"{one.median / yardstick:.2f}",
            )
            for one in timings
        ],
    )


def _build(builder: Builder, tree: Path) -> float:
    began = time.monotonic()
    run(builder.argv, cwd=tree / builder.folder, env=builder.env)
    return time.monotonic() - began


def _change(builder: Builder, tree: Path) -> None:
    """Put a text no build has seen before into the handler's line."""
    original = (ROOT / builder.handler).read_text()
    if original.count(builder.line) != 1:
        raise MeasureError(f"{builder.handler} has no single {builder.line} to change any more")
    changed = builder.line.replace("healthy", f"healthy {secrets.token_hex(4)}")
    (tree / builder.handler).write_text(original.replace(builder.line, changed))


def _digest(file: Path) -> str:
    if not file.is_file():
        raise MeasureError(f"the build left no {file.name} at the expected place")
    return hashlib.sha256(file.read_bytes()).hexdigest()


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, and with ``--gate`` judge."""
    parser = argparse.ArgumentParser(prog="rebuild", description=__doc__)
    parser.add_argument("--rounds", type=int, default=_ROUNDS, help="default: %(default)s")
    parser.add_argument(
        "--gate", type=float, metavar="SECONDS", help="exit 1 if onebin's median is above this"
    )
    options = parser.parse_args(argv)
    on = machine()
    try:
        with tempfile.TemporaryDirectory() as folder:
            tree = Path(folder, "tree")
            shutil.copytree(ROOT, tree, ignore=_LEFT_BEHIND, symlinks=True)
            service, go = measure(options.rounds, tree)
    except MeasureError as error:
        log(f"rebuild: {error}")
        return 2
    print(f"{on}\n\n{table((service, go))}")
    document = {"machine": asdict(on), "timings": [asdict(timing) for timing in (service, go)]}
    write_results(_RESULTS, document)
    if options.gate is not None and service.median > options.gate:
        log(f"gate: {service.median:.2f} s is more than {options.gate:g} s")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
