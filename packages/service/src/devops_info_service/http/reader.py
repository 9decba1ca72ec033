"""Bytes in, requests out: HTTP/1.1 framing with no socket, clock or loop.

The socket lives in ``http.protocol``. Nothing here waits, so a test is a byte
string and the same bytes give the same requests however TCP cuts them up.

llhttp (by way of httptools) splits the bytes and is strict about framing: what it takes for
granted is not checked twice, what RFC 9110 and 9112 leave to the server is checked here, once
the head is complete. (Whole plain requests do not come here: ``http.plain`` has read them.)
"""

from typing import Final

import httptools

from devops_info_service.config import Limits
from devops_info_service.errors import RefusedError

from .authority import is_authority
from .message import Client, Phase, Request

_FRAMING: Final = frozenset({b"content-length", b"transfer-encoding"})
_SLASH: Final = ord("/")
_AFTER_TARGET: Final = len(" HTTP/1.1")
_AROUND_FIELD: Final = len(": \r\n")


class RequestReader:
    """Assemble the requests of one connection, in the order they arrived."""

    __slots__ = (
        "_begun",
        "_client",
        "_done",
        "_ended",
        "_fed",
        "_fields",
        "_host",
        "_keep_alive",
        "_limits",
        "_parser",
        "_received",
        "_repeated",
        "_slack",
        "_target",
        "_version",
        "body_bytes",
        "expects_continue",
        "phase",
        "refused",
    )

    def __init__(self, client: Client, limits: Limits) -> None:
        self._client = client
        self._limits = limits
        self._parser = httptools.HttpRequestParser(self)
        self._done: list[Request] = []
        self._ended = False
        self._host = b""
        self.body_bytes = 0
        """Bytes of the unfinished body that have arrived."""
        self.expects_continue = False
        """The client waits for ``100 Continue`` before it sends the unfinished body."""
        self.phase = Phase.IDLE
        self.refused: RefusedError | None = None
        """Set once: what to answer after the requests that came before it."""

    def receive(self, data: bytes) -> list[Request]:
        """Feed *data* and return the requests it completed; empty means more is needed.

        Look at ``refused`` afterwards. Once it is set, or a request has come whose
        ``keep_alive`` is false, every later byte is dropped unread.
        """
        if self._ended:
            return []
        self._received = len(data)
        self._begun = False
        try:
            self._feed(data)
        except httptools.HttpParserError as exc:
            if not self._ended:
                self._refuse(_as_refusal(exc))
        if self.phase is not Phase.IDLE and not self._ended:
            self._weigh()
        if not self._done:
            return []
        done, self._done = self._done, []
        return done

    def close(self) -> None:
        """Let go of the parser, which holds this reader: no garbage for a collector to find."""
        self._ended = True
        del self._parser

    def _feed(self, data: bytes) -> None:
        while True:
            try:
                self._parser.feed_data(data)
            except httptools.HttpParserUpgrade as exc:
                # RFC 9110, section 7.8: the wish may be ignored. Java's client has it in
                # every first request. What follows is HTTP/1.1 as before.
                data = data[exc.args[0] :]
                if not data or self._ended:
                    return
            else:
                return

    def _weigh(self) -> None:
        # Counted here, not in on_header: httptools holds a field back until it is whole,
        # so an endless one would never reach a callback. The read in which a message
        # begins may be of the message before it: that read is the slack.
        self._fed += self._received
        if self._begun:
            self._slack = self._fed
        unfinished = self._fed - self._slack
        limits = self._limits
        if self.phase is Phase.HEAD and unfinished > limits.max_head_bytes:
            self._refuse(_head_too_large(limits))
        elif unfinished > limits.max_body_bytes + limits.max_head_bytes:
            # Chunk extensions and trailers are no part of the body, and not free either.
            self._refuse(_body_too_large(limits))

    def _refuse(self, refused: RefusedError) -> RefusedError:
        self._ended = True
        self.refused = refused
        return refused

    # Called by httptools, in this order, from inside feed_data. What they raise stops
    # llhttp for good; ``refused`` is what tells why.

    def on_message_begin(self) -> None:
        """Forget the request before."""
        self.phase = Phase.HEAD
        self._target = b""
        self._fields: dict[bytes, bytes] = {}
        self._repeated = 0
        self._fed = 0
        self._slack = 0
        self._begun = True

    def on_url(self, url: bytes) -> None:
        """Take a piece of the target."""
        self._target += url
        limit = self._limits.max_request_line_bytes
        # The method is left out of the sum: nobody's limit is that sharp.
        if len(self._target) > limit - _AFTER_TARGET:
            raise self._refuse(RefusedError(f"request line over {limit} bytes", status=414))

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take one whole field, or drop a trailer."""
        if self.phase is Phase.BODY:
            return  # RFC 9110, section 6.5.1: trailers may be discarded.
        name = name.lower()
        value = value.rstrip(b" \t")
        fields = self._fields
        if name in fields:
            self._repeated += 1
            if self._repeated > self._limits.max_fields:
                # Before the end of the head: joining thousands would be quadratic work.
                raise self._refuse(_too_many_fields(self._limits))
            value = fields[name] + b", " + value
        fields[name] = value

    def on_headers_complete(self) -> None:
        """Judge the head as a whole, before any byte of the body is looked at."""
        fields = self._fields
        if self._fed + self._received > self._limits.max_head_bytes:
            self._judge_size()
        if len(fields) + self._repeated > self._limits.max_fields:
            raise self._refuse(_too_many_fields(self._limits))
        self._keep_alive = self._parser.should_keep_alive()
        self._version = "1.1"
        # get_http_version() formats a string. llhttp keeps alive unasked for 1.1 only, and takes
        # Proxy-Connection for Connection.
        if not self._keep_alive or b"connection" in fields or b"proxy-connection" in fields:
            self._judge_version()
        host = fields.get(b"host")
        if host is None or host != self._host:
            self._judge_host(host)
        if self._target[0] != _SLASH or b"#" in self._target:
            self._judge_target()
        if b"transfer-encoding" in fields or b"content-length" in fields:
            self._judge_body()
        self.phase = Phase.BODY

    def on_body(self, body: bytes) -> None:
        """Count a piece of the body, and drop it: no resource has a use for one."""
        self.expects_continue = False
        self.body_bytes += len(body)
        if self.body_bytes > self._limits.max_body_bytes:
            raise self._refuse(_body_too_large(self._limits))

    def on_message_complete(self) -> None:
        """Hand the request on."""
        self.phase = Phase.IDLE
        self.expects_continue = False
        parser = self._parser
        keep_alive = self._keep_alive
        if parser.should_upgrade() and not self._fields.keys().isdisjoint(_FRAMING):
            # llhttp takes the body of a request that wants an upgrade for the other
            # protocol's bytes: nobody shall read them as a request.
            keep_alive = False
        if not keep_alive:
            self._ended = True
        path, _, query = self._target.partition(b"?")
        self._done.append(
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
        if not keep_alive and parser.should_keep_alive():
            raise EOFError  # llhttp would go on.

    # Each of these refuses a head that llhttp let through.

    def _judge_size(self) -> None:
        size = len(self._target) + _AFTER_TARGET
        size += sum(len(name) + len(value) + _AROUND_FIELD for name, value in self._fields.items())
        if size > self._limits.max_head_bytes:
            raise self._refuse(_head_too_large(self._limits))

    def _judge_version(self) -> None:
        self._version = version = self._parser.get_http_version()
        if version == "0.9":
            raise self._refuse(RefusedError("HTTP/0.9 has no fields and no status"))
        if version not in {"1.0", "1.1"}:
            raise self._refuse(RefusedError(f"HTTP/{version} is not spoken here", status=505))
        if version == "1.0" and self._keep_alive:
            # RFC 9112, section 9.3: "close" outranks "keep-alive"; llhttp looks for it in 1.1 only.
            options = self._fields.get(b"connection", b"").lower().split(b",")
            self._keep_alive = all(option.strip(b" \t") != b"close" for option in options)

    def _judge_host(self, host: bytes | None) -> None:
        # RFC 9112, section 3.2: exactly one, and one that is a host. A repeated one was
        # joined with a comma, which is why a comma is not taken though RFC 3986 would.
        if host is None:
            if self._version == "1.1":
                raise self._refuse(RefusedError("no Host field"))
            return
        if not is_authority(host):
            raise self._refuse(RefusedError("a Host field that names no host"))
        self._host = host

    def _judge_target(self) -> None:
        target, method = self._target, self._parser.get_method()
        if b"#" in target:
            # RFC 9112, section 3.2: no form of target has a fragment.
            raise self._refuse(RefusedError("a fragment in the target"))
        if method == b"CONNECT":
            raise self._refuse(RefusedError("CONNECT: this is no proxy", status=501))
        if target == b"*" and method == b"OPTIONS":
            return
        # RFC 9112, section 3.2.2: absolute-form must be understood; it outranks Host.
        scheme, _, rest = target.partition(b"://")
        end = min((i for i in (rest.find(b"/"), rest.find(b"?")) if i >= 0), default=len(rest))
        if scheme.lower() != b"http" or not rest[:end] or not is_authority(rest[:end]):
            raise self._refuse(RefusedError("a target that is neither a path nor an http URL"))
        self._target = rest[end:] if rest[end : end + 1] == b"/" else b"/" + rest[end:]

    def _judge_body(self) -> None:
        fields = self._fields
        coding = fields.get(b"transfer-encoding")
        if coding is not None:
            if self._version == "1.0":
                # RFC 9112, section 6.1: its framing is faulty.
                raise self._refuse(RefusedError("Transfer-Encoding in an HTTP/1.0 request"))
            if coding.lower() != b"chunked":
                raise self._refuse(RefusedError("a transfer coding besides chunked", status=501))
        elif int(fields[b"content-length"]) > self._limits.max_body_bytes:
            raise self._refuse(_body_too_large(self._limits))
        self.body_bytes = 0
        expect = fields.get(b"expect")
        if expect is not None and self._version == "1.1":
            if expect.lower() != b"100-continue":
                raise self._refuse(RefusedError("an unknown expectation", status=417))
            self.expects_continue = True


def _as_refusal(exc: httptools.HttpParserError) -> RefusedError:
    """Name the status for what llhttp refused; its own words are the reason."""
    reason = str(exc)
    if isinstance(exc, httptools.HttpParserInvalidMethodError):
        return RefusedError("a method that is not known here", status=501)
    # RFC 9110, section 15.6.6. httptools tells these two by their words only.
    if reason in {"Invalid HTTP version", "Pause on PRI/Upgrade"}:
        return RefusedError("only HTTP/1.1 and HTTP/1.0 are spoken here", status=505)
    return RefusedError(f"not an HTTP/1.1 request: {reason}")


def _head_too_large(limits: Limits) -> RefusedError:
    return RefusedError(f"request head over {limits.max_head_bytes} bytes", status=431)


def _too_many_fields(limits: Limits) -> RefusedError:
    return RefusedError(f"more than {limits.max_fields} header fields", status=431)


def _body_too_large(limits: Limits) -> RefusedError:
    return RefusedError(f"request body over {limits.max_body_bytes} bytes", status=413)
