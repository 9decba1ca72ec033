"""The invariants of a connection for any bytes, for every fuzzer."""

from typing import Final

import httptools

from devops_info_service.http import Limits, RequestWithBody
from devops_info_service.http.wire.memory_budget import FIELD_BYTES, READER_BYTES

from ..unit.http.fake_socket import Conversation, TakenBody

LIMITS: Final = Limits(
    max_request_line_bytes=128, max_head_bytes=512, max_fields=8, max_body_bytes=64
)
"""Small, so that a fuzzer gets there."""

MAX_INPUT_BYTES: Final = 2048
"""Of a fuzzer's input: four times the longest head."""

_STATUSES: Final = frozenset({400, 413, 414, 417, 431, 501, 505})
_OF_LIMITS: Final = frozenset({413, 414, 431})
_MAX_HELD: Final = READER_BYTES + LIMITS.max_head_bytes + FIELD_BYTES * LIMITS.max_fields


def connect(*, has_fast_path: bool = True, is_long: bool = False) -> Conversation:
    """Return a new connection; without the fast path every byte goes to the full parser.

    *is_long*: with bodies that are taken, and responses that come late and in pieces.
    """
    return Conversation(LIMITS, has_fast_path=has_fast_path, is_long=is_long)


def check_invariants(conversation: Conversation) -> None:
    """Check that what the connection has handed to its handler can be trusted, and its state."""
    for request in conversation.requests:
        assert request.version in {"1.0", "1.1"}
        assert request.path == "*" or request.path.startswith("/")
        assert request.version == "1.0" or b"host" in request.headers
        assert not {b"content-length", b"transfer-encoding"} <= request.headers.keys()
        assert all(name == name.lower() for name in request.headers)
        assert not any({0, 10, 13} & set(value) for value in request.headers.values())
        if isinstance(request, RequestWithBody) and isinstance(request.body, TakenBody):
            assert len(request.body.content) <= LIMITS.max_body_bytes
    assert not conversation.failures
    assert all(request.keep_alive for request in conversation.requests[:-1])
    assert conversation.peer.connection.held <= _MAX_HELD
    statuses = conversation.peer.statuses
    rejection = conversation.rejection
    expected = [200] * len(conversation.requests)
    assert [status for status in statuses if status != 100] == [
        *expected,
        *([rejection[0]] if rejection else []),
    ]
    if rejection is not None:
        assert rejection[0] in _STATUSES
        assert conversation.is_over


class Llhttp:
    """llhttp, given each read at once: cutting its input must not make a message of other bytes."""

    def __init__(self) -> None:
        self.methods: list[bytes] = []
        self._parser = httptools.HttpRequestParser(self)
        self._is_over = False

    def feed(self, data: bytes) -> None:
        """Parse *data*, unless what came before was in error."""
        while data and not self._is_over:
            try:
                self._parser.feed_data(data)
            except httptools.HttpParserUpgrade as exc:
                data = data[exc.args[0] :]
            except httptools.HttpParserError:
                self._is_over = True
            else:
                break

    def on_message_begin(self) -> None:
        """Exist: httptools calls it unasked."""

    def on_headers_complete(self) -> None:
        """Exist."""

    def on_message_complete(self) -> None:
        """Keep the method."""
        self.methods.append(self._parser.get_method())

    def agrees(self, conversation: Conversation) -> None:
        """Check that the requests are its messages, all of them while more are read."""
        methods = [request.method.encode("latin-1") for request in conversation.requests]
        assert methods == self.methods[: len(methods)]
        assert conversation.is_over or len(methods) == len(self.methods)


def same_however_cut(one: Conversation, other: Conversation) -> None:
    """Check that two connections with the same bytes agree; of a limit, one read is the slack."""
    rejections = (one.rejection, other.rejection)
    if any(rejection is not None and rejection[0] in _OF_LIMITS for rejection in rejections):
        return
    assert one.requests == other.requests
    assert one.rejection == other.rejection


def check(data: bytes) -> None:
    """Send *data* whole, and cut; both connections must keep the invariants, and agree.

    The first byte is the size of the cuts; 0: no cuts.
    """
    if not data:
        return
    check_both(data[0] or MAX_INPUT_BYTES, data[1:], is_long=False)
    check_both(data[0] or MAX_INPUT_BYTES, data[1:], is_long=True)


def check_both(step: int, data: bytes, *, is_long: bool) -> None:
    """Send *data* whole, and in pieces of *step* bytes."""
    whole, llhttp = connect(is_long=is_long), Llhttp()
    cut = connect(has_fast_path=False, is_long=is_long)
    whole.send(data)
    llhttp.feed(data)
    llhttp.agrees(whole)
    for start in range(0, len(data), step):
        over = cut.is_over
        new = cut.send(data[start : start + step])
        assert not (over and new)
    llhttp.agrees(cut)
    check_invariants(whole)
    check_invariants(cut)
    same_however_cut(whole, cut)
