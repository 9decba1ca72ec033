"""One connection: order, limits and timeouts between a stream of bytes and a ``Handler``.

A handler is a plain function, as nothing it does waits: facts come from memory or from files the
kernel makes up. So a response needs no task, no future and no queue, and responses cannot
overtake each other.
"""

from collections.abc import Iterable, Iterator
from enum import Enum
from socket import socket
from typing import TYPE_CHECKING, Any, Final, Protocol

from devops_info_service.http.errors import RejectedError
from devops_info_service.http.lifecycle import Lifecycle
from devops_info_service.http.shared_memory.counters import (
    CONTINUED,
    NO_RESPONSE,
    count_rejection,
)
from devops_info_service.http.wire.cidr import normalize
from devops_info_service.http.wire.fast_path import AT_ONCE, HEAD_END
from devops_info_service.http.wire.limits import Limits
from devops_info_service.http.wire.message import (
    Client,
    ManagementClient,
    Phase,
    Request,
    error_response,
)
from devops_info_service.http.wire.writer import CONTINUE

from .loop import Loop
from .patient_stream import PatientStream
from .server_state import ServerState

if TYPE_CHECKING:
    from devops_info_service.http.wire.parser import RequestParser

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

SENDING_RESPONSE: Final = "sending_response"


class _State(Enum):
    OPEN = "responds to requests"
    PREFACE = "reads a preface before the first request"
    RESERVED = "responds to one request, if it is a probe's"
    ENDING = "sends what is left and drops what arrives"


# Reading a member of a class takes longer than reading a name.
_OPEN: Final = _State.OPEN
_IDLE: Final = Phase.IDLE
_SERVING: Final = Lifecycle.SERVING


class Preface(Protocol):
    """Bytes that come before the first request, such as a PROXY header."""

    @property
    def client(self) -> Client | None:
        """The client it names; None: the peer itself."""

    def receive(self, data: bytes) -> int | None:
        """Read *data*; return how much of it was preface when that is complete, None before.

        Raises:
            RejectedError: not a preface; the connection ends without a response.
        """


