"""The service's work is proportional to the bytes a client sends, field by field.

Each row is the longest head, made of its parser's worst case. Work is counted in lines of Python
that run. Work in C, such as a search, has a deadline in CPU time a hundred times the slowest row:
quadratic, it takes longer.
"""

import sys
import time
from collections.abc import Callable
from types import FrameType
from typing import Any, Final

import pytest

from devops_info_service import setting_types as values
from devops_info_service.app.middleware import recover_and_log
from devops_info_service.app.routes import build
from devops_info_service.app.services import Services
from devops_info_service.app.tool_routes import receiver_of
from devops_info_service.config import Config
from devops_info_service.facts.system_files import Machine
from devops_info_service.http.connection.server_state import ServerState
from devops_info_service.http.wire.forwarded import TrustedProxies, resolve_client
from devops_info_service.http.wire.limits import Limits
from devops_info_service.logs import Log

from .fake_socket import Peer, RecordingHooks

pytestmark = [
    pytest.mark.claim("work in proportion to the bytes sent"),
    pytest.mark.claim("linear work"),
]

SIZE = 15_800
"""Bytes of a value: with the rest of the head just below ``max_head_bytes``."""

FIXED_LINES: Final = 5_000
"""For one request with its response, whatever its bytes."""

LINES_PER_BYTE: Final = 10
"""The most of a row is 7: requests and chunks that are as short as can be."""

DEADLINE_SECONDS: Final = 1
"""CPU time; 16 KiB of commas in Accept took 0.02 s, now none takes 0.01."""


def head(path: bytes, name: bytes, value: bytes) -> bytes:
    return b"GET %b HTTP/1.1\r\nHost: a\r\n%b: %b\r\n\r\n" % (path, name, value)


def filled(piece: bytes) -> bytes:
    return (piece * SIZE)[:SIZE]


CHUNKED = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
CASES = {
    **{
        f"Accept of {path.decode()}: {piece.decode()}": head(path, b"Accept", filled(piece))
        for path in (b"/", b"/metrics")
        for piece in (b",", b";", b"a/b,", b"text/html;q=0.1,", b";a=", b'"', b'\\"', b"*/*,", b"q")
    },
    **{
        f"{name.decode()}: {piece.decode()}": head(b"/platform/network", name, filled(piece))
        for name in (b"X-Forwarded-For", b"Forwarded", b"X-Real-IP")
        for piece in (b",", b"1.2.3.4,", b"for=1.2.3.4,", b"a=b;", b'\\"', b" ", b"1", b":", b"[")
    },
    "Forwarded: a quoted string": head(b"/", b"Forwarded", b'for="%b"' % filled(b"\\a")),
    "traceparent": head(b"/health", b"traceparent", filled(b"0-")),
    "request id": head(b"/health", b"X-Request-Id", filled(b"a")),
    "agent of JSON": head(b"/", b"User-Agent", filled(b"\xff")),
    "Host: colons": b"GET / HTTP/1.1\r\nHost: %b\r\n\r\n" % filled(b":"),
    "Host: digits": b"GET / HTTP/1.1\r\nHost: a:%b\r\n\r\n" % filled(b"1"),
    "Host: brackets": b"GET / HTTP/1.1\r\nHost: %b\r\n\r\n" % filled(b"["),
    "Connection: a list": b"GET / HTTP/1.0\r\nConnection: keep-alive%b\r\n\r\n" % filled(b","),
    "query": b"GET /health?%b HTTP/1.1\r\nHost: a\r\n\r\n" % (b"a=b&" * 2000),
    "absolute form": b"GET http://a%b HTTP/1.1\r\nHost: a\r\n\r\n" % (b"/?" * 4000),
    "repeated fields": b"GET / HTTP/1.1\r\nHost: a\r\na: %b\r\n%b\r\n"
    % (b"v" * 14_000, b"a: b\r\n" * 97),
    "distinct fields": b"GET / HTTP/1.1\r\nHost: a\r\n%b\r\n"
    % b"".join(b"%x:1\r\n" % number for number in range(0x100, 0x800)),
    "empty lines": b"\r\n" * 8000,
    "sizes with zeros": CHUNKED + filled(b"0") + b"1\r\na\r\n0\r\n\r\n",
    "extensions": CHUNKED + b"1;%b\r\na\r\n0\r\n\r\n" % filled(b";a"),
    "chunks of a byte": CHUNKED + filled(b"1\r\na\r\n"),
    "upload: chunks of a byte": CHUNKED.replace(b"/", b"/tools/upload", 1) + filled(b"1\r\na\r\n"),
    "echo: chunks of a byte": CHUNKED.replace(b"/", b"/tools/echo", 1) + filled(b"1\r\na\r\n"),
    "echo: a body": b"PUT /tools/echo HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%b"
    % (SIZE, filled(b"\xff")),
    "forms": b"PUT /tools/faults HTTP/1.1\r\nHost: a\r\nContent-Length: 1024\r\n\r\n%b"
    % (b"[" * 1024),
    **{
        f"parameters of {path.decode()}: {piece.decode()}": b"GET %b%b HTTP/1.1\r\nHost: a\r\n\r\n"
        % (path, piece * 2000)
        for path in (b"/tools/events?", b"/tools/delay/", b"/tools/status/")
        for piece in (b"&", b"=", b"1", b".", b"/", b"a=1&")
    },
    "trailers": CHUNKED + b"0\r\n" + filled(b"a: b\r\n"),
    "pipelined": (b"HEAD /health HTTP/1.1\r\nHost:a\r\n\r\n" * 500)[:SIZE],
    "pipelined, not plain": (b"GET /health HTTP/1.1\r\nHost:a\r\na:\r\n\r\n" * 500)[:SIZE],
}


