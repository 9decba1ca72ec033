"""CPython's own tests: what a run has left, the decisions about it, the page; the runner itself."""

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from bench.lib.harness import MeasureError
from bench.suite import catalog, page, results, suite, tree
from bench.suite.catalog import Catalog, Reason
from bench.suite.page import Series
from bench.suite.results import Fault, Outcome, Result

PASS = {"test": "test.test_a.T.test_1", "outcome": "passed", "detail": ""}
SKIP = {"test": "test.test_a.T.test_2", "outcome": "skipped", "detail": "Windows only"}
FAIL = {
    "test": "test.test_a.T.test_3", "outcome": "failed",
    "detail": "Traceback (most recent call last):\n  File x\nValueError: 1 != 2\n\nStdout:\nx\n",
}  # fmt: skip
CATALOG = Catalog(
    ("test_os", "test_io"),
    {"test_idle": "no Tk", "test*test_gdb*": "a debugger"},
    (Reason("test.test_a.*.test_3", "musl"), Reason("test_late", "slow", "3.13")),
)


def lines(*entries: Mapping[str, str]) -> str:
    """What the program writes."""
    return "".join(f"{json.dumps(entry)}\n" for entry in entries)


def test_results_of_a_run() -> None:
    """Counts, reasons of skips, the exception of a failure and not its output."""
    found = results.read("test_a", lines(PASS, SKIP, FAIL), "", 2)

    assert found == Result(
        module="test_a", outcome=Outcome.RUN, passed=1, skips={"Windows only": 1},
        faults=(Fault(test="test.test_a.T.test_3", error="ValueError: 1 != 2"),),
    )  # fmt: skip
    assert not found.is_good
    assert found == results.from_json(json.loads(json.dumps(results.to_json(found))))


@pytest.mark.parametrize("order", [(PASS, FAIL), (FAIL, PASS)])
def test_worst_result_of_a_test_counts(order: tuple[dict[str, str], ...]) -> None:
    """Of its parts, and of its clean-up."""
    same = [{**entry, "test": "t"} for entry in order]

    found = results.read("test_a", lines(*same), "", 2)

    assert (0, 1) == (found.passed, len(found.faults))


@pytest.mark.sample(every=7)
@pytest.mark.parametrize("cut", range(1, len(lines(FAIL))))
def test_line_cut_by_a_crash(cut: int) -> None:
    """Lines written before it count."""
    found = results.read(
        "test_a", lines(PASS) + lines(FAIL)[:-cut], "Fatal Python error: Abort", -6
    )

    assert (Outcome.CRASHED, "Abort", 1) == (found.outcome, found.reason, found.passed)


@pytest.mark.parametrize(
    ("output", "status", "outcome", "reason"),
    [
        ("", 0, Outcome.RUN, ""),
        ("test_a skipped -- No module named '_x'\n", 4, Outcome.SKIPPED, "No module named '_x'"),
        ("test.test_p.test_a skipped -- no\n", 0, Outcome.SKIPPED, "no"),
        ("", 4, Outcome.SKIPPED, "it has no test for this platform"),
        ("test test_a crashed -- Trace:\nImportError: x\n", 2, Outcome.CRASHED, "ImportError: x"),
        ("last words", -11, Outcome.CRASHED, "exit status -11: last words"),
        ("", 2, Outcome.CRASHED, "exit status 2: "),
        (
            "ImportError: x\ntest test_a crashed -- T:\nException: errors while loading tests\n",
            2, Outcome.CRASHED, "ImportError: x",
        ),
        (
            'Timeout (0:05:00)!\n  File "/onebin/lib/test/test_a.py", line 7 in test_x\n', None,
            Outcome.TIME_LIMIT, "in test_x (test_a.py:7)",
        ),
    ],
)  # fmt: skip
def test_ending_without_a_result(
    output: str, status: int | None, outcome: Outcome, reason: str
) -> None:
    """Each has its words; none is taken for a run in which all is well."""
    found = results.read("test_a", "", output, status)

    assert (outcome, reason) == (found.outcome, found.reason)


def test_order_and_reasons() -> None:
    """First the valuable ones, packages by their first part; patterns leave modules out."""
    listed = [
        "test_zip",
        "test.test_io.test_x",
        "test_abc",
        "test_os",
        "test_idle",
        "test.test_gdb.a",
    ]

    assert ("test_os", "test.test_io.test_x", "test_abc", "test_zip") == CATALOG.in_order(listed)
    assert "a debugger" == CATALOG.reason_to_leave_out("test.test_gdb.a")
    assert "musl" == CATALOG.reason_of("test.test_a.T.test_3", "3.14")
    assert ["slow", ""] == [CATALOG.reason_of("test_late", series) for series in ("3.13", "3.14")]


def test_catalog_of_the_repository_is_whole() -> None:
    """It is read without a fault, and leaves out no module that it puts first."""
    decisions = catalog.read()

    assert set(decisions.first) == {*decisions.in_order(decisions.first)}
    assert len(set(decisions.first)) == len(decisions.first)


