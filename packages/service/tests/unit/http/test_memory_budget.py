"""The share of connections in a container's memory, and the order of eviction."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devops_info_service.http.connection.server_state import IDLE_GRACE_SECONDS, ServerState
from devops_info_service.http.wire import memory_budget as budget
from devops_info_service.http.wire.limits import Limits
from devops_info_service.http.wire.memory_budget import MIB, Budget, automatic, share
from devops_info_service.http.wire.message import Request, Response

from .fake_socket import GET, LIMITS, POST, Peer, RecordingHooks, Rejections, pass_seconds

pytestmark = [
    pytest.mark.claim("memory of all connections"),
    pytest.mark.claim("bounded turns and memory"),
]

MOST = Limits().max_connections
HEAD = b"GET / HTTP/1.1\r\nHost: a\r\nX: %b"


@pytest.mark.parametrize(
    ("limit", "workers", "total"),
    [
        (None, 1, budget.UNLIMITED_BYTES),
        (None, 8, budget.UNLIMITED_BYTES),
        (64 * MIB, 1, 28 * MIB),
        (64 * MIB, 4, 16 * MIB),
        (64 * MIB, 8, budget.LEAST_BYTES),
        (4 * MIB, 1, budget.LEAST_BYTES),
        (0, 1, budget.LEAST_BYTES),
        (1 << 40, 1, budget.UNLIMITED_BYTES),
    ],
)
def test_automatic(limit: int | None, workers: int, total: int) -> None:
    """Half of the memory that the processes leave, within its bounds."""
    assert automatic(limit, workers) == total


def test_default_needs_no_less() -> None:
    """Without a memory limit the default number of connections holds."""
    assert share(automatic(None, 1), 1, MOST).connections == MOST


@given(
    total=st.integers(budget.LEAST_BYTES, 1 << 41),
    workers=st.integers(1, 256),
    most=st.integers(1, 1_000_000),
)
def test_shares_are_no_more_than_all(total: int, workers: int, most: int) -> None:
    """All workers with all their connections and all that is held stay within the total."""
    each = share(total, workers, most)

    assert 1 <= each.connections <= most
    connections = each.connections * budget.CONNECTION_BYTES
    # one connection is granted even without room for it
    assert workers * (connections + each.held_bytes) <= total + workers * budget.CONNECTION_BYTES


def test_idle_ones_give_way_first(server: ServerState) -> None:
    """A new connection replaces the connection idle for longest."""
    old, young = Peer(server), Peer(server)
    pass_seconds(server, 1)
    young.send(GET % 2)
    pass_seconds(server, IDLE_GRACE_SECONDS - 1)
    new = Peer(server)
    new.send(GET % 2 + GET % 3)

    assert (old.socket.events, young.socket.events) == (["close"], [])
    assert new.statuses == [200, 200]


def test_none_gives_way_within_the_grace(server: ServerState) -> None:
    """A request may be in flight after a response: 503 for the next connection."""
    peers = [Peer(server) for _ in range(LIMITS.max_connections)]
    pass_seconds(server, IDLE_GRACE_SECONDS - 1)
    new = Peer(server)
    new.send(GET % 2)

    assert new.statuses == [503]
    assert [peer.socket.events for peer in peers] == [[], []]


def test_busy_ones_do_not_give_way(server: ServerState) -> None:
    """A connection whose body arrives is busy: 503 for the next."""
    peers = [Peer(server) for _ in range(LIMITS.max_connections)]
    for peer in peers:
        peer.send(POST + b"\r\na")
    pass_seconds(server, IDLE_GRACE_SECONDS)
    new = Peer(server)
    new.send(GET % 2)

    assert new.statuses == [503]


def test_stalled_ones_give_way(server: ServerState) -> None:
    """If none is idle, connections with a late head or unread responses are closed."""
    head, unread = Peer(server), Peer(server)
    head.send(b"GET / HT")
    unread.socket.room = 3
    unread.send(GET % 2)
    pass_seconds(server, IDLE_GRACE_SECONDS + 1)
    first, second = Peer(server), Peer(server)
    first.send(GET % 2)
    second.send(GET % 2)

    assert (first.statuses, second.statuses) == ([200], [200])
    assert head.statuses == [503]
    assert head.socket.events == ["close"]
    assert unread.socket.events == ["reset", "close"]


@pytest.fixture
def tight(server: ServerState) -> ServerState:
    """A process with room for what one peer leaves unread, and for a few heads."""
    server.budget = Budget(100, budget.STALLED_BYTES + 8_000)
    return server


def test_largest_holder_gives_way(tight: ServerState, rejections: Rejections) -> None:
    """Not the last one to come, and no more than are needed."""
    small, large = Peer(tight), Peer(tight)
    small.send(HEAD % b"")
    large.send(HEAD % (b"v" * 9_000))
    tight.budget = Budget(100, 14_000)
    peers = [Peer(tight) for _ in range(3)]
    for peer in peers:
        peer.send(HEAD % b"")

    assert large.statuses == [503]
    assert [peer.statuses for peer in (small, *peers)] == [[]] * 4
    assert [status for _, status, _ in rejections] == [503]


def test_unread_responses_are_closed_without_a_response(tight: ServerState) -> None:
    """The peer would not read it; what the kernel holds for it goes as well."""
    peers = [Peer(tight) for _ in range(3)]
    for peer in peers:
        peer.socket.room = 10
        peer.send(GET % 2)

    assert [peer.socket.events for peer in peers].count(["reset", "close"]) == 2
    assert tight.held <= tight.budget.held_bytes


@given(data=st.data())
def test_account_is_right(data: st.DataObject) -> None:
    """The held bytes are the sum of each connection's, and 0 once all are closed."""
    limits = Limits(max_connections=8)
    server = ServerState(lambda request: Response(200, b"x" * 9_000), limits, RecordingHooks())
    server.budget = Budget(8, 300_000)
    peers = [Peer(server) for _ in range(4)]
    pieces = [GET % 2, GET % 2 * 50, b"GET / HT", b"X: 1\r\n", POST + b"\r\nab", b"c", b"\r\n"]
    for _ in range(data.draw(st.integers(1, 30))):
        peer = data.draw(st.sampled_from(peers))
        match data.draw(st.sampled_from(["send", "send", "read", "stop", "turn", "sweep", "gone"])):
            case "send":
                peer.send(data.draw(st.sampled_from(pieces)))
            case "read" if "close" not in peer.socket.events:
                peer.read()
            case "stop":
                peer.socket.room = 100
            case "turn" if "close" not in peer.socket.events:
                peer.turn()
            case "sweep":
                pass_seconds(server, 1)
            case "gone":
                peer.connection.abort()
            case _:
                pass
        assert server.held == sum(peer.connection.held for peer in peers)
        assert 0 <= server.held <= server.budget.held_bytes
    server.abort()
    assert server.held == 0


def test_requests_that_wait_are_bytes(server: ServerState) -> None:
    """Requests that wait for their turn stay bytes."""
    made = []

    def dispatch(request: Request) -> Response:
        made.append(request)
        return Response(200, b"x" * 20_000)

    server.handler = dispatch
    for fields in (b"", b"Cookie: \r\n"):
        peer = Peer(server)
        peer.send(b"GET / HTTP/1.1\r\nHost: a\r\n%b\r\n" % fields * 25)
        assert len(made) == 1
        for _ in range(24):
            peer.turn()
        assert len(made) == 25
        made.clear()


def test_head_without_a_body_counts_as_made(server: ServerState) -> None:
    """A turn ends by the bytes rendered, not by the bytes sent."""
    server.handler = lambda request: Response(200, b"x" * 20_000)
    peer = Peer(server)
    peer.send(b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n" * 10)

    assert len(peer.statuses) == 1
    for _ in range(9):
        peer.turn()
    assert len(peer.statuses) == 10
