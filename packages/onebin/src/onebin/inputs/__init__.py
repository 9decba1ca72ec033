"""What to build: a module for each kind of input, each of which gives a ``Project``."""

from pathlib import Path
from typing import Final, Protocol

from onebin.effects.context import Context
from onebin.model import Machine, Project

from .directory import Directory
from .from_index import FromIndex
from .given import Given
from .script import Script
from .wheel import Wheel

__all__ = ["INPUTS", "Directory", "Given", "Input", "InputKind", "find", "from_index"]


class Input(Protocol):
    """One thing that can be built."""

    def project(self, *, with_code: bool = True) -> Project:
        """Read it; without its code if only its dependencies matter.

        Raises:
            ProjectError: it is malformed.
        """
        ...


class InputKind(Protocol):
    """A class of inputs."""

    @staticmethod
    def reads(where: Path) -> bool:
        """Whether *where* is one."""
        ...

    def __call__(self, where: Path, given: Given, ctx: Context | None, /) -> Input:
        """Return the input at *where*."""
        ...


INPUTS: Final[tuple[InputKind, ...]] = (Wheel, Script, Directory)
"""The first kind that reads a path decides; the last one reads any, to report the fault."""


def find(where: Path, given: Given = Given(), ctx: Context | None = None) -> Input:  # noqa: B008
    """Return the input at *where*; without *ctx*, only a directory can be read."""
    return next(kind for kind in INPUTS if kind.reads(where))(where, given, ctx)


def from_index(text: str, machine: Machine, ctx: Context, given: Given = Given()) -> Input:  # noqa: B008
    """Return the input that the index has for the requirement *text*."""
    return FromIndex(text, machine, ctx, given)
