"""The composition root: the one route table, and the parts joined to a service."""

import functools
import gc
import os
import socket
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

import msgspec

from . import __version__
from .config import MAX_WORKERS, Config
from .handlers.health import (
    Health,
    HealthHandler,
    Live,
    LiveHandler,
    Ready,
    ReadyHandler,
    SwitchHandler,
)
from .handlers.info import Endpoint, Info, InfoHandler, Service, Version, VersionHandler
from .http.counters import LIMIT_CHANGES, PID, Counters
from .http.listener import listen
from .http.message import Client, Problem, Request, Response, problem
from .http.protocol import Connection
from .http.series import Tables, timed
from .http.server import RESERVED_DESCRIPTORS, Server, Until, descriptors, until_signal
from .http.shared import Dispatch, Shared, State
from .introspection.host import read_host
from .introspection.runtime import Stopwatch
from .introspection.source import Clock, Machine, Source, Tree
from .logs import Log
from .observe import observe
from .router import Answer, Handler, Route, Router

if TYPE_CHECKING:
    from .asgi import AsgiApplication
    from .http.flight import Flight
    from .http.forwarded import Proxies
    from .introspection.contract.contract import Conformance
    from .introspection.platform import Platform
    from .introspection.watch import Watch

NAME: Final = "devops-info-service"
DESCRIPTION: Final = "DevOps course info service"
DEFAULTS: Final = Config()

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
    from .handlers.platform import ANSWERS  # noqa: PLC0415

    return ANSWERS[path]


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
    from .introspection.contract.contract import Conformance  # noqa: PLC0415

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


def build(
    source: Source,
    framework: str,
    config: Config = DEFAULTS,
    *,
    tree: Tree | None = None,
    state: State | None = None,
    counters: Counters | None = None,
    tables: Tables | None = None,
    watch: "Callable[[], Watch] | None" = None,
) -> Dispatch:
    """Return the service without a server: requests in, responses out.

    *counters*, *tables* and *watch* are what a server has counted and seen; without a *watch*
    the limits are looked at whenever somebody asks for their history.

    Raises:
        ConfigError: what is expected of the platform cannot be understood.
    """
    tree = tree or Tree()
    watched = watch or looking(watch_of(tree, source))
    # Bound methods, here and below: to call an object with __call__ is a detour each time.
    now = Stopwatch(source).now
    service = Service(NAME, __version__, DESCRIPTION, framework)
    routes = ROUTES + (SWITCH if config.ready_switch else ())
    endpoints = [Endpoint(route.path, route.method, route.description) for route in routes]

    # Imported and made with the first request for one of them: no start pays for some forty
    # modules, and all that looks at the platform shares its looks.

    @functools.cache
    def look() -> "Callable[[], Platform]":
        from .handlers.platform import Look  # noqa: PLC0415

        return Look(tree, source, frozenset(config.show_environment))

    @functools.cache
    def proxies() -> "Proxies":
        from .http.forwarded import Proxies  # noqa: PLC0415

        return Proxies(config.trusted_proxies, config.forwarded_field)

    @functools.cache
    def platform() -> Mapping[str, Handler]:
        from .handlers.platform import platform_handlers  # noqa: PLC0415

        return platform_handlers(look(), proxies(), lambda: watched().history)

    @functools.cache
    def page() -> Handler:
        from .handlers.page.handler import PageHandler  # noqa: PLC0415

        return PageHandler(look(), proxies(), now, service, endpoints, judge)

    def ask_platform(request: Request) -> Response:
        return platform()[request.path](request)

    def metrics() -> Handler:
        from .handlers.metrics import metrics_handler  # noqa: PLC0415

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
        # Imported and made with the first request for it.
        from .openapi import document  # noqa: PLC0415

        about = {"title": NAME, "description": DESCRIPTION, "version": __version__}
        return Response(200, msgspec.json.encode(document(routes, about)))

    judge, conformance, conforms = _expected(config, look, source)
    host, health = read_host(source), HealthHandler(now).__call__
    switch = (counters or Counters.alone()) if config.ready_switch else None
    ready = ReadyHandler(state or State(), conforms, switch)
    handlers: dict[Route, Handler] = {
        INFO: InfoHandler(service, host, now, endpoints, page).__call__,
        HEALTH: health,
        VERSION: VersionHandler(Version(__version__, host.python_version)),
        HEALTHZ: health,
        LIVEZ: LiveHandler(),
        READYZ: ready,
        **dict.fromkeys(PLATFORM, ask_platform),
        CONFORMANCE: conformance,
        METRICS: _late(metrics),
        OPENAPI: lambda _: openapi(),
    }
    if switch:
        handlers[ENABLE] = SwitchHandler(switch, ready, off=False)
        handlers[DISABLE] = SwitchHandler(switch, ready, off=True)
    return Router(handlers).answer


