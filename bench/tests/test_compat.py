"""The survey of packages: its catalog, its verdicts, its page."""

import json
import re
import sys
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from bench.compat import catalog, compat, page, project
from bench.compat.catalog import Package
from bench.compat.survey import Outcome, Result, Survey
from bench.lib.harness import MeasureError

PACKAGES = catalog.read()
WORKING = Result(
    name="a", kind="C", version="1.2", outcome=Outcome.WORKS, provider="captured",
    compiled_expected=2, compiled_found=1, distributions=3, seconds=1.25, size_bytes=9_500_000,
)  # fmt: skip
REFUSED = Result(name="b", kind="pure", outcome=Outcome.REFUSED, reason="b: x | y <z>\nmore")


def test_catalog_has_a_hundred_packages() -> None:
    """Each once, each with code."""
    assert 100 == len({package.name for package in PACKAGES}) == len(PACKAGES)


@pytest.mark.sample(every=9)
@pytest.mark.parametrize("package", PACKAGES, ids=[package.name for package in PACKAGES])
def test_program_compiles_and_prints(package: Package, tmp_path: Path) -> None:
    """Its code fits into a function, and has a result to compare."""
    program = project.write(package, tmp_path).read_text("utf-8")

    compile(program, package.name, "exec")
    assert "print" in package.code


@pytest.mark.parametrize(
    "text",
    [
        '[[package]]\nname = "a"\nkind = "pure"',
        '[[package]]\nname = "a"\nkind = "pure"\ncode = ""\nneeds = []',
        '[[package]]\nkind = "pure"\ncode = ""',
        2 * '[[package]]\nname = "a"\nkind = "pure"\ncode = ""\n',
    ],
    ids=["key missing", "key unknown", "name missing", "twice"],
)
def test_catalog_with_a_fault_is_rejected(text: str, tmp_path: Path) -> None:
    """The error names the keys that are expected."""
    file = tmp_path / "packages.toml"
    file.write_text(text)

    with pytest.raises(MeasureError, match="expected one entry with"):
        catalog.read(file)


def test_page_has_each_result_with_its_reason() -> None:
    """Text of another program cannot break the table."""
    text = page.render([WORKING, REFUSED], machine="today", python="3.13.0", limit_seconds=5)

    rows = {re.sub(" +", " ", line) for line in text.splitlines()}
    assert {
        "| a | 1.2 | captured | 1 of 2 | 3 | 1.2 | 9.5 |",
        "| b | | pure | b: x \\| y &lt;z&gt; more |",
        "| works | 1 |",
        "| refused by plan | 1 |",
    } <= rows


@pytest.mark.parametrize("is_mixed", [True, False])
def test_page_says_what_it_lacks(*, is_mixed: bool) -> None:
    """Packages without a result, and results of several states of onebin."""
    text = page.render(
        [WORKING], machine="today", python="3.13.0", limit_seconds=5, untried=["x", "y"],
        is_mixed=is_mixed,
    )  # fmt: skip

    assert "the 3 most used packages" in text
    assert "Not tried yet: x, y." in text
    assert is_mixed is ("Made with `--stale`" in text)


@pytest.mark.parametrize(
    ("key", "state", "limit", "outcome", "is_kept"),
    [
        ("k", "s", 60, Outcome.WORKS, True),
        ("k", "", 60, Outcome.WORKS, True),
        ("other", "s", 60, Outcome.WORKS, False),
        ("k", "other", 60, Outcome.WORKS, False),
        ("k", "s", 90, Outcome.WORKS, True),
        ("k", "s", 60, Outcome.TIME_LIMIT, True),
        ("k", "s", 90, Outcome.TIME_LIMIT, False),
    ],
)
def test_kept_result_holds_for_its_inputs(
    key: str, state: str, limit: int, outcome: Outcome, tmp_path: Path, *, is_kept: bool
) -> None:
    """A package that ran out of time has another chance with more of it."""
    result, file = replace(WORKING, outcome=outcome), tmp_path / "a.json"
    document = {"key": "k", "onebin": "s", "limit_seconds": 60, "result": asdict(result)}
    file.write_text(json.dumps(document))

    found = compat.load(file, key, state, limit_seconds=limit)

    assert found == (result if is_kept else None)


@pytest.mark.parametrize("text", ["", "{", "[]"[:1]])
def test_half_written_result_is_made_again(text: str, tmp_path: Path) -> None:
    """An interrupted run leaves nothing that stops the next one."""
    file = tmp_path / "a.json"
    file.write_text(text)

    assert compat.load(file, "k", "s", limit_seconds=1) is None


def test_unknown_name_is_an_error() -> None:
    """Its message names the catalog."""
    with pytest.raises(MeasureError, match="--only nothing: not in packages"):
        compat.chosen(PACKAGES, ["nothing"])


def test_interpreter_that_fails_is_passed_over(tmp_path: Path) -> None:
    """Version managers put a program on PATH that only prints an error."""
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\nexit 127\n")
    broken.chmod(0o755)

    with pytest.raises(MeasureError, match="does not run"):
        compat.ordinary(broken)
    version = ".".join(map(str, sys.version_info[:3]))
    assert (Path(sys.executable), version) == compat.ordinary(Path(sys.executable))


@pytest.mark.toolchain
@pytest.mark.parametrize("name", ["jinja2", "python-dateutil", "pytz"])
def test_package_works_in_an_empty_root(name: str, tmp_path: Path) -> None:
    """C code, a module that makes its submodules itself, and data: each with its own result."""
    (package,) = compat.chosen(PACKAGES, [name])

    result = Survey(Path(sys.executable), tmp_path, build_seconds=900).examine(package)

    assert (Outcome.WORKS, "") == (result.outcome, result.reason)


@pytest.mark.toolchain
def test_packed_program_that_differs_is_a_failure(tmp_path: Path) -> None:
    """The survey notices: an ordinary interpreter prints another path of the package."""
    package = Package(name="six", kind="pure", code="import six; print(six.__file__)")

    result = Survey(Path(sys.executable), tmp_path, build_seconds=900).examine(package)

    assert Outcome.FAILS is result.outcome
    assert "expected" in result.reason


@pytest.mark.toolchain
def test_command_fails_if_one_builds_and_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Status 1, the package by name, JSON on stdout; the next run takes the kept result."""
    file = tmp_path / "packages.toml"
    file.write_text(
        '[[package]]\nname = "six"\nkind = "pure"\ncode = "import six; print(six.__file__)"\n'
    )
    packages = catalog.read(file)
    monkeypatch.setattr(catalog, "read", lambda: packages)
    monkeypatch.setattr(compat, "WORK", tmp_path / "work")

    statuses = [compat.main(["--only", "six", "--json"]) for _ in range(2)]

    assert [1, 1] == statuses
    printed = capsys.readouterr()
    assert 1 == printed.err.count("six ...")
    assert printed.out.count('"outcome": "builds, fails when run"') == 2
