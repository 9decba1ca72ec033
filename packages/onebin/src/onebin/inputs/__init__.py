"""What to build: a module for each kind of input, each of which gives a ``Project``."""

from pathlib import Path
from typing import Final, Protocol

from onebin.model import Project

from .directory import Directory


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

    def __call__(self, where: Path, /) -> Input:
        """Return the input at *where*."""
        ...


INPUTS: Final[tuple[InputKind, ...]] = (Directory,)
"""The first kind that reads a path decides; the last one reads any, to report the fault."""


def find(where: Path) -> Input:
    """Return the input at *where*."""
    return next(kind for kind in INPUTS if kind.reads(where))(where)
