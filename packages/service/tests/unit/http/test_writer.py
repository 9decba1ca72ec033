"""The writer's bytes: framing, dates and fields."""

import pytest

from devops_info_service.coarse_clock import SystemClock
from devops_info_service.http.wire.message import Response, error_response
from devops_info_service.http.wire.writer import ResponseWriter


class Clock:
    """A clock that a test sets."""

    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


HEAD = (
    b"HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nCache-Control: no-store\r\n"
    b"Content-Type: application/json\r\nContent-Length: 2\r\n"
)


@pytest.fixture
def clock() -> Clock:
    """The moment RFC 9110 takes for its example, and a bit."""
    return Clock(784111777.9)


@pytest.fixture
def writer(clock: Clock) -> ResponseWriter:
    """A writer at that moment."""
    return ResponseWriter(SystemClock(clock))


def test_plain(writer: ResponseWriter) -> None:
    """A response is a status line, its fields, an empty line and the body."""
    assert writer.encode(Response(200, b"{}")) == HEAD + b"\r\n{}"


@pytest.mark.claim("HEAD; 204 and 304 without length")
def test_head_only(writer: ResponseWriter) -> None:
    """HEAD gets the same head without the body."""
    assert writer.encode(Response(200, b"{}"), head_only=True) == HEAD + b"\r\n"


def test_connection(writer: ResponseWriter) -> None:
    """A Connection field is written if the caller passes one."""
    expected = HEAD + b"Connection: close\r\n\r\n{}"

    assert expected == writer.encode(Response(200, b"{}"), connection=b"close")


def test_vary(writer: ResponseWriter) -> None:
    """The Vary field is part of the cached head of such responses, and of no others."""
    plain = writer.encode(Response(200, b"{}"))
    expected = HEAD.replace(b"Content-Length", b"Vary: Accept\r\nContent-Length") + b"\r\n{}"

    assert expected == writer.encode(Response(200, b"{}", vary=b"Accept"))
    assert plain == writer.encode(Response(200, b"{}"))


def test_fields(writer: ResponseWriter) -> None:
    """The fields of a response follow those of the writer."""
    response = Response(200, b"{}", headers=((b"A", b"1"), (b"B", b"2")))

    assert writer.encode(response) == HEAD + b"A: 1\r\nB: 2\r\n\r\n{}"


@pytest.mark.parametrize("value", [b"a\r\nSet-Cookie: b", b"a\nb", b"a\rb"])
def test_no_splitting(writer: ResponseWriter, value: bytes) -> None:
    """A line break in a value is a bug, not a second field."""
    with pytest.raises(ValueError, match="line break"):
        writer.encode(Response(200, b"{}", headers=((b"A", value),)))


@pytest.mark.claim("HEAD; 204 and 304 without length")
@pytest.mark.parametrize("status", [204, 304])
def test_without_length(writer: ResponseWriter, status: int) -> None:
    """204 and 304 have neither a body nor a length (RFC 9110, 8.6)."""
    data = writer.encode(Response(status, b""))

    assert b"Content-Length" not in data
    assert b"Content-Type" not in data
    assert data.endswith(b"GMT\r\nCache-Control: no-store\r\n\r\n")


def test_date_follows_the_clock(writer: ResponseWriter, clock: Clock) -> None:
    """The date is kept for a second and no longer, back or forth."""
    writer.encode(Response(200, b"{}"))
    clock.now += 1
    assert b"08:49:38 GMT" in writer.encode(Response(200, b"{}"))
    clock.now -= 2
    assert b"08:49:36 GMT" in writer.encode(Response(200, b"{}"))


def test_kinds_are_distinct(writer: ResponseWriter) -> None:
    """A head built for one status or type is not used for another."""
    writer.encode(Response(200, b"{}"))

    assert writer.encode(error_response(404, "No")).startswith(b"HTTP/1.1 404 Not Found\r\n")
    assert b"Content-Type: text/plain\r\n" in writer.encode(Response(200, b"", b"text/plain"))


def test_problem() -> None:
    """A problem has its status as text and a sentence of detail."""
    assert error_response(404, "Endpoint does not exist").body == (
        b'{"error":"Not Found","message":"Endpoint does not exist"}'
    )
