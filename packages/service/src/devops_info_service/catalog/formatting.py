"""Values as text: units, plurals, lists."""

from collections.abc import Iterable
from typing import Final

MAX_LISTED: Final = 12
"""Entries of a list that are spelled out; JSON has all."""
NO_LIMIT: Final = "no limit"
_KIBI: Final = 1024
_MICROSECONDS: Final = 1_000_000


def shortened(entries: Iterable[str], most: int) -> tuple[str, ...]:
    """Keep the first *most* entries and count the rest."""
    listed = tuple(entries)
    more = len(listed) - most
    return (*listed[:most], f"and {more} more") if more > 0 else listed


def comma_list(entries: Iterable[str]) -> str:
    """Join the first ``MAX_LISTED`` entries; ``none`` if there are none."""
    return ", ".join(shortened(entries, MAX_LISTED)) or "none"


def yes_no(value: object) -> str:
    """Format a boolean."""
    return "yes" if value else "no"


def count(number: int, noun: str) -> str:
    """Format a number of things; the plural of *noun* ends in s."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def size(number: int | None) -> str:
    """Format bytes in the largest unit that leaves a number above 1; ``None`` means unlimited."""
    if number is None:
        return NO_LIMIT
    value, unit = float(number), "bytes"
    for larger in ("KiB", "MiB", "GiB", "TiB", "PiB", "EiB"):
        if value < _KIBI:
            break
        value, unit = value / _KIBI, larger
    return f"{value:.1f}".removesuffix(".0") + f" {unit}"


def cpus(number: float) -> str:
    """Format CPUs, to the thousandth as Kubernetes counts them."""
    text = f"{number:.3f}".rstrip("0").rstrip(".")
    return f"{text} CPU" if text == "1" else f"{text} CPUs"


def seconds(microseconds: int) -> str:
    """Format a short time, in milliseconds below a second."""
    if microseconds < _MICROSECONDS:
        return f"{microseconds / 1000:.1f}".removesuffix(".0") + " ms"
    return f"{microseconds / _MICROSECONDS:.2f} s"


def duration(whole_seconds: int) -> str:
    """Format a longer time in the largest unit that fits."""
    for unit, length in (("day", 86_400), ("hour", 3600), ("minute", 60)):
        if whole_seconds >= length:
            return count(whole_seconds // length, unit)
    return count(whole_seconds, "second")


def cpu_ranges(values: tuple[int, ...]) -> str:
    """Format CPU numbers as the kernel lists them: ``0-3, 8``."""
    parts: list[list[int]] = []
    for value in values:
        if parts and value == parts[-1][1] + 1:
            parts[-1][1] = value
        else:
            parts.append([value, value])
    return comma_list([str(low) if low == high else f"{low}-{high}" for low, high in parts])
