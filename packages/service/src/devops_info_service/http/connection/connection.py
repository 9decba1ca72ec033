"""One connection: order, limits and time-outs between a stream of bytes and the engine.

It never names a router: it is handed a ``Handler``. That one is a plain function, as
nothing a handler does waits: facts come from memory or from files the kernel makes up.
So an answer needs no task, no future and no queue, and answers cannot overtake each other.
"""

from collections.abc import Iterable, Iterator
from enum import Enum
from socket import socket
from typing import TYPE_CHECKING, Any, Final

from devops_info_service.http.errors import RejectedError
from devops_info_service.http.shared_memory.counters import (
    CLOSED,
    CONTINUED,
    OPENED,
    count_rejection,
)
from devops_info_service.http.wire.cidr import normalize
from devops_info_service.http.wire.fast_path import AT_ONCE, HEAD_END
from devops_info_service.http.wire.limits import Limits
from devops_info_service.http.wire.message import Client, Phase, Request, problem
from devops_info_service.http.wire.writer import CONTINUE

from .loop import Loop
from .patient_stream import PatientStream
from .server_state import ServerState

if TYPE_CHECKING:
    from devops_info_service.http.wire.parser import RequestParser

LINGER_SECONDS: Final = 2
"""How long a peer may go on sending after our last word before it is cut off. Closing at once
would make the kernel send RST, which can destroy that word unread (RFC 9112, section 9.6)."""

RESPONSE_BATCH_BYTES: Final = 16 * 1024
"""Answers to pipelined requests that are made at a time, by the bytes that were made: the body
that a HEAD leaves out has cost as much. The next are made when these are sent and others had
their turn. Without it one read of small requests would be megabytes of answers that nobody may
ever fetch. One read's size: what is short comes in hundreds, and what is long comes alone."""

_ANSWER_HEAD_BYTES: Final = 256
"""Of an answer besides its body, so that many without one are many all the same."""

REFUSED_CONNECTIONS: Final = 32
"""Connections above all limits that linger after they are told so; further ones are told and
closed. They take files that were set aside (``RESERVED_DESCRIPTORS``)."""

PROBE_TIMEOUT_SECONDS: Final = 2
"""From the connection to the whole request, for one above the limit: a probe asks at once."""


class _State(Enum):
    OPEN = "answers requests"
    RESERVED = "answers one request, if it is a probe's"
    ENDING = "sends what is left and drops what still comes"


# Reading a member of a class takes longer than reading a name.
_OPEN: Final = _State.OPEN
_IDLE: Final = Phase.IDLE


