"""A token bucket: so many units a second on average, and so many at once."""

from collections.abc import Callable


class TokenBucket:
    """Counts units against a rate. Without input or output: the clock is an argument."""

    __slots__ = ("_burst", "_clock", "_left", "_rate", "_then")

    def __init__(self, rate: float, burst: float, clock: Callable[[], float]) -> None:
        """Allow *burst* units at once, and *rate* a second, by *clock* in seconds."""
        self._rate = rate
        self._burst = burst
        self._clock = clock
        self._left = burst
        self._then = clock()

    def try_take(self) -> bool:
        """Take a unit if there is one."""
        self._refill()
        if self._left < 1:
            return False
        self._left -= 1
        return True

    def reserve(self, units: float) -> float:
        """Take *units* in advance; return the seconds until they are there."""
        self._refill()
        self._left -= units
        return max(0.0, -self._left / self._rate)

    def _refill(self) -> None:
        now = self._clock()
        self._left = min(self._burst, self._left + (now - self._then) * self._rate)
        self._then = now
