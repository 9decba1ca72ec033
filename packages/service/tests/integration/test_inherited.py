"""Inherited signals, limits and umask, and a signal before the process serves."""

import functools
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from signal import SIGINT, SIGTERM, Signals

import pytest

from devops_info_service.http.lifecycle import SIGNALS

from .load_clients import read_answer
from .running import PATIENCE_SECONDS, Start, children_of, hold_signals, until


def ignore_all() -> None:
    """Ignore every signal, as a careless shell script does."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def block_all() -> None:
    """Block every signal, as a program that execs from a handler does."""
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())


def both() -> None:
    """Ignore and block every signal."""
    ignore_all()
    block_all()


@pytest.mark.claim("inherited masks, dispositions, umask, limits")
@pytest.mark.parametrize("number", [SIGTERM, SIGINT])
@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("inherit", [ignore_all, block_all, both])
def test_inherited_signals(
    run: Start, inherit: Callable[[], None], workers: str, number: Signals
) -> None:
    """Signals that the parent ignored or blocked still work."""
    service = run("--workers", workers, inherit=inherit)
    assert service.answers()
    if workers == "2":
        before = until(lambda: pids if len(pids := service.children()) == 2 else None)
        os.kill(before[0], signal.SIGKILL)
        until(lambda: len(set(service.children()) - {before[0]}) == 2)
    service.process.send_signal(number)

    assert service.wait() == 0


@pytest.mark.claim("inherited masks, dispositions, umask, limits")
@pytest.mark.claim("private files")
@pytest.mark.parametrize("workers", ["1", "2"])
def test_inherited_rest(run: Start, workers: str) -> None:
    """A umask of 0, core files and a low soft limit of open files are corrected."""

    def inherit() -> None:
        os.umask(0)
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (10, hard))
        resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

    service = run("--workers", workers, inherit=inherit)
    assert service.answers()
    for pid in (service.pid, *service.children()):
        status = Path(f"/proc/{pid}/status").read_text()
        limits = Path(f"/proc/{pid}/limits").read_text()
        assert "Umask:\t0077" in status
        assert any(
            line.split()[:5] == ["Max", "core", "file", "size", "0"] for line in limits.splitlines()
        )
        (files,) = [line.split()[3] for line in limits.splitlines() if "open files" in line]
        assert int(files) > 100


@pytest.mark.claim("inherited masks, dispositions, umask, limits")
def test_too_few_files(run: Start) -> None:
    """A hard limit of a few open files is an error of one line, with the remedy."""
    service = run(inherit=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (20, 20)))

    assert service.wait() == 1
    assert service.process.stderr is not None
    assert service.process.stderr.read() == (
        b"devops-info-service: open files: the limit is 20; expected at least 24"
        b" (ulimit -n, LimitNOFILE=, --ulimit nofile=)\n"
    )


@pytest.mark.claim("a signal before it serves, as PID 1")
@pytest.mark.parametrize("workers", ["1", "2", "8"])
def test_signal_to_the_first_process_at_once(workers: str) -> None:
    """SIGTERM to PID 1 before it serves is not lost."""
    unshare = ["unshare", "--pid", "--fork", "--kill-child"]
    if subprocess.run([*unshare, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no namespace of processes of our own here")
    for delay in (0.0, 0.005, 0.02, 0.05, 0.1, 0.2):
        with subprocess.Popen(
            [*unshare, sys.executable, "-m", "devops_info_service", "--workers", workers],
            env={**os.environ, "PORT": "0"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            preexec_fn=hold_signals,  # noqa: PLW1509  as the executable's first instructions do
        ) as process:
            (first,) = until(functools.partial(children_of, process.pid))
            time.sleep(delay)
            os.kill(first, SIGTERM)
            out, err = process.communicate(timeout=PATIENCE_SECONDS)

            assert (process.returncode, err) == (0, b"")
            assert b'"event":"stopped"' in out


@pytest.mark.parametrize(
    ("namespaces", "script"),
    [
        ("--mount", 'mount -t tmpfs none /dev && exec "$@" 0<&- 1>&- 2>&-'),
        ("--mount", 'mount -t tmpfs none /proc && exec "$@"'),
        ("--uts", "printf '\\377' > /proc/sys/kernel/hostname; exec \"$@\""),
    ],
    ids=["no /dev and closed streams", "no /proc", "a hostname that is not UTF-8"],
)
@pytest.mark.parametrize("workers", ["1", "2"])
def test_unusual_surroundings(workers: str, namespaces: str, script: str) -> None:
    """Missing files and a name that is not text do not keep the service from serving."""
    unshare = ["unshare", namespaces]
    if subprocess.run([*unshare, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no namespaces of our own here")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    serve = [sys.executable, "-m", "devops_info_service", "--port", str(port)]
    process = subprocess.Popen(
        [*unshare, "sh", "-c", script, "sh", *serve, "--workers", workers],
        stdout=subprocess.DEVNULL,
    )
    try:
        until(functools.partial(is_answered, process, port))
        process.send_signal(SIGTERM)
        assert process.wait(PATIENCE_SECONDS) == 0
    finally:
        process.kill()
        process.wait()


def is_answered(process: subprocess.Popen[bytes], port: int) -> bool:
    """Whether ``/`` on *port* responds."""
    assert process.poll() is None
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS) as sock:
            sock.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            return read_answer(sock).startswith(b"HTTP/1.1 200 OK\r\n")
    except ConnectionRefusedError:
        return False
