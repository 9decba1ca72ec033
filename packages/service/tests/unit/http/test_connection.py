"""One connection with a socket in memory: order, one write, limits, timeouts, drain."""

from typing import Any

import pytest

from devops_info_service.http.connection.connection import LINGER_SECONDS
from devops_info_service.http.connection.server_state import ServerState
from devops_info_service.http.lifecycle import Lifecycle
from devops_info_service.http.wire.message import Request, Response
from devops_info_service.http.wire.writer import CONTINUE

from .fake_socket import GET, LIMITS, POST, Peer, RecordingHooks, Rejections, pass_seconds


def test_pipelined_in_order_with_one_write(server: ServerState) -> None:
    """Requests of one read get their responses in order, by one write."""
    peer = Peer(server)

    peer.send(b"".join(GET % n for n in range(20)))

    (written,) = peer.socket.writes
    bodies = [part.split(b"\r\n\r\n")[1] for part in written.split(b"HTTP/1.1 ")[1:]]
    assert [b"/%d 192.0.2.7" % n for n in range(20)] == bodies


def test_cut_request(server: ServerState) -> None:
    """A request in two reads gets one response, after the second."""
    peer = Peer(server)
    data = GET % 1

    peer.send(data[:10])
    assert peer.statuses == []
    peer.send(data[10:])
    assert peer.statuses == [200]


