"""A distribution as its pure-Python wheel: unpacked, nothing of it runs."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from onebin.effects import index
from onebin.effects.context import Context
from onebin.effects.index import IndexFile
from onebin.effects.wheel_tags import is_pure
from onebin.errors import ProjectError
from onebin.model import (
    BuildTool,
    BuiltLibrary,
    CPython,
    Distribution,
    Obstacle,
    Offer,
    Pin,
    Plan,
    Toolchain,
)

from . import install, located

CACHE_VERSION: Final = 2
"""Raised when this module makes something else of the same wheel: part of the key."""


class Pure:
    """Provider: wheels that any implementation of Python can import."""

    name = "pure"

    def offer(self, pin: Pin, files: Sequence[IndexFile], python: str) -> Offer | Obstacle:
        """Offer the first wheel whose tags are those of pure Python."""
        for file in files:
            if is_pure(file.name, python):
                return Offer(pin, self.name, file.name)
        return Obstacle(pin, f"{pin}: no pure-Python wheel", hint="")

    def step(
        self, offer: Offer, _: Plan, python: CPython, __: Toolchain,
        ___: Sequence[BuiltLibrary], ____: Sequence[BuildTool],
    ) -> "PureWheel":  # fmt: skip
        """Return the step that fetches and unpacks it."""
        return PureWheel(offer.pin, python.interpreter.version)


class PureWheel(msgspec.Struct, frozen=True):
    """Step: the code of a pure-Python wheel."""

    pin: Pin
    python: str
    """``3.13``: which of several wheels fits."""
    kind = "distribution"

    def key(self) -> tuple[object, ...]:
        """Return the pin, whose hashes name the wheel."""
        return CACHE_VERSION, "pure", self.pin, self.python

    def make(self, folder: Path, ctx: Context) -> None:
        """Fetch the wheel and unpack it.

        Raises:
            ProjectError: the index no longer has it, or another file; or it has a shared object.
        """
        if self.pin.origin:
            install.wheel(self.pin, located.wheel(self.pin, self.python, ctx), folder)
            return
        with ctx.store.scratch() as scratch:
            wheel = index.download_wheel(self.pin, scratch, python=self.python, run=ctx.run)
            if wheel is None:
                raise ProjectError(f"{self.pin}: the index has no pure-Python wheel any more")
            install.wheel(self.pin, wheel, folder)

    def load(self, folder: Path) -> Distribution:
        """Return it."""
        return install.load(self.pin, folder)
