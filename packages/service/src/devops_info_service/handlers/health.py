"""The probes: whether the process answers, and whether it wants more to answer."""

from collections.abc import Callable
from typing import Literal

import msgspec

from devops_info_service.facts.linux.uptime import Runtime
from devops_info_service.http import ProcessLifecycle, Request, Response, error_response

from .readiness import ReadySwitch


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

    status: Literal["ready", "expectations not met", "disabled", "draining"]


class LiveHandler:
    """Answers with ``Live``; it looks at nothing, so that nothing else can fail it."""

    def __init__(self) -> None:
        self._response = Response(200, msgspec.json.encode(Live("alive")))

    def __call__(self, request: Request) -> Response:  # noqa: ARG002  the shape of a handler
        """Answer any request alike."""
        return self._response


class ReadyHandler:
    """Answers 200, or 503 from the moment the process is told to end.

    And 503 while *switch* is off, or *conforms* says no, as far as they are given.
    """

    def __init__(
        self,
        lifecycle: ProcessLifecycle,
        conforms: Callable[[], bool] | None = None,
        switch: ReadySwitch | None = None,
    ) -> None:
        self._lifecycle = lifecycle
        self._conforms = conforms
        self._switch = switch
        self._ready = Response(200, msgspec.json.encode(Ready("ready")))
        self._unmet = Response(503, msgspec.json.encode(Ready("expectations not met")))
        self._off = Response(503, msgspec.json.encode(Ready("disabled")))
        self._draining = Response(503, msgspec.json.encode(Ready("draining")))

    def __call__(self, request: Request) -> Response:  # noqa: ARG002  the shape of a handler
        """Answer any request alike."""
        if self._lifecycle.is_stopping:
            return self._draining
        if self._switch is not None and self._switch.is_off:
            return self._off
        if self._conforms and not self._conforms():
            return self._unmet
        return self._ready


class SwitchHandler:
    """Takes the service out of readiness or into it again; answers 200 with what it is then."""

    def __init__(self, switch: ReadySwitch, ready: ReadyHandler, *, off: bool) -> None:
        self._switch = switch
        self._ready = ready
        self._off = off

    def __call__(self, request: Request) -> Response:
        """Answer *request*, unless a web page sent it."""
        if b"origin" in request.headers:
            # A browser lets any page post to any address, this one's too, and says so here
            # (Fetch, section 3.2). What is meant to switch, such as curl, sends no such field.
            return error_response(403, "Readiness is not switched from a web page")
        self._switch.switch(off=self._off)
        return Response(200, self._ready(request).body)
