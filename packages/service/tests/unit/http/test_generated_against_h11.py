"""Conversations made from the grammar, good and bad, to our readers and to h11: they agree.

A piece on which the two are known to part carries the reason. A conversation without such a
piece must come out the same; so must everything before the message that has one.
"""

from dataclasses import dataclass
from typing import Final

import h11
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devops_info_service.http.wire.fast_path import FastPathParser
from devops_info_service.http.wire.limits import Limits
from devops_info_service.http.wire.message import Client, Request

from .fake_socket import Conversation

pytestmark = pytest.mark.claim("another parser")

CLIENT: Final = Client("192.0.2.7", 4242)
LIMITS: Final = Limits()

REASONS: Final = {
    "spaces": "RFC 9112, 3, lets a server forgive more than one space; h11 does not",
    "empty lines": "RFC 9112, 2.2: at least one is skipped before a request; h11 skips none",
    "bare LF": "RFC 9112, 2.2, lets it pass; for us one parser's line end is another's text",
    "method": "llhttp knows its methods; h11 takes any token",
    "target": "h11 does not parse targets; this server parses and validates absolute-form",
    "version": "h11 leaves versions to others",
    "host": "h11 leaves the form of a Host to others",
    "folding": "RFC 9112, 5.2, lets us refuse it; h11 unfolds",
    "text": "RFC 9110, 5.5, has no control character in a value; h11 lets some pass",
    "1.0": "h11 keeps no connection of HTTP/1.0, and with an Upgrade omits the field",
    "Proxy-Connection": "llhttp takes it for Connection, as proxies once did",
    "lengths": "RFC 9110, 8.6, lets equal ones pass, and lists of them; no client sends any",
    "long": "h11 has no limit of a body",
    "framing": "RFC 9112, 6.3, lets Transfer-Encoding win over a length; that is how one smuggles",
    "1.0 framing": "RFC 9112, 6.1: Transfer-Encoding is faulty in HTTP/1.0",
    "coding's case": "h11 hands it on in lower case",
    "extension": "RFC 9112, 7.1.1; h11 takes any bytes for an extension, and spaces before it",
    "trailer": "RFC 9110, 6.5.1: no framing in a trailer; h11 drops it",
}
"""What both know to be so, and why each does as it does."""


@dataclass(frozen=True)
class Piece:
    """Part of a message."""

    text: bytes
    reason: str = ""
    """Why the two part on it, if they do: a key of ``REASONS``."""


@dataclass(frozen=True)
class Message:
    """A request as it is sent."""

    pieces: tuple[Piece, ...]

    @property
    def text(self) -> bytes:
        return b"".join(piece.text for piece in self.pieces)

    @property
    def reasons(self) -> set[str]:
        return {piece.reason for piece in self.pieces if piece.reason}


@dataclass(frozen=True)
class Outcome:
    """What a parser made of a conversation."""

    requests: tuple[tuple[object, ...], ...]
    refused: bool


def by_connection(data: bytes) -> Outcome:
    conversation = Conversation(LIMITS)
    found = conversation.send(data)
    return Outcome(tuple(map(_told, found)), conversation.rejection is not None)


def _told(request: Request) -> tuple[object, ...]:
    return (
        request.method.encode("latin-1"),
        request.path.encode("latin-1"),
        request.query,
        dict(request.headers),
        request.keep_alive,
    )


def by_h11(data: bytes) -> Outcome:
    connection = h11.Connection(h11.SERVER)
    connection.receive_data(data)
    requests: list[tuple[object, ...]] = []
    request: h11.Request | None = None
    try:
        while True:
            event = connection.next_event()
            if isinstance(event, h11.Request):
                request = event
            elif isinstance(event, h11.EndOfMessage):
                assert request is not None
                keep_alive = connection.their_state is not h11.MUST_CLOSE
                requests.append(_their(request, keep_alive=keep_alive))
                if not keep_alive:
                    break
                connection.send(h11.Response(status_code=200, headers=[("Content-Length", "0")]))
                connection.send(h11.EndOfMessage())
                if connection.our_state is not h11.DONE:
                    break
                connection.start_next_cycle()
            elif not isinstance(event, h11.Data):
                break
    except h11.RemoteProtocolError:
        return Outcome(tuple(requests), refused=True)
    return Outcome(tuple(requests), refused=False)


def _their(request: h11.Request, *, keep_alive: bool) -> tuple[object, ...]:
    headers: dict[bytes, bytes] = {}
    for name, value in request.headers:
        headers[name] = headers[name] + b", " + value if name in headers else value
    path, _, query = request.target.partition(b"?")
    return request.method, path, query, headers, keep_alive


def _pick(plain: tuple[bytes, ...], odd: dict[bytes, str]) -> st.SearchStrategy[Piece]:
    """Choose parts that both parsers treat alike, and rarely parts they differ on."""
    alike = st.sampled_from([Piece(text) for text in plain])
    parting = st.sampled_from([Piece(text, reason) for text, reason in odd.items()])
    # One of eight: most conversations have none.
    return st.integers(0, 7).flatmap(lambda n: parting if n == 0 else alike)


