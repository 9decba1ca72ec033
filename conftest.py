"""Rules of every test run: number of examples, samples, places, no skips in CI, coverage."""

import gc
import itertools
import os
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, settings

CI: Final = os.environ.get("CI", "").lower() in {"1", "true"}
UNMEASURED: Final = ("engine", "toolchain", "browser", "prometheus", "exhaustive", "endurance")
"""Markers of tests that `make test` does not run: the gate on coverage is for the others alone."""

WAITING: Final = 6
"""More processes than cores: many tests wait for a program or a clock."""

WAITS: Final = "integration"
"""Folders of tests that wait for programs and clocks."""

MEMORY: Final = Path("/dev/shm")  # noqa: S108  (tempfile makes folders there)
ROOM_BYTES: Final = 2**30
"""Free memory from which tests write there: a plain run writes a tenth of it."""

# Deadlines measure the machine, not the code; fixtures here are makers without state.
settings.register_profile(
    "local",
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
# Examples are the same in each run there, and others here: a change does not fail by chance.
settings.register_profile(
    "ci", settings.get_profile("local"), max_examples=250, derandomize=True, database=None
)
settings.load_profile("ci" if CI else "local")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect without a search for garbage among ten thousand tests: a sixth of the time."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_configure(config: pytest.Config) -> None:
    """Let a plain run write to memory: 25,000 folders cost a disk a minute.

    A shell's background job ignores SIGINT, and would pass that on to the programs under test.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    is_plain = config.option.markexpr.startswith("not (")
    if is_plain and "TMPDIR" not in os.environ and _has_room(MEMORY):
        os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY)


def _has_room(folder: Path) -> bool:
    """Return whether programs can be written there and started."""
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        return False
    status = os.statvfs(folder)
    return not status.f_flag & os.ST_NOEXEC and status.f_bavail * status.f_frsize >= ROOM_BYTES


def pytest_xdist_auto_num_workers() -> int:
    """Return the number of processes."""
    return len(os.sched_getaffinity(0)) + WAITING


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out a folder named like a marker that this run leaves out: a quarter of the time."""
    folder = collection_path.name
    expression = config.option.markexpr
    is_left_out = folder in UNMEASURED and expression.startswith("not (") and folder in expression
    return True if is_left_out else None


@pytest.hookimpl(tryfirst=True)  # before -m selects
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the rows that a sample leaves out, and spread the tests that wait among the others."""
    rows: Counter[str] = Counter()
    for item in items:
        if sample := item.get_closest_marker("sample"):
            table = item.nodeid.partition("[")[0]
            if rows[table] % sample.kwargs["every"]:
                item.add_marker(pytest.mark.exhaustive)
            rows[table] += 1
    items[:] = _spread(items)


def _spread(items: Sequence[pytest.Item]) -> list[pytest.Item]:
    """Return *items*, with files that wait at even distances: no process has them at its end."""
    files: dict[Path, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(item.path, []).append(item)
    waits = [tests for path, tests in files.items() if path.parent.name == WAITS]
    others = [tests for path, tests in files.items() if path.parent.name != WAITS]
    step = max(1, len(others) // (len(waits) + 1))
    ordered: list[pytest.Item] = []
    for number, tests in enumerate(others):
        if waits and number % step == 0:
            ordered += waits.pop()
        ordered += tests
    return [*ordered, *itertools.chain.from_iterable(waits)]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Measure coverage only of tests that `make test` runs, in a run of all tests as well."""
    module = sys.modules.get("coverage")
    current = module.Coverage.current() if module else None
    if current is None or not any(map(item.get_closest_marker, UNMEASURED)):
        return (yield)
    # Programs that the test starts would measure themselves.
    inherited = {name: os.environ.pop(name) for name in [*os.environ] if "COVERAGE_P" in name}
    current.stop()
    try:
        return (yield)
    finally:
        current.start()
        os.environ.update(inherited)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skip into a failure in CI: without the missing part the run proves less."""
    report = yield
    if CI and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped, and nothing is skipped in CI: {report.longrepr}"
    return report
