"""One connection: order, limits and time-outs between a stream of bytes and the engine.

It never names a router: it is handed a ``Dispatch``. That one is a plain function, as
nothing a handler does waits: facts come from memory or from files the kernel makes up.
So an answer needs no task, no future and no queue, and answers cannot overtake each other.
"""

from collections.abc import Sequence
from enum import Enum
from socket import socket
from typing import TYPE_CHECKING, Any, Final

from devops_info_service.config import Limits
from devops_info_service.errors import RefusedError
from devops_info_service.values import normalize

from .counters import CLOSED, CONTINUED, OPENED, count_refusal
from .loop import Loop
from .message import Client, Phase, Request, problem
from .shared import Shared
from .stream import Stream
from .writer import CONTINUE

if TYPE_CHECKING:
    from .reader import RequestReader

LINGER_SECONDS: Final = 2
"""How long a peer may go on sending after our last word before it is cut off. Closing at once
would make the kernel send RST, which can destroy that word unread (RFC 9112, section 9.6)."""

ANSWER_BYTES: Final = 64 * 1024
"""Answers to pipelined requests that are made at a time; when they are sent and others had their
turn come the next. Without it one read of small requests would be megabytes of answers that
nobody may ever fetch. It is what asyncio's transports hold back, too."""

PROBE_SECONDS: Final = 2
"""From the connection to the whole request, for a connection above the limit: a probe asks at
once, and whoever does not shall not keep a probe's place."""


class _State(Enum):
    OPEN = "answers requests"
    RESERVED = "answers one request, if it is a probe's"
    ENDING = "sends what is left and drops what still comes"


# Reading a member of a class takes longer than reading a name.
_OPEN: Final = _State.OPEN
_IDLE: Final = Phase.IDLE


