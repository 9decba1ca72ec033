"""Learning from a run: a pruned program with a trace does what the whole one does."""

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from .conftest import PROJECTS, OnebinRun

pytestmark = [pytest.mark.toolchain, pytest.mark.xdist_group("trace")]

# Each a function of the project, and one kind of use that no import shows.
USES = (
    "computed", "stdlib_by_name", "c_module_by_name", "file_beside", "described", "listed",
    "resource", "version", "plugins", "modules", "source", "child", "module_as_child", "pool",
)  # fmt: skip
CONTAINED = ["timeout", "-k", "1", "60", "unshare", "-Ur", "-p", "-f", "--kill-child"]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("traced") / "project"
    shutil.copytree(PROJECTS / "traced", root)
    return root


def build(onebin: OnebinRun, root: Path, name: str, *options: str) -> tuple[Path, str]:
    target = root.parent / name
    done = onebin("build", root, "--output", target, *options)
    assert 0 == done.returncode, done.stderr
    return target, done.stderr


def ran(program: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*CONTAINED, program, *words], capture_output=True, text=True, check=False, cwd="/"
    )


def test_a_trace_makes_pruning_safe(onebin: OnebinRun, project: Path) -> None:
    """Without a trace each use fails; with a trace of all each does as in the whole program."""
    settings = project / "pyproject.toml"
    settings.write_text(settings.read_text().replace('"reachable"', '"nothing"'))
    whole, _ = build(onebin, project, "whole")
    settings.write_text(settings.read_text().replace('"nothing"', '"reachable"'))
    bare, said = build(onebin, project, "bare")
    assert "computed imports" in said

    expected = {use: ran(whole, use) for use in USES}
    assert [] == [use for use, done in expected.items() if done.returncode]
    assert [] == [use for use in USES if ran(bare, use).stdout == expected[use].stdout]

    traced, said = build(onebin, project, "traced", "--trace", f"traced {' '.join(USES)}")
    assert "trace: added to" in said
    assert "module traced.parts.red" in said

    for use, done in expected.items():
        found = ran(traced, use)
        assert (done.stdout, 0) == (found.stdout, found.returncode), found.stderr
    assert traced.stat().st_size < whole.stat().st_size
    again, said = build(onebin, project, "again", "--trace", f"traced {' '.join(USES)}")
    assert "nothing beyond visible imports and the trace" in said
    assert again.read_bytes() == traced.read_bytes()


def test_the_trace_has_what_ran_and_no_more(onebin: OnebinRun, project: Path) -> None:
    """A second run adds; the file is TOML; data that no run reads stays out."""
    trace = project / "onebin-trace.toml"
    trace.unlink(missing_ok=True)
    build(onebin, project, "one", "--trace", "traced computed")
    first = tomllib.loads(trace.read_text())
    build(onebin, project, "two", "--trace", "sh -c 'traced file_beside && traced listed'")
    second = tomllib.loads(trace.read_text())

    assert ["traced.parts.red"] == [name for name in first["modules"] if name.startswith("traced")]
    assert [] == first["files"]
    assert set(first["modules"]) <= set(second["modules"])
    site = "site-packages/traced/data"
    assert {f"{site}/hello.txt", f"{site}/deep/"} <= set(second["files"])
    assert "unused" not in trace.read_text()
    # No child was an interpreter: the program is none under any name.
    done = subprocess.run(
        ["bash", "-c", f"exec -a /onebin/bin/python3 {project.parent}/two -c 'print(1)'"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "1\n" != done.stdout


@pytest.mark.parametrize(
    ("command", "status", "message"),
    [
        ("sh -c 'traced computed; exit 3'", 1, "ended with status 3; expected 0"),
        ("traced nothing_of_that_name", 1, "ended with status 1"),
        ("true", 1, "the program traced was not used"),
        ("no-such-program", 1, "no-such-program: cannot be started"),
        ("'", 2, "No closing quotation; expected words of a shell"),
        ("", 2, "no command; expected a line that uses the program"),
    ],
)
def test_a_run_that_shows_nothing_writes_nothing(
    onebin: OnebinRun, project: Path, command: str, status: int, message: str
) -> None:
    trace = project / "onebin-trace.toml"
    trace.unlink(missing_ok=True)

    done = onebin("build", project, "-o", project.parent / "none", "--trace", command)

    assert (status, False) == (done.returncode, trace.exists()), done.stderr
    assert message in done.stderr


def test_a_program_that_does_not_end_is_ended(onebin: OnebinRun, project: Path) -> None:
    """With all that it has started; its use of modules until then counts."""
    trace = project / "onebin-trace.toml"
    trace.unlink(missing_ok=True)
    command = "sh -c 'traced computed; sleep 987 & sleep 986'"

    done = onebin(
        "build", project, "-o", project.parent / "late", "--trace", command, "--trace-seconds", "2"
    )

    assert 0 == done.returncode, done.stderr
    assert re.search(r"trace .* ended after 2 s", done.stderr)
    assert "traced.parts.red" in trace.read_text()
    running = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True)
    assert "sleep 98" not in running.stdout


def test_what_a_trace_names_and_is_gone_is_a_warning(onebin: OnebinRun, project: Path) -> None:
    (project / "onebin-trace.toml").write_text(
        'modules = ["traced.parts.red", "traced.gone"]\nfiles = ["site-packages/traced/gone.txt"]\n'
    )

    _, said = build(onebin, project, "gone")

    assert "has names that are gone: traced.gone, site-packages/traced/gone.txt" in said
