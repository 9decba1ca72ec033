"""Events after SIGTERM in the log and termination message of a real process."""

import os
import signal
from pathlib import Path
from typing import Final

import msgspec
import pytest

from tests.lib.http_client import GET
from tests.lib.running_service import Start
from tests.lib.waiting import until

HALF_BODY: Final = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n1"


@pytest.mark.parametrize("workers", ["1", "3"])
def test_termination(start: Start, tmp_path: Path, workers: str) -> None:
    """Late requests, probes and requests in flight are reported once for all processes."""
    path = tmp_path / "termination-log"
    path.touch()
    service = start(
        *("--workers", workers, "--drain-delay-seconds", "5", "--drain-seconds", "1"),
        *("--termination-log", str(path)),
    )
    with service.connect() as finished, service.connect() as cut, service.connect() as idle:
        idle.request()
        for connection in (finished, cut):
            # In one packet: with the response, the half is read.
            connection.send(GET + HALF_BODY)
            connection.read()
        service.signal(signal.SIGTERM)
        for _ in range(1 if workers == "1" else int(workers) + 1):
            service.event("draining")  # of each process: a worker learns of it a little later
        assert service.get("/").status == 200
        assert service.get("/late%1b").status == 404
        assert service.get("/readyz").status == 503
        finished.send(b"2")
        assert finished.read().status == 405

        record = service.event("termination")

    assert service.wait() == 0
    assert (record["signal"], record["processes"]) == ("SIGTERM", int(workers))
    assert record["killed_processes"] == 0
    assert (record["connections"], record["in_flight"], record["finished"]) == (3, 2, 1)
    assert (record["aborted"], record["aborted_by_phase"]) == (1, {"reading_body": 1})
    assert (record["requests"], record["probes"], record["new_connections"]) == (3, 1, 3)
    assert {one["path"] for one in record["late_requests"]} == {"/", "/late%1b", "/readyz"}
    moments = [
        record["unready_after_seconds"],
        *(late["after_seconds"] for late in record["late_requests"]),
        record["accept_stopped_after_seconds"],
        record["seconds"],
    ]
    assert moments == sorted(moments)
    assert moments[1] <= record["last_request_seconds"] <= moments[-2]
    assert record["accept_stopped_after_seconds"] >= 5
    arrivals, cuts = record["advice"]
    assert arrivals.startswith(
        f"Requests kept arriving for {record['last_request_seconds']:.1f} s: "
    )
    assert cuts.startswith("1 connection was aborted after")
    message = msgspec.json.decode(path.read_bytes())
    assert message == {key: record[key] for key in record if key not in {"time", "level", "event"}}


@pytest.mark.parametrize("workers", ["1", "2"])
def test_quiet_end(start: Start, tmp_path: Path, workers: str) -> None:
    """A shutdown without requests is reported too; no message file is created."""
    path = tmp_path / "termination-log"
    service = start("--workers", workers, environ={"TERMINATION_LOG": str(path)})

    service.signal(signal.SIGTERM)
    record = service.event("termination")

    assert service.wait() == 0
    assert (record["signal"], record["connections"], record["late_requests"]) == ("SIGTERM", 0, [])
    assert record["advice"][0].startswith("Nothing arrived in the ")
    assert not path.exists()


def test_killed_worker(start: Start) -> None:
    """A worker without a record is reported as missing."""
    service = start("--workers", "2", "--drain-seconds", "0")
    # Stopped: SIGTERM does not reach it, and SIGKILL ends it.
    os.kill(service.two_workers()[0], signal.SIGSTOP)
    service.signal(signal.SIGTERM)

    record = service.event("termination")

    assert (record["complete"], record["processes"], record["killed_processes"]) == (True, 2, 1)
    assert service.wait() == 0


@pytest.mark.parametrize("workers", ["1", "2"])
def test_killed_before_the_end(start: Start, tmp_path: Path, workers: str) -> None:
    """After an early SIGKILL the message has the partial record."""
    path = tmp_path / "termination-log"
    path.touch()
    service = start("--workers", workers, "--termination-log", str(path))
    with service.connect() as connection:
        connection.send(GET + HALF_BODY)
        connection.read()
        service.signal(signal.SIGTERM)
        until(lambda: b"reading_body" in path.read_bytes())
        service.signal(signal.SIGKILL)
        service.wait()

        record = msgspec.json.decode(path.read_bytes())

    assert (record["complete"], record["aborted"], record["in_flight"]) == (False, 1, 1)
    assert record["advice"][0].startswith("Killed more than ")
    assert "terminationGracePeriodSeconds must be at least 10," in record["advice"][0]
