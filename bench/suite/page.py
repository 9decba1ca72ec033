"""The results of CPython's tests as a page of the reference."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bench.lib.harness import markdown_cell, markdown_table
from bench.suite.catalog import Catalog
from bench.suite.results import Outcome, Result

UNEXPLAINED: Final = "not explained yet"
_FEWEST: Final = 20
"""Skipped tests that a reason has to be listed by itself."""

_PLACE: Final = re.compile(r"/[^\s'\"]*/suite-\w{8}/work")
"""The folder in which a module was run: of one run, on one machine."""

_INTRODUCTION: Final = """\
# CPython's own tests

`make cpython-tests` writes this page: CPython's own test suite, in executables of onebin.
Each executable is the package `test` of a release as a whole program, with its standard library.
A module of tests runs unprivileged in a PID namespace: {processes} processes, {limit} s.
The machine's files are visible, as tests start shells.
The interpreter and its library are inside the executable.
Tests may use all but the network, large files, sound, windows, and minutes of waiting.
The reason of a failure is from `bench/suite/modules.toml`.

Measured {machine}.
"""

_MIXED: Final = """\
Made with `--stale`: executables were built again during the run; each row has that of its moment.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """The results of one release."""

    version: str
    """``3.14.7``."""
    results: tuple[Result, ...]
    untried: tuple[str, ...] = ()
    """Modules that were not run yet."""
    left_out: Mapping[str, str]
    """Modules that are not run, with the reason."""

    @property
    def name(self) -> str:
        """``3.14``."""
        return ".".join(self.version.split(".")[:2])


def render(
    every: Sequence[Series],
    catalog: Catalog,
    *,
    machine: str,
    limit_seconds: int,
    processes: int,
    is_mixed: bool = False,
) -> str:
    """Return the page: sums, faults with reasons, modules left out, skips, each module."""
    head = _INTRODUCTION.format(machine=machine, limit=limit_seconds, processes=processes)
    parts = [head, _sums(every), *([_MIXED] if is_mixed else ())]
    for series in every:
        parts += [f"## CPython {series.version}\n", *_faults(series, catalog)]
        parts += _left_out(series)
        parts += _skips(series)
    parts += ["## Modules\n", "Passed / failed / skipped.\n", _modules(every)]
    return "\n".join(parts)


def unexplained(series: Series, catalog: Catalog) -> tuple[str, ...]:
    """Return the tests and modules of *series* that fail without a reason."""
    return tuple(name for name, _ in _failing(series) if not catalog.reason_of(name, series.name))


def _sums(every: Sequence[Series]) -> str:
    head = (
        "CPython", "modules run", "skip themselves", "ended early", "left out",
        "passed", "failed", "skipped",
    )  # fmt: skip
    rows = []
    for series in every:
        by_outcome = Counter(result.outcome for result in series.results)
        early = by_outcome[Outcome.TIME_LIMIT] + by_outcome[Outcome.CRASHED]
        figures = (
            by_outcome[Outcome.RUN], by_outcome[Outcome.SKIPPED], early, len(series.left_out),
            sum(result.passed for result in series.results),
            sum(len(result.faults) for result in series.results),
            sum(result.skipped for result in series.results),
        )  # fmt: skip
        cells = [f"{figure:,}" for figure in figures]
        rows.append((series.version, *(cells if series.results else ["not run", *[""] * 6])))
    return f"{markdown_table(head, rows)}\n"


def _failing(series: Series) -> list[tuple[str, str]]:
    """Return each test that failed, and each module that ended early, with the error."""
    found = []
    for result in series.results:
        if result.outcome in {Outcome.TIME_LIMIT, Outcome.CRASHED}:
            found.append((result.module, f"{result.outcome}: {result.reason}".rstrip(": ")))
        found += [(fault.test, fault.error) for fault in result.faults]
    return found


def _faults(series: Series, catalog: Catalog) -> list[str]:
    if not series.results:
        return ["Not run yet.\n"]
    failing = _failing(series)
    if not failing:
        return ["None failed.\n"]
    rows = []
    for name, error in failing:
        reason = catalog.reason_of(name, series.name) or UNEXPLAINED
        rows.append((f"`{name.removeprefix('test.')}`", cell(error), cell(reason)))
    return [f"{markdown_table(('failed', 'error', 'reason'), rows)}\n"]


def _left_out(series: Series) -> list[str]:
    rows = [(f"`{name}`", cell(reason)) for name, reason in sorted(series.left_out.items())]
    rows += [
        (f"`{result.module}`", f"it skips itself: {cell(result.reason)}")
        for result in series.results
        if result.outcome is Outcome.SKIPPED
    ]
    parts = [f"{markdown_table(('not run', 'reason'), rows)}\n"] if rows else []
    if series.untried:
        parts.append(f"Not tried yet: {', '.join(f'`{name}`' for name in series.untried)}.\n")
    return parts


def _skips(series: Series) -> list[str]:
    counts: Counter[str] = Counter()
    for result in series.results:
        counts.update(result.skips)
    listed = [(text, count) for text, count in counts.most_common() if count >= _FEWEST]
    rest = counts.total() - sum(count for _, count in listed)
    rows = [(cell(text), str(count)) for text, count in listed]
    rows.append((f"{len(counts) - len(listed)} others", str(rest)))
    return [f"{markdown_table(('skipped by', 'tests'), rows)}\n"] if counts else []


def _modules(every: Sequence[Series]) -> str:
    by_series = [{result.module: result for result in series.results} for series in every]
    names = sorted({name for results in by_series for name in results})
    rows = [
        (f"`{name}`", *(_figures(results.get(name)) for results in by_series)) for name in names
    ]
    return f"{markdown_table(('module', *(series.version for series in every)), rows)}\n"


def _figures(result: Result | None) -> str:
    if result is None:
        return ""
    if result.outcome is Outcome.SKIPPED:
        return "skips itself"
    figures = f"{result.passed} / {len(result.faults)} / {result.skipped}"
    return figures if result.outcome is Outcome.RUN else f"{figures}, {result.outcome}"


def cell(text: str) -> str:
    """Return *text* as one cell that is not too long, without the place of the run."""
    text = markdown_cell(_PLACE.sub("…", text))
    return text if len(text) <= 160 else f"{text[:159]}…"  # noqa: PLR2004
