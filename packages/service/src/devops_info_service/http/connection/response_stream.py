"""The writing half of a connection for a response that is due later, or made in pieces.

While it lasts nothing is read: the kernel holds further requests, so the order is kept and nothing
grows. A piece is made when the one before was accepted by the kernel, one in each turn of the
loop, and a peer that does not read spends the same budget as with any other response.
"""

import contextlib
from enum import Enum
from typing import TYPE_CHECKING, Final, cast

from devops_info_service.http.lifecycle import Lifecycle
from devops_info_service.http.wire.message import LongResponse, Request, Response, error_response

from .request_stream import ConnectionState, RequestStream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .loop import Timer

MAX_LONG_RESPONSES: Final = 512
"""At a time in a process; others get 503. Each holds a timer, which the loop finds by reading all
of them, and at most a piece."""

_LAST_CHUNK: Final = b"0\r\n\r\n"


class AfterResponse(Enum):
    """What follows a response."""

    READ_ON = "the next request"
    LINGER = "the server ends the connection; the peer may still be sending"
    CLOSE = "both have wanted the end"


class LongSending:
    """The state of one response that is being sent."""

    __slots__ = ("after", "is_chunked", "left", "pieces", "rest", "timer")

    def __init__(self, response: LongResponse, rest: bytes, after: AfterResponse) -> None:
        self.pieces: Iterator[bytes | float] | None = response.pieces
        self.left = response.length
        """Bytes still to come; None: not known."""
        self.is_chunked = False
        self.rest = rest
        """Received behind the request, and read after the response."""
        self.after = after
        self.timer: Timer | None = None

    def close(self) -> None:
        """Drop the timer and the iterator."""
        if self.timer is not None:
            self.timer.cancel()
        pieces, self.pieces = self.pieces, None
        close = getattr(pieces, "close", None)
        if close is not None:
            close()


class ResponseStream(RequestStream):
    """A stream of requests that can hold back the next one."""

    __slots__ = ()

    def begin(
        self,
        request: Request,
        response: Response,
        rest: bytes = b"",
        *,
        after: AfterResponse = AfterResponse.READ_ON,
        connection: bytes = b"",
    ) -> None:
        """Send *response*, a ``LongResponse``, in its time; then do *after*.

        Args:
            request: the request.
            response: its response.
            rest: bytes received behind *request*.
            after: what follows.
            connection: the value of a Connection field, or nothing for none.
        """
        server, long = self._server, cast("LongResponse", response)
        if not self.is_connected:
            LongSending(long, b"", after).close()  # It has ended with the responses before.
            return
        if len(server.long_responses) >= MAX_LONG_RESPONSES:
            LongSending(long, b"", after).close()
            text = f"More than {MAX_LONG_RESPONSES} responses are being sent; expected fewer"
            long = LongResponse.of(error_response(503, text, ((b"Retry-After", b"1"),)))
        if long.pieces is not None and long.length is None and request.version == "1.0":
            # Its client knows no chunks: the end of the connection is the end of the body.
            after, connection = AfterResponse.CLOSE, b"close"
        sending = LongSending(long, rest, after)
        server.long_responses[self] = sending
        self._state = ConnectionState.RESPONDING
        self.hold(rest)

        def start() -> None:
            sending.timer = None
            self._start(request, long, sending, connection)

        if long.delay_seconds > 0:
            sending.timer = self._loop.call_later(long.delay_seconds, start)
        else:
            start()

    def end_response(self) -> None:
        """Forget the response: it is complete, or the connection ends."""
        sending = self._server.long_responses.pop(self, None)
        if sending is not None:
            # It runs code of a route, which must not keep the connection from ending.
            with contextlib.suppress(Exception):
                sending.close()

    # Called by Stream.

    def _resume(self) -> bool:
        """Send more of the unsent bytes, then the next piece; else as the base."""
        if self._state is not ConnectionState.RESPONDING:
            return super()._resume()
        sending = self._server.long_responses[self]
        if self._send_unsent() and sending.timer is None:
            self.on_drained()
            self._send_piece(sending)
        return False

    def _start(
        self, request: Request, response: LongResponse, sending: LongSending, connection: bytes
    ) -> None:
        is_serving = self._server.lifecycle.current is Lifecycle.SERVING
        if not is_serving and sending.after is AfterResponse.READ_ON:
            # The process has begun to end during the delay.
            sending.after, connection = AfterResponse.LINGER, b"close"
        if response.pieces is None:
            is_head = request.method == "HEAD"
            self.write(self._server.encode(response, connection, is_head))
            self._complete(sending)
            return
        sending.is_chunked = response.length is None and request.version != "1.0"
        if sending.is_chunked:
            framing = b"Transfer-Encoding: chunked\r\n"
        else:
            length = response.length
            framing = b"" if length is None else b"Content-Length: %d\r\n" % length
        self.write(self._server.writer.encode_head(response, framing, connection))
        if request.method == "HEAD":
            self._complete(sending)
        elif self.is_connected:
            self._send_piece(sending)

    def _send_piece(self, sending: LongSending) -> None:
        """Take the next piece: bytes to send, a time to wait, or the end."""
        try:
            piece = _next_piece(sending)
        except Exception as exc:  # noqa: BLE001  a bug in a route ends this connection alone
            # The peer must not take the part for the whole.
            self.reset()
            self.on_error(exc)
            return
        if piece is None:
            if sending.is_chunked:
                self.write(_LAST_CHUNK)
            self._complete(sending)
        elif isinstance(piece, bytes):
            self.write(piece)
            if self.is_connected and self._stalled_since is None:
                # All was accepted. But the next turn comes when the kernel has room again, and
                # that is up to the peer, as if its buffer were full.
                self._stall(self.take_drained() + len(piece))
        else:

            def go_on() -> None:
                sending.timer = None
                self._send_piece(sending)

            sending.timer = self._loop.call_later(piece, go_on)

    def _complete(self, sending: LongSending) -> None:
        self.end_response()
        if not self.is_connected:
            return
        self._state = ConnectionState.OPEN
        self._phase_started = self._server.now
        if sending.after is AfterResponse.READ_ON:
            self.release()
        elif sending.after is AfterResponse.LINGER:
            self._linger()
        else:
            self._close()


def _next_piece(sending: LongSending) -> bytes | float | None:
    """Return the next piece as it is sent, a time to wait, or None at the end.

    Raises:
        ValueError: the body is longer or shorter than its length.
        Exception: whatever the iterator raises.
    """
    piece = next(sending.pieces, None) if sending.pieces is not None else None
    if piece is None and sending.left:
        raise ValueError(f"a body that ends {sending.left} bytes before its length")
    if not isinstance(piece, bytes):
        return piece
    if sending.left is not None:
        sending.left -= len(piece)
        if sending.left < 0:
            raise ValueError(f"a body that is {-sending.left} bytes longer than its length")
    if sending.is_chunked:
        # An empty chunk would be the last one.
        return b"%x\r\n%b\r\n" % (len(piece), piece) if piece else b""
    return piece