class Connection(PatientStream):
    """Reads requests, sends responses in their order, and keeps within the limits."""

    __slots__ = ("_parser", "_phase_started", "_preface", "_requests_left", "_state")

    def __init__(
        self,
        server: ServerState,
        loop: Loop,
        sock: socket,
        client: Client,
        preface: Preface | None = None,
    ) -> None:
        super().__init__(server, loop, sock, client)
        self._preface = preface
        self._parser: RequestParser | None = None
        """Made for the first read that the fast path does not take."""
        self._state = _OPEN if preface is None else _State.PREFACE
        self._requests_left = server.limits.max_requests_per_connection
        self._phase_started = server.now

    def start(self) -> None:
        """Serve the connection, or only a probe if there are too many."""
        if not self._server.add(self) and self.is_open:
            self._state = _State.RESERVED
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
                if (
                    len(requests) == 1
                    and requests[0].keep_alive
                    and self._requests_left > 1
                    and server.lifecycle.current is _SERVING
                ):
                    # Alone, as most requests come: no loop for others.
                    self._requests_left -= 1
                    request = requests[0]
                    response = server.handler(request)
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

    @property
    def is_open(self) -> bool:
        """Whether requests are still read."""
        return self._state is not _State.ENDING

    @property
    def client(self) -> Client:
        """The client of its requests."""
        return self._client

    @property
    def has_request(self) -> bool:
        """Whether a request has begun and is not complete."""
        return not self.unsent and self.is_open and self._phase is not _IDLE

    @property
    def activity(self) -> str:
        """What an abort would interrupt: a value of ``Phase`` or "sending_response"; or empty."""
        if self.unsent:
            return SENDING_RESPONSE
        return self._phase.value if self.has_request else ""

    def check_time(self) -> None:
        """Act on a timeout that has passed."""
        server = self._server
        waited = server.now - self._phase_started
        if self._stalled_since is not None:
            self._check_stall(self._stalled_since)
        elif self._state is _State.ENDING:
            if waited > LINGER_SECONDS:
                self.abort()
        elif self._state is _State.RESERVED:
            if server.now - server.reserved[self] > PROBE_TIMEOUT_SECONDS:
                self.reject_over_limit()
        else:
            self._check_request(waited, server.limits)

    def drain(self) -> None:
        """Close unless a request is on its way."""
        if self._state is _OPEN and self._phase is _IDLE:
            self.check_time()

    def give_way(self) -> None:
        """End, as all connections together hold too much and this one much of it."""
        if self._stalled_since is not None:
            self._drop("unread responses, and no memory for them")
        elif self._state in {_OPEN, _State.PREFACE}:
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

        One that ends and has sent all counts as idle for longest.
        """
        if self._stalled_since is not None or self.unsent:
            return None
        if self._state is _State.ENDING:
            return -1
        return self._phase_started if self._state is _OPEN and self._phase is _IDLE else None

    def is_stalled(self, seconds: int) -> bool:
        """Return whether the peer lets a head, or its responses, wait for more than *seconds*."""
        if self._stalled_since is not None:
            return self._stall_budget is not None and self._stall_budget.spent > seconds
        return self._phase is Phase.HEAD and self._server.now - self._phase_started > seconds

    # Reading.

    @property
    def _phase(self) -> Phase:
        if self._preface is not None:
            return Phase.HEAD  # It may take as long as a head.
        return _IDLE if self._parser is None else self._parser.phase

    def _before_requests(self, data: bytes) -> bytes:
        """Return the part of *data* that is to be read as requests, of a connection not OPEN."""
        if self._state is _State.ENDING or self._preface is None:
            return data if self._state is _State.RESERVED else b""
        try:
            used = self._preface.receive(data)
        except RejectedError as exc:
            self._reject(exc)
            return b""
        if used is None:
            return b""
        self._client = self._preface.client or self._client
        self._preface = None
        self._phase_started = self._server.now
        if self._state is _State.PREFACE:
            self._state = _OPEN
        return data[used:]

    def _parse(self, data: bytes) -> Iterator[Request]:
        """Yield the complete requests of *data*, each parsed when the one before is done with."""
        server, parser = self._server, self._parser
        if parser is None:
            # Imported late: probes, scrapers and browsers stay on the fast path.
            from devops_info_service.http.wire.parser import RequestParser  # noqa: PLC0415

            parser = self._parser = RequestParser(self._client, server.limits)
        rest = data
        while rest:
            before = parser.phase
            requests = parser.receive(rest, 1)
            if requests or parser.phase is not before:
                self._phase_started = server.now
            rest = parser.rest
            if requests:
                yield requests[0]

    def _read_bytes(self) -> int:
        return 0 if self._parser is None or self._phase is _IDLE else self._parser.held_bytes

    # Responding.

    def _respond(self, requests: Iterable[Request], data: bytes = b"") -> None:
        """Respond to *requests* until the turn is over; those of *data*, or of the parser."""
        if self._state is _State.RESERVED:
            requests = self._admit(requests)
        server = self._server
        handler, encode = server.handler, server.encode
        ending, left, size = server.lifecycle.current is not _SERVING, self._requests_left, 0
        enough = left - AT_ONCE
        out = []
        closes = lingers = False
        for request in requests:
            left -= 1
            connection = b""
            if not request.keep_alive or ending or not left:
                # To the client, what is behind it was not read (RFC 9112, section 9.3.2).
                closes, connection = True, b"close"
                lingers = request.keep_alive or b"upgrade" in request.headers
            elif request.version == "1.0":
                connection = b"keep-alive"
            response = handler(request)
            out.append(encode(response, connection, request.method == "HEAD"))
            size += len(response.body) + _RESPONSE_HEAD_BYTES
            if closes or size > RESPONSE_BATCH_BYTES or left == enough:
                break
        if not out:
            return
        done, self._requests_left = len(out), left
        responses = out[0] if done == 1 else b"".join(out)
        self.write(responses)
        if lingers:
            self._linger()  # The server ends it; the peer may still be sending.
        elif closes:
            self._close()
        elif size > RESPONSE_BATCH_BYTES or left == enough:
            self._end_turn(data, done, len(responses))

    def _end_turn(self, data: bytes, done: int, sent_bytes: int) -> None:
        """Go on in the next turn, behind the first *done* requests of *data*, or of the parser."""
        parser = self._parser
        rest = data.split(HEAD_END, done)[-1] if data else parser.rest if parser else b""
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

    def _reject(self, rejection: RejectedError) -> None:
        server = self._server
        if self._preface is not None:
            # As the PROXY protocol wants it: without a header there is no response.
            count_rejection(server.counts, NO_RESPONSE)
            self.abort()
        else:
            message = rejection.reason[:1].upper() + rejection.reason[1:]
            count_rejection(server.counts, rejection.status)
            self.write(
                server.encode(error_response(rejection.status, message), connection=b"close")
            )
            self._linger()
        server.hooks.rejected(self._client, rejection.status, rejection.reason)

    # Timeouts and the end.

    def _check_request(self, waited: int, limits: Limits) -> None:
        match self._phase:
            case Phase.IDLE:
                # A second's grace while draining: a request may be on its way, and closing
                # under it would fail a client that follows the protocol.
                is_serving = self._server.lifecycle.current is _SERVING
                if waited > (limits.keepalive_timeout_seconds if is_serving else 1):
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

    def _linger(self) -> None:
        self._end()
        self.shutdown()

    def _close(self) -> None:
        self._end()
        self.close()

    def _end(self) -> None:
        self._server.reserved.pop(self, None)
        self._state, self._phase_started = _State.ENDING, self._server.now
        if self._parser is not None:
            self._parser.close()
            self._parser = None
        self.charge()


def client_of(peer: tuple[Any, ...], *, is_management: bool = False) -> Client:
    """Return the client at the address that accept(2) gives."""
    # An IPv4 peer of a socket that listens on "::" comes as ::ffff:192.0.2.7.
    address = peer[0]
    kind = ManagementClient if is_management else Client
    return kind(normalize(address) if ":" in address else address, peer[1])
