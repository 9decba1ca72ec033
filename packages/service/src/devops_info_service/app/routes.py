"""The table of routes: each published endpoint, its responses, and the maker of its handler.

A row's maker imports its handler: an import statement, not a name in a string, as onebin follows
imports. What every start needs anyway is imported above.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from devops_info_service import __version__
from devops_info_service.config import Config
from devops_info_service.handlers.constant import constant
from devops_info_service.handlers.health import Health, Live, Ready, health, ready, ready_switch
from devops_info_service.handlers.info import Info, Version, info
from devops_info_service.http import Handler, Request, Response, error_response
from devops_info_service.http.wire.message import ErrorBody
from devops_info_service.service_info import Endpoint

from .router import ResponseSpec, Route, Router
from .services import DESCRIPTION, NAME, Services


def build(services: Services) -> Handler:
    """Return the service without a server: requests in, responses out.

    Raises:
        ConfigError: an expectation cannot be parsed.
    """
    _ = services.conformance  # Parsed at the start: what cannot be parsed ends it.
    return _with_faults(Router(published(services.config), services).respond, services)


def build_public(services: Services) -> Handler:
    """Return the handler of the service's port beside a management port.

    Its routes are ``PUBLIC``, without a page, and the tools that are for clients.
    """
    return _with_faults(Router(published_to_clients(services.config), services).respond, services)


def published(config: Config) -> tuple[Route, ...]:
    """Return the routes that *config* publishes."""
    routes = ROUTES + (READY_SWITCH_ROUTES if config.ready_switch else ())
    if not config.tools:
        return routes
    from .tool_routes import CONTROLS, TOOLS  # noqa: PLC0415

    return routes + TOOLS + CONTROLS


def published_to_clients(config: Config) -> tuple[Route, ...]:
    """Return the routes of the service's port if there is a management port."""
    if not config.tools:
        return PUBLIC
    from .tool_routes import TOOLS  # noqa: PLC0415

    return PUBLIC + TOOLS


def counted_paths(config: Config) -> tuple[str, ...]:
    """Return the paths that requests are counted by; all others are "other"."""
    return tuple(dict.fromkeys([*PATHS, *(route.path for route in published(config))]))


def _with_faults(handler: Handler, services: Services) -> Handler:
    if not services.config.tools:
        return handler
    from devops_info_service.handlers.controls import with_faults  # noqa: PLC0415

    from .tool_routes import without_faults  # noqa: PLC0415

    return with_faults(handler, services.injection, without_faults(PROBES))


def _endpoints(routes: Sequence[Route]) -> list[Endpoint]:
    return [Endpoint(route.path, route.method, route.description) for route in routes]


def _info(services: Services) -> Handler:
    endpoints = _endpoints(published(services.config))

    @functools.cache
    def make_page() -> Handler:
        from devops_info_service.handlers.page import page  # noqa: PLC0415

        return page(
            services.snapshots,
            services.proxies,
            services.uptime,
            services.service,
            endpoints,
            services.conformance,
            services.limit_history,
        )

    return info(services.service, services.host, services.uptime, endpoints, make_page)


def _public_info(services: Services) -> Handler:
    endpoints = _endpoints(published_to_clients(services.config))
    return info(services.service, services.host, services.uptime, endpoints)


def _health(services: Services) -> Handler:
    return health(services.uptime)


def _version(services: Services) -> Handler:
    return constant(Version(__version__, services.host.python_version))


def _live(_: Services) -> Handler:
    return constant(Live("alive"))


def _ready(services: Services) -> Handler:
    switch = services.ready_switch if services.config.ready_switch else None
    handler = ready(services.lifecycle, services.meets_expectations, switch)
    if not services.config.tools:
        return handler
    from devops_info_service.handlers.controls import unready_while_injected  # noqa: PLC0415

    unready = Response(503, msgspec.json.encode(Ready("disabled")))
    return unready_while_injected(handler, services.injection, unready)


def _enable(services: Services) -> Handler:
    return ready_switch(services.ready_switch, _ready(services), off=False)


def _disable(services: Services) -> Handler:
    return ready_switch(services.ready_switch, _ready(services), off=True)


def _platform(path: str) -> Callable[[Services], Handler]:
    def make(services: Services) -> Handler:
        from devops_info_service.handlers.platform import platform  # noqa: PLC0415

        return platform(path, services.snapshots, services.proxies, services.limit_history)

    return make


def _platform_type(path: str) -> Callable[[], type]:
    def response() -> type:
        from devops_info_service.handlers.platform import BODIES  # noqa: PLC0415

        return BODIES[path]

    return response


def _history(services: Services) -> Handler:
    from devops_info_service.handlers.history import history  # noqa: PLC0415

    return history(services.limit_changes, services.limit_history)


def _history_type() -> type:
    from devops_info_service.handlers.history import History  # noqa: PLC0415

    return History


