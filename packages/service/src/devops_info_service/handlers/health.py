"""``GET /health``: the process answers, since when, and at what time."""

from collections.abc import Callable
from typing import Literal

import msgspec

from devops_info_service.http.message import Request, Response
from devops_info_service.introspection.runtime import Runtime


class Health(msgspec.Struct, frozen=True):
    """The whole answer."""

    status: Literal["healthy"]
    timestamp: str
    """RFC 3339, UTC, whole seconds."""
    uptime_seconds: int


class HealthHandler:
    """Answers with ``Health``: whoever can answer at all is healthy."""

    def __init__(self, runtime: Callable[[], Runtime]) -> None:
        self._encode = msgspec.json.Encoder().encode
        self._runtime = runtime

    def __call__(self, request: Request) -> Response:  # noqa: ARG002  the shape of a handler
        """Answer any request alike."""
        now = self._runtime()
        return Response(200, self._encode(Health("healthy", now.current_time, now.uptime_seconds)))
