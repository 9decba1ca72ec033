"""Peers that leave responses unread, or read a few bytes a second."""

from select import EPOLLOUT

import msgspec
import pytest

from devops_info_service.http.connection.server_state import ServerState
from devops_info_service.http.wire.message import Request, Response

from .fake_socket import GET, LIMITS, Peer, pass_seconds

PATIENCE = LIMITS.write_timeout_seconds
LEAST = LIMITS.min_response_bytes_per_second
CUT = ["reset", "close"]
"""Events of a socket whose unsent bytes the kernel drops."""

BODY_BYTES = 60_000


@pytest.fixture
def much(server: ServerState) -> ServerState:
    """A process with long responses, except those to ``/short``."""

    def dispatch(request: Request) -> Response:
        return Response(200, b"." * (10 if request.path == "/short" else BODY_BYTES))

    server.handler = dispatch
    return server


def take(peer: Peer, size: int) -> None:
    """Make room for *size* bytes in the kernel, and signal it."""
    peer.socket.room = size
    peer.connection.ready(EPOLLOUT)
    peer.loop.run_callbacks()


@pytest.mark.claim("head, body, idle, write times")
@pytest.mark.claim("slow readers stop the reading")
def test_peer_that_does_not_read(server: ServerState) -> None:
    """The server stops reading from a peer that does not read, and resets it after a stall."""
    peer = Peer(server)
    peer.socket.room = 10
    peer.send(GET % 1)
    peer.send(GET % 2)
    assert peer.socket.reads == [GET % 2]

    pass_seconds(server, PATIENCE)
    assert peer.socket.events == []
    pass_seconds(server, 1)
    assert peer.socket.events == CUT
    assert not server.connections


@pytest.mark.claim("slow readers stop the reading")
def test_peer_that_reads_again(server: ServerState) -> None:
    """Once it has read, it is read from again, and its timeouts start again."""
    peer = Peer(server)
    peer.socket.room = 10
    peer.send(GET % 1 + b"GET ")
    peer.send(b"/2 HTTP/1.1\r\nHost: a\r\n\r\n")
    pass_seconds(server, LIMITS.header_timeout_seconds)
    assert peer.socket.reads
    peer.read()

    assert peer.statuses == [200, 200]
    pass_seconds(server, LIMITS.header_timeout_seconds)
    assert peer.socket.events == []


@pytest.mark.claim("a least rate of reading")
@pytest.mark.parametrize("speaks", [True, False], ids=["kernel speaks", "kernel is silent"])
@pytest.mark.parametrize(
    ("rate", "seconds"),
    [
        (0, PATIENCE + 1),
        (1, PATIENCE + 1),
        (LEAST // 10, PATIENCE + 1),
        (LEAST // 2, 2 * PATIENCE + 1),
        (LEAST * 3 // 4, 4 * PATIENCE + 1),
        (LEAST, None),
        (LEAST + 1, None),
        (10 * LEAST, None),
    ],
)
def test_rate(much: ServerState, rate: int, seconds: int | None, *, speaks: bool) -> None:
    """Each second costs one of the stall budget; taken bytes refund it at the least rate."""
    peer = Peer(much)
    peer.socket.room = 0
    peer.send(GET % 1)
    passed = 0
    while peer.connection.unsent and "close" not in peer.socket.events:
        if speaks:
            take(peer, rate)
        else:
            # room that no event announced
            peer.socket.room = (peer.socket.room or 0) + rate
        pass_seconds(much, 1)
        passed += 1

    assert passed == (seconds or passed)
    assert peer.socket.events == ([] if seconds is None else CUT)


def test_fast_reading_earns_no_credit(much: ServerState) -> None:
    """A peer that has read much and then stops gets no more time than others."""
    peer = Peer(much)
    peer.socket.room = 0
    peer.send(GET % 1)
    take(peer, BODY_BYTES - 100)

    pass_seconds(much, 1 + PATIENCE)  # the first is the one it took them in
    assert peer.socket.events == []
    pass_seconds(much, 1)
    assert peer.socket.events == CUT


def test_a_stop_is_forgotten(much: ServerState) -> None:
    """A peer that stops again and again, and reads enough between, is served."""
    peer = Peer(much)
    peer.socket.room = 0
    peer.send(GET % 1)
    while peer.connection.unsent:
        take(peer, PATIENCE * LEAST)
        pass_seconds(much, PATIENCE)

    assert peer.socket.events == []


def test_stall_budget_outlives_the_response(much: ServerState) -> None:
    """A peer that reads the last bytes late, requests a little, and so on, spends its budget."""
    peer = Peer(much)
    size = 0
    for _ in range(PATIENCE):
        peer.socket.room = size
        peer.send(b"GET /short HTTP/1.1\r\nHost: a\r\n\r\n")
        size = peer.connection.unsent - 1
        pass_seconds(much, 2)
        peer.read()

    assert peer.socket.events == CUT
    assert len(peer.statuses) < PATIENCE


def test_new_responses_are_not_drained_bytes(much: ServerState) -> None:
    """Responses written meanwhile neither count as read nor against the peer."""
    peer = Peer(much)
    peer.socket.room = 0
    peer.send(b"".join(GET % n for n in range(5)))
    pass_seconds(much, PATIENCE - 1)
    take(peer, peer.connection.unsent)
    peer.loop.run_callbacks()
    assert 0 < peer.connection.unsent

    pass_seconds(much, PATIENCE)
    assert peer.socket.events == []
    pass_seconds(much, 1)
    assert peer.socket.events == CUT


def test_turn_that_does_not_come(much: ServerState) -> None:
    """Responses that the kernel has accepted and the peer leaves unread get the same time."""
    peer = Peer(much)
    peer.send(b"".join(GET % n for n in range(5)))
    assert peer.connection.unsent == 0
    peer.socket.room = 0

    pass_seconds(much, PATIENCE)
    assert peer.socket.events == []
    pass_seconds(much, 1)
    assert peer.socket.events == CUT


def test_slow_turns(much: ServerState) -> None:
    """What the kernel takes at once counts, too, where more is to come."""
    peer = Peer(much)
    peer.send(b"".join(GET % n for n in range(24)))
    while peer.loop.due:
        pass_seconds(much, 2)
        peer.turn()

    assert peer.statuses == [200] * 24
    assert peer.socket.events == []


@pytest.mark.parametrize("room", [10, BODY_BYTES])
def test_kernel_that_does_not_speak(much: ServerState, room: int) -> None:
    """A peer is served where the kernel has room but does not report it; even for a short rest."""
    peer = Peer(much)
    peer.socket.room = room
    peer.send(GET % 1)
    assert peer.connection.unsent
    peer.socket.room = None
    pass_seconds(much, 2 * PATIENCE)
    peer.send(GET % 2)

    assert peer.statuses == [200] * 2
    assert peer.socket.events == []


@pytest.mark.parametrize(("taken", "end"), [(0, CUT), (1, [])])
def test_no_least_rate(much: ServerState, taken: int, end: list[str]) -> None:
    """A least rate of 0 cuts off only peers that read nothing: any byte earns all the time back."""
    much.limits = msgspec.structs.replace(LIMITS, min_response_bytes_per_second=0)
    peer = Peer(much)
    peer.socket.room = 0
    peer.send(GET % 1)
    for _ in range(5):
        pass_seconds(much, PATIENCE)
        if taken:
            take(peer, taken)

    assert peer.socket.events == end
