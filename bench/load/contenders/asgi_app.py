"""A bare ASGI callable: the cost of a server without a framework."""

from collections.abc import Awaitable, Callable
from typing import Any

from .bodies import Bodies

_bodies = Bodies("ASGI")


async def app(
    scope: dict[str, Any],
    receive: Callable[[], Awaitable[dict[str, Any]]],
    send: Callable[[dict[str, Any]], Awaitable[None]],
) -> None:
    """Serve both resources, and 404 for anything else."""
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return
    status, path = 200, scope["path"]
    if path == "/":
        address, port = scope["client"]  # Granian's port is text, against the specification
        agent = b""
        for name, value in scope["headers"]:
            if name == b"user-agent":
                agent = value
                break
        body = _bodies.index(address, int(port), agent.decode("latin-1"), scope["method"], path)
    elif path == "/health":
        body = _bodies.health()
    else:
        status, body = 404, b'{"error":"Not Found","message":"Endpoint does not exist"}'
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(body)),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
