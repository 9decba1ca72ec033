"""The order of versions as authors of C libraries write them."""

import re
from typing import Final

_BEFORE: Final = {"a", "alpha", "b", "beta", "c", "dev", "pre", "rc"}
"""Words of releases that precede the one they name."""
_NUMBERS: Final = 5
"""At most: ``6.5.20250216`` has three."""

Key = tuple[tuple[int, ...], int, str, int]


def key(version: str) -> Key | None:
    """Return what orders *version*; None if it is none.

    ``3.15.0rc1`` is before ``3.15.0``; ``1.1.1zh`` is after ``1.1.1``; ``6.5+20250216`` after
    ``6.5``. A name before the number does not count: ``openssl-3.5.7``, ``R_2_6_4``, ``v1.3``.
    """
    text = re.sub(r"^[a-z]+\d*[-_ ]", "", version.strip().lower())
    found = re.search(r"(\d+(?:[._+-]\d+)*)[._-]?([a-z]*)[._-]?(\d*)", text)
    if found is None:
        return None
    numbers = tuple(map(int, re.findall(r"\d+", found[1])))
    padded = (*numbers, *(0,) * (_NUMBERS - len(numbers)))
    word = found[2]
    place = 0 if not word else -1 if word in _BEFORE else 1
    return padded, place, word, int(found[3] or 0)


def is_within(version: str, start: str, end: str, *, is_end_included: bool = False) -> bool:
    """Whether *version* is from *start* on and before *end*; empty, ``0`` or ``*`` is open."""
    this, low, high = key(version), key(start), key(end)
    if this is None:
        return False
    if start not in {"", "0", "*"} and low is not None and this < low:
        return False
    if end in {"", "*"}:
        return True
    if high is None:
        return False
    return this <= high if is_end_included else this < high
