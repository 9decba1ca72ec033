"""A stream whose peer may leave its answers unread for a while, and what it holds meanwhile.

Who takes nothing, or little, uses up its patience and is cut off. What waits for it is charged
to the process, which lets go of whoever holds most when all hold too much.
"""

from socket import socket
from typing import TYPE_CHECKING

from devops_info_service.http.shared_memory.counters import UNANSWERED, count_rejection
from devops_info_service.http.wire.memory_budget import STALLED_BYTES
from devops_info_service.http.wire.message import Client

from .loop import Loop
from .stream import Stream

if TYPE_CHECKING:
    from .server_state import ServerState


class PatientStream(Stream):
    """A stream of a process that has limits."""

    __slots__ = ("_client", "_pending", "_shared", "_stall_budget", "_stalled_since", "held")

    def __init__(self, shared: "ServerState", loop: Loop, sock: socket, client: Client) -> None:
        super().__init__(loop, sock)
        self._shared = shared
        self._client = client
        self._stalled_since: int | None = None
        """The moment up to which a wait for the peer to read is paid for; None: there is none."""
        self._stall_budget: float = shared.limits.write_timeout_seconds
        """Seconds we wait, all in all, for a peer that does not read. It outlives the wait: who
        takes a byte, asks, and takes another shall not begin anew."""
        self._pending = b""
        """What was read and is not looked at yet: requests that come behind unread answers. Bytes,
        as they take less than the requests they are; nothing is read meanwhile."""
        self.held = 0
        """Bytes that are charged to the process for this connection."""

    def on_blocked(self) -> None:
        """Start the clock of a peer that does not read."""
        self._refund_budget()
        self._stalled_since = self._shared.now
        self.charge()

    def charge(self) -> None:
        """Tell the process what this connection holds now, in bytes."""
        held = self._read_bytes()
        if self._stalled_since is not None and self.is_connected:
            held += STALLED_BYTES + self.buffered + len(self._pending)
        if held != self.held:
            shared = self._shared
            shared.held += held - self.held
            self.held = held
            if shared.held > shared.budget.held_bytes:
                shared.relieve()

    def _read_bytes(self) -> int:
        """Return what is held of a request that is not whole."""
        return 0

    def _wait_with(self, rest: bytes, size: int) -> None:
        """Look at *rest* when the answers so far, of *size* bytes, are on their way."""
        self._pending = rest
        if self._stalled_since is None:
            # All was taken. But the next turn comes when the kernel has room again, and that
            # is up to the peer, as if it were full.
            self.drained_bytes += size
            self.on_blocked()
        else:
            self.charge()
        self.pause_reading()

    def _drop(self, reason: str) -> None:
        """End without a word, and with what the kernel holds for the peer."""
        shared = self._shared
        count_rejection(shared.counts, UNANSWERED)
        self.reset()
        shared.on_rejected(self._client, UNANSWERED, reason)

    def _check_unread(self, since: int) -> None:
        # Each second costs one; what is taken at the least rate gives as many back, and nobody
        # has more than all of them. So a stop is borne as long as ever, and a drip not for ever.
        self._stalled_since = self._shared.now
        self._stall_budget -= self._shared.now - since
        self._refund_budget()
        if self._stall_budget < self._shared.limits.write_timeout_seconds / 2:
            self.retry_send()
            self._refund_budget()
            if self._stall_budget < 0:
                self.reset()

    def _refund_budget(self) -> None:
        limits, taken = self._shared.limits, self.drained_bytes
        self.drained_bytes = 0
        least, most = limits.min_response_bytes_per_second, limits.write_timeout_seconds
        if taken:
            self._stall_budget = min(self._stall_budget + (taken / least if least else most), most)
