"""Try each of the 100 most used packages: packed by onebin, as under an ordinary interpreter.

usage, in the repository: python3 -m bench.compat.compat [--only NAME ...] [--jobs N] [--json]

A result is kept in dist/compat until the entry in packages.toml, this program, the interpreter or
onebin changes, so an interrupted run goes on where it was. Without --only, writes
docs/reference/compatibility.md. Exits with 1 if an executable is built and then fails.
"""

import argparse
import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Final

from bench.compat import catalog, page, project
from bench.compat.catalog import Package
from bench.compat.survey import VERSION, Outcome, Result, Survey
from bench.lib.harness import ROOT, MeasureError, log, machine, markdown_table

PAGE: Final = ROOT / "docs/reference/compatibility.md"
WORK: Final = ROOT / "dist/compat"
BUILD_SECONDS: Final = 600


def main(argv: Sequence[str] | None = None) -> int:
    """Survey, print, write the page."""
    parser = argparse.ArgumentParser(
        prog="compat", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", action="append", metavar="NAME", help="repeatable")
    parser.add_argument("--jobs", type=int, default=1, help="packages at once: %(default)s")
    parser.add_argument(
        "--python", type=Path, help="the ordinary interpreter: python3.13, else this one"
    )
    parser.add_argument(
        "--limit", type=int, default=BUILD_SECONDS, metavar="SECONDS",
        help="of each command of onebin: %(default)s",
    )  # fmt: skip
    parser.add_argument(
        "--stale", action="store_true", help="keep results of another state of onebin"
    )
    parser.add_argument(
        "--kept", action="store_true", help="try none; write the page of the kept results"
    )
    parser.add_argument("--json", action="store_true", help="print the results as JSON")
    options = parser.parse_args(argv)
    try:
        packages = chosen(catalog.read(), options.only)
        python, version = ordinary(options.python)
        results = _survey(packages, python, version, options)
    except MeasureError as error:
        log(f"compat: {error}")
        return 2
    if options.json:
        print(json.dumps([asdict(result) for result in results], indent=1))
    else:
        print(summary(results))
    if not options.only:
        done = {result.name for result in results}
        text = page.render(
            results, machine=str(machine()), python=version, limit_seconds=options.limit,
            untried=[package.name for package in packages if package.name not in done],
            is_mixed=options.stale,
        )  # fmt: skip
        PAGE.write_text(text, "utf-8")
        log(f"written: {PAGE.relative_to(ROOT)}")
    return int(any(result.outcome is Outcome.FAILS for result in results))


def chosen(packages: Sequence[Package], names: Sequence[str] | None) -> tuple[Package, ...]:
    """Return those of *packages* that *names* lists, all of them without names.

    Raises:
        MeasureError: there is no such package.
    """
    known = {package.name: package for package in packages}
    if unknown := [name for name in names or () if name not in known]:
        raise MeasureError(f"--only {unknown[0]}: not in {catalog.CATALOG.name}")
    return tuple(known[name] for name in names or known)


def ordinary(wanted: Path | None) -> tuple[Path, str]:
    """Return the interpreter to compare with, and its version.

    Raises:
        MeasureError: *wanted* does not run.
    """
    candidates = [wanted] if wanted else [Path("python3.13"), Path(sys.executable)]
    for candidate in candidates:
        found = shutil.which(candidate)
        program = "import platform; print(platform.python_version())"
        if not found:
            continue
        done = subprocess.run([found, "-c", program], capture_output=True, text=True, check=False)
        # A version manager's stand-in is on PATH, and fails.
        if not done.returncode:
            return Path(found), done.stdout.strip()
    raise MeasureError(f"{candidates[-1]}: does not run; expected an interpreter of Python")


def summary(results: Sequence[Result]) -> str:
    """Return a line for each result."""
    head = ("package", "version", "result", "reason")
    rows = [(item.name, item.version, item.outcome, item.reason[:120]) for item in results]
    return markdown_table(head, rows)


def _survey(
    packages: Sequence[Package], python: Path, version: str, options: argparse.Namespace
) -> list[Result]:
    survey = Survey(python, WORK / "work", build_seconds=options.limit)
    state = _digest(_onebin())

    def examine(package: Package) -> Result | None:
        key = _digest([repr(package), version, str(VERSION), project.PROGRAM, project.PYPROJECT])
        kept = WORK / f"{package.name}.json"
        found = load(kept, key, "" if options.stale else state, limit_seconds=options.limit)
        if found or options.kept:
            return found
        log(f"{package.name} ...")
        result = survey.examine(package)
        WORK.mkdir(parents=True, exist_ok=True)
        document = {
            "key": key, "onebin": state, "limit_seconds": options.limit, "result": asdict(result),
        }  # fmt: skip
        kept.write_text(json.dumps(document, indent=1), "utf-8")
        return result

    results = []
    with ThreadPoolExecutor(options.jobs) as pool:
        for number, result in enumerate(pool.map(examine, packages), 1):
            if result is None:
                continue
            reason = f": {result.reason}" if result.reason else ""
            log(f"[{number}/{len(packages)}] {result.name} {result.outcome}{reason}")
            results.append(result)
    return results


def load(file: Path, key: str, state: str, *, limit_seconds: int) -> Result | None:
    """Return the result in *file*, if it still holds.

    Args:
        file: Where a run has kept it.
        key: Of the inputs; another one makes another result.
        state: Digest of onebin's source; empty if results of any are welcome.
        limit_seconds: A package that was not built under a lower limit is tried again.
    """
    try:
        document = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    if document["key"] != key or state not in {"", document["onebin"]}:
        return None
    fields = document["result"]
    result = Result(**{**fields, "outcome": Outcome(fields["outcome"])})
    has_time_left = document["limit_seconds"] < limit_seconds
    return None if result.outcome is Outcome.TIME_LIMIT and has_time_left else result


def _onebin() -> Iterator[str]:
    yield from _texts("packages/onebin/src/onebin/**/*.py")
    yield from _texts("packages/onebin/src/onebin/csrc/*")


def _texts(pattern: str) -> Iterator[str]:
    for file in sorted(ROOT.glob(pattern)):
        if file.is_file():
            yield file.read_text("utf-8")


def _digest(texts: Sequence[str] | Iterator[str]) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()


if __name__ == "__main__":
    sys.exit(main())
