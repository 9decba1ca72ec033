"""What the tools read of a request: a short body, parameters, and whether it comes too fast."""

from typing import Final

from devops_info_service.http import (
    Handler,
    RejectedError,
    Request,
    RequestWithBody,
    Response,
    error_response,
)
from devops_info_service.setting_types import number

from .rate_limit import TokenBucket

REQUESTS_PER_SECOND: Final = 500
"""For tools, in each process; others get 429. A load test is for ``/``."""

MAX_BODY_BYTES: Final = 16 * 1024
"""As many as a head may have."""


class ShortBody:
    """Keeps a body of at most *most* bytes; rejects a longer one."""

    def __init__(self, most: int = MAX_BODY_BYTES) -> None:
        self._most = most
        # One buffer: chunks of a byte would be fifty times their size.
        self._content = bytearray()

    @property
    def held_bytes(self) -> int:
        """Bytes of the body so far."""
        return len(self._content)

    def receive(self, piece: bytes) -> None:
        """Add *piece*.

        Raises:
            RejectedError: it is too much.
        """
        if len(self._content) + len(piece) > self._most:
            raise RejectedError(f"body over {self._most} bytes, for this route", status=413)
        self._content += piece

    @property
    def content(self) -> bytes:
        """The body."""
        return bytes(self._content)


def body_of(request: Request) -> bytes:
    """Return the body that a ``ShortBody`` has kept."""
    body = request.body if isinstance(request, RequestWithBody) else None
    return body.content if isinstance(body, ShortBody) else b""


def limited(handler: Handler, requests: TokenBucket) -> Handler:
    """Return *handler* for as many requests as *requests* allows; 429 for others."""

    def handle(request: Request) -> Response:
        if requests.try_take():
            return handler(request)
        return error_response(
            429, "More requests for tools than are served", ((b"Retry-After", b"1"),)
        )

    return handle


def last_part(request: Request) -> str:
    """Return the parameter of a path that ends with it."""
    return request.path.rpartition("/")[2]


def decimal(text: str, low: float, high: float) -> float:
    """Take digits, and a point among them if there is one.

    Raises:
        ValueError: it is something else, or outside the range.
    """
    whole, _, part = text.partition(".")
    number(whole, 0, int(high))
    if part:
        number(part, 0, 10**9)
    if not low <= float(text) <= high:
        raise ValueError(text)
    return float(text)


def parameters(query: bytes, names: tuple[str, ...]) -> dict[str, str]:
    """Return the parameters of *query* by name; none of these needs percent-encoding.

    Raises:
        ValueError: one is not of *names*, or repeated.
    """
    found: dict[str, str] = {}
    for part in filter(None, query.decode("latin-1").split("&")):
        name, _, value = part.partition("=")
        if name not in names or name in found:
            raise ValueError(part)
        found[name] = value
    return found
