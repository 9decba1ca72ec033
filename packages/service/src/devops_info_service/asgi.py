"""The handlers behind the standard ASGI interface, for whoever wants another server in front.

``uvicorn --factory devops_info_service.app:asgi_application`` serves them.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from .http.message import Client, Request, Response

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class AsgiApplication:
    """ASGI 3: one coroutine a request, and the two words of the lifespan protocol."""

    def __init__(self, dispatch: Callable[[Request], Response]) -> None:
        self._dispatch = dispatch

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request, or follow the server's life."""
        if scope["type"] == "http":
            await self._answer(scope, send)
        elif scope["type"] == "lifespan":
            await _live(receive, send)
        else:
            # The specification's way to say that a protocol is not supported.
            raise ValueError(f"{scope['type']} is not served here")

    async def _answer(self, scope: Scope, send: Send) -> None:
        # The body is not asked for: no resource has a use for one, and the server drops it.
        response = self._dispatch(_request(scope))
        headers = [
            (b"content-type", response.content_type),
            (b"content-length", b"%d" % len(response.body)),
            (b"cache-control", b"no-store"),  # as ``http.writer`` has it
        ]
        if response.vary:
            headers.append((b"vary", response.vary))
        headers += [(name.lower(), value) for name, value in response.headers]
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        body = b"" if scope["method"] == "HEAD" else response.body
        await send({"type": "http.response.body", "body": body})


def _request(scope: Scope) -> Request:
    headers: dict[bytes, bytes] = {}
    for name, value in scope["headers"]:
        headers[name] = headers[name] + b", " + value if name in headers else value
    # raw_path is optional, and path is decoded; a path of ours is one character a byte.
    raw_path = scope.get("raw_path") or scope["path"].encode()
    address, port = scope.get("client") or ("", 0)
    return Request(
        scope["method"],
        raw_path.partition(b"?")[0].decode("latin-1"),
        scope.get("query_string", b""),
        headers,
        Client(address, port or 0),
        scope.get("http_version", "1.1"),
        keep_alive=True,
    )


async def _live(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
