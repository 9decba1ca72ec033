"""Kubernetes' probes of a real process."""

import signal

import pytest

from tests.lib.http_client import request
from tests.lib.running_service import Start

READYZ = request("/readyz")


def test_readiness_falls(start: Start) -> None:
    """From the signal on the service is alive and not ready."""
    service = start("--drain-delay-seconds", "600")
    assert service.get("/readyz").status == 200
    service.signal(signal.SIGTERM)
    service.event("draining")
    assert service.get("/readyz").status == 503
    assert service.get("/livez").status == 200


@pytest.mark.parametrize(("number", "status"), [(signal.SIGHUP, 200), (signal.SIGTERM, 503)])
def test_replaced_worker(start: Start, number: signal.Signals, status: int) -> None:
    """A worker that is being replaced reports the state of the service, not its own."""
    service = start("--workers", "2")
    with service.connect() as connection:
        # A response, then half a head: the connection is accepted and outlives the signal.
        connection.send(READYZ + READYZ[:9])
        connection.read()
        service.signal(number)
        draining = 0
        while draining < 2:
            draining += "worker" in service.event("draining")
        connection.send(READYZ[9:])
        response = connection.read()

    assert (response.status, response.closes) == (status, True)


def test_switch(start: Start) -> None:
    """The switch at one worker holds for all, new ones included."""
    service = start("--workers", "2", "--ready-switch")

    def is_ready() -> bool:
        (status,) = {service.get("/readyz").status for _ in range(20)}
        return status == 200

    assert is_ready()
    assert service.get("/readyz/disable", method="POST").json == {"status": "disabled"}
    assert not is_ready()
    service.signal(signal.SIGHUP)
    service.event("reloaded")
    assert not is_ready()
    assert service.get("/readyz/enable", method="POST").json == {"status": "ready"}
    assert is_ready()
