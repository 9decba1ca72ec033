"""Results on a full, stuck or closed standard stream; and signals for a waiting command."""

import contextlib
import functools
import itertools
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from typing import Final

import pytest

from tests.lib.http_client import TIMEOUT_SECONDS
from tests.lib.running_service import PROGRAM, RunningService

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


STUCK_READERS: Final[list[int]] = []


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


def closed() -> int:
    return -1


def close_all(numbers: list[int]) -> None:
    for number in numbers:
        os.close(number)


def run(args: list[str], streams: dict[int, Callable[[], int]]) -> int:
    """Run a command with *streams* for its standard streams; return its exit status."""
    given = {number: make() for number, make in streams.items()}
    process = subprocess.Popen(
        [*PROGRAM, *args],
        stdout=given[1] if given.get(1, -1) >= 0 else subprocess.DEVNULL,
        stderr=given[2] if given.get(2, -1) >= 0 else subprocess.DEVNULL,
        preexec_fn=functools.partial(  # noqa: PLW1509  the child inherits closed streams
            close_all, [number for number, own in given.items() if own < 0]
        ),
    )
    try:
        return process.wait(TIMEOUT_SECONDS)
    finally:
        process.kill()
        for descriptor in (*given.values(), *STUCK_READERS):
            if descriptor >= 0:
                os.close(descriptor)
        STUCK_READERS.clear()


@pytest.mark.claim("results that are not read")
@pytest.mark.sample(every=7)
@pytest.mark.parametrize(
    ("make", "numbers"),
    [
        *itertools.product((full, gone, closed), ((1,), (2,), (1, 2))),
        (stuck, (1, 2)),  # a second or two each
    ],
)
@pytest.mark.parametrize(("args", "status"), COMMANDS, ids=[" ".join(c) for c, _ in COMMANDS])
def test_result_that_is_not_read(
    service: RunningService,
    args: list[str],
    status: int,
    make: Callable[[], int],
    numbers: tuple[int, ...],
) -> None:
    """A standard stream that fails does not change the result."""
    args = [word.replace("URL", f"http://127.0.0.1:{service.port}") for word in args]

    assert run(args, dict.fromkeys(numbers, make)) == status


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
        with server.accept()[0] as connection:
            connection.recv(10)
        process.send_signal(number)
        assert process.wait(TIMEOUT_SECONDS) in {-number, 128 + number}
