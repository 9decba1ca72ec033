"""The probes: whether the process answers, and whether it wants more to answer."""

from collections.abc import Callable
from typing import Literal

import msgspec

from devops_info_service.http.message import Request, Response
from devops_info_service.http.shared import State
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


class Live(msgspec.Struct, frozen=True):
    """The whole answer of ``/livez``: there is no other one while the process lives."""

    status: Literal["alive"]


class Ready(msgspec.Struct, frozen=True):
    """The whole answer of ``/readyz``."""

    status: Literal["ready", "expectations not met", "draining"]


class LiveHandler:
    """Answers with ``Live``; it looks at nothing, so that nothing else can fail it."""

    def __init__(self) -> None:
        self._response = Response(200, msgspec.json.encode(Live("alive")))

    def __call__(self, request: Request) -> Response:  # noqa: ARG002  the shape of a handler
        """Answer any request alike."""
        return self._response


class ReadyHandler:
    """Answers 200, or 503 from the moment the process is told to end.

    And 503 while *conforms*, if it is given, says no.
    """

    def __init__(self, state: State, conforms: Callable[[], bool] | None = None) -> None:
        self._state = state
        self._conforms = conforms
        self._ready = Response(200, msgspec.json.encode(Ready("ready")))
        self._unmet = Response(503, msgspec.json.encode(Ready("expectations not met")))
        self._draining = Response(503, msgspec.json.encode(Ready("draining")))

    def __call__(self, request: Request) -> Response:  # noqa: ARG002  the shape of a handler
        """Answer any request alike."""
        if self._state.draining:
            return self._draining
        if self._conforms and not self._conforms():
            return self._unmet
        return self._ready
