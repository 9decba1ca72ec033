"""Workers that are signalled alone, or hang: the others and the shared socket go on."""

import functools
import os
import signal
from signal import SIGTERM

import pytest

from tests.lib.metrics_text import scrape
from tests.lib.running_service import RunningService, Start
from tests.lib.waiting import until


@pytest.mark.claim("a worker that is stopped, or hangs")
def test_worker_signalled_repeatedly(launch: Start) -> None:
    """A worker that ends alone leaves the shared socket open."""
    service = launch("--workers", "2")
    for _ in range(5):
        workers = service.two_workers()
        os.kill(workers[0], SIGTERM)
        until(functools.partial(is_replaced, service, workers[0]))
        for _ in range(20):
            assert service.responds()
    service.signal(SIGTERM)

    assert service.wait() == 0
    told = [event for event in service.events() if event["event"] == "worker"]
    assert [event["level"] for event in told] == ["info"] * 5


def is_replaced(service: RunningService, gone: int) -> bool:
    """Whether two workers are there, and *gone* is none of them."""
    pids = service.children()
    return len(pids) == 2 and gone not in pids


def test_control_group(launch: Start) -> None:
    """systemd signals every process of the service at once: one shutdown, no failed request."""
    service = launch("--workers", "2", "--drain-delay-seconds", "5")
    assert service.responds()
    workers = service.two_workers()
    for pid in (*workers, service.pid):
        os.kill(pid, SIGTERM)
    until(lambda: service.names().count("draining") == 3)
    # During the delay no other instance takes over yet: they still serve.
    assert service.responds()

    assert service.wait() == 0
    (record,) = [event for event in service.events() if event["event"] == "termination"]
    assert (record["killed_processes"], record["requests"]) == (0, 1)


@pytest.mark.claim("a worker that is stopped, or hangs")
def test_worker_that_hangs(launch: Start) -> None:
    """A worker whose loop hangs is detected, replaced and counted."""
    service = launch("--workers", "2", "--worker-timeout-seconds", "5")
    until(lambda: scrape(service.port)["service_workers"] == 2)
    workers = service.children()
    os.kill(workers[1], signal.SIGSTOP)
    until(functools.partial(is_replaced, service, workers[1]))
    (told,) = [event for event in service.events() if event["event"] == "worker"]

    assert told["level"] == "error"
    assert told["message"] == (f"process {workers[1]} ended: its loop made no turn for 5 s")
    # a rendered text is cached for a second
    until(lambda: scrape(service.port)["service_worker_hangs_total"] == 1)
    assert scrape(service.port)["service_worker_restarts_total"] == 1
