"""The current second, for text that changes once a second.

A server reads the clock once in each iteration of its loop (as the kernel's CLOCK_REALTIME_COARSE
once a tick): the second is at most as old as the responses of one iteration, and no response
reads a clock for its date.
"""

import time
from collections.abc import Callable
from typing import Protocol


class CoarseClock(Protocol):
    """A clock with whole seconds."""

    @property
    def now(self) -> int:
        """Whole seconds since 1970, UTC."""


class SystemClock:
    """Reads the clock on every access; for use without an event loop."""

    __slots__ = ("_clock",)

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock

    @property
    def now(self) -> int:
        """Whole seconds since 1970, UTC."""
        return int(self._clock())


class CachedClock:
    """Keeps the second of the last ``refresh``."""

    __slots__ = ("_clock", "now")

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self.now = int(clock())
        """Whole seconds since 1970, UTC."""

    def refresh(self) -> None:
        """Read the clock."""
        self.now = int(self._clock())
