"""Training a real build: executed functions are counted, and written as a profile for builds."""

import shutil
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from onebin.pgo.profile import parse

from .conftest import PROJECTS, OnebinRun

pytestmark = pytest.mark.toolchain


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copied project, with a program that follows its argument."""
    root = tmp_path_factory.mktemp("training") / "app"
    shutil.copytree(PROJECTS / "facts", root)
    (root / "facts.py").write_text(
        "import os, sys\n"
        "def main():\n"
        "    what = sys.argv[1] if len(sys.argv) > 1 else 'count'\n"
        "    if what == 'die':\n"
        "        os._exit(0)\n"
        "    print(sum(len(str(number)) for number in range(20_000)))\n"
    )
    return root


@pytest.fixture(scope="module")
def trained(onebin: OnebinRun, project: Path) -> CompletedProcess[str]:
    """Name a profile in the project, and train it."""
    (project / "pyproject.toml").write_text(
        (PROJECTS / "facts" / "pyproject.toml").read_text()
        + '[tool.onebin]\nprofile = "training/app.profile"\n'
    )
    return onebin("train", project)


def test_training_writes_the_counters(
    onebin: OnebinRun, project: Path, trained: CompletedProcess[str]
) -> None:
    """The program alone is a workload; the path is printed; the hottest code is in the profile."""
    done = trained
    file = project / "training" / "app.profile"
    assert (0, f"{file}\n") == (done.returncode, done.stdout), done.stderr
    counts = {
        function.name: max(function.counts) for function in parse(file.read_text(), "").functions
    }
    hottest = sorted(counts, key=lambda name: -counts[name])[:12]
    assert "_PyEval_EvalFrameDefault" in hottest
    assert "./Modules/posixmodule.c;os_fork" not in counts
    # Later builds of the project use the profile.
    assert '"sha256": "' in onebin("plan", project, "--json").stdout
    assert "made with" not in onebin("plan", project).stderr


def test_command_uses_the_program(onebin: OnebinRun, project: Path, tmp_path: Path) -> None:
    """Every process counts unless it is cut off; its output goes into the progress."""
    target = tmp_path / "made.profile"
    command = '"$ONEBIN_PROGRAM"; "$ONEBIN_PROGRAM" count; "$ONEBIN_PROGRAM" die'

    done = onebin("train", project, "--output", target, "--", "sh", "-c", command)

    assert 0 == done.returncode, done.stderr
    assert "2 runs, " in done.stderr
    assert parse(target.read_text(), "").functions


@pytest.mark.parametrize(
    ("command", "status", "message"),
    [
        ('"$ONEBIN_PROGRAM" die', 1, "no process of facts ended by itself"),
        ("exit 3", 1, "sh ended with status 3"),
    ],
)
def test_training_that_fails(
    onebin: OnebinRun, project: Path, tmp_path: Path, command: str, status: int, message: str
) -> None:
    """Nothing is written, and the error has the reason."""
    target = tmp_path / "made.profile"

    done = onebin("train", project, "--output", target, "--", "sh", "-c", command)

    assert (status, "") == (done.returncode, done.stdout)
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not target.exists()


@pytest.mark.usefixtures("trained")
def test_profile_of_another_program_is_reported(onebin: OnebinRun, project: Path) -> None:
    """Counts of another compiler or source are ignored, with a warning and a hint."""
    file = project / "training" / "app.profile"
    first, made, *rest = file.read_text().splitlines(keepends=True)
    file.write_text("".join([first, made.replace("ziglang", "ziglang 0.1, not"), *rest]))

    done = onebin("plan", project)

    assert 0 == done.returncode
    assert "made with ziglang 0.1, not" in done.stderr
    assert "onebin train" in done.stderr


@pytest.mark.usefixtures("trained")
def test_invalid_profile(onebin: OnebinRun, project: Path, tmp_path: Path) -> None:
    """A missing file, a foreign file, and no place to write: each with a hint."""
    file = project / "training" / "app.profile"
    file.write_text("nothing of the kind\n")
    damaged = onebin("plan", project)
    file.unlink()
    missing = onebin("plan", project)
    nowhere = onebin("train", PROJECTS / "facts", cwd=tmp_path)

    for done, message in (
        (damaged, "training/app.profile: not a profile"),
        (missing, "training/app.profile: cannot be read"),
        (nowhere, "where to write the profile?"),
    ):
        assert 2 == done.returncode
        assert message in done.stderr
        assert "→ " in done.stderr
