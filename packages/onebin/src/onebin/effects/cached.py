"""A cache that makes no step which takes minutes."""

from collections.abc import Container
from pathlib import Path
from typing import TypeVar

from onebin.errors import OnebinError

from .context import Context, Step
from .store import Store

T = TypeVar("T")


class NotCachedError(OnebinError):
    """A step would have to be made; ``str()`` of it is the step's kind."""


class ReadStore(Store):
    """The cache at *root*, which makes steps of the kinds *made* alone."""

    def __init__(self, root: Path, made: Container[str]) -> None:
        super().__init__(root)
        self._made = made

    def build(self, step: Step[T], ctx: Context) -> T:
        """Return the result of *step*, from the cache unless it is of a kind that is made.

        Raises:
            NotCachedError: it is not there.
        """
        if step.kind not in self._made and not self.has(step):
            raise NotCachedError(step.kind)
        return super().build(step, ctx)
