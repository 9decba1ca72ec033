"""The reader against h11, a parser that shares no line with llhttp.

Where the two disagree, the reason stands beside the message.
"""

from typing import Final

import h11
import pytest

from devops_info_service.config import Limits
from devops_info_service.http.message import Client
from devops_info_service.http.reader import RequestReader

POST: Final = b"POST / HTTP/1.1\r\nHost: a\r\n"
CHUNKED: Final = POST + b"Transfer-Encoding: chunked\r\n\r\n"

AGREED: Final = [
    b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /a?b=c HTTP/1.1\r\nHost: a\r\nX: 1\r\nX: 2\r\n\r\n",
    b"GET / HTTP/1.0\r\n\r\n",
    b"GET / HTTP/1.0\r\nHost: a\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Close\r\n\r\n",
    b"HEAD / HTTP/1.1\r\nHost: a\r\nX:\r\n\r\n",
    POST + b"Content-Length: 3\r\n\r\nabc",
    POST + b"Content-Length: 0\r\n\r\n",
    POST + b"Content-Length: 0003\r\n\r\nabc",
    CHUNKED + b"3\r\nabc\r\n0\r\n\r\n",
    CHUNKED + b"A;x=y\r\n0123456789\r\n0\r\nT: x\r\n\r\n",
    b"GET / HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost : a\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nfoo\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nf(o: x\r\n\r\n",
    b"GET / HTTP/1.1\r\n X: 1\r\nHost: a\r\n\r\n",
    b"GET / HTTP/1.1x\r\nHost: a\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\r\n\r\n",
    POST + b"Content-Length: +3\r\n\r\nabc",
    POST + b"Content-Length: 0x3\r\n\r\nabc",
    POST + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
    POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    POST + b"Transfer-Encoding: identity\r\n\r\n",
    CHUNKED + b"+3\r\nabc\r\n0\r\n\r\n",
    CHUNKED + b"0x3\r\nabc\r\n0\r\n\r\n",
    CHUNKED + b"3\r\nabcd\r\n0\r\n\r\n",
]

DISAGREED: Final = [
    # We refuse, h11 takes it.
    pytest.param(b"GET / HTTP/1.1\nHost: a\n\n", False, id="RFC 9112, 2.2, lets bare LF pass"),
    pytest.param(b"BREW / HTTP/1.1\r\nHost: a\r\n\r\n", False, id="llhttp knows its methods"),
    pytest.param(b"GET a HTTP/1.1\r\nHost: a\r\n\r\n", False, id="h11 leaves targets to others"),
    pytest.param(b"GET /#a HTTP/1.1\r\nHost: a\r\n\r\n", False, id="and fragments"),
    pytest.param(b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", False, id="and the form of a Host"),
    pytest.param(b"GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n 2\r\n\r\n", False, id="it unfolds"),
    pytest.param(
        POST + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
        False,
        id="RFC 9110, 8.6, lets equal lengths pass",
    ),
    pytest.param(
        POST + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        False,
        id="RFC 9112, 6.3, lets Transfer-Encoding win",
    ),
    pytest.param(
        b"POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        False,
        id="RFC 9112, 6.1: faulty in HTTP/1.0",
    ),
    pytest.param(CHUNKED + b"3 \r\nabc\r\n0\r\n\r\n", False, id="it forgives a space"),
    # We take it, h11 refuses.
    pytest.param(b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", True, id="RFC 9112, 3: we may"),
]


def ours(data: bytes) -> tuple[object, ...] | None:
    """Return what our reader makes of *data*, or None if it refuses."""
    reader = RequestReader(Client("192.0.2.7", 4242), Limits())
    found = reader.receive(data)
    if reader.refused is not None:
        return None
    (request,) = found
    target = request.path.encode() + (b"?" + request.query if request.query else b"")
    return request.method.encode(), target, dict(request.headers), request.keep_alive


def theirs(data: bytes) -> tuple[object, ...] | None:
    """Return what h11 makes of *data*, or None if it refuses."""
    connection = h11.Connection(h11.SERVER)
    connection.receive_data(data)
    request = None
    try:
        while True:
            event = connection.next_event()
            if isinstance(event, h11.Request):
                request = event
            elif not isinstance(event, h11.Data):
                break
    except h11.RemoteProtocolError:
        return None
    assert isinstance(event, h11.EndOfMessage)
    assert request is not None
    headers: dict[bytes, bytes] = {}
    for name, value in request.headers:
        headers[name] = headers[name] + b", " + value if name in headers else value
    keep_alive = connection.their_state is not h11.MUST_CLOSE
    return request.method, request.target, headers, keep_alive


@pytest.mark.parametrize("data", AGREED)
def test_agreed(data: bytes) -> None:
    """Both take it for the same request, or both refuse it."""
    assert theirs(data) == ours(data)


@pytest.mark.parametrize(("data", "taken"), DISAGREED)
def test_disagreed(data: bytes, *, taken: bool) -> None:
    """One takes it and the other does not, for the reason given."""
    assert taken is (ours(data) is not None)
    assert taken is (theirs(data) is None)
