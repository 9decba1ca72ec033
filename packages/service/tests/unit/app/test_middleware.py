"""Faults, the access log, request ids and traces, without a server."""

from typing import Any

import msgspec
import pytest

from devops_info_service.app.middleware import recover_and_log
from devops_info_service.app.request_id import RequestIdSource, is_plain
from devops_info_service.http.wire.message import Client, Request, Response, error_response
from devops_info_service.logs import Log

Lines = list[bytes]

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"
TRACEPARENT = f"00-{TRACE}-{PARENT}-01".encode()


def a_request(
    method: str = "GET", path: str = "/", headers: dict[bytes, bytes] | None = None
) -> Request:
    """Return a request as the reader would."""
    peer = Client("192.0.2.7", 4242)
    return Request(method, path, b"", headers or {}, peer, "1.1", keep_alive=True)


@pytest.fixture
def lines() -> Lines:
    """Logged events."""
    return []


@pytest.fixture
def log(lines: Lines) -> Log:
    """A log with a fixed clock."""
    return Log(lines.append, lambda: 0.0)


def not_allowed(_: Request) -> Response:
    """Return a response with a field."""
    return error_response(405, "x", headers=((b"Allow", b"GET, HEAD"),))


def broken(_: Request) -> Response:
    """Fail as a handler with a bug does."""
    raise ZeroDivisionError("the secret of the house")


def decoded(lines: Lines) -> list[dict[str, Any]]:
    """Return the lines' objects."""
    return [msgspec.json.decode(line) for line in lines]


@pytest.mark.parametrize("access_log", [False, True])
def test_fault(log: Log, lines: Lines, *, access_log: bool) -> None:
    """An exception is a 500 without detail; the log has the detail under the same id."""
    response = recover_and_log(broken, log, access_log=access_log)(a_request(path="/\n"))

    assert response.status == 500
    assert b"secret" not in response.body
    ((name, request_id),) = response.headers
    assert name == b"X-Request-Id"
    fault, *requests = decoded(lines)
    assert fault["event"] == "unhandled_exception"
    assert fault["traceback"][-1] == "ZeroDivisionError: the secret of the house"
    assert [line["request_id"] for line in (fault, *requests)] == [request_id.decode()] * len(lines)
    assert len(requests) == access_log


def test_access_log(log: Log, lines: Lines) -> None:
    """One line per request: method, path, status, duration and client."""
    response = recover_and_log(not_allowed, log, access_log=True)(a_request(path="/x"))

    (line,) = decoded(lines)
    assert line.pop("duration_ms") >= 0
    assert line == {
        "time": "1970-01-01T00:00:00.000Z",
        "level": "info",
        "event": "request",
        "method": "GET",
        "path": "/x",
        "status": 405,
        "client": "192.0.2.7",
        "request_id": response.headers[-1][1].decode(),
    }


def test_no_access_log(log: Log, lines: Lines) -> None:
    """Without an access log nothing is written, no id is made, and the response is the
    handler's own."""
    answer = Response(200, b"")

    assert recover_and_log(lambda _: answer, log, access_log=False)(a_request()) is answer
    assert lines == []


@pytest.mark.parametrize("access_log", [False, True])
def test_id_of_the_client(log: Log, *, access_log: bool) -> None:
    """A plain id of the client's is used and given back, beside the other fields."""
    dispatch = recover_and_log(not_allowed, log, access_log=access_log)

    response = dispatch(a_request("POST", headers={b"x-request-id": b"abc-1"}))

    assert response.headers == ((b"Allow", b"GET, HEAD"), (b"X-Request-Id", b"abc-1"))


def test_names_leave_the_rest(log: Log) -> None:
    """An id changes no other part of a response, `Vary` included."""

    def dispatch(_: Request) -> Response:
        return Response(200, b"", vary=b"Accept")

    response = recover_and_log(dispatch, log, access_log=False)(
        a_request(headers={b"x-request-id": b"1"})
    )

    assert response == Response(200, b"", headers=((b"X-Request-Id", b"1"),), vary=b"Accept")


@pytest.mark.parametrize("given", [b"", b"a b", b'a"b', b"a\x9b", b"a, b", b"a" * 65])
def test_id_that_is_not_plain(given: bytes) -> None:
    """An empty or long id, or one with unusual characters, is replaced."""
    names = RequestIdSource()

    assert not is_plain(given)
    made = names.ensure(a_request(headers={b"x-request-id": given})).request_id
    assert made is not None
    assert is_plain(made)
    assert made != names.ensure(a_request()).request_id


@pytest.mark.parametrize("access_log", [False, True])
@pytest.mark.parametrize("dispatch", [not_allowed, broken])
def test_trace(log: Log, lines: Lines, dispatch: Any, *, access_log: bool) -> None:
    """Every line of the log has the client's trace; the response has none."""
    response = recover_and_log(dispatch, log, access_log=access_log)(
        a_request(headers={b"traceparent": TRACEPARENT})
    )

    assert b"traceparent" not in dict(response.headers)
    assert [(line["trace_id"], line["parent_id"]) for line in decoded(lines)] == [
        (TRACE, PARENT)
    ] * (access_log + (dispatch is broken))


@pytest.mark.parametrize("access_log", [False, True])
@pytest.mark.parametrize("headers", [{}, {b"traceparent": b"x"}, {b"tracestate": b"a=b"}])
def test_no_trace(log: Log, lines: Lines, headers: dict[bytes, bytes], *, access_log: bool) -> None:
    """Without a valid trace the log has none."""
    recover_and_log(not_allowed, log, access_log=access_log)(a_request(headers=headers))

    assert all("trace_id" not in line for line in decoded(lines))
