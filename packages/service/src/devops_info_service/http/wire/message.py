"""A request as it was received, a response as it will be sent."""

from collections.abc import Callable, Mapping
from enum import Enum
from typing import ClassVar, Final

import msgspec

JSON: Final = b"application/json"

PHRASES: Final = {
    200: "OK",
    204: "No Content",
    304: "Not Modified",
    400: "Bad Request",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    409: "Conflict",
    413: "Content Too Large",
    414: "URI Too Long",
    417: "Expectation Failed",
    421: "Misdirected Request",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    501: "Not Implemented",
    503: "Service Unavailable",
    505: "HTTP Version Not Supported",
}
"""RFC 9110's phrases for the statuses sent here; ``http.HTTPStatus`` would import enum tables."""


class Phase(Enum):
    """The phases of reading a request; timeouts differ."""

    IDLE = "idle"
    HEAD = "reading_head"
    BODY = "reading_body"


class Client(msgspec.Struct, frozen=True):
    """The client of a request: the peer, or the client that a trusted proxy names."""

    is_management: ClassVar[bool] = False

    address: str
    port: int


class ManagementClient(Client, frozen=True):
    """A client that has connected to the management port."""

    is_management: ClassVar[bool] = True


class Request(msgspec.Struct, frozen=True, gc=False):
    """One request whose bytes were well-formed and are all read."""

    method: str
    path: str
    """The target's path, compared byte by byte: one character a byte, nothing decoded."""
    query: bytes
    headers: Mapping[bytes, bytes]
    """Lower-case names; the values of a repeated field are joined by a comma (RFC 9110, 5.3)."""
    client: Client
    version: str
    """``1.1`` or ``1.0``."""
    keep_alive: bool
    """Whether another response may follow on this connection."""
    peer: Client | None = None
    """The trusted proxy that has named ``client``; None: the client is the peer itself."""


class Response(msgspec.Struct, frozen=True, gc=False):
    """One response. Framing, date and connection fields are added by the writer."""

    status: int
    body: bytes
    content_type: bytes = JSON
    headers: tuple[tuple[bytes, bytes], ...] = ()
    vary: bytes = b""
    """The request's fields that select this response (RFC 9110, 12.5.5); the writer builds them
    into the head that it keeps for such responses."""


Handler = Callable[[Request], Response]
"""Called by the engine with each request; returns the whole response."""


class ErrorBody(msgspec.Struct, frozen=True):
    """The body of an error response."""

    error: str
    message: str


def error_response(
    status: int, message: str, headers: tuple[tuple[bytes, bytes], ...] = ()
) -> Response:
    """Return *message* as JSON, with the phrase of *status*."""
    return Response(status, _encode(ErrorBody(PHRASES[status], message)), JSON, headers)


_encode: Final = msgspec.json.Encoder().encode
