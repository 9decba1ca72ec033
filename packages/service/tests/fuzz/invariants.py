"""What the reader promises of any bytes, for every fuzzer."""

import sys
from typing import Final

import httptools

from devops_info_service.http.wire.fast_path import HEAD_END, FastPathParser
from devops_info_service.http.wire.limits import Limits
from devops_info_service.http.wire.message import Client, Phase, Request
from devops_info_service.http.wire.parser import RequestParser

CLIENT: Final = Client("192.0.2.7", 1)

LIMITS: Final = Limits(
    max_request_line_bytes=128, max_head_bytes=512, max_fields=8, max_body_bytes=64
)
"""Small, so that a fuzzer gets there."""

MAX_INPUT_BYTES: Final = 2048
"""Of a fuzzer's input: four times the longest head."""

_STATUSES: Final = frozenset({400, 413, 414, 417, 431, 501, 505})
_OF_LIMITS: Final = frozenset({413, 414, 431})


class PlainFirst(RequestParser):
    """Gets what is not plain, as on a connection: between requests, all or nothing of a read."""

    def __init__(self) -> None:
        super().__init__(CLIENT, LIMITS)
        self._plain = FastPathParser(LIMITS)
        self._is_over = False

    def receive(self, data: bytes, most: int = sys.maxsize) -> list[Request]:
        """Return the requests that are complete now, in the turns of a connection."""
        found: list[Request] = []
        while data and not self._is_over:
            plain = self._plain.read(data, CLIENT) if self.phase is Phase.IDLE else None
            if plain is None:
                found += super().receive(data, min(most, 1))
                data = self.rest
            else:
                found += plain
                data = data.split(HEAD_END, len(plain))[-1]
            self._is_over = is_over(self, found)
        return found


def new_reader(*, plain: bool = True) -> RequestParser:
    """Return a reader that has seen nothing; one that is not *plain* leaves all to llhttp."""
    return PlainFirst() if plain else RequestParser(CLIENT, LIMITS)


def is_over(reader: RequestParser, found: list[Request]) -> bool:
    """Whether nothing that comes now may be read."""
    return reader.rejection is not None or (bool(found) and not found[-1].keep_alive)


def check_invariants(reader: RequestParser, found: list[Request]) -> None:
    """Check that *found*, all that *reader* has handed on, can be trusted, and its state."""
    for request in found:
        assert request.version in {"1.0", "1.1"}
        assert request.path == "*" or request.path.startswith("/")
        assert request.version == "1.0" or b"host" in request.headers
        assert not {b"content-length", b"transfer-encoding"} <= request.headers.keys()
        assert all(name == name.lower() for name in request.headers)
        assert not any({0, 10, 13} & set(value) for value in request.headers.values())
    assert all(request.keep_alive for request in found[:-1])
    if reader.rejection is not None:
        assert reader.rejection.status in _STATUSES
    elif reader.phase is Phase.BODY:
        assert reader.body_bytes <= LIMITS.max_body_bytes


class Alone:
    """llhttp, given each read at once: our pieces shall make no message of what is none to it."""

    def __init__(self) -> None:
        self.methods: list[bytes] = []
        self._parser = httptools.HttpRequestParser(self)
        self._is_over = False

    def feed(self, data: bytes) -> None:
        """Go on, unless what came before was in error."""
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
        """Be there: httptools calls it unasked."""

    def on_headers_complete(self) -> None:
        """Be there."""

    def on_message_complete(self) -> None:
        """Note what came."""
        self.methods.append(self._parser.get_method())

    def agrees(self, reader: RequestParser, found: list[Request]) -> None:
        """Check that *found* are its messages, and all of them as long as more are read."""
        methods = [request.method.encode("latin-1") for request in found]
        assert methods == self.methods[: len(found)]
        assert is_over(reader, found) or len(found) == len(self.methods)


def same_however_cut(
    one: RequestParser, one_found: list[Request], other: RequestParser, other_found: list[Request]
) -> None:
    """Check that two readers of the same bytes agree; of a limit, one read is the slack."""
    rejections = [reader.rejection for reader in (one, other)]
    if any(refused is not None and refused.status in _OF_LIMITS for refused in rejections):
        return
    assert one_found == other_found
    assert str(rejections[0]) == str(rejections[1])


def check(data: bytes) -> None:
    """Read *data* whole, and cut; both readers must keep the promises, and agree.

    The first byte says how the rest is cut: 0 not at all, else every so many bytes.
    """
    if not data:
        return
    step, data = data[0] or MAX_INPUT_BYTES, data[1:]
    whole, cut, alone = new_reader(), new_reader(plain=False), Alone()
    found = whole.receive(data)
    alone.feed(data)
    alone.agrees(whole, found)
    found_cut: list[Request] = []
    for start in range(0, len(data), step):
        over = is_over(cut, found_cut)
        new = cut.receive(data[start : start + step])
        assert not (over and new)
        found_cut += new
    alone.agrees(cut, found_cut)
    check_invariants(whole, found)
    check_invariants(cut, found_cut)
    same_however_cut(whole, found, cut, found_cut)
