"""A cache that makes no step which takes minutes."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from onebin.errors import OnebinError

from .context import Context, Step
from .store import Store

T = TypeVar("T")


class NotCachedError(OnebinError):
    """A step would have to be made; ``str()`` of it is the step's kind."""


class ReadStore(Store):
    """The cache at *root*, which makes those steps alone that *makes* accepts."""

    def __init__(self, root: Path, makes: Callable[[Step[object]], bool]) -> None:
        super().__init__(root)
        self._makes = makes

    def build(self, step: Step[T], ctx: Context) -> T:
        """Return the result of *step*, from the cache unless it may be made.

        Raises:
            NotCachedError: it is not there.
        """
        if not self._makes(step) and not self.has(step):
            raise NotCachedError(step.kind)
        return super().build(step, ctx)