@pytest.fixture(scope="module", params=[False, True], ids=["", "tools"])
def process(request: pytest.FixtureRequest) -> ServerState:
    """The real handlers, for a trusted proxy."""
    services = Services(Machine(), "test", Config(tools=request.param))
    dispatch = recover_and_log(build(services), Log(lambda _: None), access_log=False)
    proxies = TrustedProxies(values.networks("192.0.2.0/24"), "any")
    server = ServerState(
        resolve_client(dispatch, proxies),
        Limits(),
        RecordingHooks(),
        receiver_of=receiver_of if request.param else None,
    )
    for path in (b"/", b"/metrics", b"/platform/network"):
        Peer(server).send(b"GET %b HTTP/1.1\r\nHost: a\r\nAccept: text/html\r\n\r\n" % path)
    return server


def lines_of(call: Callable[[], object]) -> int:
    """Count the lines of Python that *call* runs."""
    lines = 0

    def trace(_frame: FrameType, event: str, _: Any) -> Any:
        nonlocal lines
        lines += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        call()
    finally:
        sys.settrace(before)
    return lines


@pytest.mark.sample(every=5)
@pytest.mark.parametrize("data", CASES.values(), ids=CASES)
def test_whole(process: ServerState, data: bytes) -> None:
    """In one read, with all the turns that it takes."""

    def feed() -> None:
        peer = Peer(process)
        peer.send(data[: 16 * 1024])
        while peer.loop.due:
            peer.turn()
        peer.connection.abort()

    began = time.process_time()
    feed()
    assert time.process_time() - began < DEADLINE_SECONDS
    assert lines_of(feed) < FIXED_LINES + LINES_PER_BYTE * len(data)


@pytest.mark.sample(every=41)
@pytest.mark.parametrize("data", CASES.values(), ids=CASES)
def test_by_the_byte(process: ServerState, data: bytes) -> None:
    """The second half costs no more than the first: no byte is read again."""
    peer = Peer(process)

    def feed(piece: bytes) -> None:
        for at in range(len(piece)):
            peer.send(piece[at : at + 1])

    half = min(len(data), SIZE) // 2
    first = lines_of(lambda: feed(data[:half]))
    second = lines_of(lambda: feed(data[half : 2 * half]))
    peer.connection.abort()

    # Quadratic work would be three times as much; responses come in the second half alone.
    assert second < 1.1 * first + FIXED_LINES
