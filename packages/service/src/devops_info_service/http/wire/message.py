"""A request as it was received, a response as it will be sent."""

from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from typing import ClassVar, Final, Protocol

import msgspec

JSON: Final = b"application/json"

PHRASES: Final = {
    200: "OK",
    202: "Accepted",
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
    429: "Too Many Requests",
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


class BodyReceiver(Protocol):
    """Takes the body of one request as it arrives."""

    @property
    def held_bytes(self) -> int:
        """Bytes in memory, which count as those of the connection."""

    def receive(self, piece: bytes) -> None:
        """Take the next *piece*, without its framing.

        Raises:
            RejectedError: no more of it is wanted; the connection ends with that status.
        """


class RequestWithBody(Request, frozen=True, gc=True):
    """A request whose body was taken piece by piece; without a receiver bodies are dropped."""

    body: BodyReceiver | None = None
    """The receiver, which has all of it."""


class Response(msgspec.Struct, frozen=True, gc=False):
    """One response. Framing, date and connection fields are added by the writer."""

    is_long: ClassVar[bool] = False
    """Whether it is a ``LongResponse``."""

    status: int
    body: bytes
    content_type: bytes = JSON
    headers: tuple[tuple[bytes, bytes], ...] = ()
    vary: bytes = b""
    """The request's fields that select this response (RFC 9110, 12.5.5); the writer builds them
    into the head that it keeps for such responses."""


class LongResponse(Response, frozen=True, gc=True):
    """A response that is due later, or made in pieces; others are served meanwhile.

    The next request of its connection is read when it is complete. HEAD gets the same head, at
    the same time.
    """

    is_long: ClassVar[bool] = True

    delay_seconds: float = 0.0
    """From the call of the handler to the head."""
    pieces: Iterator[bytes | float] | None = None
    """The body: bytes to send, or seconds to wait; None: ``body``. The next is requested when the
    kernel has accepted the one before. An iterator with ``close`` is closed at the end, whatever
    that is."""
    length: int | None = None
    """Bytes of all pieces; None: not known. Then the body is chunked, and for a client of HTTP/1.0
    it ends with the connection (RFC 9112, section 6.3)."""

    @classmethod
    def of(cls, response: Response, *, delay_seconds: float = 0.0) -> "LongResponse":
        """Return *response*, due after *delay_seconds*."""
        return cls(
            response.status,
            response.body,
            response.content_type,
            response.headers,
            response.vary,
            delay_seconds=delay_seconds,
        )


Handler = Callable[[Request], Response]
"""Called by the engine with each request; returns the response, or a ``LongResponse``."""

ReceiverOf = Callable[[Request], BodyReceiver | None]
"""Called with the head of each request that has a body; None: the body is dropped."""


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
