"""The fast path: same results as llhttp, and a bounded cache."""

from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devops_info_service.http.connection.server_state import ServerState
from devops_info_service.http.wire.fast_path import MAX_LINE_BYTES, MAX_LINES, FastPathParser
from devops_info_service.http.wire.limits import Limits
from devops_info_service.http.wire.message import Client, Phase
from devops_info_service.http.wire.parser import RequestParser

from ..reachable import texts_in
from .fake_socket import Peer

CLIENT: Final = Client("192.0.2.7", 1)
LIMITS: Final = Limits()
STEP: Final = 7
"""Requests from one count of the texts to the next."""
GET: Final = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
BROWSER: Final = (
    b"GET /platform?a=b HTTP/1.1\r\nHost: a.example:8080\r\nUser-Agent: Mozilla/5.0 (X11)\r\n"
    b"accept: text/html, */*;q=0.1\r\nCookie:a=b\r\nConnection: keep-alive\r\n\r\n"
)

PLAIN: Final = {
    "the least": GET,
    "a browser": BROWSER,
    "HEAD": b"HEAD /health HTTP/1.1\r\nHost: a\r\n\r\n",
    "pipelined": GET * 3 + BROWSER,
    "the last one": GET + GET[:-2] + b"Connection: close\r\n\r\n" + GET,
    "blanks around a value": b"GET / HTTP/1.1\r\nHost: \t a\t \r\nX:  b  c \r\n\r\n",
    "an address": b"GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n",
}

NOT_PLAIN: Final = {
    "not whole": GET[:-1],
    "more than whole": GET + b"G",
    "a body": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n",
    "a length": b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
    "chunks": b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
    "an expectation": b"GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n",
    "an upgrade": b"GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
    "another method": b"DELETE / HTTP/1.1\r\nHost: a\r\n\r\n",
    "another version": b"GET / HTTP/1.0\r\nHost: a\r\n\r\n",
    "absolute form": b"GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n",
    "a fragment": b"GET /#a HTTP/1.1\r\nHost: a\r\n\r\n",
    "two blanks": b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
    "a blank at the end": b"GET / HTTP/1.1 \r\nHost: a\r\n\r\n",
    "no Host": b"GET / HTTP/1.1\r\nX: a\r\n\r\n",
    "no fields": b"GET / HTTP/1.1\r\n\r\n",
    "two Hosts": b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
    "a bad Host": b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
    "a repeated field": b"GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\nx: 2\r\n\r\n",
    "an empty value": b"GET / HTTP/1.1\r\nHost: a\r\nX:\r\n\r\n",
    "an empty name": b"GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n",
    "no colon": b"GET / HTTP/1.1\r\nHost: a\r\nX\r\n\r\n",
    "a folded line": b"GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n c\r\n\r\n",
    "a blank before a colon": b"GET / HTTP/1.1\r\nHost: a\r\nX : b\r\n\r\n",
    "a bare LF": b"GET / HTTP/1.1\r\nHost: a\r\nX: b\nY: c\r\n\r\n",
    "a bare CR": b"GET / HTTP/1.1\r\nHost: a\r\nX: b\rY: c\r\n\r\n",
    "CR before CRLF": b"GET / HTTP/1.1\r\nHost: a\r\nX: b\r\r\n\r\n",
    "a bare LF in a line that is kept": b"GET / HTTP/1.1\r\nHost: a\r\nAccept: b\nY: c\r\n\r\n",
    "a byte above 127": b"GET / HTTP/1.1\r\nHost: a\r\nX: \xff\r\n\r\n",
    "an empty line first": b"\r\n" + GET,
    "a long target": b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
    "too many fields": GET[:-2] + b"".join(b"X-%d: a\r\n" % n for n in range(100)) + b"\r\n",
    "a right one and a wrong one": GET + b"GET / HTTP/1.1\r\n\r\n",
}


def same(data: bytes) -> None:
    """Check that the fast path reads *data* as llhttp does, twice, or leaves it."""
    reader = RequestParser(CLIENT, LIMITS)
    expected = reader.receive(data)
    plain = FastPathParser(LIMITS)
    for _ in range(2):
        found = plain.read(data, CLIENT)
        if found is not None:
            assert found == expected
            assert (reader.rejection, reader.phase) == (None, Phase.IDLE)


@pytest.mark.parametrize("data", PLAIN.values(), ids=PLAIN)
def test_plain(data: bytes) -> None:
    """A plain request is taken and read as llhttp does."""
    assert FastPathParser(LIMITS).read(data, CLIENT)
    same(data)


