"""Connections to the management port: what one port answers another need not.

Imported where there is such a port. What a request may see is told by whose connection it came
over, not by what it says of itself.
"""

from socket import socket
from typing import Any

from devops_info_service.http.wire.message import Client, Handler, Request, Response

from .connection import Connection
from .loop import Loop
from .server_state import ServerState


class ManagementClient(Client, frozen=True):
    """One that has connected to the management port."""


class ManagementConnection(Connection):
    """A connection whose client is one of the management port."""

    __slots__ = ()

    def __init__(
        self, shared: ServerState, loop: Loop, sock: socket, peer: tuple[Any, ...]
    ) -> None:
        super().__init__(shared, loop, sock, peer)
        self._client = ManagementClient(self._client.address, self._client.port)

    def has_reserved_place(self, request: Request) -> bool:  # noqa: ARG002  whatever it asks for
        """Say that it is answered: in a flood of the other port an operator wants to see it."""
        return True


def by_port(public: Handler, management: Handler) -> Handler:
    """Return what answers a request as its port does.

    Outside of what tells the client behind a proxy: here it is still whose connection it is.
    """

    def dispatch(request: Request) -> Response:
        is_management = isinstance(request.client, ManagementClient)
        return management(request) if is_management else public(request)

    return dispatch
