"""A process watched from outside: its memory and its open files, every second."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from bench.lib import proc

_PERIOD_SECONDS: Final = 1
"""Often enough to see a work that lasts five; reading it costs the process a fraction of a
millisecond."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """The state of the processes at one time."""

    seconds: float
    """Since the watch began."""
    rss_bytes: int
    pss_bytes: int
    descriptors: int
    cpu_seconds: float
    """Used since the process began."""
    doing: str
    """The load at that time."""


def descriptors(pids: list[int]) -> int:
    """Count the open files of *pids*."""
    return sum(len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in pids)


class Watch:
    """Samples a session of processes until a ``with`` ends."""

    def __init__(self, leader: int, *, doing: Callable[[], str] = str) -> None:
        self.samples: list[Sample] = []
        self._leader = leader
        self._doing = doing
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._began = time.monotonic()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def sample(self) -> Sample:
        """Take one sample, now."""
        pids = proc.session(self._leader)
        memory = proc.memory(pids)
        return Sample(
            seconds=round(time.monotonic() - self._began, 2),
            rss_bytes=memory.rss_bytes,
            pss_bytes=memory.pss_bytes,
            descriptors=descriptors(pids),
            cpu_seconds=proc.cpu_seconds(pids),
            doing=self._doing(),
        )

    def _watch(self) -> None:
        while not self._over.wait(_PERIOD_SECONDS):
            self.samples.append(self.sample())
