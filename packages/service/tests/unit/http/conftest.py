"""A process with connections and without a socket."""

import pytest

from devops_info_service.coarse_clock import Live
from devops_info_service.http.connection.server_state import Shared
from devops_info_service.http.wire.message import Client, Request, Response
from devops_info_service.http.wire.writer import ResponseWriter

from .fake_socket import LIMITS, Refusals


@pytest.fixture
def refusals() -> Refusals:
    """What ``on_refused`` was told."""
    return []


@pytest.fixture
def shared(refusals: Refusals) -> Shared:
    """A process that answers with the path."""

    def dispatch(request: Request) -> Response:
        return Response(200, f"{request.path} {request.client.address}".encode())

    def on_refused(client: Client, status: int, reason: str) -> None:
        refusals.append((client, status, reason))

    writer = ResponseWriter(Live(lambda: 0.0))
    return Shared(dispatch, LIMITS, on_refused, writer, probes={"/1"})
