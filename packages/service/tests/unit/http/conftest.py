"""A process with connections and without a socket."""

import pytest

from devops_info_service.coarse_clock import Live
from devops_info_service.http.connection.server_state import ServerState
from devops_info_service.http.wire.message import Client, Request, Response
from devops_info_service.http.wire.writer import ResponseWriter

from .fake_socket import LIMITS, Rejections


@pytest.fixture
def rejections() -> Rejections:
    """What ``on_refused`` was told."""
    return []


@pytest.fixture
def shared(rejections: Rejections) -> ServerState:
    """A process that answers with the path."""

    def dispatch(request: Request) -> Response:
        return Response(200, f"{request.path} {request.client.address}".encode())

    def on_rejected(client: Client, status: int, reason: str) -> None:
        rejections.append((client, status, reason))

    writer = ResponseWriter(Live(lambda: 0.0))
    return ServerState(dispatch, LIMITS, on_rejected, writer, probes={"/1"})
