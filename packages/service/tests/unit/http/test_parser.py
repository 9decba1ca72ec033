"""The reader's requests: whole, cut anywhere, pipelined, and with a body."""

from itertools import pairwise
from typing import Final, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devops_info_service.http.wire.limits import Limits
from devops_info_service.http.wire.message import Client, Phase, Request
from devops_info_service.http.wire.parser import RequestParser

PEER: Final = Client("192.0.2.7", 4242)


def request(
    method: str = "GET",
    path: str = "/",
    query: bytes = b"",
    headers: dict[bytes, bytes] | None = None,
    version: str = "1.1",
    *,
    keep_alive: bool = True,
) -> Request:
    """Return what the reader should make of such a message."""
    headers = {b"host": b"a"} if headers is None else headers
    return Request(method, path, query, headers, PEER, version, keep_alive)


CASES: Final = [
    pytest.param(
        b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        request(),
        id="the smallest",
    ),
    pytest.param(
        b"\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        request(),
        id="empty lines before it (RFC 9112, 2.2)",
    ),
    pytest.param(
        b"GET /a%20b;c?d=e&f HTTP/1.1\r\nHost: a\r\n\r\n",
        request(path="/a%20b;c", query=b"d=e&f"),
        id="a path and a query, nothing decoded",
    ),
    pytest.param(
        b"GET /?a?b HTTP/1.1\r\nHost: a\r\n\r\n",
        request(query=b"a?b"),
        id="a question mark in the query",
    ),
    pytest.param(
        b"GET / HTTP/1.1\r\nhOSt: \t a:80 \t\r\nX-Empty:\r\nX: b c \r\n\r\n",
        request(headers={b"host": b"a:80", b"x-empty": b"", b"x": b"b c"}),
        id="lower-case names, values without the space around them",
    ),
    pytest.param(
        b"GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\nY: 2\r\nx: 3\r\n\r\n",
        request(headers={b"host": b"a", b"x": b"1, 3", b"y": b"2"}),
        id="a repeated field is joined",
    ),
    pytest.param(
        b"GET / HTTP/1.1\r\nHost:\r\n\r\n",
        request(headers={b"host": b""}),
        id="an empty Host",
    ),
    pytest.param(
        b"GET / HTTP/1.1\r\nHost: [2001:db8::1]:8080\r\n\r\n",
        request(headers={b"host": b"[2001:db8::1]:8080"}),
        id="an IPv6 Host",
    ),
    pytest.param(
        b"GET http://b:8080/p?q HTTP/1.1\r\nHost: a\r\n\r\n",
        request(path="/p", query=b"q", headers={b"host": b"b:8080"}),
        id="absolute-form",
    ),
    pytest.param(
        b"GET HTTP://b?q HTTP/1.1\r\nHost: a\r\n\r\n",
        request(path="/", query=b"q", headers={b"host": b"b"}),
        id="absolute-form without a path",
    ),
    pytest.param(
        b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
        request("OPTIONS", "*"),
        id="asterisk-form",
    ),
    pytest.param(
        b"GET / HTTP/1.0\r\n\r\n",
        request(headers={}, version="1.0", keep_alive=False),
        id="HTTP/1.0 needs no Host and ends the connection",
    ),
    pytest.param(
        b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
        request(headers={b"connection": b"keep-alive"}, version="1.0"),
        id="HTTP/1.0 may request more",
    ),
    pytest.param(
        b"GET / HTTP/1.0\r\nConnection: keep-alive, Close\r\n\r\n",
        request(headers={b"connection": b"keep-alive, Close"}, version="1.0", keep_alive=False),
        id="HTTP/1.0, too, ends with both",
    ),
    pytest.param(
        b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Close\r\n\r\n",
        request(headers={b"host": b"a", b"connection": b"Close"}, keep_alive=False),
        id="Connection: close",
    ),
    pytest.param(
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
        request("POST", headers={b"host": b"a", b"content-length": b"3"}),
        id="a body with its length",
    ),
    pytest.param(
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n"
        b'3;x="y"\r\nabc\r\n0\r\nHost: evil\r\nX: evil\r\n\r\n',
        request("POST", headers={b"host": b"a", b"transfer-encoding": b"Chunked"}),
        id="chunks with an extension and trailers, which are dropped",
    ),
    pytest.param(
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"00D\r\n\r\nfffffffff\r\n\r\nA;0;b\r\n0123456789\r\n000;x\r\n\r\n",
        request("POST", headers={b"host": b"a", b"transfer-encoding": b"chunked"}),
        id="chunks with data like a size, and sizes with zeros and capitals",
    ),
    pytest.param(
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 18\r\n\r\n\nGET / RTSP/1.0\r\n\r",
        request("POST", headers={b"host": b"a", b"content-length": b"18"}),
        id="a body like a request",
    ),
    pytest.param(
        b"GET /HTTP/1.0 HTTP/1.1\r\nHost: a\r\nX: RTSP/1.0\r\n\r\n",
        request(path="/HTTP/1.0", headers={b"host": b"a", b"x": b"RTSP/1.0"}),
        id="other protocols where they mean nothing",
    ),
    pytest.param(
        b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
        request(headers={b"host": b"a", b"connection": b"Upgrade", b"upgrade": b"h2c"}),
        id="an upgrade is ignored",
    ),
]


ACCEPTED = pytest.mark.claim(
    "chunk data like a size, a body like a request",
    "chunk extensions",
    "trailers",
    "HTTP/0.9, 1.0, the preface of 2.0",
    "absolute-, authority-, asterisk-form",
    "upgrade requests to nothing",
)
"""The claims that ``CASES`` hold, whole and in pieces."""


