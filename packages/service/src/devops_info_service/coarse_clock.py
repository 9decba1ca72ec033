"""The second it is, for all that is written anew once a second.

A server looks once in each turn of its loop: that is at most as old as the answers of one turn,
and no answer reads a clock for its date.
"""

import time
from collections.abc import Callable
from typing import Protocol


class Second(Protocol):
    """Tells the second."""

    @property
    def now(self) -> int:
        """Whole seconds since 1970, UTC."""


class Live:
    """The second as it is when it is asked for: where nobody looks for all."""

    __slots__ = ("_clock",)

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock

    @property
    def now(self) -> int:
        """Whole seconds since 1970, UTC."""
        return int(self._clock())


class Looked:
    """The second as it was at the last look."""

    __slots__ = ("_clock", "now")

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self.now = int(clock())
        """Whole seconds since 1970, UTC."""

    def look(self) -> None:
        """Look again."""
        self.now = int(self._clock())
