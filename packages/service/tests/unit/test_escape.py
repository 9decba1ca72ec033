"""Text from outside, made safe for a terminal and a log."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from devops_info_service.escape import printable, printable_json


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/a?b=c", "/a?b=c"),
        ("/\u00e9\u4e2d", "/\u00e9\u4e2d"),
        ('"}\n{"level":"error"', r'"}\n{"level":"error"'),
        ("\x1b[31m", r"\x1b[31m"),
        ("\x7f", r"\x7f"),
        ("\x9b31m", r"\x9b31m"),
        ("\u2028", r"\u2028"),
        ("\u202eevil", r"\u202eevil"),
        ("\ud800", r"\ud800"),
        ("\u00e9\n", "\u00e9\\n"),
        ("\x00", r"\x00"),
    ],
)
def test_printable(text: str, expected: str) -> None:
    """What would break a line or steer a terminal is spelled out, and nothing else."""
    assert printable(text) == expected


def test_limit() -> None:
    """Too long a text is cut, before anything in it is spelled out."""
    assert printable("a" * 5, 5) == "a" * 5
    assert printable("a" * 6, 5) == "a" * 5 + "..."
    assert printable("\x1b\x1b\x1b", 2) == r"\x1b\x1b..."


@given(text=st.text())
def test_any_json(text: str) -> None:
    """JSON for a terminal is printable, and the same JSON."""
    data = printable_json(msgspec.json.encode([text]))

    assert data.decode().isprintable()
    assert msgspec.json.decode(data) == [text]
