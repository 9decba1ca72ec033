"""Requests for more than one turn of responses: served in order, with bounded memory."""

import pytest

from devops_info_service.http.connection.connection import RESPONSE_BATCH_BYTES
from devops_info_service.http.connection.server_state import ServerState
from devops_info_service.http.lifecycle import Lifecycle
from devops_info_service.http.wire.message import Request, Response
from devops_info_service.http.wire.writer import CONTINUE

from .fake_socket import GET, LIMITS, POST, Peer, RecordingHooks, Rejections, pass_seconds

pytestmark = [
    pytest.mark.claim("many requests at once for long responses"),
    pytest.mark.claim("bounded turns and memory"),
]

BODY_BYTES = 10_000
A_TURN = RESPONSE_BATCH_BYTES // BODY_BYTES + 1
"""Responses, heads included."""


@pytest.fixture
def much(server: ServerState) -> ServerState:
    """A process with long responses; one to ``/fault`` raises."""

    def dispatch(request: Request) -> Response:
        if request.path == "/fault":
            raise ValueError
        return Response(200, request.path.encode().ljust(BODY_BYTES, b"."))

    server.handler = dispatch
    return server


def many(count: int) -> bytes:
    return b"".join(GET % number for number in range(count))


def test_so_many_at_a_time(much: ServerState) -> None:
    """The rest is served in later turns, in order, and nothing is read before."""
    peer = Peer(much)
    peer.send(many(2 * A_TURN + 1))
    assert len(peer.statuses) == A_TURN
    peer.socket.reads.append(GET % 99)
    peer.turn()
    assert len(peer.statuses) == 2 * A_TURN
    assert peer.socket.reads
    peer.turn()

    bodies = [part.split(b"\r\n\r\n")[1] for part in peer.said.split(b"HTTP/1.1 ")[1:]]
    assert [*range(2 * A_TURN + 1), 99] == [int(body[1:].rstrip(b".")) for body in bodies]
    assert not peer.loop.due


def test_little_is_held_for_a_peer_that_does_not_read(much: ServerState) -> None:
    """No response is made before the unsent ones are sent."""
    peer = Peer(much)
    peer.socket.room = 0
    peer.send(many(25))
    for _ in range(10):
        peer.turn()
    assert 0 < peer.connection.unsent < RESPONSE_BATCH_BYTES + BODY_BYTES + 1000
    peer.read()
    assert len(peer.statuses) == 2 * A_TURN
    for _ in range(25 // A_TURN):
        peer.turn()
    assert peer.statuses == [200] * 25


@pytest.mark.parametrize(
    ("behind", "said"),
    [
        (b"GET / HTTP/2.0\r\n\r\n", b"HTTP/1.1 505 "),
        (POST + b"Expect: 100-continue\r\n\r\n", CONTINUE),
    ],
)
def test_rejection_follows_earlier_responses(
    much: ServerState, rejections: Rejections, behind: bytes, said: bytes
) -> None:
    """A rejection, or 100 (Continue), waits for the responses before it."""
    peer = Peer(much)
    peer.send(many(A_TURN + 1) + behind)
    assert said not in peer.said
    assert rejections == []
    peer.turn()
    *answers, last = peer.said.split(b"HTTP/1.1 ")[1:]
    assert len(answers) == A_TURN + 1
    assert (b"HTTP/1.1 " + last).startswith(said)


def test_last_request_in_a_later_turn(much: ServerState) -> None:
    """Requests behind ``Connection: close``, or above the limit of requests, get no response."""
    peer = Peer(much)
    peer.send(many(LIMITS.max_requests_per_connection + 1))
    for _ in range(LIMITS.max_requests_per_connection):
        peer.turn()

    assert len(peer.statuses) == LIMITS.max_requests_per_connection
    assert peer.said.count(b"Connection: close\r\n") == 1
    assert peer.socket.events == ["eof"]


def test_end_of_file_waits_for_the_responses(much: ServerState) -> None:
    """A peer that has shut its half gets all responses."""
    peer = Peer(much)
    peer.send(many(A_TURN + 1))
    peer.send(b"")
    peer.turn()
    assert len(peer.statuses) == A_TURN + 1
    assert peer.socket.events == ["close"]


def test_drain_between_turns(much: ServerState) -> None:
    """The next response has ``Connection: close``; no timeout ends the connection before it."""
    peer = Peer(much)
    peer.send(many(2 * A_TURN))
    much.drain(Lifecycle.STOPPING)
    pass_seconds(much, 2)
    assert peer.socket.events == []
    peer.turn()
    assert len(peer.statuses) == A_TURN + 1
    assert peer.said.count(b"Connection: close\r\n") == 1


def test_fault_in_a_later_turn(much: ServerState, hooks: RecordingHooks) -> None:
    """It ends this connection alone, and is reported."""
    peer = Peer(much)
    peer.send(many(A_TURN) + b"GET /fault HTTP/1.1\r\nHost: a\r\n\r\n")
    peer.turn()
    assert [type(fault) for fault in hooks.failures] == [ValueError]
    assert peer.socket.events == ["close"]
    assert not much.connections


def test_peer_closed_between_turns(much: ServerState) -> None:
    """Nothing is made for a closed connection."""
    peer = Peer(much)
    peer.send(many(2 * A_TURN))
    peer.connection.abort()
    peer.turn()
    assert len(peer.statuses) == A_TURN
