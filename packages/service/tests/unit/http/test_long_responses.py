"""Responses that are due later or come in pieces: their framing, their order, their end."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from devops_info_service.http import Lifecycle, LongResponse, Request, RequestWithBody, Response
from devops_info_service.http.connection.response_stream import MAX_LONG_RESPONSES
from devops_info_service.http.connection.server_state import ServerState
from devops_info_service.http.wire.writer import CONTINUE

from .fake_socket import LIMITS, Peer, RecordingHooks, TakenBody, pass_seconds

pytestmark = [
    pytest.mark.claim("bounded turns and memory"),
    pytest.mark.claim("one reading of the same bytes"),
]

GET: Final = b"GET /long HTTP/1.1\r\nHost: a\r\n\r\n"
NEXT: Final = b"GET /next HTTP/1.1\r\nHost: a\r\n\r\n"


@dataclass
class Body:
    """A body in pieces, which counts how often it is closed."""

    pieces: list[bytes | float]
    closed: int = 0
    taken: int = 0

    def __iter__(self) -> Iterator[bytes | float]:
        return self

    def __next__(self) -> bytes | float:
        if self.taken == len(self.pieces):
            raise StopIteration
        self.taken += 1
        return self.pieces[self.taken - 1]

    def close(self) -> None:
        self.closed += 1


@dataclass
class Long:
    """A process whose responses to ``/long`` are given, and the requests it handled."""

    response: Response
    hooks: RecordingHooks = field(default_factory=RecordingHooks)
    handled: list[Request] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.server = ServerState(
            self._handle, LIMITS, self.hooks, receiver_of=lambda _: TakenBody()
        )

    def _handle(self, request: Request) -> Response:
        self.handled.append(request)
        return self.response if request.path == "/long" else Response(200, b"whole")

    def peer(self, *data: bytes) -> Peer:
        """Connect, and send *data* in as many reads."""
        peer = Peer(self.server)
        for each in data:
            peer.send(each)
        return peer


def pieces_of(*pieces: bytes | float, length: int | None = None) -> tuple[Body, Long]:
    body = Body(list(pieces))
    return body, Long(LongResponse(200, b"", pieces=body, length=length))


KINDS = st.sampled_from(["whole", "late", "chunked", "length", "empty"])
REQUESTS = st.lists(
    st.tuples(
        KINDS,
        st.sampled_from(["GET", "HEAD", "POST"]),
        st.lists(st.binary(max_size=40) | st.sampled_from([0.0, 0.5, b"y" * 9000]), max_size=4),
    ),
    min_size=1,
    max_size=6,
)


@given(
    requests=REQUESTS,
    rooms=st.lists(st.integers(0, 5000), max_size=6),
    cut=st.integers(1, 200),
    ends=st.sampled_from(["", "close", "1.0"]),
)
def test_any_responses_in_order(  # noqa: C901  requests, their responses, and another reader
    requests: list[tuple[str, str, list[bytes | float]]], rooms: list[int], cut: int, ends: str
) -> None:
    """Another parser reads them all, in order, however the kernel takes them."""

    def respond(request: Request) -> Response:
        kind, _, pieces = requests[int(request.path[1:])]
        whole = b"".join(piece for piece in pieces if isinstance(piece, bytes))
        if kind == "whole":
            return Response(200, whole)
        if kind == "late":
            return LongResponse(200, whole, delay_seconds=1.5)
        if kind == "empty":
            return LongResponse(204, b"", delay_seconds=0.5)
        length = len(whole) if kind == "length" else None
        return LongResponse(200, b"", pieces=iter(pieces), length=length)

    hooks = RecordingHooks()
    server = ServerState(respond, LIMITS, hooks, receiver_of=lambda _: TakenBody())
    peer, data = Peer(server), b""
    for number, (_, method, _) in enumerate(requests):
        is_last = number + 1 == len(requests)
        version = "1.0" if ends == "1.0" and is_last else "1.1"
        head = f"{method} /{number} HTTP/{version}\r\nHost: a\r\n"
        head += "Connection: close\r\n" if is_last and ends == "close" else ""
        head += "Content-Length: 3\r\n\r\nabc" if method == "POST" else "\r\n"
        data += head.encode()
    for start in range(0, len(data), cut):
        if rooms and start % 3 == 0:
            peer.socket.room = rooms.pop()
        peer.send(data[start : start + cut])
    # One of the reads that waited for a response, with each.
    for _ in range(len(data) + 20):
        peer.read()
        peer.settle()

    assert not hooks.failures
    assert not server.long_responses
    said = peer.said
    for number, (kind, method, pieces) in enumerate(requests):
        client = h11.Connection(h11.CLIENT)
        client.send(h11.Request(method=method, target="/", headers=[("Host", "a")]))
        client.send(h11.EndOfMessage())
        client.receive_data(said)
        if number + 1 == len(requests) and ends:
            client.receive_data(b"")
        event = client.next_event()
        assert isinstance(event, h11.Response)
        assert event.status_code == (204 if kind == "empty" else 200)
        body = b""
        while isinstance(event := client.next_event(), h11.Data):
            body += bytes(event.data)
        assert isinstance(event, h11.EndOfMessage)
        has_body = method != "HEAD" and kind != "empty"
        whole = b"".join(piece for piece in pieces if isinstance(piece, bytes))
        assert body == (whole if has_body else b"")
        said = client.trailing_data[0]
    assert said == b""
    assert ("close" in peer.socket.events) == (ends != "" and "eof" not in peer.socket.events)


def test_late() -> None:
    """Nothing is sent before its time, and no request behind it is handled."""
    long = Long(LongResponse(200, b"late", delay_seconds=3))
    peer = long.peer(GET + NEXT)
    peer.loop.pass_time(2.9)
    assert (peer.said, len(long.handled)) == (b"", 1)
    peer.settle()
    assert [answer[-5:] for answer in peer.answers] == [b"\nlate", b"whole"]


def test_others_are_served_meanwhile() -> None:
    """A response that waits holds its own connection alone."""
    long = Long(LongResponse(200, b"late", delay_seconds=3))
    long.peer(GET)
    assert long.peer(NEXT).statuses == [200]


def test_piece_by_piece() -> None:
    """A piece is made when the one before is accepted, and none for a peer that does not read."""
    body, long = pieces_of(*[b"z" * 10_000] * 8)
    peer = Peer(long.server)
    peer.socket.room = 0
    peer.send(GET)
    for _ in range(5):
        peer.turn()
    assert body.taken == 1
    assert peer.connection.unsent < 11_000
    peer.read()
    peer.settle()
    assert body.taken == 8
    assert peer.said.endswith(b"\r\n0\r\n\r\n")
    assert body.closed == 1


@pytest.mark.parametrize("room", [0, 15_000])
def test_peer_that_reads_nothing(room: int) -> None:
    """It is cut off after the time for unread responses, and the body is closed."""
    body, long = pieces_of(*[b"z" * 10_000] * 8)
    peer = Peer(long.server)
    peer.socket.room = room
    peer.send(GET)
    for _ in range(3):
        peer.turn()
    pass_seconds(long.server, LIMITS.write_timeout_seconds + 2)
    assert peer.socket.events == ["reset", "close"]
    assert (body.closed, long.server.long_responses) == (1, {})


def test_wait_is_no_stall() -> None:
    """Neither the time-out of idle connections nor that of unread responses counts a wait."""
    _, long = pieces_of(b"a", 100.0, b"b")
    peer = long.peer(GET)
    peer.turn()
    pass_seconds(long.server, 90)
    assert peer.socket.events == []
    peer.settle()
    assert peer.said.endswith(b"1\r\na\r\n1\r\nb\r\n0\r\n\r\n")


@pytest.mark.parametrize(
    ("pieces", "length"),
    [((b"a",), 2), ((b"a", b"bc"), 2), ((), 1), ((b"a", b""), 0)],
)
def test_wrong_length(pieces: tuple[bytes, ...], length: int) -> None:
    """A body of another length than announced ends as an error the peer can see."""
    body, long = pieces_of(*pieces, length=length)
    peer = long.peer(GET)
    peer.settle()
    assert peer.socket.events == ["reset", "close"]
    assert [type(each) for each in long.hooks.failures] == [ValueError]
    assert body.closed == 1


def test_body_that_raises() -> None:
    """The peer gets no last chunk; others are served."""

    def broken() -> Iterator[bytes]:
        yield b"a"
        raise KeyError

    long = Long(LongResponse(200, b"", pieces=broken()))
    peer = long.peer(GET)
    peer.settle()
    assert not peer.said.endswith(b"0\r\n\r\n")
    assert peer.socket.events == ["reset", "close"]
    assert long.peer(NEXT).statuses == [200]


def test_old_client() -> None:
    """For HTTP/1.0 a body without a length ends with the connection; with one it may go on."""
    old = b"GET /long HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
    _, long = pieces_of(b"a", b"b")
    peer = long.peer(old)
    peer.settle()
    head, _, body = peer.said.partition(b"\r\n\r\n")
    assert (body, b"chunked" in head, b"Connection: close" in head) == (b"ab", False, True)
    assert peer.socket.events == ["close"]

    _, long = pieces_of(b"a", b"b", length=2)
    peer = long.peer(old)
    peer.settle()
    assert b"Connection: keep-alive" in peer.said
    assert peer.socket.events == []


def test_head() -> None:
    """HEAD has the head of GET, and takes no piece."""
    body, long = pieces_of(b"a")
    peer = long.peer(GET.replace(b"GET", b"HEAD"))
    peer.settle()
    assert peer.said.endswith(b"Transfer-Encoding: chunked\r\n\r\n")
    assert (body.taken, body.closed) == (0, 1)


def test_so_many_at_a_time() -> None:
    """A process has a bounded number of them; a further one is refused, with its body closed."""
    long = Long(LongResponse(200, b"late", delay_seconds=3))
    long.server.budget = long.server.budget._replace(connections=10_000)
    peers = [long.peer(GET) for _ in range(MAX_LONG_RESPONSES)]
    refused = long.peer(GET)
    refused.settle()
    assert refused.statuses == [503]
    assert b"Retry-After: 1" in refused.said
    for peer in peers:
        peer.settle()
    assert {status for peer in peers for status in peer.statuses} == {200}
    assert long.server.long_responses == {}


def test_peer_that_is_gone() -> None:
    """The end of a connection closes the body, and no timer calls it afterwards."""
    body, long = pieces_of(b"a", 5.0, b"b")
    peer = long.peer(GET)
    peer.turn()
    peer.connection.abort()
    peer.loop.pass_time(10)
    assert (body.closed, body.taken) == (1, 2)
    assert long.hooks.failures == []


def test_drain() -> None:
    """A response that is late when the process drains is sent, and is the last."""
    long = Long(LongResponse(200, b"late", delay_seconds=3))
    peer = long.peer(GET)
    long.server.drain(Lifecycle.STOPPING)
    assert peer.connection.activity == "sending_response"
    peer.settle()
    assert (peer.statuses, b"Connection: close" in peer.said) == ([200], True)


@pytest.mark.parametrize("method", [b"POST", b"PUT"])
def test_taken_body(method: bytes) -> None:
    """A body arrives at its receiver in pieces, after 100 (Continue) where that is awaited."""
    long = Long(Response(200, b"whole"))
    head = b"%b /long HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\nExpect: 100-continue\r\n\r\n"
    peer = long.peer(head % method)
    assert peer.said == CONTINUE
    peer.send(b"abc")
    peer.send(b"def" + NEXT)
    (first, second) = long.handled
    assert isinstance(first, RequestWithBody)
    assert first.body == TakenBody(b"abcdef")
    assert not isinstance(second, RequestWithBody)
