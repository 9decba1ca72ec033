"""The effects a step of a build may have, and the shape of such a step."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

import msgspec

from .process import RunCommand
from .progress import Progress

if TYPE_CHECKING:
    from .store import Store

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Step(Protocol[T_co]):
    """One result that is made once and kept: a frozen value whose fields are its inputs.

    A test calls ``make`` alone, in an empty folder; ``Store.build`` adds the cache.
    """

    @property
    def kind(self) -> str:
        """The folder of the cache that holds such results."""
        ...

    def key(self) -> Sequence[object]:
        """Everything the result depends on: values JSON can hold, and msgspec structs.

        A test changes each input of each step and expects another key.
        """
        ...

    def make(self, folder: Path, ctx: "Context") -> None:
        """Fill the empty *folder*."""
        ...

    def load(self, folder: Path) -> T_co:
        """Return what ``make`` left in *folder*."""
        ...


class Context(msgspec.Struct, frozen=True):
    """Programs, cache and progress: all that a step may reach beyond its own fields."""

    run: RunCommand
    store: "Store"
    progress: Progress
    is_offline: bool = False
    """Whether nothing is fetched: what neither the cache nor a folder of wheels has is missing."""

    def build(self, step: Step[T]) -> T:
        """Return the result of *step*, from the cache where it is there."""
        return self.store.build(step, self)
