"""The service as processes: one that serves alone, or workers under a supervisor."""

import functools
import gc
import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import msgspec

from devops_info_service.app.middleware import observe
from devops_info_service.app.routes import PATHS, PROBES
from devops_info_service.app.services import build, watch_of
from devops_info_service.coarse_clock import Looked
from devops_info_service.config import MAX_WORKERS, Config
from devops_info_service.facts.system_files import Machine, Source, SystemFiles
from devops_info_service.http.connection.connection import Connection
from devops_info_service.http.connection.listener import listen
from devops_info_service.http.connection.server import (
    Server,
    Sockets,
    Until,
    room_for_connections,
    until_signal,
)
from devops_info_service.http.connection.server_state import Shared, State
from devops_info_service.http.shared_memory.counters import (
    HEARTBEAT,
    LIMIT_CHANGES,
    LOG_LINES_DROPPED,
    PID,
    Counters,
    Slot,
)
from devops_info_service.http.shared_memory.route_metrics import Tables, timed
from devops_info_service.http.wire.memory_budget import automatic, share
from devops_info_service.http.wire.message import Client, Handler
from devops_info_service.http.wire.writer import ResponseWriter
from devops_info_service.logs import STDOUT, Log, open_log
from devops_info_service.output import LineWriter, Send, open_nonblocking

if TYPE_CHECKING:
    from devops_info_service.facts.linux.limit_watch import LimitWatch
    from devops_info_service.http.shared_memory.shutdown_record import Flight

LAST_LINES_SECONDS: Final = 0.25
"""How long the end waits for a reader of the log that is behind: an end has its time, too."""

LOG_SECONDS: Final = 1.0
"""How often lines that wait are tried again, if none comes meanwhile."""

FRAMEWORK: Final = "epoll + httptools"
"""What really serves."""

_NO_LIMIT_DIGITS: Final = len(str(1 << 62))


class _Parts(msgspec.Struct, frozen=True):
    """What the processes of one service have in common: made once, before any fork."""

    config: Config
    output: Send
    open_files: int
    dispatch: Handler
    public: Handler | None
    """What is answered beside a management port; None: there is none."""
    state: State
    sockets: Sockets
    counters: Counters
    tables: Tables
    watch: "Callable[[], LimitWatch]"
    second: Looked
    tree: SystemFiles


def serve(config: Config, open_files: int) -> None:
    """Serve until SIGTERM or SIGINT, with at most *open_files* files open in each process.

    Raises:
        ConfigError: what is expected of the platform cannot be understood.
        ListenError: the address cannot be had.
    """
    output = open_nonblocking(STDOUT).send
    log, lines = open_log(output)
    state = State()
    source, tree = Machine(), SystemFiles()
    counters, tables = Counters.alone(), Tables.alone(PATHS)
    if config.workers != 1:
        # Imported late: one process needs none of it.
        from devops_info_service.http.processes.worker_pool import SLOTS  # noqa: PLC0415

        counters, tables = Counters.shared(SLOTS), Tables.shared(PATHS, SLOTS)
    watch = watch_of(tree, source)
    second = Looked(source.time)
    make = functools.partial(
        build,
        source,
        FRAMEWORK,
        config,
        tree=tree,
        state=state,
        counters=counters,
        tables=tables,
        watch=watch,
        second=second,
    )
    has_management = config.management_port is not None
    parts = _Parts(
        config,
        output,
        open_files,
        make(),
        make(public_only=True) if has_management else None,
        state,
        _listen(config),
        counters,
        tables,
        watch,
        second,
        tree,
    )
    # What exists now stays: no later collection need look at it, or unshare its memory.
    gc.collect()
    gc.freeze()
    if config.workers == 1:
        _work(parts, 0, log, lines, until_signal(log, parts.sockets), _last_word(config, log))
    elif config.workers == "auto":
        _supervise(parts, functools.partial(usable_cpus, tree, source), log, lines)
    else:
        workers = config.workers
        _supervise(parts, lambda: workers, log, lines)
    lines.close(LAST_LINES_SECONDS)


def _listen(config: Config) -> Sockets:
    public = listen(config.host, config.port)
    if config.management_port is None:
        return Sockets(public)
    return Sockets(public, listen(config.management_host or config.host, config.management_port))


def _supervise(parts: _Parts, count: Callable[[], int], log: Log, lines: LineWriter) -> None:
    """Serve in ``count()`` processes, and tell of their end as one."""
    # Imported late, as above.
    from devops_info_service.http.processes.prefork import Ending, supervise  # noqa: PLC0415
    from devops_info_service.http.processes.worker_pool import SLOTS  # noqa: PLC0415
    from devops_info_service.http.shared_memory.shutdown_record import (  # noqa: PLC0415
        Records,
        together,
    )

    config, counters = parts.config, parts.counters
    counters.supervisor[PID] = os.getpid()
    records = Records(SLOTS)
    tell = _last_word(config, log)

    def work_as(number: int, until: Until, is_dropping: Callable[[], bool]) -> None:
        own_log, own_lines = open_log(parts.output, {"worker": number})
        _work(
            parts,
            number,
            own_log,
            own_lines,
            until,
            functools.partial(records.leave, number),
            functools.partial(counters.is_light, number),
            is_dropping,
        )
        own_lines.close(LAST_LINES_SECONDS)

    def ended(ending: Ending) -> None:
        flight = together(
            ending.signal,
            ending.began,
            time.monotonic(),
            records.since(ending.began),
            processes=ending.processes,
            ended=ending.is_over,
        )
        tell(flight)

    supervise(
        parts.sockets,
        counters,
        work_as,
        count=count,
        drain_delay_seconds=config.drain_delay_seconds,
        drain_seconds=config.drain_seconds,
        hung_seconds=config.worker_timeout_seconds,
        story=log,
        on_end=ended,
        on_wake=functools.partial(_keep_up, lines, counters.supervisor),
    )


