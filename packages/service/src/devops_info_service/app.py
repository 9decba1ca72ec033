"""The composition root: the one route table, and the parts joined to a service."""

import functools
import gc
import socket
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

import msgspec

from . import __version__
from .config import MAX_WORKERS, Config
from .handlers.health import Health, HealthHandler, Live, LiveHandler, Ready, ReadyHandler
from .handlers.info import Endpoint, Info, InfoHandler, Service, Version, VersionHandler
from .http.counters import Counters, Slot
from .http.listener import listen
from .http.message import Client, Problem, Request, Response, problem
from .http.protocol import Connection
from .http.server import RESERVED_DESCRIPTORS, Server, Until, descriptors, until_signal
from .http.shared import Dispatch, Shared, State
from .introspection.host import read_host
from .introspection.runtime import Stopwatch
from .introspection.source import Machine, Source, Tree
from .logs import Log
from .observe import observe
from .router import Answer, Handler, Route, Router

if TYPE_CHECKING:
    from .asgi import AsgiApplication
    from .http.flight import Flight
    from .http.forwarded import Proxies
    from .introspection.platform import Platform

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

ROUTES: Final = (INFO, HEALTH, VERSION, HEALTHZ, LIVEZ, READYZ, *PLATFORM, CONFORMANCE, OPENAPI)
"""Every published route; ``GET /`` lists them, the router obeys them."""


def build(
    source: Source,
    framework: str,
    config: Config = DEFAULTS,
    *,
    tree: Tree | None = None,
    state: State | None = None,
) -> Dispatch:
    """Return the service without a server: requests in, responses out.

    Raises:
        ConfigError: what is expected of the platform cannot be understood.
    """
    stopwatch = Stopwatch(source)
    service = Service(NAME, __version__, DESCRIPTION, framework)
    endpoints = [Endpoint(route.path, route.method, route.description) for route in ROUTES]

    # Imported and made with the first request for one of them: no start pays for some forty
    # modules, and all that looks at the platform shares its looks.

    @functools.cache
    def look() -> "Callable[[], Platform]":
        from .handlers.platform import Look  # noqa: PLC0415

        return Look(tree or Tree(), source, frozenset(config.show_environment))

    @functools.cache
    def proxies() -> "Proxies":
        from .http.forwarded import Proxies  # noqa: PLC0415

        return Proxies(config.trusted_proxies, config.forwarded_field)

    @functools.cache
    def platform() -> Mapping[str, Handler]:
        from .handlers.platform import platform_handlers  # noqa: PLC0415

        return platform_handlers(look(), proxies())

    @functools.cache
    def page() -> Handler:
        from .handlers.page.handler import PageHandler  # noqa: PLC0415

        return PageHandler(look(), proxies(), stopwatch, service, endpoints)

    def ask_platform(request: Request) -> Response:
        return platform()[request.path](request)

    @functools.cache
    def openapi() -> Response:
        # Imported and made with the first request for it.
        from .openapi import document  # noqa: PLC0415

        about = {"title": NAME, "description": DESCRIPTION, "version": __version__}
        return Response(200, msgspec.json.encode(document(ROUTES, about)))

    conformance: Handler = _nothing_expected
    conforms: Callable[[], bool] | None = None
    if config.expectations:
        # Imported at the start: what cannot be understood is to end it.
        from .handlers.conformance import ConformanceHandler, Judge, Readiness  # noqa: PLC0415
        from .introspection.contract.contract import read_contract  # noqa: PLC0415

        judge = Judge(read_contract(config.expectations), look())
        conformance = ConformanceHandler(judge)
        if config.ready_requires_expectations:
            conforms = Readiness(judge, source)

    host, health = read_host(source), HealthHandler(stopwatch)
    handlers: dict[Route, Handler] = {
        INFO: InfoHandler(service, host, stopwatch, endpoints, page),
        HEALTH: health,
        VERSION: VersionHandler(Version(__version__, host.python_version)),
        HEALTHZ: health,
        LIVEZ: LiveHandler(),
        READYZ: ReadyHandler(state or State(), conforms),
        **dict.fromkeys(PLATFORM, ask_platform),
        CONFORMANCE: conformance,
        OPENAPI: lambda _: openapi(),
    }
    return Router(handlers)


def _nothing_expected(_: Request) -> Response:
    # Not 200: a check in a pipeline must not succeed as the file was forgotten.
    return problem(404, "Nothing is expected: EXPECTATIONS is not set")


def serve(config: Config) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises:
        ConfigError: what is expected of the platform cannot be understood.
        ListenError: the address cannot be had.
    """
    log = Log()
    state = State()
    dispatch = build(Machine(), "epoll + httptools", config, state=state)
    sock = listen(config.host, config.port)
    # What exists now stays: no later collection need look at it, or unshare its memory.
    gc.collect()
    gc.freeze()
    if config.workers == 1:
        counts, until = Counters.alone().worker(0), until_signal(log, sock)
        _work(config, dispatch, state, sock, log, counts, until, _last_word(config, log))
        return

    # Imported late: one process needs none of it.
    from .http.crew import SLOTS  # noqa: PLC0415
    from .http.flight import Records, together  # noqa: PLC0415
    from .http.workers import supervise  # noqa: PLC0415

    counters, records = Counters.shared(SLOTS), Records(SLOTS)

    def work(number: int, until: Until) -> None:
        own_log = Log(always={"worker": number})
        turn = functools.partial(counters.is_light, number)
        counts, on_end = counters.worker(number), functools.partial(records.leave, number)
        _work(config, dispatch, state, sock, own_log, counts, until, on_end, turn)

    def ended(cause: str, began: float, processes: int) -> None:
        flights = records.since(began)
        _last_word(config, log)(together(cause, began, time.monotonic(), flights, processes))

    def count() -> int:
        return usable_cpus(Tree(), Machine()) if config.workers == "auto" else config.workers

    patience = config.drain_delay_seconds + config.drain_seconds
    supervise(sock, counters, work, count=count, patience_seconds=patience, story=log, on_end=ended)


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
    log: Log,
    counts: Slot,
    until: Until,
    on_end: Callable[["Flight"], None],
    turn: Callable[[], bool] | None = None,
) -> None:
    """Serve in this process until told to end."""
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
    )
    server.run(until)


def asgi_application() -> "AsgiApplication":
    """Return the service as an ASGI application; its server's settings are the server's."""
    # Imported late: only another server asks.
    from .asgi import AsgiApplication  # noqa: PLC0415

    return AsgiApplication(observe(build(Machine(), "ASGI"), Log(), access_log=False))
