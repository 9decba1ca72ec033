"""Plain requests: whole heads of usual lines, read without a call for each of their pieces.

It accepts a strict part of the requests that ``parser`` and llhttp accept, with the same result:
the fuzzers compare the two. Incomplete, unusual and invalid requests are left to those; nothing
is rejected here.

Clients send the same lines again and again. So lines of fields that repeat and are not secret
are looked up in a cache, not parsed: HPACK's table (RFC 7541) without the wire.
"""

from typing import Final, TypeVar

from devops_info_service.http.wire.limits import Limits

from .authority import is_authority
from .message import Client, Request

HEAD_END: Final = b"\r\n\r\n"
"""Nothing in a plain head has it, and a plain request has nothing behind its head."""

AT_ONCE: Final = 32
"""Requests of one read that are served before other connections have their turn: half a millisecond
of responses from memory. A read has room for 500; wrk and h2load send 32 by default."""

MAX_LINE_BYTES: Final = 256
"""Longer lines are parsed, and not cached."""

MAX_LINES: Final = 512
"""Cached lines, of requests and of fields, and names: those of some thirty kinds of client. A full
table is cleared. With ``MAX_LINE_BYTES`` it bounds the cache to some 1 MiB, whatever clients
send."""

_METHODS: Final = frozenset({b"GET", b"HEAD"})
_TOKEN: Final = b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_TARGET: Final = bytes(range(0x21, 0x7F)).replace(b"#", b"")
_TEXT: Final = b"\t" + bytes(range(0x20, 0x7F))
_PERSISTENCE: Final = frozenset({b"keep-alive", b"close"})

_SLOW_FIELDS: Final = frozenset(
    {b"content-length", b"transfer-encoding", b"expect", b"upgrade", b"proxy-connection"}
)
"""With them a message has a body, or is more than a message, or llhttp takes them for another."""

_CACHED_FIELDS: Final = frozenset(
    {
        *(b"accept", b"accept-charset", b"accept-encoding", b"accept-language"),
        *(b"cache-control", b"connection", b"dnt", b"host", b"pragma", b"priority", b"te"),
        *(b"sec-ch-ua", b"sec-ch-ua-mobile", b"sec-ch-ua-platform", b"sec-fetch-dest"),
        *(b"sec-fetch-mode", b"sec-fetch-site", b"sec-fetch-user", b"sec-gpc", b"user-agent"),
        *(b"upgrade-insecure-requests", b"x-forwarded-host", b"x-forwarded-port"),
        *(b"x-forwarded-proto", b"x-scheme"),
    }
)
"""Fields whose lines repeat and are not secret. No cookie, credential or address: those are freed
with their request."""

_Start = tuple[str, str, bytes]
"""Method, path, query."""

_Field = tuple[bytes, bytes]
"""Name in lower case, value."""

_Entry = TypeVar("_Entry", _Start, _Field, bytes)


class FastPathParser:
    """Reads plain requests, for all connections of a process."""

    __slots__ = ("_fields", "_max_bytes", "_max_fields", "_names", "_starts")

    def __init__(self, limits: Limits) -> None:
        # A head as short has no line that is too long, either.
        self._max_bytes = min(limits.max_head_bytes, limits.max_request_line_bytes)
        self._max_fields = limits.max_fields
        self._starts: dict[bytes, _Start] = {}
        self._fields: dict[bytes, _Field] = {}
        self._names: dict[bytes, bytes] = {}

    def read(self, data: bytes, client: Client) -> list[Request] | None:
        """Return the requests of *data* if it is nothing but plain ones, whole; or None.

        The first ``AT_ONCE`` if there are more: bytes behind them are not checked.
        Behind a request that ends its connection nothing is read.
        """
        heads = data.split(HEAD_END, AT_ONCE)
        if heads.pop() and len(heads) < AT_ONCE:
            return None
        starts, kept, requests = self._starts, self._fields, []
        for head in heads:
            lines = head.split(b"\r\n")
            first = lines.pop(0)
            start = starts.get(first) or self._read_start(first)
            if start is None or len(head) > self._max_bytes or len(lines) > self._max_fields:
                return None
            fields: dict[bytes, bytes] = {}
            others = []
            for line in lines:
                field = kept.get(line)
                if field is None:
                    field = self._read_field(line)
                    if field is None:
                        return None
                    others.append(line)
                fields[field[0]] = field[1]
            # Fewer, if one is repeated.
            if len(fields) != len(lines) or b"host" not in fields:
                return None
            if others and not _is_text(b"".join(others)):
                return None
            keep_alive = b"connection" not in fields or fields[b"connection"] != b"close"
            method, path, query = start
            requests.append(Request(method, path, query, fields, client, "1.1", keep_alive))
            if not keep_alive:
                break
        return requests

    def _read_start(self, line: bytes) -> _Start | None:
        # RFC 9112, section 3.
        method, _, rest = line.partition(b" ")
        target, _, version = rest.partition(b" ")
        if (
            method not in _METHODS
            or version != b"HTTP/1.1"
            or target[:1] != b"/"
            or target.translate(None, _TARGET)
        ):
            return None
        path, _, query = target.partition(b"?")
        start = (method.decode("ascii"), path.decode("ascii"), query)
        if not query:
            _cache(self._starts, line, start)
        return start

    def _read_field(self, line: bytes) -> _Field | None:
        # RFC 9112, section 5. An empty value is rare enough to leave it.
        written, _, value = line.partition(b":")
        value = value.strip(b" \t")
        name = self._names.get(written) or self._read_name(written)
        if (
            not name
            or not value
            or (name in _CACHED_FIELDS and not self._cache_field(line, name, value))
        ):
            return None
        return name, value

    def _read_name(self, written: bytes) -> bytes:
        if written.translate(None, _TOKEN):
            return b""
        name = written.lower()
        if not name or name in _SLOW_FIELDS:
            return b""
        _cache(self._names, written, name)
        return name

    def _cache_field(self, line: bytes, name: bytes, value: bytes) -> bool:
        if (
            not _is_text(value)
            or (name == b"host" and not is_authority(value))
            or (name == b"connection" and value not in _PERSISTENCE)
        ):
            return False
        _cache(self._fields, line, (name, value))
        return True


def _is_text(data: bytes) -> bool:
    """Whether *data* is visible ASCII, blanks and tabs."""
    return not data.translate(None, _TEXT)


def _cache(table: dict[bytes, _Entry], line: bytes, entry: _Entry) -> None:
    if len(line) > MAX_LINE_BYTES:
        return
    if len(table) >= MAX_LINES:
        table.clear()
    table[line] = entry
