"""The parser's limits: exact to the byte where a length is announced, else to a read."""

from typing import Final

import pytest

from devops_info_service.http.wire.limits import Limits

from ..reachable import texts_in
from .test_parser_rejections import CHUNKED, GOOD, POST, new_reader, status_of


def head(size: int, *, fields: int = 1) -> bytes:
    """Return a request whose head has *size* bytes in so many fields, Host apart."""
    start = b"GET / HTTP/1.1\r\nHost: a\r\n"
    rest = size - len(start) - len(b"\r\n") - fields * len(b"X00: \r\n")
    lines = [b"X%02d: %b\r\n" % (n, b"v" * (rest if n == 0 else 0)) for n in range(fields)]
    data = start + b"".join(lines) + b"\r\n"
    assert size == len(data)
    return data


def line(size: int) -> bytes:
    """Return a request whose first line has *size* bytes, the line's end apart."""
    data = b"GET /" + b"a" * (size - len(b"GET / HTTP/1.1")) + b" HTTP/1.1"
    assert size == len(data)
    return data + b"\r\nHost: a\r\n\r\n"


def post(size: int) -> bytes:
    """Return a request with a body of *size* bytes."""
    return POST + b"Content-Length: %d\r\n\r\n" % size + b"b" * size


def chunks(count: int, size: int = 1) -> bytes:
    """Return a request with a body of so many chunks of so many bytes."""
    return CHUNKED + (b"%x\r\n%b\r\n" % (size, b"b" * size)) * count + b"0\r\n\r\n"


SMALL: Final = Limits(
    max_request_line_bytes=100, max_head_bytes=400, max_fields=10, max_body_bytes=50
)

LIMITS: Final = {
    "a long request line": (line(95), None),
    "a longer one": (line(110), 414),
    "a long head": (head(400), None),
    "a longer one still": (head(401), 431),
    "a head that fills a read": (head(4000), 431),
    "many fields": (head(300, fields=9), None),
    "more fields": (head(300, fields=10), 431),
    "the same field again and again": (GOOD[:-2] + b"X: 1\r\n" * 10 + b"\r\n", 431),
    "a long body": (post(50), None),
    "a longer body": (post(51), 413),
    "a long body in chunks": (chunks(50), None),
    "a longer body in chunks": (chunks(51), 413),
    "a long chunk": (chunks(1, 50), None),
    "a longer chunk": (chunks(1, 51), 413),
    "long chunks": (chunks(2, 25), None),
    "longer chunks": (chunks(2, 26), 413),
}


@pytest.mark.claim("chunks above the limit, alone and in sum")
@pytest.mark.claim("request line, head, fields, body; in one read")
@pytest.mark.parametrize("before", [0, 20])
@pytest.mark.parametrize("step", [1, 7, 64, 10_000])
@pytest.mark.parametrize(("data", "status"), LIMITS.values(), ids=LIMITS)
def test_limits(data: bytes, status: int | None, step: int, before: int) -> None:
    """A limit holds whether the bytes come one by one or all at once, and for one message."""
    reader = new_reader(SMALL)
    data = GOOD * before + b"\r\n" * before + data

    found = [
        found
        for start in range(0, len(data), step)
        for found in reader.receive(data[start : start + step])
    ]

    assert before + (1 if status is None else 0) == len(found)
    assert status == (reader.rejection and reader.rejection.status)


@pytest.mark.claim("chunk extensions")
@pytest.mark.claim("trailers")
@pytest.mark.claim("request line, head, fields, body; in one read")
@pytest.mark.parametrize("step", [1, 7, 64])
@pytest.mark.parametrize(
    ("start", "endless", "status"),
    [
        (b"GET /", b"a", 414),
        (b"GET / HTTP/1.1\r\nX: ", b"a", 431),
        (b"GET / HTTP/1.1\r\nX: ", b" ", 431),
        (b"GET / HTTP/1.1\r\n", b"X: a\r\n", 431),
        (b"GET / HTTP/1.1\r\nX", b"x", 431),
        (CHUNKED, b"1;" + b"x" * 98 + b"\r\nb\r\n", 413),
        (CHUNKED + b"1;", b"x", 413),
        (CHUNKED, b"0", 413),
        (CHUNKED + b"0\r\n", b"X: trailer\r\n", 413),
    ],
)
def test_endless(start: bytes, endless: bytes, status: int, step: int) -> None:
    """What never ends is refused after the limit and one read, not held."""
    reader = new_reader(SMALL)
    reader.receive(start)
    data = endless * (2000 // len(endless))
    fed = 0
    while reader.rejection is None:
        reader.receive(data[fed : fed + step])
        fed += step

    assert status == status_of(reader)
    assert fed <= SMALL.max_head_bytes + SMALL.max_body_bytes + len(start) + step


@pytest.mark.claim("chunks above the limit, alone and in sum")
@pytest.mark.parametrize(
    ("data", "arrived"),
    [
        (b"33\r\n", 0),
        (b"33;x=y\r\n", 0),
        (b"00000000000000000000000000033\r\n", 0),
        (b"fffffffffffffff0\r\n", 0),
        (b"30\r\n" + b"b" * 0x30 + b"\r\n3\r\n", 0x30),
        (b"20\r\n" + b"b" * 0x20 + b"\r\n12\r\n" + b"b" * 0x12 + b"\r\n1\r\n", 0x32),
    ],
)
def test_size_line_alone_refuses(data: bytes, arrived: int) -> None:
    """A chunk with too large a size is rejected at its size line."""
    for step in (1, 7, 10_000):
        reader = new_reader(SMALL)
        early = CHUNKED + data[:-1]
        for at in range(0, len(early), step):
            reader.receive(early[at : at + step])
        assert reader.rejection is None
        reader.receive(data[-1:])
        assert status_of(reader) == 413
        assert arrived == reader.body_bytes


@pytest.mark.claim("chunk extensions")
def test_little_is_kept_of_a_size_line() -> None:
    """A size line as long as a body takes no memory."""
    reader = new_reader()
    reader.receive(CHUNKED)
    for piece in (b"0" * 16_384, b"3;", b"x" * 16_384, b"0" * 16_384):
        reader.receive(piece)
        assert max(map(len, texts_in(reader))) < 100
    assert len(reader.receive(b"\r\nabc\r\n0\r\n\r\n")) == 1


@pytest.mark.claim("request line, head, fields, body; in one read")
def test_length_alone_refuses() -> None:
    """A body with too large a Content-Length is rejected before any of it is read."""
    reader = new_reader()

    reader.receive(POST + b"Content-Length: 10485761\r\nExpect: 100-continue\r\n\r\n")

    assert status_of(reader) == 413
    assert not reader.expects_continue


@pytest.mark.claim("distinct fields")
def test_fields_are_counted_as_they_come() -> None:
    """Of a head that does not end, too: distinct fields are fifteen times their bytes in memory."""
    reader = new_reader()
    most = Limits().max_fields
    assert reader.receive(b"GET / HTTP/1.1\r\n") == []
    for number in range(most):
        reader.receive(b"X%d: 1\r\n" % number)
        assert reader.rejection is None
        assert reader.held_bytes < 20 * 1024
    reader.receive(b"X: 1\r\nY: 1\r\n")

    assert status_of(reader) == 431
