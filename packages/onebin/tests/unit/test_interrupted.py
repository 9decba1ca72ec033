"""A build that is interrupted, or runs twice at once: one line, no file left behind."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

BACK_END = """
import os, pathlib, time, zipfile

def build_wheel(out, settings=None, metadata=None):
    here = pathlib.Path(PLACE)
    with (here / "pids").open("a") as file:
        file.write(f"{os.getpid()}\\n")
    print("started", flush=True)
    while (here / "slow").exists():
        time.sleep(0.01)
    name = "made-1-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(out, name), "w") as archive:
        archive.writestr("made.py", "def main(): ...")
        archive.writestr("made-1.dist-info/METADATA", "Name: made\\nVersion: 1\\n")
        points = "[console_scripts]\\nmade=made:main\\n"
        archive.writestr("made-1.dist-info/entry_points.txt", points)
    return name
"""
DEADLINE = 120
"""Seconds until a test fails that hangs."""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose back end waits while a file is there."""
    root = tmp_path / "project"
    root.mkdir()
    (root / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "own"\nbackend-path = ["."]\n'
        '[project]\nname = "made"\ndynamic = ["version"]\n'
    )
    (root / "own.py").write_text(BACK_END.replace("PLACE", repr(str(tmp_path))))
    return root


def start(project: Path) -> subprocess.Popen[str]:
    """Begin a plan, which builds the project's wheel."""
    env = {**os.environ, "ONEBIN_CACHE": str(project.parent / "cache")}
    call = [sys.executable, "-m", "onebin", "plan", str(project)]
    return subprocess.Popen(
        call, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def wait_for(file: Path, lines: int = 1) -> list[str]:
    """Return the lines of *file* once it has some."""
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end:
        if file.exists() and len(found := file.read_text().split()) >= lines:
            return found
        time.sleep(0.01)
    pytest.fail(f"{file} has not {lines} lines")


@pytest.mark.sample(every=5)
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_interrupted(project: Path, number: signal.Signals, seed: int) -> None:
    """At any moment: the program it started has ended, and the next build makes it all."""
    (project.parent / "slow").touch()
    building = start(project)
    if seed % 2 == 0:  # in the back end
        pids = wait_for(project.parent / "pids")
    else:  # somewhere before
        time.sleep(random.Random(seed).uniform(0.05, 1.5))
        pids = []

    building.send_signal(number)
    if number == signal.SIGKILL:
        (project.parent / "slow").unlink()  # its back end has no parent that ends it
    _, err = building.communicate(timeout=DEADLINE)

    if pids and number != signal.SIGKILL:
        assert 128 + number == building.returncode, err
        assert "onebin: interrupted\n" == err[-20:]
        assert not Path("/proc", pids[0]).exists()
    assert "Traceback" not in err
    cache = project.parent / "cache"
    assert not list(cache.glob("own-wheel/*"))
    (project.parent / "slow").unlink(missing_ok=True)
    again = start(project)
    out, err = again.communicate(timeout=DEADLINE)
    assert 0 == again.returncode, err
    assert "made 1" in out
    assert not list(cache.glob("tmp/*"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_as_it_ends(number: signal.Signals) -> None:
    """Its work is done by then: no traceback of what the interpreter still does."""
    code = (
        "import atexit, os, sys; sys.argv[0] = 'onebin'; from onebin import cli\n"
        f"atexit.register(os.kill, os.getpid(), {number:d})\n"
        "sys.exit(cli.main(['--version']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert (-number, "") == (done.returncode, done.stderr)
    assert done.stdout.startswith("onebin ")


def test_two_at_once(project: Path) -> None:
    """The second waits for the first, and takes its result."""
    (project.parent / "slow").touch()
    both = [start(project), start(project)]
    wait_for(project.parent / "pids")
    (project.parent / "slow").unlink()

    ends = [(building.communicate(timeout=DEADLINE), building.returncode) for building in both]

    assert [0, 0] == [status for _, status in ends], ends
    assert 1 == len((project.parent / "pids").read_text().split())
