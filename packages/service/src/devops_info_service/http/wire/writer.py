"""Responses in, bytes out: one head built for each kind of response, once a second.

Without input or output: the clock is an argument. There is no Server field: it helps only
attackers in search of versions.
"""

import time
from typing import Final

from devops_info_service.coarse_clock import CoarseClock, SystemClock

from .message import PHRASES, Response

CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"

MAX_LENGTHS: Final = 1024
"""Content-Length lines that are cached: responses differ by the client's own data, at most."""

# As numbers: for a bytes object, CPython's `in` first tries whether it is a number.
_CR: Final = 0x0D
_LF: Final = 0x0A

_WITHOUT_BODY: Final = frozenset({204, 304})
_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS: Final = (
    *("Jan", "Feb", "Mar", "Apr", "May", "Jun"),
    *("Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
)


class ResponseWriter:
    """Encode responses; one serves every connection of a process."""

    __slots__ = ("_heads", "_lengths", "_now", "_second")

    def __init__(self, second: CoarseClock | None = None) -> None:
        self._second = second or SystemClock()
        self._now = -1
        self._heads: dict[tuple[int, bytes, bytes], bytes] = {}
        self._lengths: dict[int, bytes] = {}

    def encode(
        self,
        response: Response,
        connection: bytes = b"",
        head_only: bool = False,  # noqa: FBT001, FBT002  an argument by name costs a tenth of it
    ) -> bytes:
        """Return the bytes of *response*.

        Args:
            response: status, body, fields.
            connection: the value of a Connection field, or nothing for none.
            head_only: the request was HEAD: the same head, and no body.
        """
        now = self._second.now
        if now != self._now:
            # All at once: the cache has the heads of one second, a handful.
            self._heads.clear()
            self._now = now
        status, body = response.status, response.body
        head = self._heads.get((status, response.content_type, response.vary))
        if head is None:
            head = self._head(status, response.content_type, response.vary)
        if status in _WITHOUT_BODY:
            return b"%b%b\r\n" % (head, _more(response, connection))
        length = self._lengths.get(len(body))
        if length is None:
            length = self._length(len(body))
        if head_only:
            body = b""
        if not connection and not response.headers:
            return b"".join((head, length, b"\r\n", body))
        return b"".join((head, length, _more(response, connection), b"\r\n", body))

    def encode_head(self, response: Response, framing: bytes, connection: bytes) -> bytes:
        """Return the head of *response* alone; *framing* are the lines for a body in pieces."""
        now = self._second.now
        if now != self._now:
            self._heads.clear()
            self._now = now
        head = self._head(response.status, response.content_type, response.vary)
        return b"%b%b%b\r\n" % (head, framing, _more(response, connection))

    def _length(self, length: int) -> bytes:
        if len(self._lengths) >= MAX_LENGTHS:
            self._lengths.clear()
        self._lengths[length] = line = b"Content-Length: %d\r\n" % length
        return line

    def _head(self, status: int, content_type: bytes, vary: bytes) -> bytes:
        # RFC 9111, section 5.2.2.5, on every response: those of one client or one moment must not
        # be cached, and the others (/version, /openapi.json) would be stale after a rollout.
        head = b"HTTP/1.1 %d %b\r\nDate: %b\r\nCache-Control: no-store\r\n" % (
            status,
            PHRASES.get(status, "").encode(),  # RFC 9112, section 4: it may be empty
            _http_date(self._now),
        )
        if status not in _WITHOUT_BODY:
            head += b"Content-Type: %b\r\n" % content_type
        if vary:
            head += b"Vary: %b\r\n" % vary
        self._heads[(status, content_type, vary)] = head
        return head


def _more(response: Response, connection: bytes) -> bytes:
    more = b"".join(map(_field, response.headers))
    return more + b"Connection: %b\r\n" % connection if connection else more


def _field(field: tuple[bytes, bytes]) -> bytes:
    name, value = field
    if _CR in value or _LF in value:
        raise ValueError(f"a line break in the value of {name!r}")
    return b"%b: %b\r\n" % field


def _http_date(second: int) -> bytes:
    """Format *second* (since 1970, UTC) by RFC 9110, section 5.6.7.

    Not strftime: its names follow the locale.
    """
    at = time.gmtime(second)
    day, month = _DAYS[at.tm_wday], _MONTHS[at.tm_mon - 1]
    clock = f"{at.tm_hour:02}:{at.tm_min:02}:{at.tm_sec:02}"
    return f"{day}, {at.tm_mday:02} {month} {at.tm_year:04} {clock} GMT".encode()
