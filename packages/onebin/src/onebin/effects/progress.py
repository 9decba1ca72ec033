"""The progress of a build on stderr: one line per stage, a bar where it takes long."""

import io
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, Protocol, TextIO

from onebin import secret
from onebin.effects.streams import write_notice

BAR_WIDTH: Final = 24
REDRAW_SECONDS: Final = 0.1
"""Often enough to seem alive, seldom enough to cost nothing."""
REPORT_SECONDS: Final = 10
"""Between lines of a long stage without a terminal."""
_CLEAR: Final = "\r\x1b[K"


class ReportProgress(Protocol):
    """Report what a stage is doing; *total* above 0 makes it a progress bar."""

    def __call__(self, text: str, *, done: int = 0, total: int = 0) -> None: ...  # noqa: D102


class StageResult:
    """The text behind a stage's seconds."""

    summary = ""


class Progress:
    """Report a build to *stream*.

    On a terminal the current stage has a live line; elsewhere each stage is one line when
    it ends, and a long one reports every ten seconds.
    """

    def __init__(
        self,
        stream: TextIO,
        *,
        terminal: bool,
        color: bool,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stream, self._terminal, self._color, self._clock = stream, terminal, color, clock
        self._drawn = self._reported = 0.0
        self._stage = ""

    @classmethod
    def silent(cls) -> "Progress":
        """Return a progress without output."""
        return cls(io.StringIO(), terminal=False, color=False)

    @contextmanager
    def stage(self, name: str) -> Iterator[StageResult]:
        """Report one stage: its name now, its seconds and its result when it ends."""
        self._stage, began = name, self._clock()
        self._reported = began
        result = StageResult()
        self.report("")
        try:
            yield result
        except BaseException:
            self._clear()
            raise
        seconds = self._clock() - began
        self._clear()
        mark = self._paint("32", "✓") if self._terminal else " "
        summary = secret.hidden(result.summary)
        self._line(f"{mark} {name:<13}{seconds:7.2f} s  {summary}".rstrip())

    def report(self, text: str, *, done: int = 0, total: int = 0) -> None:
        """Report what the current stage is doing (a ``ReportProgress``)."""
        now = self._clock()
        if self._terminal:
            if now - self._drawn >= REDRAW_SECONDS or not text:
                self._drawn = now
                bar = f" {self._bar(done, total)}" if total else ""
                line = f"  {self._stage:<13} {bar} {secret.hidden(text)[:60]}"
                write_notice(self._stream, f"{_CLEAR}{line}")
        elif text and now - self._reported >= REPORT_SECONDS:
            self._reported = now
            share = f" {100 * done // total} %" if total else ""
            self._line(f"  {self._stage:<13} {secret.hidden(text)}{share}")

    def warn(self, text: str) -> None:
        """Print a warning; the build goes on."""
        self._clear()
        self._line(f"{self._paint('33', 'warning:')} {secret.hidden(text)}")

    def _bar(self, done: int, total: int) -> str:
        full = BAR_WIDTH * done // total
        return f"[{'█' * full}{'·' * (BAR_WIDTH - full)}] {100 * done // total:3d} %"

    def _paint(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._color else text

    def _clear(self) -> None:
        if self._terminal:
            write_notice(self._stream, _CLEAR)

    def _line(self, text: str) -> None:
        write_notice(self._stream, text + "\n")
