"""Thousands of idle connections: the cost of one, and their effect on other clients."""

import re
import resource
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.lib import proc
from bench.lib.harness import MeasureError, markdown_table, timed_step
from bench.lib.server_process import Command, Server, serving
from bench.lib.wrk import Work, load
from tests.lib.http_client import Connection, ProtocolError, request

from .gate import Verdict
from .process_sampler import descriptors
from .reference_client import Experience, NormalClient

CONNECTIONS: Final = 10_000
PER_CONNECTION_BYTES: Final = 20 * 1024
"""RSS per idle connection; half of the memory budget's 40 KiB per connection."""

AGAIN_BYTES: Final = 2_000_000
"""What a second round may use more than the first: as in the soak."""

_ROUNDS: Final = 3
_OF_A_SOURCE: Final = 5_000
"""Connections from one address; it has 28,000 ports, and those just left wait for a minute."""

_BATCH: Final = 250
"""Connections made before the first request: fewer than a listening socket's queue holds."""

_QUIET_SECONDS: Final = 5
_SETTLE_SECONDS: Final = 4
_OWN_FILES: Final = 100
_OK: Final = 200
_WORK: Final = Work(name="root", title="`/`, 64 connections")
_IDLE_SECONDS: Final = "3600"
"""Longer than a round, so that the service does not close measured connections."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """One round."""

    number: int
    connections: int
    rss_before: int
    rss_with: int
    rss_after: int
    kernel_bytes: int
    """What kernel memory grew by: slabs and socket buffers, of both ends."""
    files_with: int
    files_after: int
    cpu_ms_per_second: float
    """While all connections are idle."""
    alone: Experience
    """A normal client's, with nothing but the waiting ones."""
    loaded_per_second: float
    """Of wrk, with 64 connections beside those that wait."""
    loaded_p99_ms: float
    loaded_errors: int
    all_served: bool
    """Every connection served another request before it was closed."""

    @property
    def per_connection(self) -> float:
        """Bytes of the process."""
        return (self.rss_with - self.rss_before) / self.connections

    @property
    def kernel_per_end(self) -> float:
        """Bytes of the kernel for one end of a connection."""
        return self.kernel_bytes / self.connections / 2


def idle(
    command: Command, *, connections: int = CONNECTIONS, server_cpus: Sequence[int]
) -> list[Crowd]:
    """Let so many wait, three times.

    Raises:
        MeasureError: the limit of open files is too low, or a request got no response.
    """
    _raise_limit(connections)
    command = Command(
        argv=command.argv,
        version=command.version,
        env={**command.env, "KEEPALIVE_TIMEOUT_SECONDS": _IDLE_SECONDS},
    )
    with serving(command, server_cpus) as server:
        # Memory allocated on first use must not count as a connection's.
        load(_WORK, server.url, seconds=2, threads=1)
        time.sleep(_SETTLE_SECONDS)
        return [_round(server, number, connections) for number in range(1, _ROUNDS + 1)]


def judged(rounds: Sequence[Crowd]) -> list[Verdict]:
    """Say what holds."""
    first, last = rounds[0], rounds[-1]
    each = max(one.per_connection for one in rounds)
    more = max(one.rss_with for one in rounds[1:]) - first.rss_with
    errors = sum(one.alone.errors + one.loaded_errors for one in rounds)
    return [
        Verdict(
            what=f"{first.connections:,} idle connections: memory of the process for each",
            limit=f"{PER_CONNECTION_BYTES / 1024:.0f} KiB or less",
            found=f"{each / 1024:.2f} KiB",
            holds=each <= PER_CONNECTION_BYTES,
        ),
        Verdict(
            what="idle connections: requests that failed beside them",
            limit="0",
            found=str(errors),
            holds=errors == 0,
        ),
        Verdict(
            what="idle connections: memory in later rounds, more than in the first",
            limit=f"{AGAIN_BYTES / 1e6:.0f} MB or less",
            found=f"{more / 1e6:.2f} MB",
            holds=more <= AGAIN_BYTES,
        ),
        Verdict(
            what="idle connections: all served at the end, no file left open",
            limit="yes",
            found=f"{last.files_after} files",
            holds=all(one.all_served for one in rounds) and last.files_after == first.files_after,
        ),
    ]