@pytest.mark.parametrize("data", NOT_PLAIN.values(), ids=NOT_PLAIN)
def test_not_plain(data: bytes) -> None:
    """Any other request is left whole, whatever was read before."""
    plain = FastPathParser(LIMITS)
    for known in PLAIN.values():
        plain.read(known, CLIENT)

    assert plain.read(data, CLIENT) is None
    same(data)


@pytest.mark.parametrize("place", [0, 1, 3, 4, 5, 6, 12, 14, 15, 16, 17, 20, 21, 22, 23, 24, 26])
def test_every_byte_in_every_place(place: int) -> None:
    """One byte more or another one, wherever: both read the same."""
    for byte in range(256):
        same(GET[:place] + bytes([byte]) + GET[place:])
        same(GET[:place] + bytes([byte]) + GET[place + 1 :])


LINES: Final = st.one_of(
    st.sampled_from([b"Host: a", b"host:b", b"Connection: close", b"X: 1", b"Accept: */*", b""]),
    st.binary(max_size=6),
    st.builds(b"%b:%b".__mod__, st.tuples(st.binary(max_size=3), st.binary(max_size=4))),
    st.builds(
        b"%b: %b".__mod__,
        st.tuples(
            st.sampled_from([b"Host", b"X-A", b"x-a", b"Connection", b"Accept", b"TE"]),
            st.text("abc,;=/:[]1 \t", max_size=6).map(str.encode),
        ),
    ),
)
STARTS: Final = st.one_of(
    st.sampled_from([b"GET / HTTP/1.1", b"HEAD /a?b HTTP/1.1", b"GET /?a=%20 HTTP/1.1", b"GET /"]),
    st.builds(b"GET /%b HTTP/1.1".__mod__, st.binary(max_size=3)),
)
HEADS: Final = st.builds(
    lambda start, lines: b"\r\n".join([start, *lines]) + b"\r\n\r\n", STARTS, st.lists(LINES)
)


@settings(max_examples=2 * settings().max_examples, derandomize=True)
@given(st.lists(HEADS, max_size=3).map(b"".join))
def test_any_heads(data: bytes) -> None:
    """Heads of usual and unusual lines are read alike by both."""
    same(data)


@pytest.mark.parametrize("data", [*PLAIN.values(), *NOT_PLAIN.values()])
@pytest.mark.parametrize("follow", [b"", b"GET", GET, b"garbage\r\n\r\n"])
def test_connection(server: ServerState, data: bytes, follow: bytes) -> None:
    """A connection sends the same bytes with and without the fast path."""
    plain = Peer(server)
    server.fast_path = FastPathParser(Limits(max_head_bytes=0))
    not_plain = Peer(server)
    for piece in (GET, data, follow, GET):
        server.fast_path = FastPathParser(LIMITS)
        plain.send(piece)
        server.fast_path = FastPathParser(Limits(max_head_bytes=0))
        not_plain.send(piece)

    assert plain.said == not_plain.said
    assert plain.socket.events == not_plain.socket.events


def test_nothing_grows() -> None:
    """For any requests the cache is bounded, and has no long lines."""
    plain = FastPathParser(LIMITS)
    held = []
    for n in range(3 * MAX_LINES):
        line = b"GET /%d HTTP/1.1\r\nHost: h%d\r\nX-%d: a\r\n\r\n" % (n, n, n)
        assert plain.read(line, CLIENT)
        if n % STEP == 0:
            held.append(len(texts_in(plain)))
    assert max(held) <= max(held[: MAX_LINES // STEP + 1])
    long = b"a" * MAX_LINE_BYTES
    assert plain.read(b"GET /%b HTTP/1.1\r\nHost: %b\r\nX%b: a\r\n\r\n" % ((long,) * 3), CLIENT)

    assert not [text for text in texts_in(plain) if long in text]


def test_no_secret_is_kept() -> None:
    """Credentials, cookies, addresses and queries are freed with their request."""
    plain = FastPathParser(LIMITS)
    names = ("Authorization: Bearer", "Cookie:", "X-Api-Key:", "X-Forwarded-For:")
    secrets = "".join(f"{name} hunter2\r\n" for name in names)
    head = f"GET /?token=hunter2 HTTP/1.1\r\nHost: a.example\r\n{secrets}\r\n"
    assert plain.read(head.encode(), CLIENT)

    assert not [text for text in texts_in(plain) if b"hunter2" in text]
    assert [text for text in texts_in(plain) if b"a.example" in text]
