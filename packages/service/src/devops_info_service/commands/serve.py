"""The service as processes: a single one, or workers under a supervisor."""

import functools
import gc
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import msgspec

from devops_info_service.app.limit_changes import LimitChanges
from devops_info_service.app.middleware import wrap
from devops_info_service.app.routes import PROBES, build, build_public, counted_paths
from devops_info_service.app.services import Services
from devops_info_service.coarse_clock import CachedClock
from devops_info_service.config import Config
from devops_info_service.facts.system_files import Machine, Source, SystemFiles
from devops_info_service.http import (
    MAX_PROCESSES,
    MAX_WORKERS,
    Budget,
    Counters,
    Handler,
    RouteMetrics,
    Server,
    ShutdownTrigger,
    SignalTrigger,
    Sockets,
    automatic,
    count_dropped_lines,
    listen,
    room_for_connections,
    share,
)
from devops_info_service.logs import STDOUT, Log, open_log
from devops_info_service.output import LineWriter, Send, open_nonblocking
from devops_info_service.readiness import ReadySwitch

if TYPE_CHECKING:
    from devops_info_service.http import ShutdownRecord, WorkerContext
    from devops_info_service.http.wire.message import ReceiverOf

LAST_LINES_SECONDS: Final = 0.25
"""How long the end waits for a reader of the log that is behind: an end has its time, too."""

LOG_SECONDS: Final = 1.0
"""How often lines that wait are tried again, if none comes meanwhile."""

FRAMEWORK: Final = "epoll + httptools"
"""What really serves."""

_NO_LIMIT_DIGITS: Final = len(str(1 << 62))


class _ProcessContext(msgspec.Struct, frozen=True):
    """What the processes of one service have in common: made once, before any fork."""

    services: Services
    coarse_clock: CachedClock
    output: Send
    open_files: int
    sockets: Sockets
    handler: Handler
    public: Handler | None
    """The handler of the service's port beside a management port; None: there is none."""


def serve(config: Config, open_files: int) -> None:
    """Serve until SIGTERM or SIGINT, with at most *open_files* files open in each process.

    Raises:
        ConfigError: an expectation cannot be parsed.
        ListenError: the address cannot be listened on.
    """
    output = open_nonblocking(STDOUT).send
    log, lines = open_log(output)
    source = Machine()
    coarse_clock = CachedClock(source.time)
    processes = 1 if config.workers == 1 else MAX_PROCESSES
    services = Services(
        source,
        FRAMEWORK,
        config,
        counters=Counters(processes),
        route_metrics=RouteMetrics(counted_paths(config), processes),
        ready_switch=ReadySwitch(processes),
        limit_changes=LimitChanges(processes),
        coarse_clock=coarse_clock,
    )
    # Before it listens: wrong expectations are reported whether or not the port is free.
    handler = build(services)
    public = build_public(services) if config.management_port is not None else None
    parts = _ProcessContext(
        services, coarse_clock, output, open_files, _listen(config), handler, public
    )
    # Objects that exist now stay: later collections skip them, and their memory stays shared.
    gc.collect()
    gc.freeze()
    if config.workers == 1:
        trigger = SignalTrigger(parts.sockets, log)
        _work(parts, 0, log, lines, trigger, _shutdown_reporter(config, log))
    elif config.workers == "auto":
        _supervise(parts, functools.partial(usable_cpus, services.files, source), log, lines)
    else:
        workers = config.workers
        _supervise(parts, lambda: workers, log, lines)
    lines.close(LAST_LINES_SECONDS)


def _listen(config: Config) -> Sockets:
    public = listen(config.host, config.port)
    if config.management_port is None:
        return Sockets(public)
    return Sockets(public, listen(config.management_host or config.host, config.management_port))


def _supervise(
    parts: _ProcessContext, count: Callable[[], int], log: Log, lines: LineWriter
) -> None:
    """Serve in ``count()`` processes, with one record of their end."""
    # Imported late: one process needs none of it.
    from devops_info_service.http import supervise  # noqa: PLC0415

    config, counters = parts.services.config, parts.services.counters

    def run_worker(context: "WorkerContext") -> None:
        own_log, own_lines = open_log(parts.output, {"worker": context.number})
        _work(
            parts,
            context.number,
            own_log,
            own_lines,
            context.trigger,
            context.on_record,
            context.may_accept,
        )
        own_lines.close(LAST_LINES_SECONDS)

    supervise(
        parts.sockets,
        counters,
        run_worker,
        count=count,
        drain_delay_seconds=config.drain_delay_seconds,
        drain_seconds=config.drain_seconds,
        hung_seconds=config.worker_timeout_seconds,
        log=log,
        on_record=_shutdown_reporter(config, log),
        on_wake=functools.partial(_keep_up, lines, counters.supervisor),
    )


