"""The routes of ``TOOLS``: for clients those of the service's port, controls for the other one.

Imported with the setting alone.
"""

import functools
import time
from collections.abc import Callable
from typing import Final

from devops_info_service.handlers import controls, tools
from devops_info_service.http import BodyReceiver, Handler, Request
from devops_info_service.http.wire.message import ErrorBody
from devops_info_service.tools.burning import Burn, Burner
from devops_info_service.tools.injection import Faults
from devops_info_service.tools.rate_limit import TokenBucket
from devops_info_service.tools.requests import ShortBody, limited

from .router import Parameter, ResponseSpec, Route
from .services import Services


def _error_type() -> type:
    return ErrorBody


_LIMITED: Final = ResponseSpec(_error_type, 429)
_BAD: Final = ResponseSpec(_error_type, 400)
_FORBIDDEN: Final = ResponseSpec(_error_type, 403)


def _tool(make: Callable[[Services], Handler]) -> Callable[[Services], Handler]:
    """Limit the rate of the handler that *make* gives, together with all others."""
    return lambda services: limited(make(services), services.tool_requests)


def _echo(_: Services) -> Handler:
    return tools.echo()


def _headers(_: Services) -> Handler:
    return tools.headers()


def _status(_: Services) -> Handler:
    return tools.status()


def _delay(_: Services) -> Handler:
    return tools.delay()


def _events(services: Services) -> Handler:
    return tools.events(services.lifecycle, lambda: services.uptime().current_time)


def _bytes(_: Services) -> Handler:
    rate = tools.BYTES_PER_SECOND
    return tools.random_bytes(TokenBucket(rate, rate / 4, time.monotonic))


def _upload(_: Services) -> Handler:
    return tools.upload()


def _show_faults(services: Services) -> Handler:
    return controls.show_faults(services.injection)


def _set_faults(services: Services) -> Handler:
    return controls.set_faults(services.injection)


def _end_faults(services: Services) -> Handler:
    return controls.end_faults(services.injection)


def _burn(_: Services) -> Handler:
    return controls.burn(Burner())


def _exit(_: Services) -> Handler:
    return controls.end_process()


def _faults_type() -> type:
    return Faults


def _row(
    method: str,
    path: str,
    description: str,
    make: Callable[[Services], Handler],
    response: Callable[[], type],
    status: int = 200,
    media_type: str = "application/json",
    *,
    alternatives: tuple[ResponseSpec, ...] = (),
    parameters: tuple[Parameter, ...] = (),
    body: str = "",
) -> Route:
    return Route(
        method,
        path,
        description,
        _tool(make),
        response,
        status,
        media_type,
        (*alternatives, _LIMITED),
        parameters,
        body,
    )


TOOLS: Final = (
    *(
        _row(
            method,
            "/tools/echo",
            "The request, as it arrived",
            _echo,
            lambda: tools.Echo,
            body="" if method == "GET" else "*/*",
        )
        for method in ("GET", "POST", "PUT")
    ),
    _row("GET", "/tools/headers", "The request's header fields", _headers, lambda: tools.Headers),
    _row(
        "GET",
        "/tools/status/{code}",
        "A response with this status",
        _status,
        lambda: tools.Status,
        0,
        alternatives=(_BAD,),
        parameters=(Parameter("code", "integer", 200, 599),),
    ),
    _row(
        "GET",
        "/tools/delay/{seconds}",
        "A response after so many seconds",
        _delay,
        lambda: tools.Delayed,
        alternatives=(_BAD,),
        parameters=(Parameter("seconds", "number", 0, tools.MAX_DELAY_SECONDS),),
    ),
    _row(
        "GET",
        "/tools/events",
        "Server-sent events with the time",
        _events,
        lambda: str,
        media_type="text/event-stream",
        alternatives=(_BAD,),
        parameters=(
            Parameter("count", "integer", 1, tools.MAX_EVENTS, place="query"),
            Parameter("interval", "number", 0.1, tools.MAX_INTERVAL_SECONDS, place="query"),
        ),
    ),
    _row(
        "GET",
        "/tools/bytes/{n}",
        "So many random bytes",
        _bytes,
        lambda: bytes,
        media_type="application/octet-stream",
        alternatives=(_BAD,),
        parameters=(Parameter("n", "integer", 0, tools.MAX_BYTES),),
    ),
    *(
        _row(
            method,
            "/tools/upload",
            "Length and SHA-256 of the request's body",
            _upload,
            lambda: tools.Upload,
            body="application/octet-stream",
        )
        for method in ("POST", "PUT")
    ),
)
"""Routes for clients: served where ``/`` is."""

CONTROLS: Final = (
    Route("GET", "/tools/faults", "The injected faults", _show_faults, _faults_type),
    Route(
        "PUT",
        "/tools/faults",
        "Inject faults into responses and readiness, for a while",
        _set_faults,
        _faults_type,
        alternatives=(_BAD, _FORBIDDEN),
        body="application/json",
    ),
    Route(
        "DELETE",
        "/tools/faults",
        "End all injected faults",
        _end_faults,
        _faults_type,
        alternatives=(_FORBIDDEN,),
    ),
    Route(
        "POST",
        "/tools/burn",
        "Use CPU time and memory for a while",
        _burn,
        lambda: Burn,
        202,
        alternatives=(
            _BAD,
            _FORBIDDEN,
            ResponseSpec(_error_type, 409),
            ResponseSpec(_error_type, 503),
        ),
        body="application/json",
    ),
    Route(
        "POST",
        "/tools/exit/{status}",
        "End the process at once, without a response",
        _exit,
        _error_type,
        400,
        alternatives=(_FORBIDDEN,),
        parameters=(Parameter("status", "integer", 0, 255),),
    ),
)
"""Routes for operators: on the management port, if there is one."""

_RECEIVERS: Final[dict[tuple[str, str], Callable[[], BodyReceiver]]] = {
    **{(method, "/tools/upload"): tools.Checksum for method in ("POST", "PUT")},
    **{(method, "/tools/echo"): ShortBody for method in ("GET", "POST", "PUT")},
    ("PUT", "/tools/faults"): functools.partial(ShortBody, 1024),
    ("POST", "/tools/burn"): functools.partial(ShortBody, 1024),
}


def receiver_of(request: Request) -> BodyReceiver | None:
    """Return the receiver of the request's body; None: its route has no use for one."""
    make = _RECEIVERS.get((request.method, request.path))
    return None if make is None else make()


def without_faults(probes: frozenset[str]) -> frozenset[str]:
    """Return the paths that no fault is injected into: *probes*, metrics, the controls."""
    return probes | {"/metrics", "/tools/faults", "/tools/burn", "/tools/exit"}
