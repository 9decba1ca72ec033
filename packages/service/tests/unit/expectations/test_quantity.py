"""Kubernetes quantities: the forms of the API reference, and no others."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devops_info_service.expectations.quantity import LARGEST, ONE, parse, write


@pytest.mark.parametrize(
    ("text", "billionths"),
    [
        ("0", 0),
        ("2", 2 * ONE),
        ("+2", 2 * ONE),
        ("2.", 2 * ONE),
        (".5", ONE // 2),
        ("0.5", ONE // 2),
        ("0.1", ONE // 10),
        ("500m", ONE // 2),
        ("1500m", 3 * ONE // 2),
        ("250u", 250_000),
        ("7n", 7),
        ("1.5n", 2),  # rounded up, as Kubernetes does
        ("1n", 1),
        ("1k", 1000 * ONE),
        ("1M", 1000**2 * ONE),
        ("1G", 1000**3 * ONE),
        ("1T", 1000**4 * ONE),
        ("1P", 1000**5 * ONE),
        ("1E", 1000**6 * ONE),
        ("1Ki", 1024 * ONE),
        ("256Mi", 256 * 1024**2 * ONE),
        ("1Gi", 1024**3 * ONE),
        ("1Ti", 1024**4 * ONE),
        ("1Pi", 1024**5 * ONE),
        ("7Ei", 7 * 1024**6 * ONE),
        ("0.5Ki", 512 * ONE),
        ("129e6", 129_000_000 * ONE),
        ("129E6", 129_000_000 * ONE),
        ("129e+6", 129_000_000 * ONE),
        ("12e-1", 12 * ONE // 10),
        ("1e-9", 1),
        ("1e0", ONE),
        ("128974848", 128_974_848 * ONE),
        ("123M", 123_000_000 * ONE),
        ("9223372036854775807", LARGEST),
    ],
)
def test_quantities(text: str, billionths: int) -> None:
    """Each form of the reference gives its number, exactly."""
    assert billionths == parse(text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is not a quantity"),
        (".", "is not a quantity"),
        ("Mi", "is not a quantity"),
        ("1.2.3", "is not a quantity"),
        ("+-1", "is not a quantity"),
        ("٣", "is not a quantity"),
        ("1" * 41, "is not a quantity"),
        ("-1", "is below zero"),
        ("-5Mi", "is below zero"),
        ("010", "has a leading zero"),
        ("256MB", "has no suffix of a quantity"),
        ("256mi", "has no suffix of a quantity"),
        ("256 Mi", "has no suffix of a quantity"),
        ("1K", "has no suffix of a quantity"),
        ("1e", "has no suffix of a quantity"),
        ("1e+", "has no suffix of a quantity"),
        ("1e3Ki", "has no suffix of a quantity"),
        ("1e1.5", "has no suffix of a quantity"),
        ("1_000", "has no suffix of a quantity"),
        ("0x10", "has no suffix of a quantity"),
        ("1e٣", "has no suffix of a quantity"),
        ("1e28", "has an exponent above 27"),
        ("1e-28", "has an exponent above 27"),
        ("8Ei", "is above 2^63 - 1"),
        ("9223372036854775808", "is above 2^63 - 1"),
        ("1e27", "is above 2^63 - 1"),
    ],
)
def test_rejected(text: str, reason: str) -> None:
    """An invalid quantity is an error with the reason and the text."""
    with pytest.raises(ValueError, match=reason.replace("^", r"\^")) as caught:
        parse(text)

    assert str(caught.value).startswith(repr(text))


@pytest.mark.parametrize(
    ("billionths", "text"),
    [
        (0, "0"),
        (ONE, "1"),
        (ONE // 2, "500m"),
        (333_330_000, "333330u"),
        (1, "1n"),
        (1024 * ONE, "1Ki"),
        (64 * 1024**2 * ONE, "64Mi"),
        (1536 * 1024**2 * ONE, "1536Mi"),
        (10**9 * ONE, "1000000000"),
    ],
)
def test_written(billionths: int, text: str) -> None:
    """A number is written in the largest unit that divides it."""
    assert text == write(billionths)


@given(st.integers(0, LARGEST))
def test_there_and_back(billionths: int) -> None:
    """A written number is read as the same number."""
    assert billionths == parse(write(billionths))


@given(st.text(max_size=50))
def test_any_text(text: str) -> None:
    """Any text is a quantity in bounds or a ValueError."""
    try:
        found = parse(text)
    except ValueError:
        return
    assert 0 <= found <= LARGEST
