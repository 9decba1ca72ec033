"""The tools under ``/tools``: responses that a client chooses, to try proxies and platforms.

Nothing here connects to anywhere, and nothing that a client sends comes back as HTML. Each has its
limits, above which it refuses.
"""

import binascii
import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from typing import Final

import msgspec

from devops_info_service.escape import json_body
from devops_info_service.http import (
    Handler,
    Lifecycle,
    LongResponse,
    ProcessLifecycle,
    Request,
    RequestWithBody,
    Response,
    error_response,
)
from devops_info_service.http.wire.message import JSON
from devops_info_service.setting_types import number
from devops_info_service.tools.rate_limit import TokenBucket
from devops_info_service.tools.requests import body_of, decimal, last_part, parameters

MAX_DELAY_SECONDS: Final = 60
"""The default timeout of nginx, HAProxy and AWS's balancers can be reached."""

MAX_EVENTS: Final = 3600
MAX_INTERVAL_SECONDS: Final = 60

MAX_BYTES: Final = 10 * 1024 * 1024
"""As long as a request's body may be by default."""

BYTES_PER_SECOND: Final = 32 * 1024 * 1024
"""Of all responses of ``/tools/bytes`` of a process: a quarter of a link of 1 Gbit/s."""

PIECE_BYTES: Final = 16 * 1024
"""What a connection's send buffer takes at once."""

SECRET_WORDS: Final = (
    *(b"auth", b"token", b"cookie", b"key", b"secret", b"passw", b"credential", b"session"),
    *(b"jwt", b"assertion", b"oidc", b"saml", b"csrf", b"xsrf", b"signature"),
)
"""In the name of a field whose value is withheld. A proxy may have added it, and then the client
may not know it: ``x-forwarded-access-token`` of oauth2-proxy, ``x-amzn-oidc-data`` of AWS,
``x-goog-iap-jwt-assertion``, ``cf-access-jwt-assertion``."""

_MORE_FIELDS: Final[Mapping[int, tuple[tuple[bytes, bytes], ...]]] = {
    # Required by RFC 9110 with the status. A scheme for which no browser prompts.
    401: ((b"WWW-Authenticate", b"None"),),
    405: ((b"Allow", b"GET, HEAD"),),
    407: ((b"Proxy-Authenticate", b"None"),),
    426: ((b"Upgrade", b"HTTP/1.1"),),
    429: ((b"Retry-After", b"1"),),
    503: ((b"Retry-After", b"1"),),
}
STATUSES: Final = frozenset(
    {
        *(200, 201, 202, 203, 204, 205, 300, 301, 302, 303, 304, 307, 308),
        *range(400, 418),
        *(418, 421, 422, 423, 424, 425, 426, 428, 429, 431, 451),
        *(500, 501, 502, 503, 504, 505, 506, 507, 508, 511),
    }
)
"""Those of IANA's registry that need no range, and 418. Few, as metrics count by status."""

_RESET_CONTENT: Final = 205
"""It has no content (RFC 9110, section 15.3.6)."""


class Headers(msgspec.Struct, frozen=True):
    """The body of ``/tools/headers``."""

    headers: dict[str, str]
    """By name in lower case; repeated fields are joined by a comma."""
    withheld: tuple[str, ...]
    """Fields that were sent and may be secret."""


class Echo(msgspec.Struct, frozen=True):
    """The body of ``/tools/echo``."""

    method: str
    path: str
    query: str
    version: str
    client_ip: str
    body: str
    """The request's, as text if it is UTF-8, else in base64."""
    encoding: str
    """``utf-8`` or ``base64``."""
    headers: dict[str, str]
    withheld: tuple[str, ...]


class Status(msgspec.Struct, frozen=True):
    """The body of ``/tools/status/{code}``."""

    status: int


class Delayed(msgspec.Struct, frozen=True):
    """The body of ``/tools/delay/{seconds}``."""

    delayed_seconds: float


class Upload(msgspec.Struct, frozen=True):
    """The body of ``/tools/upload``."""

    bytes: int
    sha256: str


class Checksum:
    """Hashes a body, and keeps nothing of it."""

    held_bytes: Final = 0

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self._bytes = 0

    def receive(self, piece: bytes) -> None:
        """Add *piece*."""
        self._hash.update(piece)
        self._bytes += len(piece)

    @property
    def result(self) -> Upload:
        """The length and the hash so far."""
        return Upload(self._bytes, self._hash.hexdigest())


