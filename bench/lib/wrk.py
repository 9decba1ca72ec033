"""The load: its requests, and the generator's measurements."""

import json
import resource
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Final

from bench.lib.harness import MeasureError, run

SCRIPT: Final = Path(__file__).with_name("work.lua")


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One kind of client."""

    name: str
    title: str
    path: str = "/"
    connections: int = 64
    pipelined: int = 1
    """Requests written at once; each batch waits for the responses to the one before."""
    fields: int = 1
    """Header fields of a request."""
    close: bool = False
    """A new connection for each request."""
    every_core: bool = False
    """Server and generator share all cores; otherwise each has one to itself."""


WORK: Final = (
    Work(name="root", title="`/`, 64 connections"),
    Work(name="health", title="`/health`, 64 connections", path="/health"),
    Work(name="one", title="`/`, 1 connection", connections=1),
    Work(name="many", title="`/`, 512 connections", connections=512),
    Work(name="close", title="`/`, 64 connections, no keep-alive", close=True),
    Work(name="pipelined", title="`/`, 64 connections, pipelined by 16", pipelined=16),
    Work(name="fields", title="`/`, 64 connections, 20 header fields", fields=20),
    Work(name="root-open", title="`/`, 64 connections, every core", every_core=True),
    Work(
        name="health-open",
        title="`/health`, 64 connections, every core",
        path="/health",
        every_core=True,
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """The measurements of wrk; times are microseconds.

    wrk adds the times of requests that a slow response kept it from sending.
    """

    requests: int
    duration_us: int
    p50_us: int
    p99_us: int
    max_us: int
    connect: int
    """Connections that could not be made; below, reads and writes that failed."""
    read: int
    write: int
    status: int
    """Responses other than 2xx or 3xx."""
    timeout: int
    """Responses that took more than two seconds."""

    @property
    def per_second(self) -> float:
        """Requests with a response."""
        return self.requests / self.duration_us * 1e6

    @property
    def errors(self) -> int:
        """Of all kinds."""
        return self.connect + self.read + self.write + self.status + self.timeout


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """One run of the generator."""

    seen: Seen
    cpu_seconds: float
    """CPU time of the generator itself."""


def parse(output: str) -> Seen:
    """Parse the line of ``work.lua`` in *output* of wrk.

    Raises:
        MeasureError: it is not there.
    """
    for line in reversed(output.splitlines()):
        if line.startswith("{"):
            values = json.loads(line)
            return Seen(**{field.name: int(values[field.name]) for field in fields(Seen)})
    raise MeasureError(f"wrk ended without a result: {output.strip()[-200:]!r}")


def load(work: Work, url: str, *, seconds: int, threads: int) -> Load:
    """Put *work* on the server at *url*.

    Raises:
        MeasureError: wrk failed.
    """
    before = _children_seconds()
    output = run(
        [
            *("wrk", "--threads", str(min(threads, work.connections))),
            *("--connections", str(work.connections)),
            *("--duration", f"{seconds}s", "--script", SCRIPT),
            *(url + work.path, "--"),
            *(str(work.pipelined), str(work.fields), str(int(work.close))),
        ]
    )
    seen = parse(output)
    if work.pipelined > 1:
        # wrk notes one time for a batch, and adds as if each request had had its own: nonsense.
        seen = replace(seen, p50_us=0, p99_us=0)
    return Load(seen=seen, cpu_seconds=_children_seconds() - before)


def _children_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
