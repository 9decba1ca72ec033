"""The effects a step of a build may have, and the shape of such a step."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol, TypeVar

import msgspec

from .process import RunCommand
from .progress import Progress
from .store import Kept, Store

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Step(Kept[T_co], Protocol[T_co]):
    """A result that is kept, and how it is made: a frozen value whose fields are its inputs.

    A test calls ``make`` alone, in an empty folder; ``Context.build`` adds the cache.
    """

    def make(self, folder: Path, ctx: "Context") -> T_co | None:
        """Fill the empty *folder*; return what ``load`` would, if it is at hand."""
        ...


class Context(msgspec.Struct, frozen=True):
    """Programs, cache and progress: all that a step may reach beyond its own fields."""

    run: RunCommand
    store: Store
    progress: Progress
    is_offline: bool = False
    """Whether nothing is fetched: what neither the cache nor a folder of wheels has is missing."""

    def build(self, step: Step[T]) -> T:
        """Return the result of *step*, from the cache where it is there."""
        return self.store.build(step, self._maker(step))

    def put(self, steps: Iterable[Step[T]]) -> list[T]:
        """Return the results of *steps*, which take no time to make."""
        return self.store.put((step, self._maker(step)) for step in steps)

    def _maker(self, step: Step[T]) -> Callable[[Path], T | None]:
        return lambda folder: step.make(folder, self)
