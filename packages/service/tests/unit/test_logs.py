"""The log: one object per line, and no input can break out of it."""

import os
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from devops_info_service.logs import Log

pytestmark = pytest.mark.claim("escaping")

MOMENT = 1_700_000_000.1239


def written(text: str) -> tuple[bytes, dict[str, Any]]:
    """Log *text* as a value; return the line and the decoded object."""
    lines: list[bytes] = []
    Log(lines.append, lambda: MOMENT).info("request", path=text)
    (line,) = lines
    return line, msgspec.json.decode(line)


def test_line() -> None:
    """A line has the time to the millisecond, the level, the event and its fields."""
    line, _ = written("/")

    assert line == (
        b'{"time":"2023-11-14T22:13:20.123Z","level":"info","event":"request","path":"/"}\n'
    )


@given(st.text())
def test_no_injection(text: str) -> None:
    """Whatever is logged, a line is one line of printable text."""
    line, decoded = written(text)

    assert line.decode().removesuffix("\n").isprintable()
    assert list(decoded) == ["time", "level", "event", "path"]


def test_traceback() -> None:
    """A fault carries its traceback as a list of lines, in the one line."""
    lines: list[bytes] = []
    log = Log(lines.append, lambda: MOMENT)

    with pytest.raises(KeyError) as caught:
        os.environ.pop("evil\x1b")
    log.error("fault", exc=caught.value, path="/")

    (line,) = lines
    decoded = msgspec.json.decode(line)
    assert decoded["level"] == "error"
    assert decoded["traceback"][0] == "Traceback (most recent call last):"
    assert decoded["traceback"][-1] == r"KeyError: 'evil\x1b'"
    assert line.count(b"\n") == 1