def new_reader(limits: Limits | None = None) -> RequestParser:
    """Return a reader that has seen nothing."""
    return RequestParser(PEER, limits or Limits())


@ACCEPTED
@pytest.mark.parametrize(("data", "expected"), CASES)
def test_whole(data: bytes, expected: Request) -> None:
    """A message that arrives whole is one request."""
    reader = new_reader()

    assert [expected] == reader.receive(data)
    assert reader.rejection is None
    assert reader.phase is Phase.IDLE


@ACCEPTED
@pytest.mark.parametrize(("data", "expected"), CASES)
def test_cut_anywhere(data: bytes, expected: Request) -> None:
    """A request is the same however TCP cuts it, and however often."""
    for cut in range(1, len(data)):
        reader = new_reader()
        assert [expected] == reader.receive(data[:cut]) + reader.receive(data[cut:])

    reader = new_reader()
    assert [expected] == [found for byte in data for found in reader.receive(bytes([byte]))]


@ACCEPTED
@pytest.mark.parametrize(("data", "expected"), CASES)
def test_followed_by_another(data: bytes, expected: Request) -> None:
    """The following bytes are the next request, or dropped when the connection ends."""
    reader = new_reader()
    another = b"GET /next HTTP/1.1\r\nHost: b\r\n\r\n"

    found = reader.receive(data + another)

    after = [request(path="/next", headers={b"host": b"b"})] if expected.keep_alive else []
    assert [expected, *after] == found
    assert reader.rejection is None


@ACCEPTED
@pytest.mark.parametrize(("data", "expected"), CASES)
def test_followed_by_garbage(data: bytes, expected: Request) -> None:
    """Garbage behind a request takes nothing away from it, and is refused once."""
    reader = new_reader()

    found = reader.receive(data + b"\x00garbage\r\n\r\n")

    assert [expected] == found
    assert (reader.rejection is not None) == expected.keep_alive
    assert reader.receive(data) == []


@pytest.mark.claim("chunk data like a size, a body like a request")
def test_many_in_one_read() -> None:
    """Chunks, lengths, upgrades and empty lines in a row are kept apart."""
    cases = [cast("tuple[bytes, Request]", case.values) for case in CASES]
    kept = [case for case in cases if case[1].keep_alive] * 2
    data, expected = b"".join(raw for raw, _ in kept), [request for _, request in kept]
    for step in (1, 2, 3, 5, 7, 11, 13, 64, len(data)):
        reader = new_reader()
        pieces = [data[at : at + step] for at in range(0, len(data), step)]
        assert expected == [found for piece in pieces for found in reader.receive(piece)]


@ACCEPTED
@pytest.mark.claim("never a second reading of the same bytes")
@given(
    messages=st.lists(st.sampled_from([case.values for case in CASES]), min_size=1, max_size=5),
    cuts=st.lists(st.integers(min_value=0, max_value=1000)),
)
def test_any_pieces(messages: list[tuple[bytes, Request]], cuts: list[int]) -> None:
    """Any messages in any pieces give the requests of the whole."""
    data = b"".join(raw for raw, _ in messages)
    places = [0, *sorted(cut % len(data) for cut in cuts), len(data)]
    reader, whole = new_reader(), new_reader()

    found = [found for start, end in pairwise(places) for found in reader.receive(data[start:end])]

    assert whole.receive(data) == found
    assert str(whole.rejection) == str(reader.rejection)


@pytest.mark.claim("upgrade requests to nothing")
def test_upgrade_with_a_body_ends_the_connection() -> None:
    """Bytes that could be a body or another protocol are never read as a request."""
    data = (
        b"POST / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n"
        b"Content-Length: 30\r\n\r\nGET /evil HTTP/1.1\r\nHost: a\r\n\r\n"
    )
    for cut in range(1, len(data)):
        reader = new_reader()
        (found,) = reader.receive(data[:cut]) + reader.receive(data[cut:])
        assert not found.keep_alive


def test_phases() -> None:
    """The parser has its phase and the bytes of the body so far."""
    reader = new_reader()
    seen = []
    for piece in (b"\r\n", b"POST", b" / HTTP/1.1\r\nHost: a\r\n", b"Content-Length: 2\r\n\r\n"):
        reader.receive(piece)
        seen.append(reader.phase)
    reader.receive(b"a")

    assert seen == [Phase.IDLE, Phase.HEAD, Phase.HEAD, Phase.BODY]
    assert reader.body_bytes == 1
    assert len(reader.receive(b"b")) == 1
    assert reader.phase is Phase.IDLE


@pytest.mark.claim("Expect: 100-continue")
@pytest.mark.parametrize(
    ("version", "expect", "body", "expected"),
    [
        (b"1.1", b"100-Continue", b"", True),
        (b"1.1", b"100-continue", b"a", False),
        (b"1.1", b"100-continue", b"abc", False),
        (b"1.0", b"100-continue", b"", False),
    ],
)
def test_expects_continue(version: bytes, expect: bytes, body: bytes, *, expected: bool) -> None:
    """A client waits for 100 only before its body, and only in HTTP/1.1."""
    reader = new_reader()

    reader.receive(
        b"POST / HTTP/%b\r\nHost: a\r\nExpect: %b\r\nContent-Length: 3\r\n\r\n%b"
        % (version, expect, body)
    )

    assert expected is reader.expects_continue


def test_expects_nothing_without_a_body() -> None:
    """An expectation without a body is a request like any other."""
    reader = new_reader()

    assert reader.receive(b"GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n")
    assert not reader.expects_continue


def test_closed_reader() -> None:
    """A closed reader drops what comes."""
    reader = new_reader()
    reader.close()

    assert reader.receive(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n") == []
