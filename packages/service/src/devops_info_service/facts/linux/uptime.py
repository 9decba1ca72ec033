"""The time and the process's uptime, formatted once a second."""

import time
from typing import Final

import msgspec

from devops_info_service.coarse_clock import CoarseClock, SystemClock
from devops_info_service.facts.system_files import Source

_MINUTE: Final = 60
_HOUR: Final = 60 * _MINUTE


class Runtime(msgspec.Struct, frozen=True):
    """One moment of the process."""

    uptime_seconds: int
    uptime_human: str
    current_time: str
    """RFC 3339, UTC, whole seconds."""
    timezone: str


class UptimeClock:
    """Counts from its making."""

    __slots__ = ("_moment", "_now", "_second", "_source", "_started")

    def __init__(self, source: Source, second: CoarseClock | None = None) -> None:
        self._source = source
        self._second = second or SystemClock(source.time)
        self._started = source.monotonic()
        self._now = -1
        self._moment = Runtime(0, "", "", "")

    def now(self) -> Runtime:
        """Return the moment, to the second: the same value until the second is over."""
        now = self._second.now
        if now != self._now:
            self._now = now
            # Two clocks: the uptime must not jump if the time is set.
            uptime = int(self._source.monotonic() - self._started)
            self._moment = Runtime(uptime, humanize(uptime), rfc3339(now), "UTC")
        return self._moment


def humanize(seconds: int) -> str:
    """Format *seconds* to the minute: ``1 hour, 3 minutes``."""
    hours, minutes = seconds // _HOUR, seconds % _HOUR // _MINUTE
    return f"{_count(hours, 'hour')}, {_count(minutes, 'minute')}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def rfc3339(second: int) -> str:
    """Format *second* (since 1970, UTC)."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(second))
