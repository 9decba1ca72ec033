"""Calls of a program that is imported once: each as if the program were started for it."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from onebin.effects.resident import MAX_REQUEST, Ended, Resident

PROGRAM = """
import os, signal, sys, time

def ready():
    with open(os.environ["READY"], "a") as file:
        file.write("ready ")

def main(arguments):
    def body():
        exec("def given():\\n " + arguments[0], globals())
        return given()
    return body() or 0

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {**os.environ, "LC_ALL": "C.UTF-8", "READY": str(tmp_path / "ready")}


@pytest.fixture
def program(tmp_path: Path) -> Path:
    file = tmp_path / "program.py"
    file.write_text(PROGRAM)
    return file


@pytest.fixture
def resident(program: Path) -> Iterator[Resident]:
    made = Resident(program)
    with contextlib.closing(made):
        yield made


@pytest.mark.sample(every=3)
@pytest.mark.parametrize(
    "body",
    [
        "pass",
        "return 3",
        "return 256",
        "print('out'); print('err', file=sys.stderr)",
        "os.write(1, b'\\xff\\0'); sys.stdout.write('no line end')",
        "print('o' * 300_000); print('e' * 300_000, file=sys.stderr); print('o' * 300_000)",
        "print(os.getcwd(), sys.argv, sorted(os.environ.items()))",
        "print(repr(sys.stdin.read()))",
        "sys.exit()",
        "sys.exit(4)",
        "sys.exit('a reason')",
        "os.kill(os.getpid(), signal.SIGKILL)",
        "os.kill(os.getpid(), signal.SIGTERM)",
        "os._exit(7)",
        "print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)",
        "print(signal.getsignal(signal.SIGCHLD) == signal.SIG_DFL)",
        "print(len(os.listdir('/proc/self/fd')))",
    ],
)
def test_call_is_as_a_start(
    body: str, resident: Resident, program: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    started = subprocess.run(
        [sys.executable, "-P", program, body],
        cwd=tmp_path, env=environment, stdin=subprocess.DEVNULL, capture_output=True, check=False,
    )  # fmt: skip

    done = resident.run([body], cwd=tmp_path, env=environment)

    assert Ended(started.returncode, started.stdout, started.stderr) == done


def test_exception_is_a_traceback(
    resident: Resident, environment: dict[str, str], tmp_path: Path
) -> None:
    done = resident.run(["raise ValueError('found')"], cwd=tmp_path, env=environment)

    assert done is not None
    assert (1, b"ValueError: found") == (done.status, done.stderr.splitlines()[-1])


def test_calls_at_once_share_one_import(
    resident: Resident, environment: dict[str, str], tmp_path: Path
) -> None:
    with ThreadPoolExecutor(8) as threads:
        calls = [
            threads.submit(resident.run, [f"print({n})"], cwd=tmp_path, env=environment)
            for n in range(24)
        ]

    assert [Ended(0, f"{n}\n".encode(), b"") for n in range(24)] == [it.result() for it in calls]
    assert "ready " == (tmp_path / "ready").read_text()


def test_server_that_is_gone_is_started_again(
    resident: Resident, environment: dict[str, str], tmp_path: Path
) -> None:
    parent = "print(open(f'/proc/{os.getppid()}/stat').read().rpartition(') ')[2].split()[1])"
    found = resident.run([parent], cwd=tmp_path, env=environment)
    assert found is not None
    os.kill(int(found.stdout), signal.SIGKILL)

    ends = [resident.run(["return 5"], cwd=tmp_path, env=environment) for _ in range(3)]

    assert Ended(5, b"", b"") == ends[-1]


def test_request_of_any_length_is_left_to_the_usual_way(
    resident: Resident, environment: dict[str, str], tmp_path: Path
) -> None:
    assert resident.run(["#" * MAX_REQUEST], cwd=tmp_path, env=environment) is None


def test_run_that_none_waits_for_is_killed(
    program: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    file = tmp_path / "pid"
    body = f"open({str(file)!r}, 'w').write(str(os.getpid()) + ' '); time.sleep(600)"
    caller = (
        "import os, sys; from pathlib import Path; from onebin.effects.resident import Resident;"
        "Resident(Path(sys.argv[1])).run([sys.argv[2]], cwd=None, env=dict(os.environ))"
    )
    with subprocess.Popen([sys.executable, "-c", caller, program, body], env=environment) as it:
        _until(lambda: file.exists() and file.read_text().endswith(" "))
        it.kill()

    _until(lambda: not Path(f"/proc/{file.read_text().strip()}").exists())


def _until(condition: Callable[[], bool]) -> None:
    ends = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < ends
        time.sleep(0.01)


@pytest.mark.parametrize("ends", ["lives", "closes"])
def test_fork_of_the_caller(
    ends: str, program: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    """A pool's process has a copy of the socket: the server ends with its caller, not before."""
    body = f"""
import os, signal, sys
from pathlib import Path
from onebin.effects.resident import Resident

resident = Resident(Path(sys.argv[1]))
call = lambda: resident.run(["print(os.getppid())"], cwd=None, env=os.environ)
first = call()
read, write = os.pipe()
child = os.fork()
if child == 0:
    resident.close() if {ends == "closes"} else call()
    os.write(write, b"done")
    signal.pause()
os.read(read, 4)
assert call() is not None
resident.close()
os.kill(child, signal.SIGKILL)
print("ended")
"""
    done = subprocess.run(
        [sys.executable, "-c", body, program],
        env=environment, capture_output=True, timeout=60, check=False,
    )  # fmt: skip

    assert (0, b"ended\n") == (done.returncode, done.stdout)
    assert "ready " == (tmp_path / "ready").read_text()
