"""Facts as people say them: units, plurals, and where a value was seen."""

from collections.abc import Callable, Iterable
from typing import Final, TypeVar

from devops_info_service.facts.fact import Evidence, Fact, Unknown

from .layout import Row

T = TypeVar("T")

MAX_SOURCES: Final = 3
"""Places named for one value; JSON has them all."""
MAX_PATH: Final = 80
"""Characters of a path that is named whole; JSON never cuts one."""
MAX_LISTED: Final = 12
"""Entries of a list that are spelled out, likewise."""
_KIBI: Final = 1024
_MICROSECONDS: Final = 1_000_000


def row(label: str, fact: Fact[T], words: Callable[[T], str] = str) -> Row:
    """Say a fact: its value and where it was seen, or why it is not known."""
    if isinstance(fact, Unknown):
        return Row(label, "unknown", (fact.reason,))
    return Row(label, words(fact.value), sources(fact.evidence))


def format_fact(fact: Fact[T], words: Callable[[T], str] = str) -> str:
    """Return the value of *fact* as *words* formats it, or ``unknown``."""
    return "unknown" if isinstance(fact, Unknown) else words(fact.value)


def sources(evidence: Iterable[Evidence]) -> tuple[str, ...]:
    """Name each file once, with the fields read from it, on one line."""
    fields: dict[str, list[str]] = {}
    for seen in evidence:
        fields.setdefault(seen.file, []).extend([seen.field] if seen.field else [])
    named = (
        f"{_short(file)} {', '.join(shortened(dict.fromkeys(names), MAX_SOURCES))}".strip()
        for file, names in fields.items()
    )
    return tuple(filter(None, ["; ".join(shortened(named, MAX_SOURCES))]))


def _short(path: str) -> str:
    # A group's directory has the pod's and the container's long numbers in it.
    if len(path) <= MAX_PATH:
        return path
    steps = path.split("/")
    return "/".join([*steps[:4], "...", steps[-1]])


def shortened(entries: Iterable[str], most: int) -> tuple[str, ...]:
    """Keep the first *most* and say how many more there are."""
    listed = tuple(entries)
    more = len(listed) - most
    return (*listed[:most], f"and {more} more") if more > 0 else listed


def listed(entries: Iterable[str]) -> str:
    """Say a list."""
    return ", ".join(shortened(entries, MAX_LISTED)) or "none"


def yes(value: object) -> str:
    """Say a truth."""
    return "yes" if value else "no"


def count(number: int, noun: str) -> str:
    """Say how many; *noun* makes its plural with an s."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def size(number: int | None) -> str:
    """Say bytes in the largest unit that leaves a number above 1."""
    if number is None:
        return "no limit"
    value, unit = float(number), "bytes"
    for larger in ("KiB", "MiB", "GiB", "TiB", "PiB", "EiB"):
        if value < _KIBI:
            break
        value, unit = value / _KIBI, larger
    return f"{value:.1f}".removesuffix(".0") + f" {unit}"


def cpus(number: float) -> str:
    """Say CPUs, to the thousandth as Kubernetes counts them."""
    text = f"{number:.3f}".rstrip("0").rstrip(".")
    return f"{text} CPU" if text == "1" else f"{text} CPUs"


def seconds(microseconds: int) -> str:
    """Say a time, below a second in thousandths."""
    if microseconds < _MICROSECONDS:
        return f"{microseconds / 1000:.1f}".removesuffix(".0") + " ms"
    return f"{microseconds / _MICROSECONDS:.2f} s"


def span(whole_seconds: int) -> str:
    """Say a longer time in the largest unit that fits."""
    for unit, length in (("day", 86_400), ("hour", 3600), ("minute", 60)):
        if whole_seconds >= length:
            return count(whole_seconds // length, unit)
    return count(whole_seconds, "second")


def numbers(values: tuple[int, ...]) -> str:
    """Say numbers as the kernel lists CPUs: ``0-3, 8``."""
    parts: list[list[int]] = []
    for value in values:
        if parts and value == parts[-1][1] + 1:
            parts[-1][1] = value
        else:
            parts.append([value, value])
    return listed(str(low) if low == high else f"{low}-{high}" for low, high in parts)