def echo() -> Handler:
    """Return the handler of ``Echo``."""

    def handle(request: Request) -> Response:
        body = body_of(request)
        try:
            text, encoding = body.decode(), "utf-8"
        except UnicodeDecodeError:
            text, encoding = binascii.b2a_base64(body, newline=False).decode(), "base64"
        headers = _headers(request)
        shown = Echo(
            request.method,
            request.path,
            request.query.decode("utf-8", "replace"),
            request.version,
            request.client.address,
            text,
            encoding,
            headers.headers,
            headers.withheld,
        )
        return Response(200, json_body(shown))

    return handle


def headers() -> Handler:
    """Return the handler of ``Headers``."""
    return lambda request: Response(200, json_body(_headers(request)))


def status() -> Handler:
    """Return the handler that responds with the status of the path."""
    encode = msgspec.json.Encoder().encode

    def handle(request: Request) -> Response:
        try:
            code = number(last_part(request), 200, 599)
        except ValueError:
            code = 0
        if code not in STATUSES:
            return error_response(400, "Not a status to respond with; expected one such as 503")
        body = b"" if code == _RESET_CONTENT else encode(Status(code))
        return Response(code, body, JSON, _MORE_FIELDS.get(code, ()))

    return handle


def delay() -> Handler:
    """Return the handler whose response is due after the seconds of the path."""
    encode = msgspec.json.Encoder().encode

    def handle(request: Request) -> Response:
        try:
            seconds = decimal(last_part(request), 0, MAX_DELAY_SECONDS)
        except ValueError:
            return error_response(400, f"Not seconds; expected 0 to {MAX_DELAY_SECONDS}")
        return LongResponse(200, encode(Delayed(seconds)), delay_seconds=seconds)

    return handle


def events(lifecycle: ProcessLifecycle, now: Callable[[], str]) -> Handler:
    """Return the handler of a stream of events (HTML Standard, server-sent events).

    ``count`` of them (default 10), every ``interval`` seconds (default 1); *now* is their data.
    The stream ends early with the service, so that the drain need not wait.
    """

    def handle(request: Request) -> Response:
        try:
            given = parameters(request.query, ("count", "interval"))
            count = number(given.get("count", "10"), 1, MAX_EVENTS)
            interval = decimal(given.get("interval", "1"), 0.1, MAX_INTERVAL_SECONDS)
        except ValueError:
            return error_response(
                400,
                f"Not a stream; expected count, 1 to {MAX_EVENTS}, and interval, 0.1 to "
                f"{MAX_INTERVAL_SECONDS} seconds",
            )
        return LongResponse(
            200,
            b"",
            b"text/event-stream",
            ((b"X-Accel-Buffering", b"no"),),  # nginx would keep events back
            pieces=_events(count, interval, lifecycle, now),
        )

    return handle


def random_bytes(bandwidth: TokenBucket) -> Handler:
    """Return the handler of as many bytes as the path names, at the rate of *bandwidth*."""
    # The same for all: proxies cannot compress it, and it costs nothing to make.
    block = os.urandom(PIECE_BYTES)

    def pieces(left: int) -> Iterator[bytes | float]:
        while left:
            size = min(left, PIECE_BYTES)
            wait = bandwidth.reserve(size)
            if wait:
                yield wait
            yield block[:size]
            left -= size

    def handle(request: Request) -> Response:
        try:
            length = number(last_part(request), 0, MAX_BYTES)
        except ValueError:
            return error_response(400, f"Not a number of bytes; expected 0 to {MAX_BYTES}")
        return LongResponse(
            200, b"", b"application/octet-stream", pieces=pieces(length), length=length
        )

    return handle


def upload() -> Handler:
    """Return the handler of ``Upload``, for bodies taken by ``Checksum``."""
    encode = msgspec.json.Encoder().encode

    def handle(request: Request) -> Response:
        body = request.body if isinstance(request, RequestWithBody) else None
        taken = body if isinstance(body, Checksum) else Checksum()
        return Response(200, encode(taken.result))

    return handle


def _headers(request: Request) -> Headers:
    shown = {
        name.decode("latin-1"): value.decode("utf-8", "replace")
        for name, value in request.headers.items()
        if not _is_secret(name)
    }
    withheld = sorted([name.decode("latin-1") for name in request.headers if _is_secret(name)])
    return Headers(shown, tuple(withheld))


def _is_secret(name: bytes) -> bool:
    return any(word in name for word in SECRET_WORDS) and not name.startswith(b"sec-")


def _events(
    count: int, interval: float, lifecycle: ProcessLifecycle, now: Callable[[], str]
) -> Iterator[bytes | float]:
    for index in range(count):
        if lifecycle.current is not Lifecycle.SERVING:
            return
        yield f"id: {index + 1}\ndata: {now()}\n\n".encode()
        if index + 1 < count:
            yield interval
