"""Durations in a histogram of fixed size, from which percentiles come to within 1.6 %.

As HdrHistogram has it: below 128 µs every microsecond counts alone, above it each doubling is
divided into 64 parts.
"""

from typing import Final

_PARTS: Final = 64
_EXACT: Final = 2 * _PARTS
_MAX_MICROSECONDS: Final = 1 << 32
"""Over an hour; longer ones count as that."""


class Latencies:
    """Counts durations."""

    def __init__(self) -> None:
        self._counts = [0] * (_slot(_MAX_MICROSECONDS) + 1)
        self.count = 0
        self.longest = 0.0
        """Seconds."""

    def add(self, seconds: float) -> None:
        """Count one duration."""
        microseconds = min(int(seconds * 1e6), _MAX_MICROSECONDS)
        self._counts[_slot(microseconds)] += 1
        self.count += 1
        self.longest = max(self.longest, seconds)

    def percentile(self, percent: float) -> float:
        """Return the seconds within which *percent* of the durations were; 0 without any."""
        wanted = self.count * percent / 100
        seen = 0
        for slot, count in enumerate(self._counts):
            seen += count
            if count and seen >= wanted:
                return min(_upper_end(slot) / 1e6, self.longest)
        return 0.0


def _slot(microseconds: int) -> int:
    if microseconds < _EXACT:
        return microseconds
    shift = microseconds.bit_length() - _EXACT.bit_length() + 1
    return shift * _PARTS + (microseconds >> shift)


def _upper_end(slot: int) -> int:
    if slot < _EXACT:
        return slot
    shift, part = divmod(slot, _PARTS)
    return ((part + _PARTS) << (shift - 1)) + (1 << (shift - 1)) - 1
