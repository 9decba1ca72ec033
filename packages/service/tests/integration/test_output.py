"""A stuck, full or closed standard output changes neither responses nor results."""

import contextlib
import functools
import itertools
import os
import pty
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from .raw_requests import GET
from .running import until

pytestmark = [
    pytest.mark.claim("a log that is stuck, full, gone; back again"),
    pytest.mark.claim("log never stops the service"),
]

PATIENCE_SECONDS: Final = 20
REQUESTS: Final = 3000
"""With a line each they exceed a pipe and the service's memory several times."""

Stdout = Callable[[Path], tuple[int, int]]
"""Returns a descriptor to read from (or -1), and the service's stdout."""


def stuck_pipe(_: Path) -> tuple[int, int]:
    return os.pipe()


def stuck_terminal(_: Path) -> tuple[int, int]:
    return pty.openpty()


def stuck_journal(_: Path) -> tuple[int, int]:
    near, far = socket.socketpair()
    return near.detach(), far.detach()


def gone_pipe(_: Path) -> tuple[int, int]:
    reader, writer = os.pipe()
    os.close(reader)
    return -1, writer


def full_device(_: Path) -> tuple[int, int]:
    return -1, os.open("/dev/full", os.O_WRONLY)


@contextlib.contextmanager
def serving(stdout: int, *flags: str) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """Serve with *stdout*; yield the process and its port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "devops_info_service", "--port", str(port), *flags],
        stdout=stdout,
        env={**os.environ, "HOST": "127.0.0.1"},
    )
    try:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS).close()
                break
            except ConnectionRefusedError:
                assert process.poll() is None
                assert time.monotonic() < deadline
        yield process, port
    finally:
        process.kill()
        process.wait()


def ask(port: int, count: int = 1, request: bytes = GET) -> bytes:
    """Send so many requests on one connection; return the last response."""
    answer = b""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS) as sock:
        for _ in range(count):
            sock.sendall(request)
            answer = sock.recv(65536)
            assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    return answer


def dropped(port: int) -> int:
    """Return the lines of the log that the service counts as dropped."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS) as sock:
        sock.sendall(b"GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        text = b"".join(iter(lambda: sock.recv(65536), b"")).decode()
    (line,) = (
        line for line in text.splitlines() if line.startswith("service_log_lines_dropped_total ")
    )
    return int(line.split(" ")[1])


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize(
    "make", [stuck_pipe, stuck_terminal, stuck_journal, gone_pipe, full_device]
)
def test_reader_that_does_not_read(make: Stdout, workers: str, tmp_path: Path) -> None:
    """Every request and probe gets a response, dropped lines are counted, and SIGTERM ends it."""
    reader, stdout = make(tmp_path)
    try:
        with serving(stdout, "--access-log", "--workers", workers) as (process, port):
            for _ in range(6):
                ask(port, REQUESTS // 6)
            until(lambda: dropped(port), pause=0.05)
            process.terminate()
            assert process.wait(PATIENCE_SECONDS) == 0
    finally:
        os.close(stdout)
        if reader >= 0:
            os.close(reader)


def test_reader_that_comes_back() -> None:
    """First come the kept lines, then the number of missing ones, then the new ones."""
    reader, stdout = os.pipe()
    with serving(stdout, "--access-log") as (process, port):
        os.close(stdout)
        ask(port, REQUESTS, b"GET /health HTTP/1.1\r\nHost: a\r\nX-Request-Id: old\r\n\r\n")
        lost = until(lambda: dropped(port), pause=0.05)
        assert lost < REQUESTS
        events = lines_of(reader)
        seen = [next(events)]
        while seen[-1]["event"] != "log_lines_dropped":
            seen.append(next(events))
        ask(port, 1, b"GET /health HTTP/1.1\r\nHost: a\r\nX-Request-Id: new\r\n\r\n")
        while seen[-1].get("request_id") != "new":
            seen.append(next(events))
        process.terminate()
        seen += events
        assert process.wait(PATIENCE_SECONDS) == 0
    os.close(reader)

    names = [event["event"] for event in seen]
    missing = sum(event.get("count", 0) for event in seen)
    asked = sum(event.get("request_id") == "old" for event in seen)
    assert names[0] == "listening"
    assert names[-3:] == ["draining", "termination", "stopped"]
    assert missing >= lost
    # Requests to /metrics came meanwhile, and may be among the missing.
    assert REQUESTS <= asked + missing <= REQUESTS + 40
    assert [event["time"] for event in seen] == sorted(event["time"] for event in seen)


def lines_of(reader: int) -> Iterator[dict[str, Any]]:
    """Yield each line, to the end."""
    with os.fdopen(os.dup(reader), "rb") as log:
        for line in log:
            yield msgspec.json.decode(line)


def test_disk_that_was_full(tmp_path: Path) -> None:
    """A partly written line is finished before the next."""
    path = tmp_path / "log"
    limit = 10_007  # ends within a line
    with path.open("wb") as log, serving(log.fileno(), "--access-log") as (process, port):
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
        ask(port, REQUESTS)
        until(lambda: dropped(port), pause=0.05)
        assert path.stat().st_size == limit
        assert not path.read_bytes().endswith(b"\n")
        unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, unlimited)
        ask(port)
        process.terminate()
        assert process.wait(PATIENCE_SECONDS) == 0

    events = [msgspec.json.decode(line) for line in path.read_bytes().splitlines()]
    names = [event["event"] for event in events]
    assert names.count("log_lines_dropped") == 1
    assert names[-3:] == ["draining", "termination", "stopped"]


COMMANDS: Final = [
    (["--help"], 0),
    (["--version"], 0),
    (["serve", "--help"], 0),
    (["check", "--help"], 0),
    (["report", "--help"], 0),
    (["check", "URL/health"], 0),
    (["check", "URL/nothing"], 1),
    (["check", "http://127.0.0.1:1/"], 1),
    (["check", "nonsense"], 1),
    (["nonsense"], 2),
]
"""Command and exit status."""


def full() -> int:
    return os.open("/dev/full", os.O_WRONLY)


def gone() -> int:
    reader, writer = os.pipe()
    os.close(reader)
    return writer


def stuck() -> int:
    # A reader that does not read: this process.
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writer, b"x" * 4096)
    os.set_blocking(writer, True)
    STUCK_READERS.append(reader)
    return writer


