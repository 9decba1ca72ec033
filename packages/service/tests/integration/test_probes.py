"""Kubernetes' probes of a real process."""

import signal
import time
from typing import Any

import pytest

from .raw_requests import GET


def test_readiness_falls(start: Any) -> None:
    """From the signal on the service is alive and not ready."""
    service = start("--drain-delay-seconds", "1")
    with service.connect() as sock:
        sock.sendall(GET.replace(b"health", b"readyz"))
        assert sock.recv(1000).startswith(b"HTTP/1.1 200 OK\r\n")
    service.signal(signal.SIGTERM)
    service.event()
    for path, status in ((b"readyz", b"503 Service Unavailable"), (b"livez", b"200 OK")):
        with service.connect() as sock:
            sock.sendall(GET.replace(b"health", path))
            assert sock.recv(1000).startswith(b"HTTP/1.1 %b\r\n" % status)
    assert service.wait() == 0


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGHUP, b"200 OK"), (signal.SIGTERM, b"503 Service Unavailable")]
)
def test_replaced_worker(start: Any, number: signal.Signals, status: bytes) -> None:
    """A worker that is being replaced reports the state of the service, not its own."""
    service = start("--workers", "2")
    request = GET.replace(b"health", b"readyz")
    with service.connect() as sock:
        # Half a head: the connection outlives the signal.
        sock.sendall(request[:9])
        time.sleep(0.2)
        service.signal(number)
        told = 0
        while told < 2:
            event = service.event()
            told += event["event"] == "draining" and "worker" in event
        sock.sendall(request[9:])
        answer = sock.recv(1000)

    assert answer.startswith(b"HTTP/1.1 %b\r\n" % status)
    assert b"\r\nConnection: close\r\n" in answer


def test_switch(start: Any) -> None:
    """The switch at one worker holds for all, fresh ones included."""
    service = start("--workers", "2", "--ready-switch")

    def ask(request: bytes) -> bytes:
        with service.connect() as sock:
            sock.sendall(request)
            answer: bytes = sock.recv(1000)
            return answer

    def off() -> bool:
        answers = [ask(GET.replace(b"health", b"readyz")) for _ in range(20)]
        statuses = {answer[:12] for answer in answers}
        assert len(statuses) == 1
        return statuses == {b"HTTP/1.1 503"}

    disable = GET.replace(b"GET /health", b"POST /readyz/disable")
    assert not off()
    assert ask(disable).endswith(b'{"status":"disabled"}')
    assert off()
    service.signal(signal.SIGHUP)
    while service.event()["event"] != "reloaded":
        pass
    assert off()
    assert ask(disable.replace(b"disable", b"enable")).endswith(b'{"status":"ready"}')
    assert not off()