def _conformance(services: Services) -> Handler:
    if services.conformance is None:
        return _nothing_expected
    from devops_info_service.handlers.conformance import conformance  # noqa: PLC0415

    return conformance(services.conformance)


def _nothing_expected(_: Request) -> Response:
    # Not 200: a check in a pipeline must not succeed because the file was forgotten.
    return error_response(404, "Nothing is expected: EXPECTATIONS is not set")


def _conformance_type() -> type:
    from devops_info_service.expectations.conformance import Conformance  # noqa: PLC0415

    return Conformance


def _metrics(services: Services) -> Handler:
    from devops_info_service.handlers.metrics import service_metrics  # noqa: PLC0415

    return service_metrics(
        {
            "version": __version__,
            "python_version": services.host.python_version,
            "framework": services.service.framework,
        },
        services.snapshots,
        services.files,
        services.source,
        services.route_metrics(counted_paths(services.config)),
        services.counters,
        services.limit_changes,
        services.conformance,
    )


def _openapi(services: Services) -> Handler:
    from .openapi import document  # noqa: PLC0415

    about = {"title": NAME, "description": DESCRIPTION, "version": __version__}
    return constant(document(published(services.config), about))


_HTML: Final = ResponseSpec(lambda: str, media_type="text/html")
_UNREADY: Final = ResponseSpec(lambda: Ready, 503)
_FORBIDDEN: Final = ResponseSpec(lambda: ErrorBody, 403)

INFO: Final = Route("GET", "/", "Service information", _info, lambda: Info, alternatives=(_HTML,))
HEALTH: Final = Route("GET", "/health", "Health check", _health, lambda: Health)
HEALTHZ: Final = Route(
    "GET", "/healthz", "Health check, by Kubernetes' name", _health, lambda: Health
)
LIVEZ: Final = Route("GET", "/livez", "Liveness: 200 while the process serves", _live, lambda: Live)
READYZ: Final = Route(
    "GET",
    "/readyz",
    "Readiness: 503 from the signal to stop on, or while less is granted than it requires",
    _ready,
    lambda: Ready,
    alternatives=(_UNREADY,),
)

ROUTES: Final = (
    INFO,
    HEALTH,
    Route("GET", "/version", "Versions of the service and of Python", _version, lambda: Version),
    HEALTHZ,
    LIVEZ,
    READYZ,
    *(
        Route("GET", path, description, _platform(path), _platform_type(path))
        for path, description in (
            ("/platform", "What the platform really gives: all parts"),
            ("/platform/resources", "CPU, memory, processes, disks: limits and use"),
            ("/platform/security", "Pod Security Standards and confinement, with evidence"),
            ("/platform/identity", "Container, pod, node, requests, and where each is from"),
            ("/platform/network", "Addresses, routes, DNS, environment, the client's path"),
            ("/platform/filesystem", "Mounts, volumes and the room in them"),
        )
    ),
    Route(
        "GET",
        "/platform/history",
        "Changes of the container's limits while the service ran",
        _history,
        _history_type,
    ),
    Route(
        "GET",
        "/conformance",
        "The platform, compared with the expected values: 409 if they differ",
        _conformance,
        _conformance_type,
        alternatives=(
            ResponseSpec(_conformance_type, 409),
            ResponseSpec(lambda: ErrorBody, 404),
        ),
    ),
    Route(
        "GET",
        "/metrics",
        "Metrics for Prometheus",
        _metrics,
        lambda: str,
        media_type="text/plain",
        alternatives=(ResponseSpec(lambda: str, media_type="application/openmetrics-text"),),
    ),
    Route("GET", "/openapi.json", "This service as OpenAPI 3.1", _openapi, lambda: dict),
)
"""Every route that is always published; ``GET /`` lists them, the router serves them."""

PUBLIC: Final = (msgspec.structs.replace(INFO, make=_public_info), HEALTH, HEALTHZ, LIVEZ, READYZ)
"""Routes of the service's port if there is a management port; the others are served there."""

READY_SWITCH_ROUTES: Final = (
    Route(
        "POST",
        "/readyz/enable",
        "Take the service into readiness again",
        _enable,
        lambda: Ready,
        alternatives=(_FORBIDDEN,),
    ),
    Route(
        "POST",
        "/readyz/disable",
        "Take the service out of readiness",
        _disable,
        lambda: Ready,
        alternatives=(_FORBIDDEN,),
    ),
)
"""Routes that are published only with ``READY_SWITCH``."""

PROBES: Final = frozenset({HEALTH.path, HEALTHZ.path, LIVEZ.path, READYZ.path})
"""Paths that are served even if there are too many connections."""

PATHS: Final = tuple(dict.fromkeys([route.path for route in (*ROUTES, *READY_SWITCH_ROUTES)]))
"""The paths that requests are counted by, whatever the settings."""