def table(rounds: Sequence[Crowd]) -> str:
    """Render what was found."""
    memory = markdown_table(
        (
            *("round", "connections", "RSS before", "RSS with them", "RSS after"),
            *("for each", "kernel, for each end", "CPU"),
        ),
        [
            (
                str(one.number),
                f"{one.connections:,}",
                *(f"{size / 1e6:.2f} MB" for size in (one.rss_before, one.rss_with, one.rss_after)),
                f"{one.per_connection / 1024:.2f} KiB",
                f"{one.kernel_per_end / 1024:.2f} KiB",
                f"{one.cpu_ms_per_second:.2f} ms/s",
            )
            for one in rounds
        ],
    )
    latency = markdown_table(
        (
            *("round", "a normal client: requests", "errors", "p50", "p99", "longest"),
            *("wrk, 64 more: requests/s", "p99", "errors"),
        ),
        [
            (
                str(one.number),
                f"{one.alone.requests:,}",
                str(one.alone.errors),
                f"{one.alone.p50_ms:.2f} ms",
                f"{one.alone.p99_ms:.2f} ms",
                f"{one.alone.max_ms:.2f} ms",
                f"{one.loaded_per_second:,.0f}",
                f"{one.loaded_p99_ms:.2f} ms",
                str(one.loaded_errors),
            )
            for one in rounds
        ],
    )
    return f"{memory}\n\n{latency}"


def parse_kernel(meminfo: str, sockstat: str, *, page_bytes: int) -> int:
    """Return the bytes of slabs and of TCP's buffers (proc(5): meminfo, net/sockstat)."""
    slab = re.search(r"^Slab:\s+(\d+) kB", meminfo, re.MULTILINE)
    pages = re.search(r"^TCP: .* mem (\d+)", sockstat, re.MULTILINE)
    if slab is None or pages is None:
        return 0
    return int(slab[1]) * 1024 + int(pages[1]) * page_bytes


def _round(server: Server, number: int, connections: int) -> Crowd:
    pids = proc.session(server.pid)
    before, kernel = proc.memory(pids).rss_bytes, _kernel()
    with timed_step(f"idle, round {number}: {connections:,} connections"):
        crowd = gather(server.port, connections, net=number)
    try:
        time.sleep(_SETTLE_SECONDS)
        with_them, kernel = proc.memory(pids).rss_bytes, _kernel() - kernel
        files = descriptors(pids)
        used = proc.scheduled_seconds(pids)
        time.sleep(_QUIET_SECONDS)
        used = proc.scheduled_seconds(pids) - used
        with NormalClient(server.port) as client:
            time.sleep(_QUIET_SECONDS)
        loaded = load(_WORK, server.url, seconds=_QUIET_SECONDS, threads=1).seen
        responded = _all_served(crowd)
    finally:
        for connection in crowd:
            connection.close()
    time.sleep(_SETTLE_SECONDS)
    return Crowd(
        number=number,
        connections=connections,
        rss_before=before,
        rss_with=with_them,
        rss_after=proc.memory(pids).rss_bytes,
        kernel_bytes=kernel,
        files_with=files,
        files_after=descriptors(pids),
        cpu_ms_per_second=used / _QUIET_SECONDS * 1000,
        alone=client.experience,
        loaded_per_second=loaded.per_second,
        loaded_p99_ms=loaded.p99_us / 1000,
        loaded_errors=loaded.errors,
        all_served=responded,
    )


def gather(port: int, connections: int, *, net: int) -> list[Connection]:
    """Open *connections*, each with one request: an unused connection costs less.

    They come from 127.0.*net*.0/24.

    Raises:
        MeasureError: one could not be made, or got a status other than 200.
    """
    crowd: list[Connection] = []
    try:
        while len(crowd) < connections:
            fresh: list[Connection] = []
            for _ in range(min(_BATCH, connections - len(crowd))):
                source = f"127.0.{net}.{1 + len(crowd) // _OF_A_SOURCE}"
                fresh.append(Connection(port, source=source))
                crowd.append(fresh[-1])
            send_to_all(fresh)
    except (OSError, ProtocolError) as error:
        for connection in crowd:
            connection.close()
        raise MeasureError(f"connection {len(crowd)}: {error!r}") from None
    return crowd


def send_to_all(crowd: Sequence[Connection]) -> None:
    """Send one request on each.

    Raises:
        ProtocolError: one got a status other than 200, or none.
    """
    raw = request("/")
    for start in range(0, len(crowd), _BATCH):
        part = crowd[start : start + _BATCH]
        for connection in part:
            connection.send(raw)
        for connection in part:
            if (status := connection.read().status) != _OK:
                raise ProtocolError(f"status {status}")


def _all_served(crowd: Sequence[Connection]) -> bool:
    try:
        send_to_all(crowd)
    except (OSError, ProtocolError):
        return False
    return True


def _kernel() -> int:
    return parse_kernel(
        Path("/proc/meminfo").read_text(),
        Path("/proc/net/sockstat").read_text(),
        page_bytes=resource.getpagesize(),
    )


def _raise_limit(connections: int) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = connections + _OWN_FILES
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise MeasureError(f"{needed} open files are needed and {hard} allowed: ulimit -Hn")
    resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