def _keep_up(lines: LineWriter, slot: Slot) -> float:
    """Write what waits of the log, and count what was dropped; return when to do so again."""
    if lines.is_behind:
        lines.flush()
    # Also when a line has caught up meanwhile. The slot outlives its process and is only added to.
    slot[LOG_LINES_DROPPED] += lines.dropped
    lines.dropped = 0
    return LOG_SECONDS if lines.is_behind else float("inf")


def usable_cpus(tree: SystemFiles, source: Source) -> int:
    """Return how many workers are worth starting: CPUs of the quota or the affinity, rounded up."""
    # Imported late: only WORKERS=auto asks.
    from devops_info_service.facts.fact import value_of  # noqa: PLC0415
    from devops_info_service.facts.linux.cgroup import read_cgroups  # noqa: PLC0415
    from devops_info_service.facts.linux.cpu import read_cpu  # noqa: PLC0415
    from devops_info_service.facts.linux.mounts import read_mounts  # noqa: PLC0415

    usable = read_cpu(tree, read_cgroups(tree, read_mounts(tree))).usable
    return min(value_of(usable, source.cpus()), MAX_WORKERS)


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
    parts: _Parts,
    number: int,
    log: Log,
    lines: LineWriter,
    until: Until,
    on_end: Callable[["Flight"], None],
    turn: Callable[[], bool] | None = None,
    is_dropping: Callable[[], bool] | None = None,
) -> None:
    """Serve in this process until told to end."""
    config, counters = parts.config, parts.counters
    counts = counters.worker(number)
    counts[PID], counts[LIMIT_CHANGES] = os.getpid(), counters.limit_changes()

    def look() -> None:
        counts[HEARTBEAT] += 1
        _keep_up(lines, counts)
        watch = parts.watch()
        for change in watch.poll():
            counts[LIMIT_CHANGES] += 1
            log.info("limits changed", **change.facts())
        give(watch.value("memory.limit"))

    room = room_for_connections(parts.open_files)
    limits = msgspec.structs.replace(
        config.limits, max_connections=min(config.limits.max_connections, room)
    )

    def on_refused(client: Client, status: int, reason: str) -> None:
        if config.debug or config.access_log:
            log.info("refused", status=status, reason=reason, client=client.address)

    def on_fault(exc: Exception) -> None:
        log.error("connection", exc=exc, message="ended by a fault of ours")

    shared = Shared(
        _seen(parts, number, log),
        limits,
        on_refused,
        ResponseWriter(parts.second),
        counts=counts,
        state=parts.state,
        probes=PROBES,
        on_fault=on_fault,
    )

    def give(memory: object) -> None:
        """Let connections have their share of a container with so much memory."""
        total = config.max_connection_memory_bytes
        workers = max(counters.totals().workers, 1 if config.workers == "auto" else config.workers)
        if total == "auto":
            total = automatic(memory if isinstance(memory, int) else None, workers)
        shared.budget = share(total, workers, limits.max_connections)

    give(own_memory_limit(parts.tree))
    server = Server(
        parts.sockets,
        shared,
        drain_seconds=config.drain_seconds,
        drain_delay_seconds=config.drain_delay_seconds,
        story=log,
        turn=turn,
        connection=_connection(config),
        on_end=on_end,
        each_second=look,
        each_turn=parts.second.look,
        is_dropping=is_dropping,
    )
    server.run(until)


def _seen(parts: _Parts, number: int, log: Log) -> Handler:
    """Return what answers here, and is logged, counted and told who really asks."""
    config = parts.config
    dispatch = _observed(parts.dispatch, config, log)
    if parts.public is not None:
        # Imported late: only where there is such a port.
        from devops_info_service.http.connection.management import by_port  # noqa: PLC0415

        dispatch = by_port(_observed(parts.public, config, log), dispatch)
    return timed(dispatch, parts.tables.worker(number))


def _observed(dispatch: Handler, config: Config, log: Log) -> Handler:
    if config.allowed_hosts:
        # Imported late: only where hosts are listed.
        from devops_info_service.http.wire.allowed_hosts import (  # noqa: PLC0415
            AllowedHosts,
            only_for,
        )

        dispatch = only_for(dispatch, AllowedHosts(config.allowed_hosts), PROBES)
    # Wrapped in the process that serves: request ids start with a process's own bytes.
    dispatch = observe(dispatch, log, access_log=config.access_log)
    if config.trusted_proxies:
        from devops_info_service.http.wire.forwarded import Proxies, believe  # noqa: PLC0415

        # Outside of all else: the log names the client, too.
        dispatch = believe(dispatch, Proxies(config.trusted_proxies, config.forwarded_field))
    return dispatch


def _connection(config: Config) -> type[Connection]:
    if not config.proxy_protocol:
        return Connection
    from devops_info_service.http.connection.proxied import ProxiedConnection  # noqa: PLC0415

    return ProxiedConnection


def _last_word(config: Config, log: Log) -> Callable[["Flight"], None]:
    def tell_it(flight: "Flight") -> None:
        # Imported late: only the end needs it.
        from devops_info_service.termination import tell  # noqa: PLC0415

        tell(flight, config, log)

    return tell_it
