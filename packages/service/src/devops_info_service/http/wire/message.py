"""What is said: a request as it was received, a response as it will be sent."""

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Final

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
"""RFC 9110's words for the statuses we send; ``http.HTTPStatus`` would import ``enum`` tables."""


class Phase(Enum):
    """What a connection is in the middle of; time-outs differ."""

    IDLE = "between requests"
    HEAD = "in a request's head"
    BODY = "in a request's body"


class Client(msgspec.Struct, frozen=True):
    """The other end of the connection, as the kernel names it."""

    address: str
    port: int


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
    """Whether the client can take another answer on this connection."""
    peer: Client | None = None
    """Whose connection it is, where that one spoke for ``client`` and was believed."""


class Response(msgspec.Struct, frozen=True, gc=False):
    """One answer. Framing, date and connection fields are the writer's business."""

    status: int
    body: bytes
    content_type: bytes = JSON
    headers: tuple[tuple[bytes, bytes], ...] = ()
    vary: bytes = b""
    """The request's fields that chose this answer (RFC 9110, 12.5.5); a part of the answer's
    kind, so that the writer builds it into the head it keeps."""


Handler = Callable[[Request], Response]
"""What the engine calls with each request; it returns the whole response."""


class Problem(msgspec.Struct, frozen=True):
    """The body of every answer that is not what was asked for."""

    error: str
    message: str


def problem(status: int, message: str, headers: tuple[tuple[bytes, bytes], ...] = ()) -> Response:
    """Say in JSON what is wrong."""
    return Response(status, _encode(Problem(PHRASES[status], message)), JSON, headers)


_encode: Final = msgspec.json.Encoder().encode
