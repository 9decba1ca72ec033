"""What time it is and how long the process has run, formatted once a second."""

import time
from typing import Final

import msgspec

from .source import Source

_MINUTE: Final = 60
_HOUR: Final = 60 * _MINUTE


class Runtime(msgspec.Struct, frozen=True):
    """One moment of the process."""

    uptime_seconds: int
    uptime_human: str
    current_time: str
    """RFC 3339, UTC, whole seconds."""
    timezone: str


class Stopwatch:
    """Runs from its making, and tells the moment."""

    __slots__ = ("_now", "_second", "_source", "_started", "_time")

    def __init__(self, source: Source) -> None:
        self._source = source
        self._time = source.time
        self._started = source.monotonic()
        self._second = -1
        self._now = Runtime(0, "", "", "")

    def now(self) -> Runtime:
        """Return the moment, to the second: the same value until the second is over."""
        second = int(self._time())
        if second != self._second:
            self._second = second
            # Two clocks: the uptime must not jump when somebody sets the time.
            uptime = int(self._source.monotonic() - self._started)
            self._now = Runtime(uptime, spell(uptime), rfc3339(second), "UTC")
        return self._now


def spell(seconds: int) -> str:
    """Say *seconds* as people do, to the minute: ``1 hour, 3 minutes``."""
    hours, minutes = seconds // _HOUR, seconds % _HOUR // _MINUTE
    return f"{_count(hours, 'hour')}, {_count(minutes, 'minute')}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def rfc3339(second: int) -> str:
    """Format *second* (since 1970, UTC)."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(second))