@pytest.mark.claim("HEAD; 204 and 304 without length")
def test_head_has_no_body(server: ServerState) -> None:
    """HEAD gets the length of the body, without the body."""
    peer = Peer(server)

    peer.send(b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n")

    assert b"Content-Length: 11\r\n" in peer.said
    assert peer.said.endswith(b"\r\n\r\n")


def test_last_request(server: ServerState) -> None:
    """Requests behind ``Connection: close`` get no response, and the connection ends."""
    peer = Peer(server)

    peer.send((GET % 1)[:-2] + b"Connection: close\r\n\r\n" + GET % 2)
    peer.send(GET % 3)

    assert peer.statuses == [200]
    assert b"Connection: close\r\n" in peer.said
    assert peer.socket.events == ["close"]


@pytest.mark.claim("HTTP/0.9, 1.0, the preface of 2.0")
def test_http_1_0(server: ServerState) -> None:
    """HTTP/1.0 with keep-alive gets ``Connection: keep-alive``."""
    peer = Peer(server)

    peer.send(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")

    assert b"Connection: keep-alive\r\n" in peer.said
    assert peer.socket.events == []


@pytest.mark.claim("upgrade requests to nothing")
def test_upgrade_with_a_body_lingers(server: ServerState) -> None:
    """The response survives the end of a connection whose peer is still sending."""
    peer = Peer(server)

    peer.send(POST + b"Connection: upgrade\r\nUpgrade: h2c\r\n\r\nab")

    assert b"Connection: close\r\n" in peer.said
    assert peer.socket.events == ["eof"]


def test_rejection_after_responses(server: ServerState, rejections: Rejections) -> None:
    """Requests before the garbage are served; the garbage is rejected once, with a linger."""
    peer = Peer(server)

    peer.send(GET % 1 + b"garbage\r\n\r\n")
    peer.send(GET % 2)

    assert peer.statuses == [200, 501]
    assert b"Connection: close\r\n" in peer.socket.writes[-1]
    assert peer.socket.events == ["eof"]
    ((client, status, _),) = rejections
    assert (client.address, status) == ("192.0.2.7", 501)


def test_linger_ends(server: ServerState) -> None:
    """A refused peer that goes on sending is cut off."""
    peer = Peer(server)
    peer.send(b"garbage\r\n\r\n")

    pass_seconds(server, LINGER_SECONDS)
    assert peer.socket.events == ["eof"]
    peer.send(b"more")
    pass_seconds(server, 1)
    assert peer.socket.events == ["eof", "close"]


def test_linger_waits_for_a_slow_reader(server: ServerState) -> None:
    """A refusal that is not sent yet gets the time of a slow reader."""
    peer = Peer(server)
    peer.socket.room = 100
    peer.send(b"garbage\r\n\r\n")

    pass_seconds(server, LIMITS.write_timeout_seconds)
    assert peer.socket.events == []
    pass_seconds(server, 1)
    assert peer.socket.events == ["reset", "close"]


def test_linger_begins_when_all_is_sent(server: ServerState) -> None:
    """The end of file follows the last byte, and the time to linger begins with it."""
    peer = Peer(server)
    peer.socket.room = 100
    peer.send(b"garbage\r\n\r\n")
    pass_seconds(server, LIMITS.write_timeout_seconds)

    peer.read()
    assert peer.said.endswith(b"}")
    assert peer.socket.events == ["eof"]
    pass_seconds(server, LINGER_SECONDS)
    assert peer.socket.events == ["eof"]
    pass_seconds(server, 1)
    assert peer.socket.events == ["eof", "close"]


def test_continue(server: ServerState) -> None:
    """A client that waits for 100 gets it once, behind the responses before it."""
    peer = Peer(server)

    peer.send(GET % 1 + POST + b"Expect: 100-continue\r\n")
    peer.send(b"\r\n")
    assert peer.socket.writes[1:] == [CONTINUE]
    peer.send(b"a")
    peer.send(b"bc")

    assert peer.statuses == [200, 100, 200]


@pytest.mark.claim("head, body, idle, write times")
def test_idle(server: ServerState) -> None:
    """A connection without a request is closed without a response."""
    peer = Peer(server)
    pass_seconds(server, 5)
    peer.send(GET % 1)
    said = peer.said

    pass_seconds(server, LIMITS.keepalive_timeout_seconds)
    assert peer.socket.events == []
    pass_seconds(server, 1)
    assert peer.socket.events == ["close"]
    assert peer.said == said


@pytest.mark.claim("head, body, idle, write times")
def test_slow_head(server: ServerState) -> None:
    """Dripping bytes does not stretch the time of a head: 408."""
    peer = Peer(server)
    for byte in b"GET ":
        peer.send(bytes([byte]))
        assert peer.statuses == []
        pass_seconds(server, 1)

    assert peer.statuses == [408]


@pytest.mark.claim("head, body, idle, write times")
def test_slow_body(server: ServerState) -> None:
    """A body may be slow for a while, and after that it must keep a rate."""
    slow, quick = Peer(server), Peer(server)
    head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n"
    slow.send(head + b"a")
    quick.send(head + b"a" * (LIMITS.body_grace_seconds + 1) * LIMITS.min_body_bytes_per_second)

    pass_seconds(server, LIMITS.body_grace_seconds)
    assert slow.statuses == []
    pass_seconds(server, 1)
    assert slow.statuses == [408]
    assert quick.statuses == []


def test_responses_behind_unsent_ones(server: ServerState) -> None:
    """A write while something is unsent comes behind it."""
    peer = Peer(server)
    peer.socket.room = 10
    peer.send(GET % 1 + POST + b"Expect: 100-continue\r\n\r\n")
    peer.read()

    assert peer.statuses == [200, 100]


def test_last_response_unsent(server: ServerState) -> None:
    """A connection ends only when its last response is sent."""
    peer = Peer(server)
    peer.socket.room = 10
    peer.send(GET[:-2] % 1 + b"Connection: close\r\n\r\n")
    assert peer.socket.events == []
    peer.read()

    assert peer.statuses == [200]
    assert peer.said.endswith(b"192.0.2.7")
    assert peer.socket.events == ["close"]


def test_bug_in_the_server(server: ServerState, hooks: RecordingHooks) -> None:
    """An exception that escapes a connection ends it alone, and is reported."""
    fault = RuntimeError("a fault")

    def dispatch(_: Request) -> Response:
        raise fault

    server.handler = dispatch
    peer, other = Peer(server), Peer(server)
    peer.send(GET % 1)

    assert hooks.failures == [fault]
    assert (peer.socket.events, other.socket.events) == (["close"], [])


@pytest.mark.claim("half-closed peers")
def test_half_closed(server: ServerState) -> None:
    """A peer that has sent its end of file gets the responses, then the connection closes."""
    peer = Peer(server)
    peer.send(GET % 1)

    peer.send(b"")

    assert peer.statuses == [200]
    assert peer.socket.events == ["close"]


@pytest.mark.claim("shutdown, step by step")
def test_drain(server: ServerState) -> None:
    """Draining closes idle connections; a begun request is finished with ``Connection: close``."""
    cold, begun = Peer(server), Peer(server)
    pass_seconds(server, 2)
    data = GET % 1
    begun.send(data[:5])

    server.drain(Lifecycle.STOPPING)
    begun.send(data[5:])

    assert cold.socket.events == ["close"]
    assert begun.statuses == [200]
    assert b"Connection: close\r\n" in begun.said
    assert begun.socket.events == ["eof"]


@pytest.mark.claim("shutdown, step by step")
def test_drain_waits_for_a_request_on_its_way(server: ServerState) -> None:
    """A connection that was just used gets a moment: its next request may be in flight."""
    peers = [Peer(server), Peer(server)]
    pass_seconds(server, 5)
    for peer in peers:
        peer.send(GET % 1)

    server.drain(Lifecycle.STOPPING)
    peers[0].send(GET % 2)
    pass_seconds(server, 2)

    assert [peer.statuses for peer in peers] == [[200, 200], [200]]
    assert [peer.socket.events for peer in peers] == [["eof"], ["close"]]


def test_abort(server: ServerState) -> None:
    """Connections that are left at the end are aborted and counted."""
    peers = [Peer(server), Peer(server)]

    assert server.abort() == 2
    assert [peer.socket.events for peer in peers] == [["close"]] * 2


def test_opened_and_closed(server: ServerState, hooks: RecordingHooks) -> None:
    """Each connection is reported as it comes and goes, with the number that are open."""
    peers = [Peer(server), Peer(server)]
    for peer in peers:
        peer.connection.abort()

    assert hooks.counts == [1, 2, 1, 0]


@pytest.mark.parametrize(
    ("peer", "address"),
    [
        (("192.0.2.7", 1), "192.0.2.7"),
        (("2001:db8::1", 1, 0, 0), "2001:db8::1"),
        (("::ffff:192.0.2.7", 1, 0, 0), "192.0.2.7"),
        (("::ffff:c000:207", 1, 0, 0), "192.0.2.7"),
        (("0:0:0:0:0:FFFF:192.0.2.7", 1, 0, 0), "192.0.2.7"),
        (("::192.0.2.7", 1, 0, 0), "::192.0.2.7"),
        (("fe80::1%eth0", 1, 0, 2), "fe80::1%eth0"),
    ],
)
def test_client_address(server: ServerState, peer: tuple[Any, ...], address: str) -> None:
    """The client is named by its address alone, an IPv4 one as IPv4."""
    it = Peer(server, peer)

    it.send(GET % 1)

    assert it.said.endswith(f"/1 {address}".encode())
