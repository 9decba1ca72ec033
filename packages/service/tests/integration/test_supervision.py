"""Workers that are signalled alone, or hang: the others and the shared socket go on."""

import functools
import os
import signal
from signal import SIGTERM

import pytest

from .load_clients import read_answer
from .running import Process, Start, until


@pytest.mark.claim("a worker that is stopped, or hangs")
def test_worker_signalled_repeatedly(run: Start) -> None:
    """A worker that ends alone leaves the shared socket open."""
    service = run("--workers", "2")
    for _ in range(5):
        workers = until(lambda: pids if len(pids := service.children()) == 2 else None)
        os.kill(workers[0], SIGTERM)
        until(functools.partial(is_replaced, service, workers[0]))
        for _ in range(20):
            assert service.answers()
    service.process.send_signal(SIGTERM)

    assert service.wait() == 0
    told = [event for event in service.read() if event["event"] == "worker"]
    assert [event["level"] for event in told] == ["info"] * 5


def is_replaced(service: Process, gone: int) -> bool:
    """Whether two workers are there, and *gone* is none of them."""
    pids = service.children()
    return len(pids) == 2 and gone not in pids


def test_control_group(run: Start) -> None:
    """systemd signals every process of the service at once: one shutdown, no failed request."""
    service = run("--workers", "2", "--drain-delay-seconds", "1")
    assert service.answers()
    workers = until(lambda: pids if len(pids := service.children()) == 2 else None)
    for pid in (*workers, service.pid):
        os.kill(pid, SIGTERM)
    until(lambda: service.names().count("draining") == 3)
    # During the delay no other instance takes over yet: they still serve.
    assert service.answers()

    assert service.wait() == 0
    (record,) = [event for event in service.read() if event["event"] == "termination"]
    assert (record["killed_processes"], record["requests"]) == (0, 1)


@pytest.mark.claim("a worker that is stopped, or hangs")
def test_worker_that_hangs(run: Start) -> None:
    """A worker whose loop hangs is detected, replaced and counted."""
    service = run("--workers", "2", "--worker-timeout-seconds", "3")
    until(lambda: b"\nservice_workers 2\n" in metrics_of(service))
    workers = service.children()
    os.kill(workers[1], signal.SIGSTOP)
    until(functools.partial(is_replaced, service, workers[1]))
    (told,) = [event for event in service.read() if event["event"] == "worker"]

    assert told["level"] == "error"
    assert told["message"] == (f"process {workers[1]} ended: its loop made no turn for 3 s")
    # a rendered text is cached for a second
    metrics = until(
        lambda: (
            text if b"\nservice_worker_hangs_total 1\n" in (text := metrics_of(service)) else None
        )
    )
    assert b"\nservice_worker_restarts_total 1\n" in metrics


def metrics_of(service: Process) -> bytes:
    """Return the text of a scrape."""
    with service.connect() as sock:
        sock.sendall(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n")
        return read_answer(sock)
