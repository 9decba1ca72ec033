"""One connection: order, limits and timeouts between a stream of bytes and a ``Handler``.

A handler is a plain function, as nothing it does waits: facts come from memory or from files the
kernel makes up. So a response needs no task, no future and no queue, and responses cannot
overtake each other. A response that is due later, or comes in pieces, holds its connection until
it is complete (``response_stream``).
"""

from collections.abc import Iterable
from socket import socket
from typing import Final

from devops_info_service.http.errors import RejectedError
from devops_info_service.http.lifecycle import Lifecycle
from devops_info_service.http.shared_memory.counters import (
    CONTINUED,
)
from devops_info_service.http.wire.fast_path import AT_ONCE, HEAD_END
from devops_info_service.http.wire.limits import Limits
from devops_info_service.http.wire.message import (
    Client,
    Phase,
    Request,
    Response,
)
from devops_info_service.http.wire.writer import CONTINUE

from .loop import Loop
from .request_stream import ConnectionState, Preface
from .response_stream import AfterResponse, ResponseStream
from .server_state import ServerState

LINGER_SECONDS: Final = 2
"""Seconds that a peer may go on sending after the last response before it is cut off. Closing at
once would make the kernel send RST, which can destroy that response unread (RFC 9112, section
9.6)."""

RESPONSE_BATCH_BYTES: Final = 16 * 1024
"""Bytes of responses to pipelined requests made in one turn; the body that a HEAD leaves out has
cost as much. The next are made when these are sent and other connections had their turn. Without
it one read of small requests would be megabytes of responses that may never be fetched."""

_RESPONSE_HEAD_BYTES: Final = 256
"""Of a response besides its body, so that the batch also ends where bodies are empty."""

REJECTED_CONNECTIONS: Final = 32
"""Connections above all limits that linger after their 503; further ones are closed after it.
They use file descriptors that were set aside (``RESERVED_DESCRIPTORS``)."""

PROBE_TIMEOUT_SECONDS: Final = 2
"""From the connection to the whole request, above the limit: a probe sends it at once."""


# Reading a member of a class takes longer than reading a name.
_OPEN: Final = ConnectionState.OPEN
_IDLE: Final = Phase.IDLE
_SERVING: Final = Lifecycle.SERVING