class Connection(PatientStream):
    """Read requests, answer them in order, and keep within the limits."""

    __slots__ = ("_parser", "_phase", "_phase_started", "_requests_left", "_state")

    def __init__(
        self, shared: ServerState, loop: Loop, sock: socket, peer: tuple[Any, ...]
    ) -> None:
        super().__init__(shared, loop, sock, _client(peer))
        self._parser: RequestParser | None = None
        """Made for the first read that is not nothing but plain requests."""
        self._state = _OPEN
        self._phase = _IDLE
        self._requests_left = shared.limits.max_requests_per_connection
        self._phase_started = shared.now

    def start(self) -> None:
        """Take the connection, or turn it away when there are too many."""
        shared = self._shared
        if not shared.connections:
            shared.on_first()
        shared.connections.add(self)
        shared.counts[OPENED] += 1
        over = len(shared.connections) - shared.budget.connections
        if over > 0 and not shared.make_room():
            self._state = _State.RESERVED
            shared.reserved[self] = None
            if len(shared.reserved) > shared.limits.probe_connections:
                next(iter(shared.reserved)).reject_over_limit()
        super().start()

    # Called by Stream.

    def on_data(self, data: bytes) -> None:
        """Answer the requests that are complete now, with one write."""
        if self._state is not _OPEN:
            if self._state is _State.RESERVED:
                self._receive_reserved(data)
            return
        shared = self._shared
        if self._phase is _IDLE:
            requests = shared.plain.read(data, self._client)
            if requests is not None:
                self._phase_started = shared.now
                if len(requests) == 1 and requests[0].keep_alive and not shared.draining:
                    self._answer_one(requests[0])
                else:
                    self._answer(requests, data)
                return
        self._answer(self._read(data))
        self._send_parser_reply()
        if self.held or self._phase is not _IDLE:
            self.charge()

    def on_eof(self) -> None:
        """Close once the answers are out: no further request can come."""
        self._close()

    def on_drained(self) -> None:
        """Start the request's clock anew, as the wait was ours, and answer who still waits."""
        self._stalled_since = None
        self._refund_budget()
        self._phase_started = self._shared.now
        waiting, self._pending = self._pending, b""
        self.charge()
        if waiting and self._state is _State.OPEN:
            self.on_data(waiting)

    def on_error(self, exc: Exception) -> None:
        """Pass it on: the process has a log."""
        self._shared.on_error(exc)

    def on_closed(self) -> None:
        """Forget the connection."""
        shared = self._shared
        self._end()
        shared.connections.discard(self)
        shared.counts[CLOSED] += 1
        if shared.on_gone is not None:
            shared.on_gone()
        if not shared.connections:
            shared.on_none()

    @property
    def is_open(self) -> bool:
        """Whether requests are still read."""
        return self._state is not _State.ENDING

    @property
    def client(self) -> Client:
        """Who asks on it."""
        return self._client

    @property
    def activity(self) -> str:
        """What it would lose if it were cut off now; empty for nothing."""
        if self.unsent:
            return "in an answer"
        if not self.is_open or self._phase is Phase.IDLE:
            return ""
        activity: str = self._phase.value
        return activity

    # Called by Shared.

    def check_time(self) -> None:
        """Act on the time-out that has come, if one has."""
        limits, waited = self._shared.limits, self._shared.now - self._phase_started
        if self._stalled_since is not None:
            self._check_unread(self._stalled_since)
        elif self._state is _State.ENDING:
            if waited > LINGER_SECONDS:
                self.abort()
        elif self._state is _State.RESERVED:
            if waited > PROBE_TIMEOUT_SECONDS:
                self.reject_over_limit()
        elif not self._pending:
            self._check_request(waited, limits)

    def drain(self) -> None:
        """Close if no request is on its way."""
        if self._state is _State.OPEN and self._phase is Phase.IDLE:
            self.check_time()

    def give_way(self) -> None:
        """End, as all connections together hold too much and this one much of it."""
        if self._stalled_since is not None:
            self._drop("unread answers, and no memory for them")
        elif self._state is _State.OPEN:
            self._reject(RejectedError("no memory for an unfinished request", status=503))

    def reject_over_limit(self) -> None:
        """Tell the peer that there are too many, and end."""
        reason = f"more than {self._shared.budget.connections} connections"
        self._reject(RejectedError(reason, status=503))
        over = len(self._shared.connections) - self._shared.budget.connections
        if over > self._shared.limits.probe_connections + REFUSED_CONNECTIONS:
            self.close()

    @property
    def idle_since(self) -> int | None:
        """The second since which it waits for a request; None: it does not.

        What was told its end and sent all is idle for longest.
        """
        if self._stalled_since is not None or self.unsent:
            return None
        if self._state is _State.ENDING:
            return -1
        return self._phase_started if self._state is _OPEN and self._phase is _IDLE else None

    def is_stalled(self, seconds: int) -> bool:
        """Say whether the peer lets a head, or its answers, wait for longer than *seconds*."""
        if self._stalled_since is not None:
            return self._stall_budget < self._shared.limits.write_timeout_seconds - seconds
        return self._phase is Phase.HEAD and self._shared.now - self._phase_started > seconds

    def _read(self, data: bytes) -> Iterator[Request]:
        """Give the whole requests of *data*, of any kind, each when asked for; look at ``rest``."""
        shared, reader = self._shared, self._parser
        if reader is None:
            # Imported late: probes, scrapers and browsers are plain, and a start is paid by all.
            from devops_info_service.http.wire.parser import RequestParser  # noqa: PLC0415

            reader = self._parser = RequestParser(self._client, shared.limits)
        rest = data
        while rest:
            requests = reader.receive(rest, 1)
            if requests or reader.phase is not self._phase:
                self._phase, self._phase_started = reader.phase, shared.now
            rest = reader.rest
            if requests:
                yield requests[0]

    def _read_bytes(self) -> int:
        return 0 if self._parser is None or self._phase is _IDLE else self._parser.held_bytes

    def _answer_one(self, request: Request) -> None:
        """Answer a plain request that came alone, as most do, without a loop for others."""
        if self._requests_left == 1:
            self._answer((request,))
            return
        self._requests_left -= 1
        shared = self._shared
        self.write(shared.encode(shared.dispatch(request), b"", request.method == "HEAD"))

    def _answer(self, requests: Iterable[Request], data: bytes = b"") -> None:
        """Answer *requests* until the turn is over; those of *data*, or of the reader."""
        shared = self._shared
        dispatch, encode = shared.dispatch, shared.encode
        ending, left, size = shared.draining, self._requests_left, 0
        enough = left - AT_ONCE
        out = []
        closes = lingers = False
        for request in requests:
            left -= 1
            connection = b""
            if not request.keep_alive or ending or not left:
                # What is behind it was not read, to the client (RFC 9112, section 9.3.2).
                closes, connection = True, b"close"
                lingers = request.keep_alive or b"upgrade" in request.headers
            elif request.version == "1.0":
                connection = b"keep-alive"
            response = dispatch(request)
            out.append(encode(response, connection, request.method == "HEAD"))
            size += len(response.body) + _ANSWER_HEAD_BYTES
            if closes or size > RESPONSE_BATCH_BYTES or left == enough:
                break
        if not out:
            return
        answered, self._requests_left = len(out), left
        answers = out[0] if answered == 1 else b"".join(out)
        self.write(answers)
        if closes:
            if lingers:
                self._linger()  # We end it; the peer may be sending still.
            else:
                self._close()
        elif size > RESPONSE_BATCH_BYTES or left == enough:
            reader = self._parser
            rest = data.split(HEAD_END, answered)[-1] if data else reader.rest if reader else b""
            if rest and self._state is _OPEN:
                self._wait_with(rest, len(answers))

    def _send_parser_reply(self) -> None:
        """Say what it wants to be said behind the answers, once these are out."""
        reader = self._parser
        if reader is None or self._pending or self._state is not _State.OPEN:
            return
        if reader.rejection is not None:
            self._reject(reader.rejection)
        elif reader.expects_continue:
            reader.expects_continue = False
            self._shared.counts[CONTINUED] += 1
            self.write(CONTINUE)

    def _receive_reserved(self, data: bytes) -> None:
        since, requests = self._phase_started, None
        if self._phase is Phase.IDLE:
            requests = self._shared.plain.read(data, self._client)
        request = next(iter(requests) if requests else self._read(data), None)
        self._phase_started = since  # Its time runs from the connection on.
        if request is not None and self.has_reserved_place(request):
            del self._shared.reserved[self]
            self._state = _State.OPEN
            self._requests_left = 1
            self._answer((request,))
        elif request is not None:
            self.reject_over_limit()
        elif self._parser is not None and self._parser.rejection is not None:
            self._reject(self._parser.rejection)
        else:
            self.charge()

    def has_reserved_place(self, request: Request) -> bool:
        """Say whether *request* is answered when there are too many connections for all else."""
        return request.path in self._shared.probes

    def _reject(self, refused: RejectedError) -> None:
        message = refused.reason[:1].upper() + refused.reason[1:]
        shared = self._shared
        count_rejection(shared.counts, refused.status)
        self.write(shared.encode(problem(refused.status, message), connection=b"close"))
        self._linger()
        shared.on_rejected(self._client, refused.status, refused.reason)

    def _check_request(self, waited: int, limits: Limits) -> None:
        match self._phase:
            case Phase.IDLE:
                # A second's grace while draining: a request may be on its way, and closing
                # under it would fail a client that follows the protocol.
                if waited > (1 if self._shared.draining else limits.keepalive_timeout_seconds):
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
        self.drop_new_connections()

    def _close(self) -> None:
        self._end()
        self.close()

    def _end(self) -> None:
        if self._state is _State.RESERVED:
            del self._shared.reserved[self]
        self._state, self._phase_started = _State.ENDING, self._shared.now
        self._pending = b""
        if self._parser is not None:
            self._parser.close()
            self._parser = None
        self.charge()


def _client(peer: tuple[Any, ...]) -> Client:
    # An IPv4 peer of a socket that listens on "::" comes as ::ffff:192.0.2.7.
    address = peer[0]
    return Client(normalize(address) if ":" in address else address, peer[1])
