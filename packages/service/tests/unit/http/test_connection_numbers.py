"""How many: connections, the places kept for probes, requests of a connection; who is draining."""

import pytest

from devops_info_service.http.connection.connection import PROBE_TIMEOUT_SECONDS
from devops_info_service.http.connection.server_state import ServerState
from devops_info_service.http.shared_memory.counters import CLOSED, CONTINUED, OPENED, Counters

from .fake_socket import GET, LIMITS, POST, Peer, Rejections, pass_seconds

pytestmark = pytest.mark.claim("connections, places for probes")

PROBE = GET % 1
MOST = LIMITS.max_requests_per_connection


@pytest.fixture
def full(shared: ServerState) -> list[Peer]:
    """As many as may be."""
    return [Peer(shared) for _ in range(LIMITS.max_connections)]


def test_probe_above_the_limit(shared: ServerState, full: list[Peer]) -> None:
    """Above the limit a probe is answered, once."""
    peer = Peer(shared)
    peer.send(PROBE[:10])
    peer.send(PROBE[10:] + PROBE)
    peer.send(PROBE)

    assert peer.statuses == [200]
    assert b"Connection: close\r\n" in peer.said
    assert peer.socket.events == ["eof"]
    assert [other.socket.events for other in full] == [[], []]


@pytest.mark.usefixtures("full")
def test_no_probe_above_the_limit(shared: ServerState, rejections: Rejections) -> None:
    """All else is refused: 503, and the connection ends."""
    peer = Peer(shared)

    peer.send(GET % 2 + PROBE)

    assert peer.statuses == [503]
    assert b"Connection: close\r\n" in peer.said
    assert [(status, reason) for _, status, reason in rejections] == [
        (503, "more than 2 connections")
    ]


@pytest.mark.usefixtures("full")
def test_garbage_above_the_limit(shared: ServerState) -> None:
    """What is no request is refused for that."""
    peer = Peer(shared)

    peer.send(b"garbage\r\n\r\n")

    assert peer.statuses == [501]


@pytest.mark.usefixtures("full")
@pytest.mark.parametrize("data", [b"", PROBE[:10], POST + b"\r\na"])
def test_slow_above_the_limit(shared: ServerState, data: bytes) -> None:
    """A place for probes is not kept for who does not ask at once."""
    peer = Peer(shared)
    if data:
        peer.send(data)

    pass_seconds(shared, PROBE_TIMEOUT_SECONDS)
    assert peer.statuses == []
    pass_seconds(shared, 1)
    assert peer.statuses == [503]


@pytest.mark.usefixtures("full")
@pytest.mark.parametrize("data", [GET % 2, PROBE, b"garbage\r\n\r\n", b"", None])
def test_place_is_free_again(shared: ServerState, data: bytes | None) -> None:
    """Whoever was answered, refused or is gone has no place, though it may linger."""
    for _ in range(3):
        peer = Peer(shared)
        assert len(shared.reserved) == 1
        if data is None:
            peer.connection.abort()
        else:
            peer.send(data)
        assert not shared.reserved

    probe = Peer(shared)
    probe.send(PROBE)
    assert probe.statuses == [200]


def test_no_place_at_all(shared: ServerState, full: list[Peer]) -> None:
    """When the places for probes are taken as well, the newcomer gets the oldest one's."""
    refused, reserved = Peer(shared), Peer(shared)
    assert (refused.statuses, reserved.statuses) == ([503], [])

    for peer in (*full, reserved):
        peer.connection.abort()
    again = Peer(shared)
    again.send(GET % 2 + GET % 3)
    assert again.statuses == [200, 200]


@pytest.mark.claim("requests of a connection")
@pytest.mark.parametrize("batch", [1, 7, 30, 40])
def test_last_request_of_a_connection(shared: ServerState, batch: int) -> None:
    """A connection has so many requests; the last answer says so, and no more are answered."""
    peer = Peer(shared)
    for _ in range(60 // batch):
        peer.send(GET % 2 * batch)

    assert peer.statuses == [200] * MOST
    assert peer.said.count(b"Connection: close\r\n") == 1
    assert b"Connection: close\r\n" in peer.said.rpartition(b"HTTP/1.1 ")[2]
    assert peer.socket.events == ["eof"]


@pytest.mark.claim("shutdown, step by step")
def test_draining_can_be_read(shared: ServerState) -> None:
    """Who tells others whether we are ready reads it from the state."""
    state = shared.state
    before = state.draining
    shared.drain()

    assert (before, state.draining) == (False, True)


def test_replaced_worker_is_ready(shared: ServerState) -> None:
    """A worker that another one replaces ends its connections, and the service stays ready."""
    shared.drain(is_last=False)

    assert (shared.draining, shared.state.draining) == (True, False)


def test_counts(shared: ServerState) -> None:
    """Connections, refusals by status and 100s are counted."""
    counters = Counters.alone()
    shared.counts = counters.worker(0)
    one, two = Peer(shared), Peer(shared)
    one.send(GET % 1 * 3 + POST + b"Expect: 100-continue\r\n\r\n")
    two.send(b"garbage\r\n\r\n")
    two.connection.abort()

    refused = counters.totals().refused
    assert {status: count for status, count in refused.items() if count} == {501: 1}
    assert [shared.counts[word] for word in (CONTINUED, OPENED, CLOSED)] == [1, 2, 1]