METHODS: Final = _pick(
    (b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"OPTIONS", b"PATCH", b"G@T", b"G\0T", b""),
    {b"BREW": "method", b"get": "method"},
)
SPACES: Final = _pick((b" ", b" ", b" ", b" ", b"\t", b""), {b"  ": "spaces"})
TARGETS: Final = _pick(
    (b"/", b"/a?b=c", b"/?a?b", b"/a%20b", b"//", b"/..", b"/a|b", b"/\x7f", b"/\x01", b"/\0", b""),
    dict.fromkeys(
        (b"*", b"a", b"a:80", b"/#a", b"http://b/c", b"http://b", b"https://b/"), "target"
    ),
)
VERSIONS: Final = _pick(
    (b"HTTP/1.1",) * 8
    + (b"HTTP/1.0", b"http/1.1", b"HTTP/1", b"HTTP/1.10", b"HTTPS/1.1", b"RTSP/1.0", b"ICE/1.0"),
    dict.fromkeys((b"HTTP/1.2", b"HTTP/2.0", b"HTTP/0.9"), "version"),
)
LINE_ENDS: Final = _pick((b"\r\n",) * 12 + (b"\r\r\n", b" \r\n"), {b"\n": "bare LF"})
HOSTS: Final = _pick(
    (b"Host: a\r\n",) * 12
    + (b"host:a:80 \r\n", b"Host: [::1]\r\n", b"Host: a_b\r\n", b"Host:\r\n", b"", b"Host : a\r\n"),
    dict.fromkeys((b"Host: a b\r\n", b"Host: a,b\r\n", b"Host: u@a\r\n", b"Host: a:b\r\n"), "host"),
)
FIELDS: Final = _pick(
    (
        *(b"X:1\r\n", b"X: 1 \r\n", b"X:\t1\t \r\n", b"X: a b\tc\r\n", b"X:\r\n", b"X:  \r\n"),
        *(b"X: \x80\xff\r\n", b"x_y: 1\r\n", b"1: 2\r\n", b"Keep-Alive: timeout=5\r\n"),
        *(b"X : 1\r\n", b"X\r\n", b": 1\r\n", b"X;: 1\r\n", b"X\x80: 1\r\n"),
        *(b"X: a\0\r\n", b"X: 1\rY: 2\r\n", b"X: \r\r\n", b"Host: b\r\n"),
        *(b"Connection: close\r\n", b"Connection: keep-alive, Close\r\n", b"Connection: foo\r\n"),
        *(b"Connection: ,close\r\n", b"Connection: closed\r\n", b"Connection:\r\n"),
    ),
    {
        b"X: 1\r\n 2\r\n": "folding",
        b"X:\r\n\t1\r\n": "folding",
        b" X: 1\r\n": "folding",
        b"X: \x01\r\n": "text",
        b"X: \x7f\r\n": "text",
        b"X: 1\nY: 2\r\n": "bare LF",
        b"Proxy-Connection: close\r\n": "Proxy-Connection",
        b"Proxy-Connection: keep-alive\r\n": "Proxy-Connection",
    },
)
ALIVE_1_0: Final = Piece(b"Connection: keep-alive\r\n", "1.0")
BODIES: Final = _pick(
    (
        *(b"\r\n", b"\r\n", b"\r\n"),
        *(b"Content-Length: 3\r\n\r\nabc", b"Content-Length: 003\r\n\r\nabc"),
        *(b"Content-Length:3 \r\n\r\nabc", b"Content-Length: 0\r\n\r\n"),
        *(b"Expect: 100-continue\r\nContent-Length: 3\r\n\r\nabc", b"Content-Length:\r\n\r\n"),
        *(b"Content-Length: +3\r\n\r\nabc", b"Content-Length: 3 3\r\n\r\nabc"),
        *(b"Content-Length: 0x3\r\n\r\nabc", b"Content-Length: -3\r\n\r\nabc"),
        b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
    ),
    {
        b"Content-Length: 3, 3\r\n\r\nabc": "lengths",
        b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc": "lengths",
        b"Content-Length: 99999999999\r\n\r\nabc": "long",
        b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n": "framing",
        b"Transfer-Encoding: Chunked\r\n\r\n0\r\n\r\n": "coding's case",
    },
)
CHUNKS: Final = _pick(
    (
        *(b"3\r\nabc\r\n", b"A\r\n0123456789\r\n", b"003\r\nabc\r\n", b"3;x\r\nabc\r\n"),
        *(b'3;x=y;z="q;"\r\nabc\r\n', b"3;x=\r\nabc\r\n", b"3;=\r\nabc\r\n"),
        *(b"g\r\n", b"+3\r\nabc\r\n", b"0x3\r\nabc\r\n", b"3\r\nabcd\r\n", b"3\r\nab\r\n"),
        *(b"3,x\r\nabc\r\n", b"3\nabc\r\n", b"3\r\nabc\n", b" 3\r\nabc\r\n"),
    ),
    {
        b"3; x = y\r\nabc\r\n": "extension",
        b"3;\r\nabc\r\n": "extension",
        b"3 \r\nabc\r\n": "extension",
        b"3;\x01\r\nabc\r\n": "extension",
        b"3;x=\x80\r\nabc\r\n": "extension",
        b"ffffffff\r\nabc\r\n": "long",
    },
)
TRAILERS: Final = _pick(
    (b"0\r\n\r\n",) * 6
    + (b"0;x\r\nX: 1\r\n\r\n", b"00\r\nX:\r\nY: 2 \r\n\r\n", b"0\r\nX : 1\r\n\r\n"),
    {
        b"0\r\nContent-Length: 3\r\n\r\n": "trailer",
        b"0\r\nTransfer-Encoding: chunked\r\n\r\n": "trailer",
        b"0\r\nX: 1\r\n 2\r\n\r\n": "folding",
        b"0\r\n\n": "bare LF",
    },
)


