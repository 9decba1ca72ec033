"""The probes: whether the process can serve, and whether it wants new requests."""

from collections.abc import Callable
from typing import Literal

import msgspec

from devops_info_service.facts.linux.uptime import Runtime
from devops_info_service.http import (
    Handler,
    ProcessLifecycle,
    Request,
    Response,
)
from devops_info_service.readiness import ReadySwitch
from devops_info_service.web_pages import without_web_pages


class Health(msgspec.Struct, frozen=True):
    """The body of ``/health`` and ``/healthz``."""

    status: Literal["healthy"]
    timestamp: str
    """RFC 3339, UTC, whole seconds."""
    uptime_seconds: int


class Live(msgspec.Struct, frozen=True):
    """The body of ``/livez``, constant while the process lives: nothing else can fail it."""

    status: Literal["alive"]


class Ready(msgspec.Struct, frozen=True):
    """The body of ``/readyz``."""

    status: Literal["ready", "expectations not met", "disabled", "draining"]


def health(now: Callable[[], Runtime]) -> Handler:
    """Return the handler of ``Health``: a process that can respond is healthy."""
    encode = msgspec.json.Encoder().encode

    def handle(_: Request) -> Response:
        moment = now()
        return Response(200, encode(Health("healthy", moment.current_time, moment.uptime_seconds)))

    return handle


def ready(
    lifecycle: ProcessLifecycle,
    conforms: Callable[[], bool] | None = None,
    switch: ReadySwitch | None = None,
) -> Handler:
    """Return the handler of ``Ready``: 200, or 503 from the start of the shutdown.

    And 503 while *switch* is off, and while *conforms* returns false.
    """
    is_ready = Response(200, msgspec.json.encode(Ready("ready")))
    unmet = Response(503, msgspec.json.encode(Ready("expectations not met")))
    disabled = Response(503, msgspec.json.encode(Ready("disabled")))
    draining = Response(503, msgspec.json.encode(Ready("draining")))

    def handle(_: Request) -> Response:
        if lifecycle.is_stopping:
            return draining
        if switch is not None and switch.is_off:
            return disabled
        if conforms is not None and not conforms():
            return unmet
        return is_ready

    return handle


def ready_switch(switch: ReadySwitch, ready: Handler, *, off: bool) -> Handler:
    """Return the handler that turns readiness on or *off*; 200 with the body of *ready*."""

    def handle(request: Request) -> Response:
        switch.switch(off=off)
        return Response(200, ready(request).body)

    return without_web_pages(handle, "Readiness is not switched from a web page")
