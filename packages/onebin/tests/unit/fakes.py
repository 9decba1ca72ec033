"""Contexts for steps: a cache in a folder, and programs that only note their calls."""

import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from onebin.effects.context import Context
from onebin.effects.process import RunCommand
from onebin.effects.progress import Progress
from onebin.effects.store import Store
from onebin.errors import ToolError
from onebin.pipeline import Tools

Act = Callable[[list[str], dict[str, Any]], bytes]


class Programs:
    """A ``RunCommand`` that notes each call; *act* does what the program would."""

    def __init__(self, act: Act | None = None, missing: str = "") -> None:
        self.calls: list[list[str]] = []
        self._act, self._missing = act, missing

    def __call__(self, argv: Sequence[str | Path], **options: Any) -> bytes:
        words = list(map(str, argv))
        if Path(words[0]).name == self._missing:
            raise ToolError(f"{self._missing}: no such program")
        self.calls.append(words)
        return self._act(words, options) if self._act else b""

    @property
    def names(self) -> list[str]:
        return [Path(words[0]).name for words in self.calls]


def context(
    cache: Path, run: RunCommand | None = None, stream: io.StringIO | None = None
) -> Context:
    progress = Progress(stream or io.StringIO(), terminal=False, color=False)
    return Context(run or Programs(), Store(cache), progress)


def tools(cache: Path, run: RunCommand, stream: io.StringIO | None = None) -> Tools:
    return Tools(context(cache, run, stream), "x86_64")
