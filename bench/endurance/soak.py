"""Full load with connections that come and go, for minutes: memory, files, failures."""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bench.lib.harness import ROOT, MeasureError, log, markdown_table
from bench.lib.server_process import Command, serving
from bench.lib.wrk import WORK, load

from .churn import Outcome
from .gate import Verdict
from .process_sampler import Sample, Watch

FLAT_BYTES: Final = 2_000_000
"""How far RSS may move after the warm-up: a leak of one byte in 20 requests shows."""

_SLICE_SECONDS: Final = 5
"""Of one work of wrk before the next has its turn."""

_WORK_NAMES: Final = ("root", "close", "pipelined", "health", "many", "fields")
_WARM_UP_ROUNDS: Final = 2
"""Every work has had its turn twice, and every scene thousands: memory for
first use is allocated, and the allocator has seen its peak."""

_SETTLE_SECONDS: Final = 6
"""For connections that linger (2 s at the most) and the second that a sweep takes."""

_NICE: Final = 5
"""The churners': wrk goes first, so that the service is the one that is busy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Soak:
    """One soak."""

    seconds: float
    warm_up_seconds: float
    requests: int
    """Of wrk."""
    failed: int
    """Of wrk: failed connections, reads and writes, other statuses, waits over 2 s."""
    timeouts: int
    """Of those: waits over 2 s, which are no failures of a request."""
    scenes: dict[str, int]
    """Of the churners: how often each was played."""
    scenes_failed: int
    messages: tuple[str, ...] = ()
    server_busy: float
    """Share of its core after the warm-up."""
    descriptors_before: int
    descriptors_after: int
    samples: tuple[Sample, ...] = ()
    """One a second; empty in a result read back."""

    @property
    def steady(self) -> list[Sample]:
        """After the warm-up."""
        return [one for one in self.samples if one.seconds >= self.warm_up_seconds]


def soak(command: Command, *, seconds: int, server_cpus: Sequence[int]) -> Soak:
    """Soak a fresh service.

    Raises:
        MeasureError: it or a generator ended.
    """
    works = [one for name in _WORK_NAMES for one in WORK if one.name == name]
    each = max(1, min(_SLICE_SECONDS, seconds // (5 * len(works))))
    rounds = max(_WARM_UP_ROUNDS + 1, round(seconds / each / len(works)))
    doing = "nothing"
    with (
        serving(command, server_cpus) as server,
        Watch(server.pid, doing=lambda: doing) as watch,
    ):
        time.sleep(1)
        before = watch.sample()
        churners = _churners(server.port, rounds * len(works) * each)
        began = watch.sample()
        warm = began
        seen = []
        for number in range(rounds):
            if number == _WARM_UP_ROUNDS:
                warm = watch.sample()
            for work in works:
                doing = work.name
                seen.append(load(work, server.url, seconds=each, threads=1).seen)
            log(_progress(number + 1, rounds, watch.sample()))
        ended = watch.sample()
        doing = "nothing"
        played = _outcome(churners)
        time.sleep(_SETTLE_SECONDS)
        after = watch.sample()
    return Soak(
        seconds=round(ended.seconds - began.seconds, 1),
        warm_up_seconds=round(warm.seconds, 1),
        requests=sum(one.requests for one in seen),
        failed=sum(one.errors for one in seen),
        timeouts=sum(one.timeout for one in seen),
        scenes=played.played,
        scenes_failed=played.failed,
        messages=tuple(played.messages),
        server_busy=(ended.cpu_seconds - warm.cpu_seconds) / (ended.seconds - warm.seconds),
        descriptors_before=before.descriptors,
        descriptors_after=after.descriptors,
        samples=tuple(one for one in watch.samples if one.seconds <= ended.seconds),
    )


def judged(found: Soak) -> list[Verdict]:
    """Say what holds."""
    rss = [one.rss_bytes for one in found.steady]
    moved = max(rss) - min(rss)
    failed = found.failed - found.timeouts + found.scenes_failed
    return [
        Verdict(
            what="soak: memory (RSS), highest less lowest after the warm-up",
            limit=f"{FLAT_BYTES / 1e6:.0f} MB or less",
            found=f"{moved / 1e6:.2f} MB",
            holds=moved <= FLAT_BYTES,
        ),
        Verdict(what="soak: failed requests", limit="0", found=str(failed), holds=failed == 0),
        Verdict(
            what="soak: open files, after less before",
            limit="0",
            found=str(found.descriptors_after - found.descriptors_before),
            holds=found.descriptors_after == found.descriptors_before,
        ),
    ]


def table(found: Soak) -> str:
    """Render what was found."""
    steady = found.steady
    tenths = [steady[n * len(steady) // 10 : (n + 1) * len(steady) // 10] for n in range(10)]
    conversations = markdown_table(
        ("scene of the churners", "played"),
        [(name, f"{times:,}") for name, times in sorted(found.scenes.items())],
    )
    memory = markdown_table(
        ("after the warm-up", "RSS, median", "RSS, lowest", "RSS, highest", "PSS, median", "files"),
        [
            (
                f"{part[0].seconds:.0f} to {part[-1].seconds:.0f} s",
                *(
                    f"{choose(one.rss_bytes for one in part) / 1e6:.2f} MB"
                    for choose in (statistics.median, min, max)
                ),
                f"{statistics.median(one.pss_bytes for one in part) / 1e6:.2f} MB",
                f"{max(one.descriptors for one in part)}",
            )
            for part in tenths
            if part
        ],
    )
    return "\n\n".join([headline(found), memory, conversations, *found.messages])


def headline(found: Soak) -> str:
    """Return the sums in one sentence."""
    return (
        f"Soak: {found.seconds:.0f} s, of which {found.warm_up_seconds:.0f} s warm-up; "
        f"{found.requests:,} requests by wrk ({found.failed - found.timeouts} failed, "
        f"{found.timeouts} took over 2 s), {sum(found.scenes.values()):,} scenes by churners "
        f"({found.scenes_failed} failed); the service used {found.server_busy:.0%} of a core."
    )


def _churners(port: int, seconds: int) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [
            *("nice", "-n", str(_NICE), sys.executable, "-m", "bench.endurance.churn"),
            *(str(port), str(seconds)),
        ],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _outcome(churners: "subprocess.Popen[str]") -> Outcome:
    out, err = churners.communicate()
    if churners.returncode:
        raise MeasureError(f"the churners ended with {churners.returncode}: {err[-500:]}")
    return Outcome(**json.loads(out))


def _progress(number: int, rounds: int, sample: Sample) -> str:
    return (
        f"soak: round {number} of {rounds}, RSS {sample.rss_bytes / 1e6:.2f} MB, "
        f"{sample.descriptors} files"
    )
