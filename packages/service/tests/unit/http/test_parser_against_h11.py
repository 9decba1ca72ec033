"""A connection against h11, a parser that shares no line with llhttp.

Where the two disagree, the reason is beside the message.
"""

from typing import Final

import h11
import pytest

from devops_info_service.http import Limits

from .fake_socket import Conversation

pytestmark = pytest.mark.claim("another parser")

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
    CHUNKED + b'3;a="b"\r\nabc\r\n0\r\n\r\n',
    CHUNKED + b"-3\r\nabc\r\n0\r\n\r\n",
    CHUNKED + b"3\r\nabc0\r\n\r\n",
    CHUNKED + b"3\r\nabc\n0\r\n\r\n",
    CHUNKED + b"\r\nabc\r\n0\r\n\r\n",
    CHUNKED + b";x\r\nabc\r\n0\r\n\r\n",
    CHUNKED + b"3\r\r\nabc\r\n0\r\n\r\n",
    CHUNKED + b"0\r\nX : 1\r\n\r\n",
    CHUNKED + b"0\r\nX\r\n\r\n",
    CHUNKED + b"0\r\nX: \0\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nX: \x80\xff\r\n\r\n",
    b"GET / HTTP/1.1\rHost: a\r\n\r\n",
    b"GET / HTTP/1.1\r\r\nHost: a\r\n\r\n",
    b"GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n",
    b"G\0T / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n",
    b" GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET / HTTP/1.1 \r\nHost: a\r\n\r\n",
    b"GET / http/1.1\r\nHost: a\r\n\r\n",
    b"GET / HTTP/1.10\r\nHost: a\r\n\r\n",
    b"GET / RTSP/1.0\r\nHost: a\r\n\r\n",
    b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n",
    b"SOURCE / ICE/1.0\r\nHost: a\r\n\r\n",
    b"GET  HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET / /b HTTP/1.1\r\nHost: a\r\n\r\n",
    POST + b"Content-Length: 3;4\r\n\r\nabc",
    POST + b"Content-Length: 3 3\r\n\r\nabc",
    POST + b"Content-Length: 1_0\r\n\r\nabc",
    POST + b"Content-Length : 3\r\n\r\nabc",
    POST + b"Content-Length: 3\r\n Content-Length: 4\r\n\r\nabc",
    POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    POST + b"Transfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n",
    POST + b"Transfer-Encoding:\r\n\r\n0\r\n\r\n",
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
    pytest.param(CHUNKED + b"0\r\nX: 1\r\n 2\r\n\r\n", False, id="it unfolds trailers, too"),
    pytest.param(CHUNKED + b"3;\0\r\nabc\r\n0\r\n\r\n", False, id="it skips extensions unread"),
    pytest.param(CHUNKED + b"3\r\nabc\r\n0\r\n\n", False, id="bare LF again"),
    pytest.param(
        CHUNKED + b"0\r\nContent-Length: 5\r\n\r\n",
        False,
        id="RFC 9110, 6.5.1, forbids framing in trailers; h11 drops it",
    ),
    pytest.param(
        b"GET / HTTP/1.1\r\nHost: a\r\nX: \x7f\r\n\r\n",
        False,
        id="RFC 9110, 5.5, has no DEL in a value",
    ),
    pytest.param(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", False, id="h11 leaves versions to others"),
    pytest.param(b"GET / HTTP/0.9\r\nHost: a\r\n\r\n", False, id="and this one"),
    pytest.param(
        CHUNKED + b"a00001\r\n" + b"b" * 10_485_761 + b"\r\n0\r\n\r\n",
        False,
        id="h11 has no limit of a body",
    ),
    pytest.param(
        b"CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n", False, id="h11 serves proxies, too"
    ),
    pytest.param(
        POST + b"Content-Length: 3\r\nExpect: 100-continue, x\r\n\r\nabc",
        False,
        id="h11 leaves expectations to others",
    ),
    pytest.param(
        POST + b"Transfer-Encoding: chunked \t\r\n\r\n0\r\n\r\n",
        False,
        id="RFC 9110, 5.5, strips it; llhttp is strict, and no client sends it",
    ),
    # We take it, h11 refuses.
    pytest.param(
        CHUNKED + b"0000000000000000000000003\r\nabc\r\n0\r\n\r\n",
        True,
        id="RFC 9112, 7.1, sets no number of digits; h11 has 20",
    ),
    pytest.param(b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", True, id="RFC 9112, 3: we may"),
]


def by_connection(data: bytes) -> tuple[object, ...] | None:
    """Return what a connection makes of *data*, or None if it rejects them."""
    conversation = Conversation(Limits())
    found = conversation.send(data)
    if conversation.rejection is not None:
        return None
    (request,) = found
    target = request.path.encode() + (b"?" + request.query if request.query else b"")
    return request.method.encode(), target, dict(request.headers), request.keep_alive


def by_h11(data: bytes) -> tuple[object, ...] | None:
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


@pytest.mark.claim("RTSP, ICE and their methods")
@pytest.mark.parametrize("data", AGREED)
def test_agreed(data: bytes) -> None:
    """Both take it for the same request, or both refuse it."""
    assert by_h11(data) == by_connection(data)


@pytest.mark.parametrize(("data", "taken"), DISAGREED)
def test_disagreed(data: bytes, *, taken: bool) -> None:
    """One takes it and the other does not, for the reason given."""
    assert taken is (by_connection(data) is not None)
    assert taken is (by_h11(data) is None)
