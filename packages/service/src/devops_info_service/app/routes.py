"""The one route table: every endpoint that is published, and what it answers."""

import functools
from typing import Final

from devops_info_service.handlers.health import Health, Live, Ready
from devops_info_service.handlers.info import Info, Version
from devops_info_service.http.wire.message import Problem

from .router import Answer, Route

INFO: Final = Route(
    "GET",
    "/",
    "Service information",
    lambda: Info,
    others=(Answer(lambda: str, media_type="text/html"),),
)
HEALTH: Final = Route("GET", "/health", "Health check", lambda: Health)
VERSION: Final = Route("GET", "/version", "Versions of the service and of Python", lambda: Version)
HEALTHZ: Final = Route("GET", "/healthz", "Health check, by Kubernetes' name", lambda: Health)
LIVEZ: Final = Route("GET", "/livez", "Liveness: 200 while the process serves", lambda: Live)
READYZ: Final = Route(
    "GET",
    "/readyz",
    "Readiness: 503 once it is told to end, or while less is granted than it requires",
    lambda: Ready,
    others=(Answer(lambda: Ready, 503),),
)
OPENAPI: Final = Route("GET", "/openapi.json", "This service as OpenAPI 3.1", lambda: dict)
METRICS: Final = Route(
    "GET",
    "/metrics",
    "Metrics for Prometheus",
    lambda: str,
    media_type="text/plain",
    others=(Answer(lambda: str, media_type="application/openmetrics-text"),),
)
PROBES: Final = frozenset({HEALTH.path, HEALTHZ.path, LIVEZ.path, READYZ.path})
"""What is answered even when there are too many connections."""


def _answer_of(path: str) -> type:
    # Imported late, as its handler.
    from devops_info_service.handlers.platform import BODIES  # noqa: PLC0415

    return BODIES[path]


PLATFORM: Final = tuple(
    Route("GET", path, description, functools.partial(_answer_of, path))
    for path, description in (
        ("/platform", "What the platform really gives: all parts"),
        ("/platform/resources", "CPU, memory, processes, disks: limits and use"),
        ("/platform/security", "Pod Security Standards and confinement, with evidence"),
        ("/platform/identity", "Container, pod, node, requests, and where each is from"),
        ("/platform/network", "Addresses, routes, DNS, environment, the client's path"),
        ("/platform/filesystem", "Mounts, volumes and the room in them"),
    )
)


def _conformance() -> type:
    from devops_info_service.expectations.conformance import Conformance  # noqa: PLC0415

    return Conformance


CONFORMANCE: Final = Route(
    "GET",
    "/conformance",
    "What is expected of the platform, and what it gives: 409 if it is not the same",
    _conformance,
    others=(Answer(_conformance, 409), Answer(lambda: Problem, 404)),
)

ROUTES: Final = (
    *(INFO, HEALTH, VERSION, HEALTHZ, LIVEZ, READYZ, *PLATFORM),
    *(CONFORMANCE, METRICS, OPENAPI),
)
"""Every route that is always published; ``GET /`` lists them, the router obeys them."""

PUBLIC: Final = (INFO, HEALTH, HEALTHZ, LIVEZ, READYZ)
"""What is served beside a management port; all else is served there alone."""

ENABLE: Final = Route(
    "POST",
    "/readyz/enable",
    "Take the service into readiness again",
    lambda: Ready,
    others=(Answer(lambda: Problem, 403),),
)
DISABLE: Final = Route(
    "POST",
    "/readyz/disable",
    "Take the service out of readiness",
    lambda: Ready,
    others=(Answer(lambda: Problem, 403),),
)
SWITCH: Final = (ENABLE, DISABLE)
"""Those that are published only where it is allowed."""

PATHS: Final = tuple(dict.fromkeys(route.path for route in (*ROUTES, *SWITCH)))
"""What requests are counted by; all else is "other"."""
