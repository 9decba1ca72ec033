"""The results of one module of CPython's tests, from what its run has left."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

_SKIPPED: Final = re.compile(r"^test[\w.]+ skipped -- (.*)$", re.MULTILINE)
"""The runner's words for a module that skips itself while it is imported."""
_CRASHED: Final = re.compile(r"^test test[\w.]+ crashed -- ", re.MULTILINE)
_LOADING: Final = "errors while loading tests"
_FATAL: Final = re.compile(r"^Fatal Python error: (.*)$", re.MULTILINE)
_WORST: Final = ("passed", "skipped", "failed")


class Outcome(StrEnum):
    """How the run of a module ended."""

    RUN = "run"
    SKIPPED = "skipped"
    """The module itself skips all of its tests."""
    TIME_LIMIT = "time limit"
    CRASHED = "ended early"
    """By a signal, an exception outside of a test, or without a word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One test that failed."""

    test: str
    """``test.test_os.FileTests.test_access``."""
    error: str
    """The last line of its traceback."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What one module did."""

    module: str
    """``test_os``; of a package that is run in parts, ``test_asyncio.test_events``."""
    outcome: Outcome
    reason: str = ""
    """Of another outcome than a run."""
    passed: int = 0
    skips: Mapping[str, int] = field(default_factory=dict)
    """How many tests each reason skipped."""
    faults: tuple[Fault, ...] = ()

    @property
    def skipped(self) -> int:
        """How many tests were skipped."""
        return sum(self.skips.values())

    @property
    def is_good(self) -> bool:
        """Whether nothing failed."""
        return self.outcome in {Outcome.RUN, Outcome.SKIPPED} and not self.faults


def read(module: str, lines: str, output: str, status: int | None) -> Result:
    """Return the result of *module*.

    Args:
        module: Its name.
        lines: What the program wrote: a line of JSON for each result, the last one maybe cut.
        output: The runner's own output.
        status: Its exit status; None if its time was over.
    """
    tests = _by_test(lines)
    skips: dict[str, int] = {}
    for outcome, detail in tests.values():
        if outcome == "skipped":
            skips[detail] = skips.get(detail, 0) + 1
    faults = tuple(
        Fault(test=name, error=last_line(detail))
        for name, (outcome, detail) in tests.items()
        if outcome == "failed"
    )
    ended, reason = _ending(output, status, has_faults=bool(faults), has_tests=bool(tests))
    passed = sum(outcome == "passed" for outcome, _ in tests.values())
    return Result(
        module=module, outcome=ended, reason=reason, passed=passed, skips=skips, faults=faults
    )


def _by_test(lines: str) -> dict[str, tuple[str, str]]:
    """Return the worst outcome of each test, and its detail: a test and its clean-up may fail."""
    found: dict[str, tuple[str, str]] = {}
    for line in lines.split("\n"):
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        name, outcome = entry["test"], entry["outcome"]
        if name not in found or _WORST.index(outcome) > _WORST.index(found[name][0]):
            found[name] = outcome, entry["detail"]
    return found


def _ending(  # noqa: PLR0911  (one for each ending)
    output: str, status: int | None, *, has_faults: bool, has_tests: bool
) -> tuple[Outcome, str]:
    if status is None:
        return Outcome.TIME_LIMIT, _running(output)
    if fatal := _FATAL.search(output):
        return Outcome.CRASHED, fatal[1]
    if _CRASHED.search(output):
        start = _last_start(output)
        reason = last_line(output[start:])
        # Then the errors themselves are before it.
        return Outcome.CRASHED, last_line(output[:start]) if _LOADING in reason else reason
    skipped = _SKIPPED.search(output)
    if skipped and not has_tests:
        return Outcome.SKIPPED, skipped[1]
    # The runner's statuses: 0 all is well, 2 a test failed, 4 no test ran (libregrtest/main.py).
    if status == 0 or (status == 2 and has_faults):  # noqa: PLR2004
        return Outcome.RUN, ""
    if status == 4 and not has_tests:  # noqa: PLR2004
        return Outcome.SKIPPED, "it has no test for this platform"
    return Outcome.CRASHED, f"exit status {status}: {last_line(output)}"


def _running(output: str) -> str:
    """Return the innermost test in the stacks that the runner prints when its time is over."""
    found = re.findall(r'File "[^"]*/test/([^"]+)", line (\d+) in (test\w+)', output)
    return f"in {found[-1][2]} ({found[-1][0]}:{found[-1][1]})" if found else ""


def _last_start(output: str) -> int:
    return [match.start() for match in _CRASHED.finditer(output)][-1]


def last_line(text: str) -> str:
    """Return the line of a traceback that has the exception, else the last line of *text*."""
    lines = [line.rstrip() for line in text.split("\n") if line.strip()]
    errors = [
        line for line in lines if re.match(r"[\w.]*(Error|Exception|Exit|Failed|Warning)", line)
    ]
    return (errors or lines or [""])[-1]


def to_json(result: Result) -> dict[str, Any]:
    """Return *result* as a document."""
    return {
        "module": result.module,
        "outcome": str(result.outcome),
        "reason": result.reason,
        "passed": result.passed,
        "skips": dict(result.skips),
        "faults": [[fault.test, fault.error] for fault in result.faults],
    }


def from_json(document: Mapping[str, Any]) -> Result:
    """Return the result that ``to_json`` made *document* of."""
    faults: Sequence[Sequence[str]] = document["faults"]
    return Result(
        module=document["module"],
        outcome=Outcome(document["outcome"]),
        reason=document["reason"],
        passed=document["passed"],
        skips=document["skips"],
        faults=tuple(Fault(test=test, error=error) for test, error in faults),
    )
