"""Small projects with one fact each: a packed program does what CPython does with them.

``expected.json`` holds what CPython 3.13 printed when the project was installed with pip and run
by its console script. The kinds are those of public reports about other packers.
"""

import json
import os
import subprocess
from pathlib import Path

import pytest

from .conftest import PROJECTS, OnebinRun

pytestmark = pytest.mark.toolchain

CASES = sorted(path.parent for path in (PROJECTS / "cases").glob("*/expected.json"))

# A program that starts itself may multiply: all its processes end with their namespace.
CONTAINED = [
    "timeout", "-k", "1", "60", "unshare", *([] if os.geteuid() == 0 else ["-Ur"]),
    "-p", "-f", "--kill-child", "prlimit", "--nproc=2000",
]  # fmt: skip


@pytest.mark.sample(every=4)
@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_packed_program_does_what_cpython_does(
    onebin: OnebinRun, tmp_path: Path, case: Path
) -> None:
    """The same output, status and errors, in an empty environment."""
    expected = json.loads((case / "expected.json").read_text("utf-8"))
    program = tmp_path / case.name
    built = onebin("build", case, "--output", program)
    assert 0 == built.returncode, built.stderr

    done = subprocess.run(
        [*CONTAINED, program, *expected["args"]],
        capture_output=True, check=False, cwd="/", stdin=subprocess.DEVNULL,
        env={"PATH": os.environ["PATH"]},
    )  # fmt: skip

    errors = done.stderr.decode()
    found = done.stdout.decode(), done.returncode
    assert (expected["stdout"], expected["status"]) == found, errors
    assert expected["stderr_has"] in errors
