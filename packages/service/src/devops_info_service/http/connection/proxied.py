"""A connection whose client is named by the proxy in front, before the first request."""

from socket import socket
from typing import Any

from devops_info_service.http.errors import RejectedError
from devops_info_service.http.shared_memory.counters import UNANSWERED, count_rejection
from devops_info_service.http.wire.message import Phase
from devops_info_service.http.wire.proxy_header import ProxyHeader

from .connection import Connection
from .loop import Loop
from .server_state import ServerState


class ProxiedConnection(Connection):
    """Take the PROXY header, then be a connection like any other."""

    __slots__ = ("_header",)

    def __init__(
        self, shared: ServerState, loop: Loop, sock: socket, peer: tuple[Any, ...]
    ) -> None:
        super().__init__(shared, loop, sock, peer)
        # For as long as a request's head may take.
        self._phase = Phase.HEAD
        self._header: ProxyHeader | None = ProxyHeader()

    def on_data(self, data: bytes) -> None:
        """Read the header, then requests."""
        header = self._header
        if header is None:
            super().on_data(data)
            return
        if not self.is_open:
            return
        try:
            used = header.receive(data)
        except RejectedError as exc:
            self._reject(exc)
            return
        if used is None:
            return
        self._header = None
        self._phase, self._phase_started = Phase.IDLE, self._shared.now
        if header.client is not None:
            self._client = header.client
        if used < len(data):
            super().on_data(data[used:])

    def _reject(self, refused: RejectedError) -> None:
        if self._header is None:
            super()._reject(refused)
            return
        # The specification's way: who does not speak it gets no answer.
        count_rejection(self._shared.counts, UNANSWERED)
        self.abort()
        self._shared.on_rejected(self._client, refused.status, refused.reason)
