"""The ASGI application, driven in memory by the words of the specification."""

import asyncio
from typing import Any

import msgspec
import pytest

from devops_info_service.app import asgi_application

SCOPE = {
    "type": "http",
    "asgi": {"version": "3.0"},
    "http_version": "1.1",
    "method": "GET",
    "scheme": "http",
    "path": "/",
    "raw_path": b"/",
    "query_string": b"",
    "headers": [(b"host", b"a"), (b"user-agent", b"test")],
    "client": ("192.0.2.7", 4242),
    "server": ("192.0.2.1", 80),
}


def drive(scope: dict[str, Any], *received: dict[str, Any]) -> list[dict[str, Any]]:
    """Run the application once; return what it sent."""
    incoming, sent = iter(received), []

    async def receive() -> dict[str, Any]:
        return next(incoming)

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(asgi_application()(scope, receive, send))
    return sent


def test_get() -> None:
    """A request is answered with a start and a body, and names the kind of server."""
    start, body = drive(SCOPE)

    decoded = msgspec.json.decode(body["body"])
    assert (start["type"], body["type"]) == ("http.response.start", "http.response.body")
    assert start["status"] == 200
    assert start["headers"] == [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(body["body"])),
        (b"cache-control", b"no-store"),
        (b"vary", b"Accept"),
    ]
    assert decoded["service"]["framework"] == "ASGI"
    assert decoded["request"] == {
        "client_ip": "192.0.2.7",
        "client_port": 4242,
        "user_agent": "test",
        "method": "GET",
        "path": "/",
    }


def test_head() -> None:
    """HEAD has the length of the body and no body."""
    start, body = drive({**SCOPE, "method": "HEAD"})

    assert int(dict(start["headers"])[b"content-length"]) > 0
    assert body["body"] == b""


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"path": "/health", "raw_path": b"/health"}, 200),
        ({"path": "/health", "raw_path": None}, 200),
        ({"raw_path": b"/?a=b", "query_string": b"a=b"}, 200),
        ({"path": "/\u00e9", "raw_path": None}, 404),
        ({"method": "POST"}, 405),
        ({"client": None}, 200),
        ({"client": ("unix", None)}, 200),
        ({"headers": [(b"x", b"1"), (b"x", b"2")]}, 200),
    ],
)
def test_scopes(changes: dict[str, Any], status: int) -> None:
    """What the specification leaves open does not trouble it."""
    start, _ = drive({**SCOPE, **changes})

    assert start["status"] == status


def test_fields_are_lower_case() -> None:
    """The specification asks for lower-case names."""
    start, _ = drive({**SCOPE, "method": "POST"})

    assert (b"allow", b"GET, HEAD") in start["headers"]


def test_lifespan() -> None:
    """It starts up and shuts down when told."""
    sent = drive({"type": "lifespan"}, {"type": "lifespan.startup"}, {"type": "lifespan.shutdown"})

    assert sent == [
        {"type": "lifespan.startup.complete"},
        {"type": "lifespan.shutdown.complete"},
    ]


def test_websocket() -> None:
    """What is not served is refused as the specification says: by an exception."""
    with pytest.raises(ValueError, match="websocket is not served here"):
        drive({"type": "websocket"})