def _keep_up(lines: LineWriter, slot: memoryview) -> float:
    """Write pending lines of the log, count dropped ones; return when to be called again."""
    if lines.is_behind:
        lines.flush()
    # Also when a line has caught up meanwhile. The slot outlives its process and is only added to.
    count_dropped_lines(slot, lines.dropped)
    lines.dropped = 0
    return LOG_SECONDS if lines.is_behind else float("inf")


def usable_cpus(tree: SystemFiles, source: Source) -> int:
    """Return how many workers are worth starting: CPUs of the quota or the affinity, rounded up."""
    # Imported late: for WORKERS=auto only.
    from devops_info_service.facts.linux.cgroup import read_cgroups  # noqa: PLC0415
    from devops_info_service.facts.linux.cpu import read_cpu, workers  # noqa: PLC0415
    from devops_info_service.facts.linux.mounts import read_mounts  # noqa: PLC0415

    cpu = read_cpu(tree, read_cgroups(tree, read_mounts(tree)))
    return min(workers(cpu, source.cpus()), MAX_WORKERS)


def own_memory_limit(tree: SystemFiles) -> int | None:
    """Return the limit of the container as it sees itself, in bytes; None if it shows none.

    For the first second: then ``limit_watch`` has polled, which sees the groups above,
    too. A start cannot wait for that.
    """
    for path in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        text = tree.read(path).text.strip()
        # Version 1 has no word for none: 2^63 less a page is larger than any machine.
        if text.isdigit() and len(text) < _NO_LIMIT_DIGITS:
            return int(text)
    return None


def _work(
    parts: _ProcessContext,
    number: int,
    log: Log,
    lines: LineWriter,
    trigger: ShutdownTrigger,
    on_record: "Callable[[ShutdownRecord], None]",
    may_accept: Callable[[], bool] | None = None,
) -> None:
    """Serve in this process until *trigger* starts the shutdown."""
    services, config = parts.services, parts.services.config
    counts = services.counters.worker(number)
    services.counted_limit_changes.start(number)

    def on_tick() -> None:
        _keep_up(lines, counts)
        watch = services.limit_watch
        for change in watch.poll():
            services.counted_limit_changes.add(number)
            log.info("limit_changed", **change.facts())
        server.set_budget(budget(watch.value("memory.limit")))

    room = room_for_connections(parts.open_files)
    limits = msgspec.structs.replace(
        config.limits, max_connections=min(config.limits.max_connections, room)
    )

    def budget(memory: object) -> Budget:
        """Return the connections' share of a container with *memory* bytes."""
        total = config.max_connection_memory_bytes
        wanted = 1 if config.workers == "auto" else config.workers
        workers = max(services.counters.totals().workers, wanted)
        if total == "auto":
            total = automatic(memory if isinstance(memory, int) else None, workers)
        return share(total, workers, limits.max_connections)

    table = services.route_metrics(counted_paths(config)).worker(number)
    server = Server(
        parts.sockets,
        wrap(parts.handler, services, log, table, public=parts.public, probes=PROBES),
        limits,
        counts=counts,
        lifecycle=services.lifecycle,
        clock=parts.coarse_clock,
        log=log,
        probes=PROBES,
        proxy_protocol=config.proxy_protocol,
        log_rejections=config.debug or config.access_log,
        drain_seconds=config.drain_seconds,
        drain_delay_seconds=config.drain_delay_seconds,
        receiver_of=_receiver_of(config),
        may_accept=may_accept,
        on_tick=on_tick,
        on_record=on_record,
    )
    server.set_budget(budget(own_memory_limit(services.files)))
    server.run(trigger)


def _receiver_of(config: Config) -> "ReceiverOf | None":
    if not config.tools:
        return None
    from devops_info_service.app.tool_routes import receiver_of  # noqa: PLC0415

    return receiver_of


def _shutdown_reporter(config: Config, log: Log) -> "Callable[[ShutdownRecord], None]":
    def report(record: "ShutdownRecord") -> None:
        # Imported late: only the end needs it.
        from devops_info_service.termination import publish  # noqa: PLC0415

        publish(record, config, log)

    return report
