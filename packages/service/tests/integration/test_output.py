"""A stuck, full or closed log changes no response."""

import os
import pty
import resource
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from tests.lib.http_client import request
from tests.lib.metrics_text import scrape
from tests.lib.running_service import RunningService, Start, free_port
from tests.lib.waiting import until

pytestmark = [
    pytest.mark.claim("a log that is stuck, full, gone; back again"),
    pytest.mark.claim("log never stops the service"),
]

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


def send_requests(service: RunningService, count: int = 1, *fields: str) -> None:
    """Send so many requests on one connection; each gets a response."""
    with service.connect() as connection:
        for _ in range(count):
            assert connection.request(request("/health", *fields)).status == 200


def dropped(service: RunningService) -> float:
    """Return the lines of the log that the service counts as dropped."""
    return scrape(service.port)["service_log_lines_dropped_total"]


@pytest.mark.sample(every=3)
@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize(
    "make", [stuck_pipe, stuck_terminal, stuck_journal, gone_pipe, full_device]
)
def test_reader_that_does_not_read(
    launch: Start, make: Stdout, workers: str, tmp_path: Path
) -> None:
    """Every request and probe gets a response, dropped lines are counted, and SIGTERM ends it."""
    reader, stdout = make(tmp_path)
    try:
        service = launch(*("--access-log", "--workers", workers), stdout=stdout, port=free_port())
        for _ in range(6):
            send_requests(service, REQUESTS // 6)
        until(lambda: dropped(service))
        service.signal(signal.SIGTERM)
        assert service.wait() == 0
    finally:
        os.close(stdout)
        if reader >= 0:
            os.close(reader)


def test_reader_that_comes_back(launch: Start) -> None:
    """First come the kept lines, then the number of missing ones, then the new ones."""
    reader, stdout = os.pipe()
    service = launch("--access-log", stdout=stdout, port=free_port())
    os.close(stdout)
    send_requests(service, REQUESTS, "X-Request-Id: old")
    polls: list[float] = []

    def is_dropping() -> bool:
        polls.append(dropped(service))
        return polls[-1] > 0

    until(is_dropping, pause=0.05)
    assert polls[-1] < REQUESTS
    events = lines_of(reader)
    seen = [next(events)]
    while seen[-1]["event"] != "log_lines_dropped":
        seen.append(next(events))
    send_requests(service, 1, "X-Request-Id: new")
    while seen[-1].get("request_id") != "new":
        seen.append(next(events))
    service.signal(signal.SIGTERM)
    seen += events
    assert service.wait() == 0
    os.close(reader)

    names = [event["event"] for event in seen]
    missing = sum(event.get("count", 0) for event in seen)
    logged = sum(event.get("request_id") == "old" for event in seen)
    assert names[0] == "listening"
    assert names[-3:] == ["draining", "termination", "stopped"]
    assert missing >= polls[-1]
    # Requests to /metrics came meanwhile, and may be among the missing.
    assert REQUESTS <= logged + missing <= REQUESTS + len(polls)
    assert [event["time"] for event in seen] == sorted(event["time"] for event in seen)


def lines_of(reader: int) -> Iterator[dict[str, Any]]:
    """Yield each line, to the end."""
    with os.fdopen(os.dup(reader), "rb") as log:
        for line in log:
            yield msgspec.json.decode(line)


def test_disk_that_was_full(launch: Start, tmp_path: Path) -> None:
    """A partly written line is finished before the next."""
    path = tmp_path / "log"
    limit = 10_007  # ends within a line
    with path.open("wb") as log:
        service = launch("--access-log", stdout=log.fileno(), port=free_port())
    until(service.responds)
    resource.prlimit(service.pid, resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    send_requests(service, REQUESTS)
    until(lambda: dropped(service))
    assert path.stat().st_size == limit
    assert not path.read_bytes().endswith(b"\n")
    unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    resource.prlimit(service.pid, resource.RLIMIT_FSIZE, unlimited)
    send_requests(service)
    service.signal(signal.SIGTERM)
    assert service.wait() == 0

    events = [msgspec.json.decode(line) for line in path.read_bytes().splitlines()]
    names = [event["event"] for event in events]
    assert names.count("log_lines_dropped") == 1
    assert names[-3:] == ["draining", "termination", "stopped"]
