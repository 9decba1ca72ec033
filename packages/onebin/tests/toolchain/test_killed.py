"""A real build that is killed at any moment, or runs twice at once, leaves a sound cache."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.toolchain

MOMENTS = 4
"""Of a build, spread over its time; each costs two builds."""


class Work:
    """A project with one module, whose text is another for each build."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "pyproject.toml").write_text(
            '[project]\nname = "killed"\nscripts = { killed = "killed:main" }\n'
        )
        self.target = root / "dist/killed"

    def change(self, text: str) -> None:
        code = f"def main():\n    print({text!r})\n"
        (self.root / "killed.py").write_text(code)

    def start(self) -> subprocess.Popen[str]:
        call = [sys.executable, "-m", "onebin", "build", "-q", str(self.root)]
        return subprocess.Popen(
            call, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
        )

    def build(self) -> None:
        done = self.start()
        _, err = done.communicate()
        assert 0 == done.returncode, err
        assert "" == err

    def prints(self) -> str:
        return subprocess.run([self.target], capture_output=True, text=True, check=True).stdout


@pytest.fixture
def work(tmp_path: Path) -> Work:
    """The project, built once: the runtime and the libraries are in the cache."""
    made = Work(tmp_path)
    made.change(f"first {tmp_path}")
    made.build()
    return made


@pytest.mark.parametrize("with_children", [True, False])
def test_killed_at_any_moment(work: Work, tmp_path: Path, *, with_children: bool) -> None:
    """The program is the old one or the new one, and the next build makes the new one."""
    work.change(f"timed {tmp_path}")
    began = time.monotonic()
    work.build()
    seconds = time.monotonic() - began
    for n in range(MOMENTS):
        before, after = work.prints(), f"{n} {with_children} {tmp_path}"
        work.change(after)
        building = work.start()
        time.sleep(seconds * (n + 0.5) / MOMENTS)
        if with_children:
            os.killpg(building.pid, signal.SIGKILL)
        else:
            building.kill()
        building.communicate()

        assert work.prints() in {before, f"{after}\n"}
        work.build()
        assert f"{after}\n" == work.prints()


def test_two_at_once(work: Work, tmp_path: Path) -> None:
    """Both end with the one program that their project gives."""
    for n in range(3):
        work.change(f"twice {n} {tmp_path}")
        both = [work.start(), work.start()]

        assert [("", 0)] * 2 == [(it.communicate()[1], it.returncode) for it in both]
        assert f"twice {n} {tmp_path}\n" == work.prints()