@st.composite
def messages(draw: st.DrawFn) -> Message:
    """Make a request: line, fields, body."""
    version = draw(VERSIONS)
    start = [draw(METHODS), draw(SPACES), draw(TARGETS), draw(SPACES), version, draw(LINE_ENDS)]
    fields = [draw(HOSTS), *draw(st.lists(FIELDS, max_size=3))]
    if version.text == b"HTTP/1.0":
        fields += draw(st.sampled_from([[], [], [ALIVE_1_0]]))
    if draw(st.integers(0, 2)):
        body = [draw(BODIES)]
    else:
        coding = b"Transfer-Encoding: chunked\r\n\r\n"
        reason = "1.0 framing" if version.text != b"HTTP/1.1" else ""
        body = [Piece(coding, reason), *draw(st.lists(CHUNKS, max_size=2)), draw(TRAILERS)]
    return Message((*start, *fields, *body))


BETWEEN: Final = _pick((b"",), {b"\r\n": "empty lines"})


@st.composite
def conversations(draw: st.DrawFn) -> list[Message]:
    """Make some requests, one behind the other."""
    conversation = []
    for message in draw(st.lists(messages(), min_size=1, max_size=3)):
        between = draw(BETWEEN)
        conversation.append(Message((between, *message.pieces)))
    return conversation


@settings(max_examples=6 * settings().max_examples, derandomize=True)
@given(conversations(), st.data())
def test_generated(conversation: list[Message], data: st.DataObject) -> None:
    """The same requests and the same end, up to the first message they are known to part on."""
    sure = []
    for message in conversation:
        if message.reasons:
            break
        sure.append(message)
    whole = b"".join(message.text for message in conversation)
    if len(sure) == len(conversation):
        assert by_h11(whole) == by_connection(whole)
    else:
        count = len(sure)
        assert by_h11(whole).requests[:count] == by_connection(whole).requests[:count]
    # Cut off anywhere, neither has seen more than the other; one may refuse a byte earlier.
    part = whole[: data.draw(st.integers(0, len(b"".join(message.text for message in sure))))]
    assert by_h11(part).requests == by_connection(part).requests


@settings(max_examples=2 * settings().max_examples, derandomize=True)
@given(conversations())
def test_plain(conversation: list[Message]) -> None:
    """What the reader of plain requests takes, the other one takes for the same."""
    data = b"".join(message.text for message in conversation)
    found = FastPathParser(LIMITS).read(data, CLIENT)
    if found is not None:
        assert by_connection(data) == Outcome(tuple(map(_told, found)), refused=False)


@pytest.mark.parametrize("reason", REASONS)
def test_each_reason_is_one(reason: str) -> None:
    """Some message made of nothing else odd shows it: no reason is an excuse for what agrees."""
    start = b"GET / HTTP/1.1\r\nHost: a\r\n"
    chunked = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    shown = {
        "spaces": b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
        "empty lines": b"\r\n" + start + b"\r\n",
        "bare LF": start + b"X: 1\nY: 2\r\n\r\n",
        "method": b"BREW / HTTP/1.1\r\nHost: a\r\n\r\n",
        "target": b"GET a HTTP/1.1\r\nHost: a\r\n\r\n",
        "version": b"GET / HTTP/1.2\r\nHost: a\r\n\r\n",
        "host": b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
        "folding": start + b"X: 1\r\n 2\r\n\r\n",
        "text": start + b"X: \x01\r\n\r\n",
        "1.0": b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
        "Proxy-Connection": start + b"Proxy-Connection: close\r\n\r\n",
        "lengths": start + b"Content-Length: 0, 0\r\n\r\n",
        "long": start + b"Content-Length: 99999999999\r\n\r\n",
        "framing": start + b"Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "1.0 framing": chunked.replace(b"1.1", b"1.0") + b"0\r\n\r\n",
        "coding's case": chunked.replace(b"chunked", b"Chunked") + b"0\r\n\r\n",
        "extension": chunked + b"3;\x01\r\nabc\r\n0\r\n\r\n",
        "trailer": chunked + b"0\r\nContent-Length: 3\r\n\r\n",
    }[reason]
    assert by_h11(shown) != by_connection(shown)
