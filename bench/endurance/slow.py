"""slowhttptest's four attacks, and a normal client beside them."""

import re
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.lib.harness import markdown_table, run, timed_step
from bench.lib.server_process import Command, Server, serving

from .gate import Verdict
from .process_sampler import Watch
from .reference_client import Experience, NormalClient

CONNECTIONS: Final = 4_000
"""Of an attack: a hundred times slowhttptest's default, and a quarter of our limit."""

P99_MS: Final = 100.0
"""p99 of the normal client: without an attack it is 0.6 ms, so a hundredfold is allowed."""

_SECONDS: Final = 40
"""Longer than the times for a head (10 s), for a body's rate (20 s) and without progress of a
response (30 s), so that the end of each attack is included."""

_SETTLE_SECONDS: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Attack:
    """One of slowhttptest's; its options are those of its manual's examples."""

    name: str
    title: str
    options: tuple[str, ...]


ATTACKS: Final = (
    Attack(name="headers", title="slow headers (slowloris), -H", options=("-H", "-x", "24")),
    Attack(
        name="body",
        title="slow body (R-U-Dead-Yet), -B",
        options=("-B", "-s", "8192", "-t", "POST", "-x", "10"),
    ),
    Attack(
        name="range",
        title="overlapping ranges (Apache killer), -R",
        options=("-R", "-t", "HEAD", "-a", "10", "-b", "3000"),
    ),
    Attack(
        name="read",
        title="slow read, -X",
        options=("-X", "-w", "512", "-y", "1024", "-n", "5", "-z", "32", "-k", "10"),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The last status that slowhttptest prints."""

    initializing: int
    pending: int
    connected: int
    error: int
    closed: int
    available: bool
    """Its own probe got a response."""
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Attacked:
    """One attack and what came of it."""

    title: str
    command: str
    seconds: float
    report: Report
    most_files: int
    rss_before: int
    rss_most: int
    rss_after: int
    client: Experience


def slow(
    command: Command,
    *,
    connections: int = CONNECTIONS,
    seconds: int = _SECONDS,
    server_cpus: Sequence[int],
) -> list[Attacked]:
    """Attack a fresh service with each.

    Raises:
        MeasureError: slowhttptest is not there.
    """
    found = []
    for attack in ATTACKS:
        with serving(command, server_cpus) as server, timed_step(f"slowhttptest, {attack.title}"):
            found.append(_attack(server, attack, connections, seconds))
    return found


def judged(found: Sequence[Attacked]) -> list[Verdict]:
    """Say what holds."""
    verdicts = []
    for one in found:
        met = one.client
        verdicts.append(
            Verdict(
                what=f"{one.title}: a normal client's errors, p99",
                limit=f"0, under {P99_MS:.0f} ms",
                found=f"{met.errors} of {met.requests:,}, {met.p99_ms:.2f} ms",
                holds=not met.errors and 0 < met.p99_ms < P99_MS and one.report.available,
            )
        )
    return verdicts


def table(found: Sequence[Attacked]) -> str:
    """Render what was found."""
    attacks = markdown_table(
        (
            *(
                "attack",
                "its last status: connected",
                "closed",
                "service available",
                "it ended with",
            ),
            *("most files", "RSS before", "most", "after"),
        ),
        [
            (
                one.title,
                f"{one.report.connected:,}",
                f"{one.report.closed:,}",
                "yes" if one.report.available else "NO",
                one.report.status,
                f"{one.most_files:,}",
                *(f"{size / 1e6:.1f} MB" for size in (one.rss_before, one.rss_most, one.rss_after)),
            )
            for one in found
        ],
    )
    clients = markdown_table(
        ("a normal client during", "requests", "errors", "p50", "p99", "longest"),
        [
            (
                one.title,
                f"{one.client.requests:,}",
                str(one.client.errors),
                f"{one.client.p50_ms:.2f} ms",
                f"{one.client.p99_ms:.2f} ms",
                f"{one.client.max_ms:.2f} ms",
            )
            for one in found
        ],
    )
    messages = [f"{one.title}: {line}" for one in found for line in one.client.messages]
    return "\n\n".join([attacks, clients, *messages])


def parse(output: str) -> Report:
    """Find the last status that slowhttptest printed, colors included."""
    plain = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", output)

    def last(name: str) -> str:
        found = re.findall(rf"^{name}:\s+(.+?)\s*$", plain, re.MULTILINE)
        return found[-1] if found else ""

    def count(name: str) -> int:
        return int(last(name) or 0)

    return Report(
        initializing=count("initializing"),
        pending=count("pending"),
        connected=count("connected"),
        error=count("error"),
        closed=count("closed"),
        available=last("service available") == "YES",
        status=last("Exit status"),
    )


def _attack(server: Server, attack: Attack, connections: int, seconds: int) -> Attacked:
    with tempfile.TemporaryDirectory() as folder:
        argv = [
            *("slowhttptest", "-u", f"{server.url}/", "-c", str(connections)),
            *("-r", str(connections // 2), "-l", str(seconds), "-i", "10", "-p", "3"),
            *attack.options,
        ]
        with Watch(server.pid) as watch, NormalClient(server.port) as client:
            time.sleep(1)
            before = watch.sample()
            output = run(argv, cwd=Path(folder))
            met = client.experience
        time.sleep(_SETTLE_SECONDS)
        after = watch.sample()
    return Attacked(
        title=attack.title,
        command=" ".join(argv),
        seconds=after.seconds,
        report=parse(output),
        most_files=max(one.descriptors for one in watch.samples),
        rss_before=before.rss_bytes,
        rss_most=max(one.rss_bytes for one in watch.samples),
        rss_after=after.rss_bytes,
        client=met,
    )
