"""The progress of a build on stderr: one line per stage, a bar where it takes long."""

import io
import threading
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
TICK_SECONDS: Final = 1
"""Between repeats of a stage that reports nothing: two seconds without a sign seem a fault."""
_CLEAR: Final = "\r\x1b[K"


class ReportProgress(Protocol):
    """Report what a stage is doing; *total* above 0 makes it a progress bar."""

    def __call__(self, text: str, *, done: int = 0, total: int = 0) -> None: ...  # noqa: D102


class StageResult:
    """The text behind a stage's seconds."""

    summary = ""


class _Stage:
    """A stage that runs: its name, when it began, and the last that it reported."""

    def __init__(self, name: str, began: float) -> None:
        self.name, self.began = name, began
        self.text, self.share, self.total = "", 0, 0


class Progress:
    """Report a build to *stream*.

    On a terminal the current stage has a live line; elsewhere each stage is one line when
    it ends, and a long one reports every ten seconds. *timed* repeats what a stage reported
    last while it reports nothing: one download or one compilation can take minutes.
    """

    def __init__(
        self,
        stream: TextIO,
        *,
        terminal: bool,
        color: bool,
        timed: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stream, self._terminal, self._color, self._clock = stream, terminal, color, clock
        self._timed = timed
        self._drawn = self._reported = 0.0
        self._stages: list[_Stage] = []
        self._lock = threading.RLock()
        self.warnings: list[str] = []
        """Those that were printed."""

    @classmethod
    def silent(cls) -> "Progress":
        """Return a progress without output."""
        return cls(io.StringIO(), terminal=False, color=False)

    @contextmanager
    def stage(self, name: str) -> Iterator[StageResult]:
        """Report one stage: its name now, its seconds and its result when it ends.

        A stage inside another one is reported as its own; the outer one goes on after it.
        """
        stage, result = _Stage(name, self._clock()), StageResult()
        ended = self._start(stage)
        try:
            try:
                yield result
            finally:
                self._stages.remove(stage)
                ended()
        except BaseException:
            self._clear()
            raise
        self.ended(name, self._clock() - stage.began, result.summary)

    def ended(self, name: str, seconds: float, summary: str) -> None:
        """Print the line of a stage that has ended."""
        mark = self._paint("32", "✓") if self._terminal else " "
        with self._lock:
            self._clear()
            self._line(f"{mark} {name:<13}{seconds:7.2f} s  {secret.hidden(summary)}".rstrip())

    def report(self, text: str, *, done: int = 0, total: int = 0) -> None:
        """Report what the current stage is doing (a ``ReportProgress``)."""
        with self._lock:
            if not self._stages:
                return
            stage = self._stages[-1]
            stage.text, stage.share, stage.total = text, done, total
            now = self._clock()
            if self._terminal:
                if now - self._drawn >= REDRAW_SECONDS:
                    self._draw(stage, now)
            elif text and now - self._reported >= REPORT_SECONDS:
                self._log(stage, now)

    def tick(self) -> None:
        """Repeat the current stage's last report if nothing was shown for a while."""
        with self._lock:
            if not self._stages:
                return
            stage, now = self._stages[-1], self._clock()
            if self._terminal:
                self._draw(stage, now)
            elif now - self._reported >= REPORT_SECONDS:
                self._log(stage, now)

    def _start(self, stage: _Stage) -> Callable[[], None]:
        """Show *stage* and repeat it in a thread; return what ends that."""
        with self._lock:
            is_first = not self._stages
            self._stages.append(stage)
            self._reported = stage.began
            if self._terminal:
                self._draw(stage, stage.began)
        if not (self._timed and is_first):
            return lambda: None
        stop = threading.Event()

        def repeat() -> None:
            while not stop.wait(TICK_SECONDS):
                self.tick()

        thread = threading.Thread(target=repeat, name="progress", daemon=True)
        thread.start()

        def end() -> None:
            stop.set()
            thread.join()

        return end

    def _draw(self, stage: _Stage, now: float) -> None:
        self._drawn = now
        bar = f" {self._bar(stage.share, stage.total)}" if stage.total else ""
        seconds = f"{now - stage.began:7.0f} s " if now - stage.began >= TICK_SECONDS else ""
        line = f"  {stage.name:<13}{seconds}{bar} {secret.hidden(stage.text)[:60]}"
        write_notice(self._stream, f"{_CLEAR}{line.rstrip()}")

    def _log(self, stage: _Stage, now: float) -> None:
        self._reported = now
        share = f" {100 * stage.share // stage.total} %" if stage.total else ""
        text = f"{secret.hidden(stage.text)}{share}"
        self._line(f"  {stage.name:<13}{now - stage.began:7.0f} s  {text}".rstrip() + " …")

    def warn(self, text: str) -> None:
        """Print a warning; the build goes on."""
        with self._lock:
            self.warnings.append(text)
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
