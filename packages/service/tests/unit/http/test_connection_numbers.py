"""Numbers: connections, the places kept for probes, requests of a connection; draining."""

import pytest

from devops_info_service.http.connection.connection import PROBE_TIMEOUT_SECONDS
from devops_info_service.http.connection.server_state import ServerState
from devops_info_service.http.lifecycle import Lifecycle
from devops_info_service.http.shared_memory.counters import CLOSED, CONTINUED, OPENED, Counters

from .fake_socket import GET, LIMITS, POST, Peer, Rejections, pass_seconds

pytestmark = pytest.mark.claim("connections, places for probes")

PROBE = GET % 1
MOST = LIMITS.max_requests_per_connection


@pytest.fixture
def full(server: ServerState) -> list[Peer]:
    """As many as may be."""
    return [Peer(server) for _ in range(LIMITS.max_connections)]


def test_probe_above_the_limit(server: ServerState, full: list[Peer]) -> None:
    """Above the limit a probe is served, once."""
    peer = Peer(server)
    peer.send(PROBE[:10])
    peer.send(PROBE[10:] + PROBE)
    peer.send(PROBE)

    assert peer.statuses == [200]
    assert b"Connection: close\r\n" in peer.said
    assert peer.socket.events == ["eof"]
    assert [other.socket.events for other in full] == [[], []]


@pytest.mark.usefixtures("full")
def test_no_probe_above_the_limit(server: ServerState, rejections: Rejections) -> None:
    """Other requests are rejected: 503, and the connection ends."""
    peer = Peer(server)

    peer.send(GET % 2 + PROBE)

    assert peer.statuses == [503]
    assert b"Connection: close\r\n" in peer.said
    assert [(status, reason) for _, status, reason in rejections] == [
        (503, "more than 2 connections")
    ]


@pytest.mark.usefixtures("full")
def test_garbage_above_the_limit(server: ServerState) -> None:
    """Bytes that are not a request are rejected for that."""
    peer = Peer(server)

    peer.send(b"garbage\r\n\r\n")

    assert peer.statuses == [501]


@pytest.mark.usefixtures("full")
@pytest.mark.parametrize("data", [b"", PROBE[:10], POST + b"\r\na"])
def test_slow_above_the_limit(server: ServerState, data: bytes) -> None:
    """A place for probes is not kept for a connection without a request."""
    peer = Peer(server)
    if data:
        peer.send(data)

    pass_seconds(server, PROBE_TIMEOUT_SECONDS)
    assert peer.statuses == []
    pass_seconds(server, 1)
    assert peer.statuses == [503]


@pytest.mark.usefixtures("full")
@pytest.mark.parametrize("data", [GET % 2, PROBE, b"garbage\r\n\r\n", b"", None])
def test_place_is_free_again(server: ServerState, data: bytes | None) -> None:
    """A connection that was served, rejected or closed has no place, though it may linger."""
    for _ in range(3):
        peer = Peer(server)
        assert len(server.reserved) == 1
        if data is None:
            peer.connection.abort()
        else:
            peer.send(data)
        assert not server.reserved

    probe = Peer(server)
    probe.send(PROBE)
    assert probe.statuses == [200]


def test_no_place_at_all(server: ServerState, full: list[Peer]) -> None:
    """When the places for probes are taken as well, the newcomer gets the oldest one's."""
    refused, reserved = Peer(server), Peer(server)
    assert (refused.statuses, reserved.statuses) == ([503], [])

    for peer in (*full, reserved):
        peer.connection.abort()
    again = Peer(server)
    again.send(GET % 2 + GET % 3)
    assert again.statuses == [200, 200]


@pytest.mark.claim("requests of a connection")
@pytest.mark.parametrize("batch", [1, 7, 30, 40])
def test_last_request_of_a_connection(server: ServerState, batch: int) -> None:
    """A connection has so many requests; the last response ends it."""
    peer = Peer(server)
    for _ in range(60 // batch):
        peer.send(GET % 2 * batch)

    assert peer.statuses == [200] * MOST
    assert peer.said.count(b"Connection: close\r\n") == 1
    assert b"Connection: close\r\n" in peer.said.rpartition(b"HTTP/1.1 ")[2]
    assert peer.socket.events == ["eof"]


@pytest.mark.claim("shutdown, step by step")
@pytest.mark.parametrize(
    ("lifecycle", "is_stopping"), [(Lifecycle.STOPPING, True), (Lifecycle.RETIRING, False)]
)
def test_drain_is_in_the_lifecycle(
    server: ServerState, lifecycle: Lifecycle, *, is_stopping: bool
) -> None:
    """A worker that another one replaces ends its connections, and the service stays ready."""
    before = server.lifecycle.is_stopping
    server.drain(lifecycle)
    peer = Peer(server)
    peer.send(GET % 1)

    assert (before, server.lifecycle.is_stopping) == (False, is_stopping)
    assert b"Connection: close\r\n" in peer.said


@pytest.mark.usefixtures("full")
def test_management_above_the_limit(server: ServerState) -> None:
    """In a flood of the public port any request to the management port is served."""
    peer = Peer(server, is_management=True)
    peer.send(GET % 2)

    assert peer.statuses == [200]


def test_counts(server: ServerState) -> None:
    """Connections, refusals by status and 100s are counted."""
    counters = Counters()
    server.counts = counters.worker(0)
    one, two = Peer(server), Peer(server)
    one.send(GET % 1 * 3 + POST + b"Expect: 100-continue\r\n\r\n")
    two.send(b"garbage\r\n\r\n")
    two.connection.abort()

    refused = counters.totals().rejected
    assert {status: count for status, count in refused.items() if count} == {501: 1}
    assert [server.counts[word] for word in (CONTINUED, OPENED, CLOSED)] == [1, 2, 1]
