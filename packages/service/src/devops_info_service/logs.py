"""Structured logs: one JSON object a line, one line an event, one write a line.

Text from outside is escaped: it can neither break a line nor steer the terminal that shows it.
A log never stops the service: writing a line does not wait (``output``) and does not raise.
"""

import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec

from .escape import printable
from .faults import describe
from .output import LineWriter, Send

MAX_TEXT: Final = 512
"""Characters of a value: with what escaping adds, a line of a few values stays below the
4 KiB that a pipe takes in one piece, so lines of several processes do not mix."""

MAX_LINE_BYTES: Final = 4096
"""``PIPE_BUF`` (pipe(7)), for a line with a traceback: its outermost frames are left out."""

STDOUT: Final = 1

Value = str | int | float | bool | None | Sequence[object] | Mapping[str, object]
"""A value of a field. Text within a sequence or a mapping is printable already."""


class Log:
    """Writes events."""

    def __init__(
        self,
        write: Callable[[bytes], object],
        clock: Callable[[], float] = time.time,
        context: Mapping[str, Value] | None = None,
    ) -> None:
        self._write = write
        self._clock = clock
        self._context = context or {}
        self._encode = msgspec.json.Encoder().encode

    def info(self, event: str, **fields: Value) -> None:
        """Log an event of normal operation."""
        self._line("info", event, fields)

    def error(self, event: str, *, exc: BaseException | None = None, **fields: Value) -> None:
        """Log an event that an operator is to act on; *exc* adds its traceback."""
        if exc is not None:
            fields["traceback"] = [printable(line) for line in describe(exc)]
        self._line("error", event, fields)

    def _line(self, level: str, event: str, fields: dict[str, Value]) -> None:
        # An error of the log itself has no place to be reported.
        with contextlib.suppress(Exception):
            self._write(self.line(level, event, fields))

    def line(self, level: str, event: str, fields: Mapping[str, Value]) -> bytes:
        """Return the line for *event*."""
        now = self._clock()
        second = int(now)
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
        line: dict[str, Value] = {
            "time": f"{moment}.{int((now - second) * 1000):03}Z",
            "level": level,
            "event": event,
            **self._context,
        }
        for name, value in fields.items():
            line[name] = printable(value, MAX_TEXT) if isinstance(value, str) else value
        encoded = self._encode(line) + b"\n"
        traceback = fields.get("traceback")
        if len(encoded) > MAX_LINE_BYTES and isinstance(traceback, list):
            excess = len(encoded) - MAX_LINE_BYTES
            encoded = self._encode(line | {"traceback": _shortened(traceback, excess)}) + b"\n"
        return encoded


def open_log(send: Send, context: Mapping[str, Value] | None = None) -> tuple[Log, LineWriter]:
    """Return a log, and the writer of its lines to *send*, for flushes and the count of drops.

    Each process has its own: waiting lines must not be written twice after a fork.
    """

    def notice(count: int) -> bytes:
        return log.line("error", "log_lines_dropped", {"count": count})

    writer = LineWriter(send, notice)
    log = Log(writer.write, context=context)
    return log, writer


def _shortened(traceback: list[str], excess: int) -> list[str]:
    """Leave out lines after the first, at least *excess* bytes; the last lines matter most."""
    kept = list(traceback)
    mark = "..."
    excess += len(mark) + 3
    while len(kept) > 2 and excess > 0:  # noqa: PLR2004  the first line and the last
        excess -= len(kept.pop(1).encode()) + 3
    return [kept[0], mark, *kept[1:]]
