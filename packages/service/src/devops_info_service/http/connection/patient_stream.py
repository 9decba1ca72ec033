"""A stream whose peer may leave its responses unread for a while, and the memory that takes.

A peer that reads nothing, or little, spends its stall budget and is cut off. The bytes held for
it are charged to the process, which ends the largest holders when all hold too much.
"""

from socket import socket
from typing import TYPE_CHECKING

from devops_info_service.http.shared_memory.counters import NO_RESPONSE, count_rejection
from devops_info_service.http.wire.memory_budget import STALLED_BYTES
from devops_info_service.http.wire.message import Client

from .loop import Loop
from .stream import Stream

if TYPE_CHECKING:
    from .server_state import ServerState


class StallBudget:
    """Seconds, in total, that a peer may leave responses unread; reading earns them back.

    Each second of a stall costs one, and *rate* bytes earn one, up to *seconds* again: a stop is
    tolerated as often as it comes, and a drip not for ever. With a *rate* of 0 any byte earns all.
    """

    __slots__ = ("_left", "_rate", "_seconds")

    def __init__(self, seconds: int, rate: int) -> None:
        self._seconds = seconds
        self._rate = rate
        self._left: float = seconds

    def spend(self, seconds: int) -> None:
        """Take off the *seconds* that the peer has read nothing."""
        self._left -= seconds

    def refund(self, drained_bytes: int) -> None:
        """Add what the peer has earned by reading so much."""
        if drained_bytes:
            earned = drained_bytes / self._rate if self._rate else self._seconds
            self._left = min(self._left + earned, self._seconds)

    @property
    def spent(self) -> float:
        """Seconds used up."""
        return self._seconds - self._left

    @property
    def is_low(self) -> bool:
        """Whether more than half is spent."""
        return self._left < self._seconds / 2

    @property
    def is_empty(self) -> bool:
        """Whether more than all is spent."""
        return self._left < 0


class PatientStream(Stream):
    """A stream of a process that has limits."""

    __slots__ = ("_client", "_server", "_stall_budget", "_stalled_since", "held")

    def __init__(self, server: "ServerState", loop: Loop, sock: socket, client: Client) -> None:
        super().__init__(loop, sock)
        self._server = server
        self._client = client
        self._stalled_since: int | None = None
        """The second up to which the stall is paid for; None: there is none."""
        self._stall_budget: StallBudget | None = None
        """Made by the first stall. It outlives that: a peer that takes a byte, sends a request
        and takes another does not start again."""
        self.held = 0
        """Bytes that are charged to the process for this connection."""

    def on_blocked(self) -> None:
        """Start the clock of a peer that does not read."""
        self._stall(self.take_drained())

    def on_drained(self) -> None:
        """Stop that clock."""
        self._stalled_since = None
        if self._stall_budget is not None:
            self._stall_budget.refund(self.take_drained())

    def charge(self) -> None:
        """Account for the bytes that this connection holds now."""
        held = self._read_bytes()
        if self._stalled_since is not None and self.is_connected:
            held += STALLED_BYTES + self.buffered
        if held != self.held:
            server = self._server
            server.held += held - self.held
            self.held = held
            if server.held > server.budget.held_bytes:
                server.relieve()

    def _read_bytes(self) -> int:
        """Return the bytes held of an unfinished request."""
        return 0

    def _wait_for_turn(self, rest: bytes, sent_bytes: int) -> None:
        """Go on with *rest* once the responses so far, of *sent_bytes*, are sent."""
        self.pause_reading(rest)
        if self._stalled_since is None:
            # All was accepted. But the next turn comes when the kernel has room again, and that
            # is up to the peer, as if its buffer were full.
            self._stall(self.take_drained() + sent_bytes)
        else:
            self.charge()

    def _stall(self, drained_bytes: int) -> None:
        server = self._server
        if self._stall_budget is None:
            limits = server.limits
            self._stall_budget = StallBudget(
                limits.write_timeout_seconds, limits.min_response_bytes_per_second
            )
        self._stall_budget.refund(drained_bytes)
        self._stalled_since = server.now
        self.charge()

    def _check_stall(self, since: int) -> None:
        budget = self._stall_budget
        if budget is None:
            return
        self._stalled_since = self._server.now
        budget.spend(self._server.now - since)
        budget.refund(self.take_drained())
        if budget.is_low:
            self.retry_send()
            budget.refund(self.take_drained())
            if budget.is_empty:
                self.reset()

    def _drop(self, reason: str) -> None:
        """End without a response, and drop what the kernel holds for the peer."""
        server = self._server
        count_rejection(server.counts, NO_RESPONSE)
        self.reset()
        server.hooks.rejected(self._client, NO_RESPONSE, reason)
