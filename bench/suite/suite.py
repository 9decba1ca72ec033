"""Run CPython's own tests in executables that onebin builds.

usage, in the repository: python3 -m bench.suite.suite [--series 3.14] [--only test_os ...]

A result is kept in dist/suite until the executable changes, so an interrupted run goes on where it
was. Without --only and --series, writes docs/reference/cpython-tests.md. Exits with 1 if a test
fails without a reason in modules.toml.
"""

import argparse
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from bench.lib.harness import ROOT, MeasureError, log, machine
from bench.suite import catalog, contained, page, results, tree
from bench.suite.catalog import Catalog
from bench.suite.page import Series
from bench.suite.results import Outcome, Result
from onebin.errors import OnebinError
from onebin.model import RELEASES, Release

PAGE: Final = ROOT / "docs/reference/cpython-tests.md"
WORK: Final = ROOT / "dist/suite"
LIMIT_SECONDS: Final = 300
"""Of a module: the longest take two minutes on a quiet machine."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run, print, write the page."""
    parser = argparse.ArgumentParser(
        prog="suite", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--series", action="append", metavar="3.14", help="repeatable")
    parser.add_argument("--only", action="append", metavar="MODULE", help="repeatable")
    parser.add_argument(
        "--limit", type=int, default=LIMIT_SECONDS, metavar="SECONDS", help="a module: %(default)s"
    )
    parser.add_argument(
        "--minutes", type=float, metavar="M", help="begin no other module after this time"
    )
    parser.add_argument("--stale", action="store_true", help="keep results of other executables")
    parser.add_argument(
        "--kept", action="store_true", help="run none; write the page of the kept results"
    )
    options = parser.parse_args(argv)
    decisions = catalog.read()
    try:
        every = [_survey(release, decisions, options) for release in chosen(options.series)]
    except (MeasureError, OnebinError) as error:
        log(f"suite: {error}")
        return 2
    unexplained = [name for series in every for name in page.unexplained(series, decisions)]
    for name in unexplained:
        print(f"{name}: fails, and modules.toml has no reason")
    if not (options.only or options.series):
        text = page.render(
            every, decisions, machine=str(machine()), limit_seconds=options.limit,
            processes=contained.PROCESSES,
            is_mixed=any(len(_executables(series)) > 1 for series in every),
        )  # fmt: skip
        PAGE.write_text(text, "utf-8")
        log(f"written: {PAGE.relative_to(ROOT)}")
    return int(bool(unexplained))


def chosen(series: Sequence[str] | None) -> tuple[Release, ...]:
    """Return the newest release of each of *series*; of every final one without.

    Raises:
        MeasureError: a series is not pinned.
    """
    newest = {release.series: release for release in RELEASES}
    if unknown := [name for name in series or () if name not in newest]:
        raise MeasureError(f"--series {unknown[0]}: not pinned; expected {', '.join(newest)}")
    return tuple(
        release for name, release in newest.items() if name in (series or ()) or (not series
        and release.is_final)
    )  # fmt: skip


def _survey(release: Release, decisions: Catalog, options: argparse.Namespace) -> Series:
    folder = WORK / release.version
    if not options.kept:
        log(f"CPython {release.version}: building its tests")
        project = tree.write(release, folder)
        program = tree.build(project)
        with _placed(program) as placed:
            listed = _list(placed)
            (folder / "modules.txt").write_text("\n".join(listed), "utf-8")
            _run_all(placed, release, decisions.in_order(_wanted(listed, options.only)), options)
    # Without it the executable was never made here: --kept.
    file = folder / "modules.txt"
    listed = file.read_text("utf-8").split("\n") if file.is_file() else []
    every = _wanted(listed, options.only)
    wanted = decisions.in_order(every)
    found = [_kept(release, module, "") for module in wanted]
    done = tuple(result for result in found if result)
    names = {result.module for result in done}
    reasons = {name: decisions.reason_to_leave_out(name) for name in every}
    return Series(
        version=release.version,
        results=tuple(sorted(done, key=lambda result: result.module)),
        untried=tuple(module for module in wanted if module not in names),
        left_out={name: reason for name, reason in reasons.items() if reason},
    )


def _wanted(listed: Sequence[str], only: Sequence[str] | None) -> list[str]:
    """Return those of *listed* that *only* names, by themselves or by their package."""
    if not only:
        return list(listed)
    found = [
        name for name in listed
        if name in only or name.removeprefix("test.").partition(".")[0] in only
    ]  # fmt: skip
    if not found:
        raise MeasureError(f"--only {only[0]}: the executable has no such module of tests")
    return found


@contextmanager
def _placed(program: Path) -> Iterator[Path]:
    """Put *program* where an unprivileged user may start it: below a short path, for sockets."""
    with tempfile.TemporaryDirectory(prefix="suite-") as name:
        Path(name).chmod(0o755)
        # By this word in the name of a file CPython finds the interpreter of another process.
        placed = Path(name) / "python-tests"
        shutil.copyfile(program, placed)
        placed.chmod(0o755)
        yield placed


def _list(program: Path) -> list[str]:
    command = [str(program), "/dev/null", "--list-tests"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise MeasureError(f"{program.name} --list-tests: {results.last_line(done.stderr)}")
    return done.stdout.split()


def _run_all(
    program: Path, release: Release, modules: Sequence[str], options: argparse.Namespace
) -> None:
    began = time.monotonic()
    sha256 = hashlib.sha256(program.read_bytes()).hexdigest()
    for number, module in enumerate(modules, 1):
        kept = _kept(release, module, "" if options.stale else sha256)
        if kept:
            continue
        if options.minutes and time.monotonic() - began > options.minutes * 60:
            log(f"{options.minutes} minutes are over: {len(modules) - number + 1} modules are left")
            return
        run = contained.run(program, module, program.parent / "work", limit_seconds=options.limit)
        result = results.read(module, run.lines, run.output, run.status)
        file = _file(release, module)
        file.parent.mkdir(parents=True, exist_ok=True)
        document = {"executable": sha256, "result": results.to_json(result)}
        file.write_text(json.dumps(document, indent=1), "utf-8")
        file.with_suffix(".log").write_text(f"{run.output}\n{_details(run.lines)}", "utf-8")
        figures = f"{result.passed} passed, {len(result.faults)} failed, {result.skipped} skipped"
        ending = "" if result.outcome is Outcome.RUN else f" {result.outcome}: {result.reason}"
        log(f"{release.series} [{number}/{len(modules)}] {module}: {figures}{ending}")


def _details(lines: str) -> str:
    """Return the tracebacks, for people."""
    entries = [json.loads(line) for line in lines.split("\n") if line.endswith("}")]
    return "\n".join(
        f"==== {entry['test']}\n{entry['detail']}" for entry in entries
        if entry["outcome"] == "failed"
    )  # fmt: skip


def _file(release: Release, module: str) -> Path:
    return WORK / release.version / "results" / f"{module}.json"


def _executables(series: Series) -> set[str]:
    """Return those that the results of *series* are of, by sha256."""
    files = [WORK / series.version / "results" / f"{item.module}.json" for item in series.results]
    return {json.loads(file.read_text("utf-8"))["executable"] for file in files}


def _kept(release: Release, module: str, sha256: str) -> Result | None:
    """Return the kept result of *module*, by the executable *sha256* or, if empty, by any."""
    try:
        document = json.loads(_file(release, module).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    if sha256 not in {"", document["executable"]}:
        return None
    return results.from_json(document["result"])


if __name__ == "__main__":
    sys.exit(main())