STUCK_READERS: Final[list[int]] = []


def closed() -> int:
    return -1


def close_all(numbers: list[int]) -> None:
    for number in numbers:
        os.close(number)


def run(words: list[str], streams: dict[int, Callable[[], int]]) -> int:
    """Run a command with *streams* for its standard streams; return its exit status."""
    given = {number: make() for number, make in streams.items()}
    process = subprocess.Popen(
        [sys.executable, "-m", "devops_info_service", *words],
        stdout=given[1] if given.get(1, -1) >= 0 else subprocess.DEVNULL,
        stderr=given[2] if given.get(2, -1) >= 0 else subprocess.DEVNULL,
        preexec_fn=functools.partial(  # noqa: PLW1509  the child inherits closed streams
            close_all, [number for number, own in given.items() if own < 0]
        ),
    )
    try:
        return process.wait(PATIENCE_SECONDS)
    finally:
        process.kill()
        for descriptor in (*given.values(), *STUCK_READERS):
            if descriptor >= 0:
                os.close(descriptor)
        STUCK_READERS.clear()


@pytest.mark.claim("results that are not read")
@pytest.mark.parametrize(
    ("make", "numbers"),
    [
        *itertools.product((full, gone, closed), ((1,), (2,), (1, 2))),
        (stuck, (1, 2)),  # a second or two each
    ],
)
@pytest.mark.parametrize(("words", "status"), COMMANDS, ids=[" ".join(c) for c, _ in COMMANDS])
def test_result_that_is_not_read(
    service: Any,
    words: list[str],
    status: int,
    make: Callable[[], int],
    numbers: tuple[int, ...],
) -> None:
    """A standard stream that fails does not change the result."""
    words = [word.replace("URL", f"http://127.0.0.1:{service.port}") for word in words]

    assert run(words, dict.fromkeys(numbers, make)) == status


@pytest.mark.parametrize(
    ("make", "status"), [(full, 1), (gone, 0), (closed, 0)], ids=["full", "gone", "closed"]
)
def test_report_that_is_not_read(make: Callable[[], int], status: int) -> None:
    """A report is the result itself: a failed write is a failure."""
    assert run(["report"], {1: make}) == status


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_command_can_be_ended(number: signal.Signals) -> None:
    """A signal ends a waiting check, even if it was blocked or ignored before."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        code = (
            "import os, signal, sys; signal.pthread_sigmask(signal.SIG_BLOCK, {2, 15});"
            "signal.signal(2, signal.SIG_IGN); signal.signal(15, signal.SIG_IGN);"
            "os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
        )
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        process = subprocess.Popen(
            [sys.executable, "-c", code, "-m", "devops_info_service", "check", url],
            stderr=subprocess.DEVNULL,
        )
        with server.accept()[0] as sock:
            sock.recv(10)
        process.send_signal(number)
        assert process.wait(PATIENCE_SECONDS) in {-number, 128 + number}
