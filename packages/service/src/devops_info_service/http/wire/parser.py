"""Bytes in, requests out: HTTP/1.1 framing with no socket, clock or loop.

The same bytes give the same requests however TCP divides them, so a test is a byte string.

llhttp (through httptools) splits the bytes and is strict about framing, which is not checked
twice. Requirements that RFC 9110 and 9112 leave to the server are checked here, once the head is
complete. Whole plain requests are read by ``fast_path`` instead.

llhttp gets its bytes in pieces: a line, or the fields, or a known part of the body. So a line is
validated before the bytes behind it are read, and a message ends only where a piece does.
"""

import sys
from typing import Final

import httptools

from devops_info_service.http.errors import RejectedError
from devops_info_service.http.wire.limits import Limits

from .authority import is_authority
from .memory_budget import FIELD_BYTES, READER_BYTES
from .message import Client, Phase, Request
from .raw_lines import chunk_size_head, chunk_size_of, request_line_tail, version_of

_FRAMING: Final = frozenset({b"content-length", b"transfer-encoding"})
_SLASH: Final = ord("/")
_HASH: Final = ord("#")
_AFTER_TARGET: Final = len(" HTTP/1.1")


class RequestParser:
    """Assemble the requests of one connection, in the order they arrived."""

    __slots__ = (
        "_bytes_to_next_line",
        "_client",
        "_completed",
        "_ended",
        "_fields",
        "_host",
        "_keep_alive",
        "_limits",
        "_line",
        "_message_bytes",
        "_parser",
        "_repeated",
        "_target",
        "_version",
        "body_bytes",
        "expects_continue",
        "phase",
        "rejection",
        "rest",
    )

    def __init__(self, client: Client, limits: Limits) -> None:
        self._client = client
        self._limits = limits
        self._parser = httptools.HttpRequestParser(self)
        self._completed: list[Request] = []
        self._ended = False
        self._fields: dict[bytes, bytes] = {}
        self._message_bytes = 0
        """Bytes of the unfinished message that llhttp was given."""
        self._line = b""
        """Text of the line that llhttp reads; of one in parts the end that ``raw_lines`` keeps."""
        self._bytes_to_next_line = 0
        """Of a body, or of a chunk with its CRLF."""
        self._version = ""
        """Empty until the request line has come."""
        self._host = b""
        self.body_bytes = 0
        """Bytes of the unfinished body that have arrived."""
        self.expects_continue = False
        """The client waits for ``100 Continue`` before it sends the unfinished body."""
        self.phase = Phase.IDLE
        self.rest = b""
        """Bytes received behind the last request that was wanted; not read."""
        self.rejection: RejectedError | None = None
        """Set once: the response after those to the requests before it."""

    @property
    def held_bytes(self) -> int:
        """Bytes held of an unfinished request and for it, approximately."""
        head = min(self._message_bytes, self._limits.max_head_bytes)
        return READER_BYTES + head + FIELD_BYTES * len(self._fields)

    def receive(self, data: bytes, most: int = sys.maxsize) -> list[Request]:
        """Feed *data* and return the requests it completed; empty means more is needed.

        Behind the first *most* of them nothing is read: that is ``rest``, to be fed next.
        Read ``rejection`` afterwards. Once it is set, or a request has come whose
        ``keep_alive`` is false, every later byte is dropped unread.
        """
        if self._ended:
            return []
        self.rest = b""
        try:
            self._feed(data, most)
        except RejectedError as rejection:
            self._reject(rejection)
        except httptools.HttpParserError as exc:
            if not self._ended:
                self._reject(_as_rejection(exc, self._line))
        if not self._completed:
            return []
        done, self._completed = self._completed, []
        return done

    def close(self) -> None:
        """Drop the references to this parser: the collector must not find garbage."""
        self._ended = True
        self.rejection = None  # Its traceback does.
        del self._parser

    def _feed(self, data: bytes, most: int) -> None:
        feed, start = self._parser.feed_data, 0
        while start < len(data) and not self._ended:
            if len(self._completed) == most:
                self.rest = data[start:]
                break
            if not self._message_bytes and data[start] in b"\r\n":
                # RFC 9112, section 2.2: empty lines before a request are nothing.
                data, start = data[start:].lstrip(b"\r\n"), 0
                continue
            end, left = self._end_of_piece(data, start), self._bytes_to_next_line
            piece = data[start : end or len(data)]
            start += len(piece)
            self._message_bytes += len(piece)
            if self._message_bytes > self._limits.max_head_bytes:
                self._check_size()
            if left:
                self._bytes_to_next_line -= len(piece)
            else:
                self._line += piece
            try:  # noqa: SIM105  a context manager would cost each piece half as much again
                feed(piece)
            except httptools.HttpParserUpgrade:
                # RFC 9110, section 7.8: the field may be ignored. Java's client sends it with
                # every first request. What follows is HTTP/1.1 as before.
                pass
            if end and not left:
                if not self._version:
                    self._version = version_of(self._line)
                self._line = b""
        if self._line:
            is_body = self.phase is Phase.BODY
            self._line = (chunk_size_head if is_body else request_line_tail)(self._line)

    def _end_of_piece(self, data: bytes, start: int) -> int:
        """Return where the piece that begins at *start* ends, or 0 if that has not come."""
        if self._bytes_to_next_line:
            return start + self._bytes_to_next_line
        if start > 1 and self._version and self.phase is Phase.HEAD:
            # All fields in one piece, to the empty line. Its CRLF may arrive without theirs,
            # so the beginning of a read is taken as a line.
            found = data.find(b"\n\r\n", start - 1)
            return found + 3 if found >= 0 else 0
        return data.find(b"\n", start) + 1

    def _check_size(self) -> None:
        # Not in on_header: httptools holds a field back until it is whole.
        limits = self._limits
        if self.phase is Phase.HEAD:
            raise _head_too_large(limits)
        if self._message_bytes > limits.max_body_bytes + limits.max_head_bytes:
            # Chunk extensions and trailers are no part of the body, and not free either.
            raise _body_too_large(limits)

    def _reject(self, rejection: RejectedError) -> RejectedError:
        self._ended = True
        self.rejection = rejection
        return rejection

    # Called by httptools, in this order, from inside feed_data. An exception of theirs
    # stops llhttp for good; ``rejection`` has the reason.

    def on_message_begin(self) -> None:
        """Drop the state of the request before."""
        self.phase = Phase.HEAD
        self._target = b""
        self._fields = {}
        self._repeated = 0
        self._version = ""

    def on_url(self, url: bytes) -> None:
        """Add a piece of the target."""
        self._target += url
        limit = self._limits.max_request_line_bytes
        # The method is not counted: the limit need not be that exact.
        if len(self._target) > limit - _AFTER_TARGET:
            raise self._reject(RejectedError(f"request line over {limit} bytes", status=414))

    def on_header(self, name: bytes, value: bytes) -> None:
        """Add one whole field, or drop a trailer."""
        if self.phase is Phase.BODY:
            return  # RFC 9110, section 6.5.1: trailers may be discarded.
        fields = self._fields
        if len(fields) + self._repeated >= self._limits.max_fields:
            # Before the end of the head: thousands would be fifteen times their bytes in memory,
            # and joining them quadratic work.
            raise self._reject(_too_many_fields(self._limits))
        name = name.lower()
        value = value.rstrip(b" \t")
        if name in fields:
            self._repeated += 1
            value = fields[name] + b", " + value
        fields[name] = value

    def on_headers_complete(self) -> None:
        """Validate the head as a whole, before any byte of the body is read."""
        fields = self._fields
        self._keep_alive = self._parser.should_keep_alive()
        if self._keep_alive and self._version == "1.0":
            self._validate_persistence()
        host = fields.get(b"host")
        if host is None or host != self._host:
            self._validate_host(host)
        if self._target[0] != _SLASH or _HASH in self._target:
            self._validate_target()
        if b"transfer-encoding" in fields or b"content-length" in fields:
            self._validate_body()
        self.phase = Phase.BODY

    def on_chunk_header(self) -> None:
        """Check a chunk by its size line, before any byte of it is read."""
        size = chunk_size_of(self._line)
        if self.body_bytes + size > self._limits.max_body_bytes:
            raise self._reject(_body_too_large(self._limits))
        # Trailers follow the last chunk, which has neither data nor a CRLF behind it.
        self._bytes_to_next_line = size + len(b"\r\n") if size else 0

    def on_body(self, body: bytes) -> None:
        """Count a piece of the body, and drop it: no resource has a use for one."""
        self.expects_continue = False
        self.body_bytes += len(body)

    def on_message_complete(self) -> None:
        """Complete the request."""
        self.phase = Phase.IDLE
        self._message_bytes = 0
        self.expects_continue = False
        parser = self._parser
        keep_alive = self._keep_alive
        if parser.should_upgrade() and not self._fields.keys().isdisjoint(_FRAMING):
            # llhttp takes the body of a request that wants an upgrade for the other
            # protocol's bytes: they must not be read as a request.
            keep_alive = False
        if not keep_alive:
            self._ended = True
        path, _, query = self._target.partition(b"?")
        self._completed.append(
            Request(
                parser.get_method().decode("latin-1"),
                path.decode("latin-1"),
                query,
                self._fields,
                self._client,
                self._version,
                keep_alive,
            )
        )

    # Each of these validates a head that llhttp has accepted.

    def _validate_persistence(self) -> None:
        # RFC 9112, section 9.3: "close" outranks "keep-alive"; llhttp checks it in 1.1 only.
        options = self._fields.get(b"connection", b"").lower().split(b",")
        self._keep_alive = all(option.strip(b" \t") != b"close" for option in options)

    def _validate_host(self, host: bytes | None) -> None:
        # RFC 9112, section 3.2: exactly one, and valid. Repeated fields are joined with a
        # comma here, so a comma is rejected though RFC 3986 allows it.
        if host is None:
            if self._version == "1.1":
                raise self._reject(RejectedError("no Host field"))
            return
        if not is_authority(host):
            raise self._reject(RejectedError("a Host field that names no host"))
        self._host = host

    def _validate_target(self) -> None:
        target, method = self._target, self._parser.get_method()
        if _HASH in target:
            # RFC 9112, section 3.2: no form of target has a fragment.
            raise self._reject(RejectedError("a fragment in the target"))
        if method == b"CONNECT":
            raise self._reject(RejectedError("CONNECT: this is not a proxy", status=501))
        if target == b"*" and method == b"OPTIONS":
            return
        # RFC 9112, section 3.2.2: absolute-form must be understood; it outranks Host.
        scheme, _, rest = target.partition(b"://")
        end = min((i for i in (rest.find(b"/"), rest.find(b"?")) if i >= 0), default=len(rest))
        if scheme.lower() != b"http" or not rest[:end] or not is_authority(rest[:end]):
            raise self._reject(RejectedError("a target that is neither a path nor an http URL"))
        self._fields[b"host"] = rest[:end]
        self._target = rest[end:] if rest[end : end + 1] == b"/" else b"/" + rest[end:]

    def _validate_body(self) -> None:
        fields = self._fields
        coding = fields.get(b"transfer-encoding")
        if coding is not None:
            if self._version == "1.0":
                # RFC 9112, section 6.1: its framing is faulty.
                raise self._reject(RejectedError("Transfer-Encoding in an HTTP/1.0 request"))
            if coding.lower() != b"chunked":
                raise self._reject(RejectedError("a transfer coding besides chunked", status=501))
        else:
            self._bytes_to_next_line = int(fields[b"content-length"])
            if self._bytes_to_next_line > self._limits.max_body_bytes:
                raise self._reject(_body_too_large(self._limits))
        self.body_bytes = 0
        expect = fields.get(b"expect")
        if expect is not None and self._version == "1.1":
            if expect.lower() != b"100-continue":
                raise self._reject(RejectedError("an unknown expectation", status=417))
            self.expects_continue = True


