"""The composition root: the handlers joined to their routes."""

import functools
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

import msgspec

from devops_info_service import __version__
from devops_info_service.coarse_clock import Second
from devops_info_service.config import Config
from devops_info_service.facts.linux.host import read_host
from devops_info_service.facts.linux.uptime import UptimeClock
from devops_info_service.facts.system_files import Clock, Source, SystemFiles
from devops_info_service.handlers.health import (
    HealthHandler,
    LiveHandler,
    ReadyHandler,
    SwitchHandler,
)
from devops_info_service.handlers.info import (
    Endpoint,
    InfoHandler,
    Service,
    Version,
    VersionHandler,
)
from devops_info_service.http.connection.server_state import State
from devops_info_service.http.shared_memory.counters import Counters
from devops_info_service.http.shared_memory.route_metrics import Tables
from devops_info_service.http.wire.message import Handler, Request, Response, problem

from .router import Route, Router
from .routes import (
    CONFORMANCE,
    DISABLE,
    ENABLE,
    HEALTH,
    HEALTHZ,
    INFO,
    LIVEZ,
    METRICS,
    OPENAPI,
    PATHS,
    PLATFORM,
    PUBLIC,
    READYZ,
    ROUTES,
    SWITCH,
    VERSION,
)

if TYPE_CHECKING:
    from devops_info_service.expectations.conformance import Conformance
    from devops_info_service.facts.linux.limit_watch import LimitWatch
    from devops_info_service.http.wire.forwarded import Proxies
    from devops_info_service.snapshot import PlatformSnapshot

NAME: Final = "devops-info-service"
DESCRIPTION: Final = "DevOps course info service"
DEFAULTS: Final = Config()


def build(
    source: Source,
    framework: str,
    config: Config = DEFAULTS,
    *,
    tree: SystemFiles | None = None,
    state: State | None = None,
    counters: Counters | None = None,
    tables: Tables | None = None,
    watch: "Callable[[], LimitWatch] | None" = None,
    second: Second | None = None,
    public_only: bool = False,
) -> Handler:
    """Return the service without a server: requests in, responses out.

    With *public_only* it is what is served beside a management port: ``/``, which is never the
    page then, ``/health`` and the probes.

    *counters*, *tables* and *watch* are what a server has counted and seen; without a *watch*
    the limits are looked at whenever somebody asks for their history. *second* tells the second;
    without one the clock of *source* is read for each answer that says it.

    Raises:
        ConfigError: what is expected of the platform cannot be understood.
    """
    tree = tree or SystemFiles()
    # Bound methods, here and below: to call an object with __call__ is a detour each time.
    now = UptimeClock(source, second).now
    host = read_host(source)
    service = Service(NAME, __version__, DESCRIPTION, framework)
    routes = ROUTES + (SWITCH if config.ready_switch else ())
    if public_only:
        routes = PUBLIC
    endpoints = [Endpoint(route.path, route.method, route.description) for route in routes]
    watched = watch or looking(watch_of(tree, source))
    sight = _Sight(tree, source, config, watched)
    judge, conformance, conforms = _expected(config, sight, source)
    health = HealthHandler(now).__call__
    switch = (counters or Counters.alone()) if config.ready_switch else None
    ready = ReadyHandler(state or State(), conforms, switch)

    # Each is imported and made with its first request: no start pays for it.

    @functools.cache
    def page() -> Handler:
        from devops_info_service.handlers.page import PageHandler  # noqa: PLC0415

        return PageHandler(sight.look, sight.proxies, now, service, endpoints, judge)

    def metrics() -> Handler:
        from devops_info_service.handlers.metrics import metrics_handler  # noqa: PLC0415

        return metrics_handler(
            {"version": __version__, "python_version": host.python_version, "framework": framework},
            tree,
            source,
            tables or Tables.alone(PATHS),
            counters,
            counters.limit_changes if counters else lambda: watched().changes,
            judge,
        )

    @functools.cache
    def openapi() -> Response:
        from .openapi import document  # noqa: PLC0415

        about = {"title": NAME, "description": DESCRIPTION, "version": __version__}
        return Response(200, msgspec.json.encode(document(routes, about)))

    handlers: dict[Route, Handler] = {
        INFO: InfoHandler(service, host, now, endpoints, None if public_only else page).__call__,
        HEALTH: health,
        VERSION: VersionHandler(Version(__version__, host.python_version)),
        HEALTHZ: health,
        LIVEZ: LiveHandler(),
        READYZ: ready,
        **dict.fromkeys(PLATFORM, sight.answer),
        CONFORMANCE: conformance,
        METRICS: _late(metrics),
        OPENAPI: lambda _: openapi(),
    }
    if switch:
        handlers[ENABLE] = SwitchHandler(switch, ready, off=False)
        handlers[DISABLE] = SwitchHandler(switch, ready, off=True)
    return Router({route: handlers[route] for route in routes}).answer


