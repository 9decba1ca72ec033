"""Structured logs: one JSON object a line, one line an event, one write a line.

Whatever a stranger sent is escaped before it gets here into a value: a line can neither
be broken nor made to steer the terminal of whoever reads it.
"""

import contextlib
import os
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec

MAX_TEXT: Final = 512
"""Characters of a value: with what escaping adds, a line of a few values stays below the
4 KiB that a pipe takes in one piece, so lines of several processes do not mix."""

STDOUT: Final = 1

Value = str | int | float | bool | None | Sequence[object] | Mapping[str, object]
"""What is within a sequence or a mapping is printable: whoever made it has seen to that."""


def to_stdout(line: bytes) -> None:
    """Write *line*; a log nobody can take is no reason to stop serving."""
    with contextlib.suppress(OSError):
        os.write(STDOUT, line)


class Log:
    """Write events."""

    def __init__(
        self,
        write: Callable[[bytes], None] = to_stdout,
        clock: Callable[[], float] = time.time,
        always: Mapping[str, Value] | None = None,
    ) -> None:
        self._write = write
        self._clock = clock
        self._always = always or {}
        self._encode = msgspec.json.Encoder().encode

    def info(self, event: str, **facts: Value) -> None:
        """Tell of *event*, which is as it should be."""
        self._line("info", event, facts)

    def error(self, event: str, *, exc: BaseException | None = None, **facts: Value) -> None:
        """Tell of *event*, which somebody should look at; *exc* adds its traceback."""
        if exc is not None:
            # Imported late: a start without a fault is no reason for it.
            import traceback  # noqa: PLC0415

            text = "".join(traceback.format_exception(exc))
            facts["traceback"] = [printable(line, limit=None) for line in text.splitlines()]
        self._line("error", event, facts)

    def _line(self, level: str, event: str, facts: dict[str, Value]) -> None:
        now = self._clock()
        second = int(now)
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
        line: dict[str, Value] = {
            "time": f"{moment}.{int((now - second) * 1000):03}Z",
            "level": level,
            "event": event,
            **self._always,
        }
        for name, value in facts.items():
            line[name] = printable(value) if isinstance(value, str) else value
        self._write(self._encode(line) + b"\n")


def printable(text: str, *, limit: int | None = MAX_TEXT) -> str:
    r"""Return *text* with everything unprintable as in a Python literal (``\x1b``, ``\u202e``).

    JSON escapes the control characters of ASCII, and leaves those of Unicode (C1, which some
    terminals obey, and the marks that turn the direction of writing) as they are.
    """
    if limit is not None and len(text) > limit:
        text = text[:limit] + "..."
    if text.isprintable():
        return text
    return text.encode("unicode_escape").decode("ascii")
