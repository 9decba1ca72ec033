"""The reading half of a connection: its preface, its parser, and how it ends."""

from collections.abc import Iterator
from enum import Enum
from socket import socket
from typing import TYPE_CHECKING, Any, Final, Protocol

from devops_info_service.http.errors import RejectedError
from devops_info_service.http.shared_memory.counters import NO_RESPONSE, count_rejection
from devops_info_service.http.wire.cidr import normalize
from devops_info_service.http.wire.message import (
    Client,
    ManagementClient,
    Phase,
    Request,
    error_response,
)

from .loop import Loop
from .patient_stream import PatientStream
from .server_state import ServerState

if TYPE_CHECKING:
    from devops_info_service.http.wire.parser import RequestParser

SENDING_RESPONSE: Final = "sending_response"


class ConnectionState(Enum):
    """The states of a connection."""

    OPEN = "responds to requests"
    PREFACE = "reads a preface before the first request"
    RESERVED = "responds to one request, if it is a probe's"
    RESPONDING = "sends a response that is due later or in pieces"
    ENDING = "sends unsent bytes and drops received ones"


_IDLE: Final = Phase.IDLE


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


class RequestStream(PatientStream):
    """A stream of requests, with the state that decides how bytes are read."""

    __slots__ = ("_parser", "_phase_started", "_preface", "_state")

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
        self._state = ConnectionState.OPEN if preface is None else ConnectionState.PREFACE
        self._phase_started = server.now
        """The second in which the phase began; what timeouts are counted from."""

    @property
    def is_open(self) -> bool:
        """Whether requests are still read."""
        return self._state is not ConnectionState.ENDING

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
        if self.unsent or self._state is ConnectionState.RESPONDING:
            return SENDING_RESPONSE
        return self._phase.value if self.has_request else ""

    @property
    def _phase(self) -> Phase:
        if self._preface is not None:
            return Phase.HEAD  # It may take as long as a head.
        return _IDLE if self._parser is None else self._parser.phase

    def _before_requests(self, data: bytes) -> bytes:
        """Return the part of *data* that is to be read as requests, of a connection not OPEN."""
        if self._state is ConnectionState.ENDING or self._preface is None:
            return data if self._state is ConnectionState.RESERVED else b""
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
        if self._state is ConnectionState.PREFACE:
            self._state = ConnectionState.OPEN
        return data[used:]

    def _parse(self, data: bytes) -> Iterator[Request]:
        """Yield the complete requests of *data*, each parsed when the one before is done with."""
        server, parser = self._server, self._parser
        if parser is None:
            # Imported late: probes, scrapers and browsers stay on the fast path.
            from devops_info_service.http.wire.parser import RequestParser  # noqa: PLC0415

            if server.receiver_of is None:
                parser = RequestParser(self._client, server.limits)
            else:
                from devops_info_service.http.wire.body_parser import BodyParser  # noqa: PLC0415

                parser = BodyParser(self._client, server.limits, server.receiver_of)
            self._parser = parser
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

    def _reject(self, rejection: RejectedError) -> None:
        server = self._server
        if self._preface is not None:
            # The PROXY protocol requires it: no response to a connection without a header.
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

    def _linger(self) -> None:
        self._end()
        self.shutdown()

    def _close(self) -> None:
        self._end()
        self.close()

    def _end(self) -> None:
        self._state, self._phase_started = ConnectionState.ENDING, self._server.now
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