def _as_rejection(exc: httptools.HttpParserError, line: bytes) -> RejectedError:
    """Return the rejection for llhttp's error in *line*; its message is the reason."""
    reason = str(exc)
    is_method = isinstance(exc, httptools.HttpParserInvalidMethodError)
    if is_method:
        # Imported late: only bytes of other protocols need it.
        from .other_protocols import reason_of  # noqa: PLC0415

        if foreign := reason_of(line):
            return RejectedError(foreign)
    if is_method or reason == "Invalid method for HTTP/x.x request":
        # The message is for methods that only RTSP has; there is no other sign.
        return RejectedError("a method that is not known here", status=501)
    if reason == "Invalid HTTP version":
        # RFC 9110, section 15.6.6. Again by its message only.
        return RejectedError("only HTTP/1.1 and HTTP/1.0 are supported", status=505)
    return RejectedError(f"not an HTTP/1.1 request: {reason}")


def _head_too_large(limits: Limits) -> RejectedError:
    return RejectedError(f"request head over {limits.max_head_bytes} bytes", status=431)


def _too_many_fields(limits: Limits) -> RejectedError:
    return RejectedError(f"more than {limits.max_fields} header fields", status=431)


def _body_too_large(limits: Limits) -> RejectedError:
    return RejectedError(f"request body over {limits.max_body_bytes} bytes", status=413)
