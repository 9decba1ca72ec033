"""Kubernetes quantities, such as ``256Mi`` and ``500m``, as whole numbers of billionths.

Whole numbers, so that 0.1 is a tenth: a billionth is the smallest step a quantity has.

Source: Kubernetes API reference, common definitions, Quantity.
"""

from typing import Final

ONE: Final = 10**9
"""How many billionths are one."""
LARGEST: Final = (2**63 - 1) * ONE
"""The largest quantity of the reference."""
MAX_CHARACTERS: Final = 40
"""Of a quantity: the largest one has 19 digits, a billionth 9 more."""
MAX_EXPONENT: Final = 27
"""From the smallest quantity to the largest."""

_SUFFIXES: Final[dict[str, int]] = {
    **{suffix: 1000**power for power, suffix in enumerate(("n", "u", "m", "", "k", "M", "G"))},
    **{suffix: ONE * 1000**power for power, suffix in ((4, "T"), (5, "P"), (6, "E"))},
    **{
        f"{letter}i": ONE * 1024**power
        for power, letter in enumerate(("K", "M", "G", "T", "P", "E"), start=1)
    },
}
_DIGITS: Final = "0123456789"


def parse(text: str) -> int:
    """Return the billionths in *text*; a fraction of one is rounded up, as Kubernetes does.

    Raises:
        ValueError: with the reason, for the author of the text.
    """
    unsigned = text.removeprefix("+")
    suffix = unsigned.lstrip(_DIGITS + ".")
    digits = unsigned[: len(unsigned) - len(suffix)]
    whole, _, fraction = digits.partition(".")
    if text.startswith("-"):
        raise ValueError(f"{text!r} is below zero")
    if len(text) > MAX_CHARACTERS or "." in fraction or not whole + fraction:
        raise ValueError(f"{text!r} is not a quantity; expected one such as 256Mi, 500m or 2")
    if len(whole) > 1 and whole.startswith("0"):
        # Decimal to Kubernetes, octal to YAML 1.1: the author has to choose.
        raise ValueError(f"{text!r} has a leading zero")
    numerator, denominator = _scale(text, suffix)
    found = -(-int(whole + fraction) * numerator // (denominator * _power(len(fraction))))
    if found > LARGEST:
        raise ValueError(f"{text!r} is above 2^63 - 1, the largest quantity")
    return found


def _scale(text: str, suffix: str) -> tuple[int, int]:
    """Return the factor of *suffix*, as a fraction."""
    if suffix in _SUFFIXES:
        return _SUFFIXES[suffix], 1
    exponent = suffix[1:]
    negative = exponent.startswith("-")
    size = exponent.removeprefix("-" if negative else "+")
    if suffix[0] not in "eE" or not (size.isascii() and size.isdigit()):
        known = " ".join([suffix for suffix in _SUFFIXES if suffix])
        raise ValueError(f"{text!r} has no suffix of a quantity, which are {known}")
    if int(size) > MAX_EXPONENT:
        raise ValueError(f"{text!r} has an exponent above {MAX_EXPONENT}")
    return (ONE, _power(int(size))) if negative else (ONE * _power(int(size)), 1)


def _power(exponent: int) -> int:
    """Return ten to the power of *exponent*, which is not negative."""
    return int("1" + "0" * exponent)


def write(billionths: int) -> str:
    """Return the quantity in the largest unit that gives a whole number."""
    for suffix in ("Ei", "Pi", "Ti", "Gi", "Mi", "Ki", "", "m", "u", "n"):
        if billionths % _SUFFIXES[suffix] == 0 and (billionths or not suffix):
            return f"{billionths // _SUFFIXES[suffix]}{suffix}"
    raise AssertionError(billionths)  # never: the last unit is one billionth