class _Sight:
    """The platform as requests see it: whoever looks at it shares the looks.

    Imported and made with the first request for it: no start pays for some forty modules.
    """

    def __init__(
        self, tree: SystemFiles, source: Source, config: Config, watched: "Callable[[], LimitWatch]"
    ) -> None:
        self._tree = tree
        self._source = source
        self._config = config
        self._watched = watched

    @functools.cached_property
    def look(self) -> "Callable[[], PlatformSnapshot]":
        from devops_info_service.handlers.platform import Look  # noqa: PLC0415

        return Look(self._tree, self._source, frozenset(self._config.show_environment))

    @functools.cached_property
    def proxies(self) -> "Proxies":
        from devops_info_service.http.wire.forwarded import Proxies  # noqa: PLC0415

        return Proxies(self._config.trusted_proxies, self._config.forwarded_field)

    def answer(self, request: Request) -> Response:
        """Answer for the part of the platform that the path names."""
        return self._handlers[request.path](request)

    @functools.cached_property
    def _handlers(self) -> Mapping[str, Handler]:
        from devops_info_service.handlers.platform import platform_handlers  # noqa: PLC0415

        return platform_handlers(self.look, self.proxies, lambda: self._watched().history)


def _late(make: Callable[[], Handler]) -> Handler:
    """Return a handler that is made with the first request for it."""
    made = functools.cache(make)

    def handle(request: Request) -> Response:
        return made()(request)

    return handle


def _expected(
    config: Config, sight: _Sight, clock: Clock
) -> "tuple[Callable[[], Conformance] | None, Handler, Callable[[], bool] | None]":
    """Return what judges, what answers, and what readiness asks, if it is to."""
    if not config.expectations:
        return None, _nothing_expected, None
    # Imported at the start: what cannot be understood is to end it.
    from devops_info_service.expectations.conformance import load_expectations  # noqa: PLC0415
    from devops_info_service.handlers.conformance import (  # noqa: PLC0415
        ConformanceHandler,
        Judge,
        Readiness,
    )

    judge = Judge(load_expectations(config.expectations), sight.look)
    conforms = Readiness(judge, clock) if config.ready_requires_expectations else None
    return judge, ConformanceHandler(judge), conforms


def _nothing_expected(_: Request) -> Response:
    # Not 200: a check in a pipeline must not succeed as the file was forgotten.
    return problem(404, "Nothing is expected: EXPECTATIONS is not set")


def watch_of(tree: SystemFiles, source: Source) -> "Callable[[], LimitWatch]":
    """Return what gives this process's watch of its limits, made with the first call."""

    @functools.cache
    def watch() -> "LimitWatch":
        # Imported late: the first look comes a second after the start.
        from devops_info_service.facts.linux.limit_watch import LimitWatch, limits_of  # noqa: PLC0415

        return LimitWatch(limits_of(tree), source)

    return watch


def looking(watch: "Callable[[], LimitWatch]") -> "Callable[[], LimitWatch]":
    """Let *watch* look whenever it is asked for: no server does once a second."""

    def looked() -> "LimitWatch":
        watch().poll()
        return watch()

    return looked
