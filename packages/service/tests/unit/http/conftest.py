"""The state of a process with connections and without a socket."""

import pytest

from devops_info_service.coarse_clock import SystemClock
from devops_info_service.http import Request, Response
from devops_info_service.http.connection.server_state import ServerState
from devops_info_service.http.wire.writer import ResponseWriter

from .fake_socket import LIMITS, RecordingHooks, Rejections


@pytest.fixture
def hooks() -> RecordingHooks:
    """The calls from connections to their server."""
    return RecordingHooks()


@pytest.fixture
def rejections(hooks: RecordingHooks) -> Rejections:
    """The rejections among them."""
    return hooks.rejections


@pytest.fixture
def server(hooks: RecordingHooks) -> ServerState:
    """A process that responds with the path."""

    def handler(request: Request) -> Response:
        return Response(200, f"{request.path} {request.client.address}".encode())

    writer = ResponseWriter(SystemClock(lambda: 0.0))
    return ServerState(handler, LIMITS, hooks, writer=writer, probes={"/1"})
