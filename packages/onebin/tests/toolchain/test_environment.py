"""PYTHON* variables: those that the project names are obeyed, by the program and its children."""

import json
import subprocess
from pathlib import Path

import pytest

from .conftest import OnebinRun

pytestmark = pytest.mark.toolchain

APP = """\
import json
import os
import subprocess
import sys


def main():
    hashed = hash("a")
    facts = [sys.path[0], sys.warnoptions, sys.flags.dev_mode, hashed, os.environ["PYTHONPATH"]]
    print(json.dumps(facts), flush=True)
    if sys.executable and len(sys.argv) < 2:
        subprocess.run([sys.executable, "-c", "import app; app.main()", "child"], check=True)
        subprocess.run([sys.executable, "-E", "-c", "import app; app.main()", "child"], check=True)
"""

VARIABLES = {"PYTHONPATH": "/plugins:/more", "PYTHONWARNINGS": "error", "PYTHONHASHSEED": "0",
             "PYTHONDEVMODE": "1"}  # fmt: skip


def run(onebin: OnebinRun, folder: Path, settings: str) -> list[list[object]]:
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "app.py").write_text(APP)
    project = '[project]\nname = "app"\nversion = "1"\nscripts = {app = "app:main"}\n'
    (folder / "pyproject.toml").write_text(f"{project}[tool.onebin]\n{settings}\n")
    built = onebin("build", folder, "--output", folder / "app")
    assert 0 == built.returncode, built.stderr
    done = subprocess.run([folder / "app"], env=VARIABLES, capture_output=True, check=False)
    assert 0 == done.returncode, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("prune", ["nothing", "reachable"])
def test_named_variables_are_obeyed(onebin: OnebinRun, tmp_path: Path, prune: str) -> None:
    names = 'environment = ["PYTHONPATH", "PYTHONWARNINGS", "PYTHONHASHSEED"]'

    program, *children = run(onebin, tmp_path, f'prune = "{prune}"\n{names}')

    seed_0 = program[3]
    assert ["/plugins", ["error"], False, seed_0, "/plugins:/more"] == program
    if prune == "nothing":
        child, without = children
        assert program == child
        assert [[], False] == without[1:3]
        assert "/plugins" != without[0]
        assert seed_0 != without[3]


def test_others_are_ignored(onebin: OnebinRun, tmp_path: Path) -> None:
    """They are in the environment that the program reads and hands on."""
    found = run(onebin, tmp_path, "")

    assert [[[], False]] * 3 == [facts[1:3] for facts in found]
    assert ["/plugins:/more"] * 3 == [facts[4] for facts in found]
    assert 3 == len({facts[3] for facts in found})


ATTACHED = """\
import os
import sys
import tempfile


def main():
    with tempfile.NamedTemporaryFile("w", suffix=".py") as file:
        file.write("print('attached')")
        file.flush()
        try:
            sys.remote_exec(os.getpid(), file.name)
        except RuntimeError as error:
            print(error)
        sum(range(10))
"""


def test_a_debugger_may_attach_unless_it_is_forbidden(onebin: OnebinRun, tmp_path: Path) -> None:
    """CPython looks for an interpreter in files with its name: the program's has it."""
    (tmp_path / "app.py").write_text(ATTACHED)
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "app"\nversion = "1"\nrequires-python = ">=3.14"\n'
        'scripts = {app = "app:main"}\n'
        '[tool.onebin]\nenvironment = ["PYTHON_DISABLE_REMOTE_DEBUG"]\n'
    )
    program = tmp_path / "python-app"
    built = onebin("build", tmp_path, "--output", program)
    assert 0 == built.returncode, built.stderr

    found = [
        subprocess.run([program], env=env, capture_output=True, text=True, check=False).stdout
        for env in ({}, {"PYTHON_DISABLE_REMOTE_DEBUG": "1"})
    ]

    assert "attached\n" == found[0]
    assert "not enabled" in found[1]
