"""Words of the kernel's files into values; ``ValueError`` for anything else.

``int()`` alone is too generous: it takes underscores, spaces and the digits of other scripts,
and a number of a thousand digits that no JSON reader takes back.
"""

from typing import Final

MAX_DIGITS: Final = 20
"""2**64 - 1 has twenty."""
NO_LIMIT_V1: Final = 2**62
"""cgroup v1's "no limit" is 2**63 - 1 rounded down to a page; huge ones have up to 16 GiB, and no
machine has so much memory."""
MAX_CPUS: Final = 8192
"""NR_CPUS of the largest kernel configuration on x86; keeps ``0-999999999`` from filling
the memory."""


def count(text: str) -> int:
    """Parse a number from 0 to 2**64 - 1."""
    if not (text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS):
        raise ValueError(text)
    number = int(text)
    if number >= 2**64:
        raise ValueError(text)
    return number


def signed(text: str) -> int:
    """Parse a number with an optional minus."""
    number = count(text.removeprefix("-"))
    if number >= 2**63:
        raise ValueError(text)
    return -number if text.startswith("-") else number


def limit(text: str) -> int | None:
    """Parse cgroup v2's ``max`` or a number; ``None`` means unlimited."""
    return None if text == "max" else count(text)


def limit_v1(text: str) -> int | None:
    """Parse cgroup v1's limit: a negative or huge number is none."""
    number = signed(text)
    return None if number < 0 or number >= NO_LIMIT_V1 else number


def rlimit(text: str) -> int | None:
    """Parse one column of ``/proc/self/limits``."""
    return None if text == "unlimited" else count(text)


def kilobytes(text: str) -> int:
    """Parse ``123 kB``, as in meminfo, into bytes."""
    number, _, unit = text.partition(" ")
    if unit != "kB":
        raise ValueError(text)
    value = count(number) * 1024
    if value >= 2**63:
        raise ValueError(text)
    return value


def mask(text: str) -> int:
    """Parse a mask of up to 64 bits in hexadecimal digits."""
    if not text or len(text) > 16 or set(text) - set("0123456789abcdefABCDEF"):  # noqa: PLR2004
        raise ValueError(text)
    return int(text, 16)


def decimal(text: str) -> float:
    """Parse a plain decimal fraction such as ``12.34``: no sign, exponent, nan."""
    whole, _, fraction = text.partition(".")
    count(whole)
    if fraction:
        count(fraction)
    return float(text)


def flag(text: str) -> bool:
    """Parse ``0`` or ``1``."""
    if text not in {"0", "1"}:
        raise ValueError(text)
    return text == "1"


def cpus(text: str) -> tuple[int, ...]:
    """Parse the kernel's list form, such as ``0-3,8``."""
    numbers: list[int] = []
    for part in text.split(",") if text else ():
        low, dash, high = part.partition("-")
        first, last = count(low), count(high if dash else low)
        # The kernel writes them in order; a thousand times the same range is not its work.
        if last < first or last >= MAX_CPUS or (numbers and first <= numbers[-1]):
            raise ValueError(text)
        numbers += range(first, last + 1)
    return tuple(numbers)


def word(text: str) -> str:
    """Take any text but an empty one."""
    if not text:
        raise ValueError(text)
    return text
