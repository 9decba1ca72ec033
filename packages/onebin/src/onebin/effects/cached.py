"""A cache that makes no step which takes minutes."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

from onebin.errors import OnebinError

from .store import Kept, Store

T = TypeVar("T")


class NotCachedError(OnebinError):
    """A step would have to be made; ``str()`` of it is the step's kind."""


class ReadStore(Store):
    """The cache at *root*, which makes those steps alone that *makes* accepts."""

    def __init__(self, root: Path, makes: Callable[[Kept[object]], bool]) -> None:
        super().__init__(root)
        self._makes = makes

    def build(self, kept: Kept[T], make: Callable[[Path], T | None]) -> T:
        """Return *kept*'s result, from the cache unless it may be made.

        Raises:
            NotCachedError: it is not there.
        """
        self._require(kept)
        return super().build(kept, make)

    def put(self, made: Iterable[tuple[Kept[T], Callable[[Path], T | None]]]) -> list[T]:
        """Return the results of *made*, each from the cache unless it may be made.

        Raises:
            NotCachedError: one is not there.
        """
        made = list(made)
        for kept, _ in made:
            self._require(kept)
        return super().put(made)

    def _require(self, kept: Kept[object]) -> None:
        if not self._makes(kept) and not self.has(kept):
            raise NotCachedError(kept.kind)