class Connection(Stream):
    """Read requests, answer them in order, and keep within the limits."""

    __slots__ = (
        "_client",
        "_left",
        "_patience",
        "_phase",
        "_reader",
        "_shared",
        "_since",
        "_state",
        "_unread_since",
        "_waiting",
    )

    def __init__(self, shared: Shared, loop: Loop, sock: socket, peer: tuple[Any, ...]) -> None:
        super().__init__(loop, sock)
        self._shared = shared
        self._client = _client(peer)
        self._reader: RequestReader | None = None
        """Made for the first read that is not nothing but plain requests."""
        self._state = _OPEN
        self._phase = _IDLE
        self._left = shared.limits.max_requests_per_connection
        self._since = shared.now
        self._unread_since: int | None = None
        """The moment up to which a wait for the peer to read is paid for; None: there is none."""
        self._patience: float = shared.limits.write_seconds
        """Seconds we wait, all in all, for a peer that does not read. It outlives the wait: who
        takes a byte, asks, and takes another shall not begin anew."""
        self._waiting: Sequence[Request] = ()
        """Requests that have come and are not answered yet: nothing is read meanwhile."""

    def start(self) -> None:
        """Take the connection, or turn it away when there are too many."""
        shared = self._shared
        if not shared.connections:
            shared.on_first()
        shared.connections.add(self)
        shared.counts[OPENED] += 1
        if len(shared.connections) > shared.limits.max_connections:
            # Whoever was refused and lingers has no place any more.
            if shared.reserved >= shared.limits.probe_connections:
                self._refuse_one_too_many()
            else:
                shared.reserved += 1
                self._state = _State.RESERVED
        super().start()

    # Called by Stream.

    def on_bytes(self, data: bytes) -> None:
        """Answer the requests that are complete now, with one write."""
        if self._state is not _OPEN:
            if self._state is _State.RESERVED:
                self._receive_reserved(data)
            return
        shared = self._shared
        if self._phase is _IDLE:
            requests = shared.plain.read(data, self._client)
            if requests is not None:
                self._since = shared.now
                self._answer(requests)
                return
        requests = self._parse(data)
        if requests:
            self._answer(requests)
        self._answer_the_reader()

    def on_end(self) -> None:
        """Close once the answers are out: no further request can come."""
        self._close()

    def on_full(self) -> None:
        """Start the clock of a peer that does not read."""
        self._give_back()
        self._unread_since = self._shared.now

    def on_sent(self) -> None:
        """Start the request's clock anew, as the wait was ours, and answer who still waits."""
        self._unread_since = None
        self._give_back()
        self._since = self._shared.now
        if self._waiting and self._state is _State.OPEN:
            requests, self._waiting = self._waiting, ()
            self._answer(requests)
            self._answer_the_reader()

    def on_fault(self, exc: Exception) -> None:
        """Pass it on: the process has a log."""
        self._shared.on_fault(exc)

    def on_gone(self) -> None:
        """Forget the connection."""
        shared = self._shared
        self._end()
        shared.connections.discard(self)
        shared.counts[CLOSED] += 1
        if self._reader is not None:
            self._reader.close()
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
    def doing(self) -> str:
        """What it would lose if it were cut off now; empty for nothing."""
        if self.unsent:
            return "in an answer"
        if not self.is_open or self._phase is Phase.IDLE:
            return ""
        doing: str = self._phase.value
        return doing

    # Called by Shared.

    def check_time(self) -> None:
        """Act on the time-out that has come, if one has."""
        limits, waited = self._shared.limits, self._shared.now - self._since
        if self._unread_since is not None:
            self._check_unread(self._unread_since)
        elif self._state is _State.ENDING:
            if waited > LINGER_SECONDS:
                self.abort()
        elif self._state is _State.RESERVED:
            if waited > PROBE_SECONDS:
                self._refuse_one_too_many()
        elif not self._waiting:
            self._check_request(waited, limits)

    def drain(self) -> None:
        """Close if no request is on its way."""
        if self._state is _State.OPEN and self._phase is Phase.IDLE:
            self.check_time()

    def _parse(self, data: bytes) -> list[Request]:
        """Return the requests that are complete now, of any kind."""
        shared, reader = self._shared, self._reader
        if reader is None:
            # Imported late: probes, scrapers and browsers are plain, and a start is paid by all.
            from .reader import RequestReader  # noqa: PLC0415

            reader = self._reader = RequestReader(self._client, shared.limits)
        requests = reader.receive(data)
        if requests or reader.phase is not self._phase:
            self._phase, self._since = reader.phase, shared.now
        return requests

    def _answer(self, requests: Sequence[Request]) -> None:
        shared = self._shared
        dispatch, encode = shared.dispatch, shared.encode
        ending, left, size = shared.draining, self._left, 0
        out = []
        closes = False
        for request in requests:
            left -= 1
            connection = b""
            if not request.keep_alive or ending or not left:
                # What is behind it was not read, to the client (RFC 9112, section 9.3.2).
                closes, connection = True, b"close"
            elif request.version == "1.0":
                connection = b"keep-alive"
            answer = encode(dispatch(request), connection, request.method == "HEAD")
            out.append(answer)
            size += len(answer)
            if closes or size > ANSWER_BYTES:
                break
        self._left = left
        answered = len(out)
        self.write(out[0] if answered == 1 else b"".join(out))
        if closes:
            last = requests[answered - 1]
            if last.keep_alive or b"upgrade" in last.headers:
                self._linger()  # We end it; the peer may be sending still.
            else:
                self._close()
        elif answered < len(requests) and self._state is _State.OPEN:
            self._waiting = requests[answered:]
            if self._unread_since is None:
                # All was taken. But the next turn comes when the kernel has room again, and that
                # is up to the peer, as if it were full.
                self.taken += size
                self.on_full()
            self.hold()

    def _answer_the_reader(self) -> None:
        """Say what it wants to be said behind the answers, once these are out."""
        reader = self._reader
        if reader is None or self._waiting or self._state is not _State.OPEN:
            return
        if reader.refused is not None:
            self._refuse(reader.refused)
        elif reader.expects_continue:
            reader.expects_continue = False
            self._shared.counts[CONTINUED] += 1
            self.write(CONTINUE)

    def _receive_reserved(self, data: bytes) -> None:
        since, requests = self._since, None
        if self._phase is Phase.IDLE:
            requests = self._shared.plain.read(data, self._client)
        if requests is None:
            requests = self._parse(data)
        self._since = since  # Its time runs from the connection on.
        if requests and requests[0].path in self._shared.probes:
            self._shared.reserved -= 1
            self._state = _State.OPEN
            self._left = 1
            self._answer(requests)
        elif requests:
            self._refuse_one_too_many()
        elif self._reader is not None and self._reader.refused is not None:
            self._refuse(self._reader.refused)

    def _refuse_one_too_many(self) -> None:
        reason = f"more than {self._shared.limits.max_connections} connections"
        self._refuse(RefusedError(reason, status=503))

    def _refuse(self, refused: RefusedError) -> None:
        message = refused.reason[:1].upper() + refused.reason[1:]
        shared = self._shared
        count_refusal(shared.counts, refused.status)
        self.write(shared.encode(problem(refused.status, message), connection=b"close"))
        self._linger()
        shared.on_refused(self._client, refused.status, refused.reason)

    def _check_request(self, waited: int, limits: Limits) -> None:
        match self._phase:
            case Phase.IDLE:
                # A second's grace while draining: a request may be on its way, and closing
                # under it would fail a client that follows the protocol.
                if waited > (1 if self._shared.draining else limits.idle_seconds):
                    self._close()
            case Phase.HEAD:
                if waited > limits.head_seconds:
                    reason = f"no whole request head within {limits.head_seconds} s"
                    self._refuse(RefusedError(reason, status=408))
            case Phase.BODY:
                least = waited * limits.min_body_bytes_per_second
                arrived = self._reader.body_bytes if self._reader else least
                if waited > limits.body_seconds and arrived < least:
                    reason = f"a body slower than {limits.min_body_bytes_per_second} bytes/s"
                    self._refuse(RefusedError(reason, status=408))

    def _check_unread(self, since: int) -> None:
        # Each second costs one; what is taken at the least rate gives as many back, and nobody
        # has more than all of them. So a stop is borne as long as ever, and a drip not for ever.
        self._unread_since = self._shared.now
        self._patience -= self._shared.now - since
        self._give_back()
        if self._patience < self._shared.limits.write_seconds / 2:
            self.nudge()
            self._give_back()
            if self._patience < 0:
                self.reset()

    def _give_back(self) -> None:
        limits, taken = self._shared.limits, self.taken
        self.taken = 0
        least, most = limits.min_answer_bytes_per_second, limits.write_seconds
        if taken:
            self._patience = min(self._patience + (taken / least if least else most), most)

    def _linger(self) -> None:
        self._end()
        self.shut()

    def _close(self) -> None:
        self._end()
        self.close()

    def _end(self) -> None:
        if self._state is _State.RESERVED:
            self._shared.reserved -= 1
        self._state, self._since = _State.ENDING, self._shared.now


def _client(peer: tuple[Any, ...]) -> Client:
    # An IPv4 peer of a socket that listens on "::" comes as ::ffff:192.0.2.7.
    address = peer[0]
    return Client(normalize(address) if ":" in address else address, peer[1])
