"""Every rejection as the peer sees it: one response, the last, and nothing read after it."""

import pytest

from devops_info_service.http.connection.server_state import ServerState

from .fake_socket import Peer
from .test_parser_rejections import CHUNKED, GOOD, POST, REFUSED


@pytest.mark.sample(every=4)
@pytest.mark.claim("never a second reading of the same bytes")
@pytest.mark.parametrize(("data", "status"), REFUSED.values(), ids=REFUSED)
def test_rejection(server: ServerState, data: bytes, status: int) -> None:
    """The status, ``Connection: close``, a length, our half closed; then silence."""
    peer = Peer(server)

    peer.send(GOOD + data + GOOD)
    peer.send(GOOD)

    assert peer.statuses == [200, status]
    head, _, body = peer.answers[-1].partition(b"\r\n\r\n")
    assert b"\r\nConnection: close" in head
    assert b"\r\nContent-Length: %d" % len(body) in head
    assert peer.socket.events == ["eof"]


@pytest.mark.claim("Expect: 100-continue")
@pytest.mark.parametrize(
    ("fields", "status"),
    [
        (b"Content-Length: 10485761\r\nExpect: 100-continue\r\n", 413),
        (b"Content-Length: 3\r\nExpect: 100-continue, tea\r\n", 417),
        (b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n", 400),
    ],
)
def test_body_that_is_not_wanted(server: ServerState, fields: bytes, status: int) -> None:
    """A client that waits for 100 (Continue) gets the rejection in its place."""
    peer = Peer(server)

    peer.send(POST + fields + b"\r\n")

    assert peer.statuses == [status]


@pytest.mark.claim("chunks above the limit, alone and in sum")
def test_chunk_that_is_not_wanted(server: ServerState) -> None:
    """A client that got 100 (Continue) is rejected as soon as it announces too large a chunk."""
    peer = Peer(server)

    peer.send(CHUNKED[:-2] + b"Expect: 100-continue\r\n\r\n")
    peer.send(b"ffffffff\r")
    assert peer.statuses == [100]
    peer.send(b"\n")

    assert peer.statuses == [100, 413]
    assert peer.socket.events == ["eof"]
