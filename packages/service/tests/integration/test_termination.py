"""Events after SIGTERM in the log and termination message of a real process."""

import os
import signal
import time
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

GET: Final = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
BEGUN: Final = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n1"


def last_word(service: Any) -> dict[str, Any]:
    """Read the log to the event of the shutdown."""
    while (event := service.event())["event"] != "termination":
        pass
    found: dict[str, Any] = event
    return found


def ask(service: Any, request: bytes = GET) -> bytes:
    """Send one request over a new connection."""
    with service.connect() as sock:
        sock.sendall(request)
        answer: bytes = sock.recv(10_000)
        return answer


@pytest.mark.parametrize("workers", ["1", "3"])
def test_termination(start: Any, tmp_path: Path, workers: str) -> None:
    """Late requests, probes, requests in flight and closed connections are reported once for
    the service, whatever its number of processes."""
    path = tmp_path / "termination-log"
    path.touch()
    service = start(
        *("--workers", workers, "--drain-delay-seconds", "2", "--drain-seconds", "1"),
        *("--termination-log", str(path)),
    )
    with service.connect() as finished, service.connect() as cut, service.connect() as idle:
        for sock in (finished, cut, idle):
            sock.sendall(GET)
            assert sock.recv(10_000)
        finished.sendall(BEGUN)
        cut.sendall(BEGUN)
        time.sleep(0.3)  # connected and read before the signal
        service.signal(signal.SIGTERM)
        began = time.monotonic()
        time.sleep(0.3)
        assert ask(service).startswith(b"HTTP/1.1 200 ")
        assert ask(service, GET.replace(b"/ ", b"/late%1b ")).startswith(b"HTTP/1.1 404 ")
        late = time.monotonic() - began
        assert ask(service, GET.replace(b"/ ", b"/readyz ")).startswith(b"HTTP/1.1 503 ")
        finished.sendall(b"2")
        assert finished.recv(10_000).startswith(b"HTTP/1.1 405 ")

        told = last_word(service)

    assert service.wait() == 0
    assert (told["signal"], told["processes"], told["killed_processes"]) == (
        "SIGTERM",
        int(workers),
        0,
    )
    assert (told["connections"], told["in_flight"], told["finished"]) == (3, 2, 1)
    assert (told["aborted"], told["aborted_by_phase"]) == (1, {"reading_body": 1})
    assert (told["requests"], told["probes"], told["new_connections"]) == (3, 1, 3)
    # Requests to different workers within a millisecond have no order.
    assert told["late_requests"][0]["path"] == "/"
    assert {one["path"] for one in told["late_requests"]} == {"/", "/late%1b", "/readyz"}
    # the service handles the signal a little after it was sent
    assert (
        0.2 <= told["late_requests"][0]["after_seconds"] <= told["last_request_seconds"] <= late + 1
    )
    assert told["unready_after_seconds"] < 0.2
    assert 2 <= told["accept_stopped_after_seconds"] < told["seconds"] < 10
    arrivals, cuts = told["advice"]
    assert arrivals.startswith(f"Requests kept arriving for {told['last_request_seconds']:.1f} s: ")
    assert "a preStop sleep of 1 s would have sufficed" in arrivals
    assert cuts.startswith("1 connection was aborted after")
    message = msgspec.json.decode(path.read_bytes())
    assert message == {key: told[key] for key in told if key not in {"time", "level", "event"}}


@pytest.mark.parametrize("workers", ["1", "2"])
def test_quiet_end(start: Any, tmp_path: Path, workers: str) -> None:
    """A shutdown without requests is reported too; no message file is created."""
    path = tmp_path / "termination-log"
    service = start("--workers", workers, environ={"TERMINATION_LOG": str(path)})

    service.signal(signal.SIGTERM)
    told = last_word(service)

    assert service.wait() == 0
    assert (told["signal"], told["connections"], told["late_requests"]) == ("SIGTERM", 0, [])
    assert told["advice"][0].startswith("Nothing arrived in the 0.")
    assert not path.exists()


def test_killed_worker(start: Any) -> None:
    """A worker without a record is reported as missing."""
    service = start("--workers", "2", "--drain-seconds", "0")
    children = Path(f"/proc/{service.process.pid}/task/{service.process.pid}/children")
    # Stopped: SIGTERM does not reach it, and SIGKILL ends it.
    os.kill(int(children.read_text().split()[0]), signal.SIGSTOP)
    service.signal(signal.SIGTERM)

    told = last_word(service)

    assert (told["complete"], told["processes"], told["killed_processes"]) == (True, 2, 1)
    assert service.wait() == 0


@pytest.mark.parametrize("workers", ["1", "2"])
def test_killed_before_the_end(start: Any, tmp_path: Path, workers: str) -> None:
    """After an early SIGKILL the message has the partial record."""
    path = tmp_path / "termination-log"
    path.touch()
    service = start("--workers", workers, "--termination-log", str(path))
    with service.connect() as sock:
        sock.sendall(GET + BEGUN)
        assert sock.recv(10_000)
        service.signal(signal.SIGTERM)
        for _ in range(500):
            if b"reading_body" in path.read_bytes():
                break
            time.sleep(0.01)
        service.signal(signal.SIGKILL)
        service.wait()

        told = msgspec.json.decode(path.read_bytes())

    assert (told["complete"], told["aborted"], told["in_flight"]) == (False, 1, 1)
    assert told["advice"][0].startswith("Killed more than ")
    assert "terminationGracePeriodSeconds must be at least 10," in told["advice"][0]
