"""What the user sees while a build goes on: a line a stage on stderr, a bar where it takes long."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, Protocol, TextIO

from onebin import secret

BAR_WIDTH: Final = 24
REDRAW_SECONDS: Final = 0.1
"""Often enough to look alive, seldom enough to cost nothing."""


class Tell(Protocol):
    """Say what is going on inside a stage; *total* above 0 makes it a progress bar."""

    def __call__(self, text: str, *, done: int = 0, total: int = 0) -> None:
        """Say it."""
        ...


class Story:
    """Tell the story of a build to *stream*.

    On a terminal the current stage has a live line; elsewhere each stage is one line when
    it ends, and a long one says every ten seconds how far it is.
    """

    def __init__(
        self,
        stream: TextIO,
        *,
        terminal: bool,
        colour: bool,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stream, self._terminal, self._colour, self._clock = stream, terminal, colour, clock
        self._drawn = self._said = 0.0
        self._stage = ""

    @contextmanager
    def stage(self, name: str) -> Iterator["Ending"]:
        """Tell one stage: its name now, and its seconds and result when it ends."""
        self._stage, began = name, self._clock()
        self._said = began
        ending = Ending()
        self.tell("")
        try:
            yield ending
        except BaseException:
            self._clear()
            raise
        seconds = self._clock() - began
        self._clear()
        mark = self._paint("32", "✓") if self._terminal else " "
        text = secret.hidden(ending.text)
        self._line(f"{mark} {name:<11}{seconds:7.2f} s  {text}".rstrip())

    def tell(self, text: str, *, done: int = 0, total: int = 0) -> None:
        """Say what the current stage is at (a ``Tell``)."""
        now = self._clock()
        if self._terminal:
            if now - self._drawn >= REDRAW_SECONDS or not text:
                self._drawn = now
                bar = f" {self._bar(done, total)}" if total else ""
                self._stream.write(f"\r\x1b[K  {self._stage:<11}{bar} {secret.hidden(text)[:60]}")
                self._stream.flush()
        elif text and now - self._said >= 10:  # noqa: PLR2004  (seconds, as the class says)
            self._said = now
            share = f" {100 * done // total} %" if total else ""
            self._line(f"  {self._stage:<11}{secret.hidden(text)}{share}")

    def warn(self, text: str) -> None:
        """Say something the user should know, although the build goes on."""
        self._clear()
        self._line(f"{self._paint('33', 'warning:')} {secret.hidden(text)}")

    def _bar(self, done: int, total: int) -> str:
        full = BAR_WIDTH * done // total
        return f"[{'█' * full}{'·' * (BAR_WIDTH - full)}] {100 * done // total:3d} %"

    def _paint(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._colour else text

    def _clear(self) -> None:
        if self._terminal:
            self._stream.write("\r\x1b[K")

    def _line(self, text: str) -> None:
        self._stream.write(text + "\n")
        self._stream.flush()


class Ending:
    """What a stage's line says behind its seconds."""

    text = ""