@pytest.mark.parametrize(
    "text", ["other = 1", "[[reason]]\ntests = 'a'", "[[reason]]\ntests='a'\nbecause='b'\nx=1"]
)
def test_catalog_with_a_fault_is_rejected(text: str, tmp_path: Path) -> None:
    file = tmp_path / "modules.toml"
    file.write_text(text)

    with pytest.raises(MeasureError, match="expected first, left-out, and reason"):
        catalog.read(file)


def test_page_has_each_fault_with_its_reason() -> None:
    """And the modules that were left out, skip themselves, ended early, or were not tried."""
    run = results.read(
        "test_a", lines(PASS, *[{**SKIP, "test": str(n)} for n in range(25)], FAIL), "", 2
    )
    late = Result(module="test_late", outcome=Outcome.TIME_LIMIT, reason="in test_x")
    self_skipped = Result(module="test_b", outcome=Outcome.SKIPPED, reason="no | _x")
    old = Series(version="3.13.15", results=(run, late), left_out={"test_idle": "no Tk"})
    new = replace(old, version="3.14.7", results=(run, late, self_skipped), untried=("test_z",))

    text = page.render([old, new], CATALOG, machine="today", limit_seconds=9, processes=3)
    rows = {" ".join(line.split()) for line in text.splitlines()}

    assert {
        "| `test_a.T.test_3` | ValueError: 1 != 2 | musl |",
        "| `test_late` | time limit: in test_x | slow |",
        "| `test_late` | time limit: in test_x | not explained yet |",
        "| `test_idle` | no Tk |",
        "| `test_b` | it skips itself: no \\| _x |",
        "| Windows only | 25 |",
        "| `test_a` | 1 / 1 / 25 | 1 / 1 / 25 |",
        "| `test_b` | | skips itself |",
        "Not tried yet: `test_z`.",
    } <= rows
    assert ((), ("test_late",)) == (page.unexplained(old, CATALOG), page.unexplained(new, CATALOG))


def test_release_of_a_series() -> None:
    """The newest one of each final series, or of the named ones."""
    assert {"3.13", "3.14"} <= {release.series for release in suite.chosen(None)}
    assert ["3.14"] == [release.series for release in suite.chosen(["3.14"])]
    with pytest.raises(MeasureError, match=r"2\.7: not pinned; expected 3\.13"):
        suite.chosen(["2.7"])


def test_modules_of_the_standard_library(tmp_path: Path) -> None:
    """Packages and modules, but no tests, no Tk and no file with another name."""
    for name in (
        "os.py",
        "json/__init__.py",
        "json/tool.py",
        "test/a.py",
        "tkinter/b.py",
        "x-y.py",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()

    assert ("json", "json.tool", "os") == tree.standard_library(tmp_path)


MODULE = """
import unittest

class T(unittest.TestCase):
    def test_pass(self): pass
    def test_fail(self): self.assertEqual(1, 2)
    def test_parts(self):
        for n in range(3):
            with self.subTest(n): self.assertNotEqual(1, n)
    @unittest.skip("not here")
    def test_skip(self): pass
    @unittest.expectedFailure
    def test_known(self): self.fail()
    @unittest.expectedFailure
    def test_surprise(self): pass
    def test_cleanup(self): self.addCleanup(lambda: 1 / 0)
"""


def test_runner_writes_each_result(tmp_path: Path) -> None:
    """CPython's own runner with our recorder, under an interpreter that has both."""
    (tmp_path / "test_made.py").write_text(MODULE)
    pyenv = sorted(Path.home().glob(".pyenv/versions/3.1[3-9]*/bin/python3"))
    candidates = ("python3.13", "python3.14", sys.executable, *map(str, pyenv))
    python = next(filter(has_runner, candidates), None)
    if python is None:
        pytest.skip("no interpreter of 3.13 or later with the package test: pyenv install 3.13")
    out = tmp_path / "results"

    done = subprocess.run(
        [python, tree.PROGRAM, out, "--testdir", tmp_path, "test_made"],
        capture_output=True, text=True, check=False, cwd=tmp_path,
    )  # fmt: skip
    found = results.read("test_made", out.read_text(), done.stdout + done.stderr, done.returncode)

    assert (Outcome.RUN, 2, {"not here": 1}) == (found.outcome, found.passed, found.skips)
    assert {"test_fail", "test_parts", "test_surprise", "test_cleanup"} == {
        fault.test.rpartition(".")[2] for fault in found.faults
    }


def has_runner(python: str) -> bool:
    """Whether *python* runs and has ``test.libregrtest`` of 3.13 or later."""
    code = "import sys, test.libregrtest.single; sys.exit(sys.version_info < (3, 13))"
    try:
        return not subprocess.run([python, "-c", code], capture_output=True, check=False).returncode
    except OSError:
        return False
