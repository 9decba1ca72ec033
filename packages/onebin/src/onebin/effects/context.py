"""The effects a step of a build may have, and the shape of such a step."""

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

    def make(self, folder: Path, ctx: "Context") -> None:
        """Fill the empty *folder*."""
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
        return self.store.build(step, lambda folder: step.make(folder, self))