def _late(make: Callable[[], Handler]) -> Handler:
    """Return a handler that is made with the first request for it."""
    made = functools.cache(make)

    def handle(request: Request) -> Response:
        return made()(request)

    return handle


def _expected(
    config: Config, look: "Callable[[], Callable[[], Platform]]", clock: Clock
) -> "tuple[Callable[[], Conformance] | None, Handler, Callable[[], bool] | None]":
    """Return what judges, what answers, and what readiness asks, if it is to."""
    if not config.expectations:
        return None, _nothing_expected, None
    # Imported at the start: what cannot be understood is to end it.
    from .handlers.conformance import ConformanceHandler, Judge, Readiness  # noqa: PLC0415
    from .introspection.contract.contract import read_contract  # noqa: PLC0415

    judge = Judge(read_contract(config.expectations), look())
    conforms = Readiness(judge, clock) if config.ready_requires_expectations else None
    return judge, ConformanceHandler(judge), conforms


def _nothing_expected(_: Request) -> Response:
    # Not 200: a check in a pipeline must not succeed as the file was forgotten.
    return problem(404, "Nothing is expected: EXPECTATIONS is not set")


def watch_of(tree: Tree, source: Source) -> "Callable[[], Watch]":
    """Return what gives this process's watch of its limits, made with the first call."""

    @functools.cache
    def watch() -> "Watch":
        # Imported late: the first look comes a second after the start.
        from .introspection.watch import Watch, limits_of  # noqa: PLC0415

        return Watch(limits_of(tree), source)

    return watch


def looking(watch: "Callable[[], Watch]") -> "Callable[[], Watch]":
    """Let *watch* look whenever it is asked for: no server does once a second."""

    def looked() -> "Watch":
        watch().look()
        return watch()

    return looked