class Connection(ResponseStream):
    """Reads requests, sends responses in their order, and keeps within the limits."""

    __slots__ = ("_requests_left",)

    def __init__(
        self,
        server: ServerState,
        loop: Loop,
        sock: socket,
        client: Client,
        preface: Preface | None = None,
    ) -> None:
        super().__init__(server, loop, sock, client, preface)
        self._requests_left = server.limits.max_requests_per_connection

    def start(self) -> None:
        """Serve the connection, or only a probe if there are too many."""
        if not self._server.add(self) and self.is_open:
            self._state = ConnectionState.RESERVED
            self._requests_left = 1
        super().start()

    # Called by Stream.

    def on_data(self, data: bytes) -> None:
        """Respond to the requests that are complete now, with one write.

        The one place that decides which parser reads: the fast path takes all of a read between
        requests or nothing of it, and leaves the rest to the full parser.
        """
        if self._state is not _OPEN:
            data = self._before_requests(data)
            if not data:
                return
        server, parser = self._server, self._parser
        if parser is None or parser.phase is _IDLE:
            requests = server.fast_path.read(data, self._client)
            if requests is not None:
                self._phase_started = server.now
                request = requests[0]
                if (
                    request.keep_alive
                    and len(requests) == 1
                    and self._requests_left > 1
                    and server.lifecycle.current is _SERVING
                ):
                    # Alone, as most requests come: no loop for others.
                    self._requests_left -= 1
                    response = server.handler(request)
                    if response.is_long:
                        self.begin(request, response)
                    else:
                        self.write(server.encode(response, b"", request.method == "HEAD"))
                else:
                    self._respond(requests, data)
                return
        self._respond(self._parse(data))
        self._send_parser_reply()
        if self.held or self._phase is not _IDLE:
            self.charge()

    def on_eof(self) -> None:
        """Close after the responses: no further request can come."""
        self._close()

    def on_drained(self) -> None:
        """Restart the request's clock: the wait was for responses, not for the request."""
        super().on_drained()
        self._phase_started = self._server.now
        self.charge()

    def on_error(self, exc: Exception) -> None:
        """Report it: the process has a log."""
        self._server.hooks.failed(exc)

    def on_closed(self) -> None:
        """Leave the server."""
        self._end()
        self._server.remove(self)

    # Called by ServerState.

    def check_time(self) -> None:
        """Act on a timeout that has passed."""
        server = self._server
        waited = server.now - self._phase_started
        if self._stalled_since is not None:
            self._check_stall(self._stalled_since)
        elif self._state is ConnectionState.ENDING:
            if waited > LINGER_SECONDS:
                self.abort()
        elif self._state is ConnectionState.RESERVED:
            if server.now - server.reserved[self] > PROBE_TIMEOUT_SECONDS:
                self.reject_over_limit()
        else:
            self._check_request(waited, server.limits)

    def drain(self) -> None:
        """Close, if idle for longer than a request may take to arrive."""
        if self._state is _OPEN and self._phase is _IDLE:
            self.check_time()

    def give_way(self) -> None:
        """End, as all connections together hold too much and this one much of it."""
        if self._stalled_since is not None:
            self._drop("unread responses, and no memory for them")
        elif self._state in {_OPEN, ConnectionState.PREFACE}:
            self._reject(RejectedError("no memory for an unfinished request", status=503))

    def reject_over_limit(self) -> None:
        """End with 503: there are too many connections."""
        server = self._server
        reason = f"more than {server.budget.connections} connections"
        self._reject(RejectedError(reason, status=503))
        over = len(server.connections) - server.budget.connections
        if over > server.limits.probe_connections + REJECTED_CONNECTIONS:
            self.close()

    @property
    def idle_since(self) -> int | None:
        """The second since which it waits for a request; None: it does not.

        A connection that ends and has sent all counts as idle for longest.
        """
        if self._stalled_since is not None or self.unsent:
            return None
        if self._state is ConnectionState.ENDING:
            return -1
        return self._phase_started if self._state is _OPEN and self._phase is _IDLE else None

    def is_stalled(self, seconds: int) -> bool:
        """Return whether the peer lets a head, or its responses, wait for more than *seconds*."""
        if self._stalled_since is not None:
            return self._stall_budget is not None and self._stall_budget.spent > seconds
        return self._phase is Phase.HEAD and self._server.now - self._phase_started > seconds

    # Responding.

    def _respond(self, requests: Iterable[Request], data: bytes = b"") -> None:  # noqa: C901  a call costs each request more
        """Respond to *requests* until the turn is over; those of *data*, or of the parser."""
        if self._state is ConnectionState.RESERVED:
            requests = self._admit(requests)
        server = self._server
        handler, encode = server.handler, server.encode
        ending, left, size = server.lifecycle.current is not _SERVING, self._requests_left, 0
        enough = left - AT_ONCE
        out: list[bytes] = []
        closes = lingers = False
        for request in requests:
            left -= 1
            connection = b""
            if not request.keep_alive or ending or not left:
                # The client must take later requests as not read (RFC 9112, section 9.3.2).
                closes, connection = True, b"close"
                lingers = request.keep_alive or b"upgrade" in request.headers
            elif request.version == "1.0":
                connection = b"keep-alive"
            response = handler(request)
            if response.is_long:
                self._requests_left = left
                self._respond_later(request, response, data, out, connection)
                return
            out.append(encode(response, connection, request.method == "HEAD"))
            size += len(response.body) + _RESPONSE_HEAD_BYTES
            if closes or size > RESPONSE_BATCH_BYTES or left == enough:
                break
        if not out:
            return
        done, self._requests_left = len(out), left
        responses = b"".join(out)
        self.write(responses)
        if lingers:
            self._linger()  # The server ends it; the peer may still be sending.
        elif closes:
            self._close()
        elif size > RESPONSE_BATCH_BYTES or left == enough:
            self._end_turn(data, done, len(responses))

    def _respond_later(
        self, request: Request, response: Response, data: bytes, before: list[bytes], option: bytes
    ) -> None:
        """Send the responses *before*, and begin *response*, whose Connection field is *option*."""
        if before:
            self.write(b"".join(before))
        rest = self._rest(data, len(before) + 1)
        if option != b"close":
            self.begin(request, response, rest, connection=option)
        else:
            lingers = request.keep_alive or b"upgrade" in request.headers
            after = AfterResponse.LINGER if lingers else AfterResponse.CLOSE
            self.begin(request, response, after=after, connection=option)

    def _rest(self, data: bytes, done: int) -> bytes:
        """Return the bytes behind the first *done* requests of *data*, or of the parser."""
        parser = self._parser
        return data.split(HEAD_END, done)[-1] if data else parser.rest if parser else b""

    def _end_turn(self, data: bytes, done: int, sent_bytes: int) -> None:
        """Go on in the next turn, behind the first *done* requests of *data*, or of the parser."""
        rest = self._rest(data, done)
        if rest and self._state is _OPEN:
            self._wait_for_turn(rest, sent_bytes)

    def _admit(self, requests: Iterable[Request]) -> tuple[Request, ...]:
        """Return the first of *requests* if it is served above the limit of connections."""
        request = next(iter(requests), None)
        if request is None:
            return ()
        if request.path in self._server.probes or self._client.is_management:
            del self._server.reserved[self]
            self._state = _OPEN
            return (request,)
        self.reject_over_limit()
        return ()

    def _send_parser_reply(self) -> None:
        """Send the parser's rejection or 100 (Continue), behind the responses before it."""
        parser = self._parser
        if parser is None or self._pending or not self.is_open:
            return
        if parser.rejection is not None:
            self._reject(parser.rejection)
        elif parser.expects_continue and self._state is _OPEN:
            parser.expects_continue = False
            self._server.counts[CONTINUED] += 1
            self.write(CONTINUE)

    # Timeouts.

    def _check_request(self, waited: int, limits: Limits) -> None:
        match self._phase:
            case Phase.IDLE:
                # A second's grace while draining: the client may have sent a request, which
                # closing would fail though it follows the protocol.
                is_serving = self._server.lifecycle.current is _SERVING
                most = limits.keepalive_timeout_seconds if is_serving else 1
                if waited > most and self._state is not ConnectionState.RESPONDING:
                    self._close()
            case Phase.HEAD:
                if waited > limits.header_timeout_seconds:
                    reason = f"no whole request head within {limits.header_timeout_seconds} s"
                    self._reject(RejectedError(reason, status=408))
            case Phase.BODY:
                least = waited * limits.min_body_bytes_per_second
                arrived = self._parser.body_bytes if self._parser else least
                if waited > limits.body_grace_seconds and arrived < least:
                    reason = f"a body slower than {limits.min_body_bytes_per_second} bytes/s"
                    self._reject(RejectedError(reason, status=408))

    def _end(self) -> None:
        self._server.reserved.pop(self, None)
        if self._server.long_responses:
            self.end_response()
        super()._end()