def serve(config: Config) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises:
        ConfigError: what is expected of the platform cannot be understood.
        ListenError: the address cannot be had.
    """
    log = Log()
    state = State()
    source, tree = Machine(), Tree()
    counters, tables = Counters.alone(), Tables.alone(PATHS)
    if config.workers != 1:
        # Imported late: one process needs none of it.
        from .http.crew import SLOTS  # noqa: PLC0415

        counters, tables = Counters.shared(SLOTS), Tables.shared(PATHS, SLOTS)
    watch = watch_of(tree, source)
    dispatch = build(
        source,
        "epoll + httptools",
        config,
        tree=tree,
        state=state,
        counters=counters,
        tables=tables,
        watch=watch,
    )
    sock = listen(config.host, config.port)
    # What exists now stays: no later collection need look at it, or unshare its memory.
    gc.collect()
    gc.freeze()
    work = functools.partial(_work, config, dispatch, state, sock, counters, tables, watch)
    if config.workers == 1:
        work(0, log, until_signal(log, sock), _last_word(config, log))
        return

    # Imported late, as above.
    from .http.crew import SLOTS  # noqa: PLC0415
    from .http.flight import Records, together  # noqa: PLC0415
    from .http.workers import Ending, supervise  # noqa: PLC0415

    counters.supervisor[PID] = os.getpid()
    records = Records(SLOTS)

    def work_as(number: int, until: Until) -> None:
        turn = functools.partial(counters.is_light, number)
        on_end = functools.partial(records.leave, number)
        work(number, Log(always={"worker": number}), until, on_end, turn)

    def ended(ending: Ending) -> None:
        flight = together(
            ending.signal,
            ending.began,
            time.monotonic(),
            records.since(ending.began),
            processes=ending.processes,
            ended=ending.is_over,
        )
        _last_word(config, log)(flight)

    def count() -> int:
        return usable_cpus(tree, source) if config.workers == "auto" else config.workers

    patience = config.drain_delay_seconds + config.drain_seconds
    supervise(
        sock,
        counters,
        work_as,
        count=count,
        patience_seconds=patience,
        story=log,
        on_end=ended,
    )


def _last_word(config: Config, log: Log) -> Callable[["Flight"], None]:
    def tell_it(flight: "Flight") -> None:
        # Imported late: only the end needs it.
        from .termination import tell  # noqa: PLC0415

        tell(flight, config, log)

    return tell_it


def usable_cpus(tree: Tree, source: Source) -> int:
    """Return how many workers are worth starting: CPUs of the quota or the affinity, rounded up."""
    # Imported late: only WORKERS=auto asks.
    from .introspection.cgroup import read_cgroups  # noqa: PLC0415
    from .introspection.cpu import read_cpu  # noqa: PLC0415
    from .introspection.facts import value_of  # noqa: PLC0415
    from .introspection.mounts import read_mounts  # noqa: PLC0415

    usable = read_cpu(tree, read_cgroups(tree, read_mounts(tree))).usable
    return min(value_of(usable, source.cpus()), MAX_WORKERS)


def _work(
    config: Config,
    dispatch: Dispatch,
    state: State,
    sock: socket.socket,
    counters: Counters,
    tables: Tables,
    watch: "Callable[[], Watch]",
    number: int,
    log: Log,
    until: Until,
    on_end: Callable[["Flight"], None],
    turn: Callable[[], bool] | None = None,
) -> None:
    """Serve in this process until told to end."""
    counts = counters.worker(number)
    counts[PID], counts[LIMIT_CHANGES] = os.getpid(), counters.limit_changes()

    def look() -> None:
        for change in watch().look():
            counts[LIMIT_CHANGES] += 1
            log.info("limits changed", **change.facts())

    room = max(1, descriptors() - RESERVED_DESCRIPTORS)
    limits = msgspec.structs.replace(
        config.limits, max_connections=min(config.limits.max_connections, room)
    )

    def on_refused(client: Client, status: int, reason: str) -> None:
        if config.debug or config.access_log:
            log.info("refused", status=status, reason=reason, client=client.address)

    # Wrapped here, in the process that serves: request ids start with a process's own bytes.
    observed = observe(dispatch, log, access_log=config.access_log)
    if config.trusted_proxies:
        from .http.forwarded import Proxies, believe  # noqa: PLC0415

        # Outside of all else: the log names the client, too.
        observed = believe(observed, Proxies(config.trusted_proxies, config.forwarded_field))
    observed = timed(observed, tables.worker(number))
    connection: type[Connection] = Connection
    if config.proxy_protocol:
        from .http.proxied import ProxiedConnection  # noqa: PLC0415

        connection = ProxiedConnection

    def on_fault(exc: Exception) -> None:
        log.error("connection", exc=exc, message="ended by a fault of ours")

    shared = Shared(
        observed,
        limits,
        on_refused,
        counts=counts,
        state=state,
        probes=PROBES,
        on_fault=on_fault,
    )
    server = Server(
        sock,
        shared,
        drain_seconds=config.drain_seconds,
        drain_delay_seconds=config.drain_delay_seconds,
        story=log,
        turn=turn,
        connection=connection,
        on_end=on_end,
        each_second=look,
    )
    server.run(until)


def asgi_application() -> "AsgiApplication":
    """Return the service as an ASGI application; its server's settings are the server's."""
    # Imported late: only another server asks.
    from .asgi import AsgiApplication  # noqa: PLC0415

    tables = Tables.alone(PATHS)
    dispatch = observe(build(Machine(), "ASGI", tables=tables), Log(), access_log=False)
    return AsgiApplication(timed(dispatch, tables.worker(0)))
