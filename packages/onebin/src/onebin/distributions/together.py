"""The index, read for many distributions by one run of pip, which takes as long as five runs.

Each finding is kept as the distribution's own step keeps it; a failure is left to that step.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from onebin.effects import index
from onebin.effects.context import Context
from onebin.effects.index import IndexFile, UnreachableError
from onebin.errors import ProjectError, ToolError
from onebin.model import Distribution

from . import install
from .offering import PURE, Decided, ObstacleError, OfferStep
from .pure import PureWheel

FEWEST: Final = 2
"""Distributions that are worth it."""


class ListedOffer(msgspec.Struct, frozen=True):
    """Step: an offer, of files that are listed already."""

    step: OfferStep
    every: tuple[IndexFile, ...]
    kind = "decided"

    def key(self) -> tuple[object, ...]:
        """Return the offer's own key."""
        return self.step.key()

    def make(self, folder: Path, ctx: Context) -> None:
        """Take the best offer."""
        self.step.decide(self.every, folder, ctx)

    def load(self, folder: Path) -> Decided:
        """Return it."""
        return self.step.load(folder)


class DownloadedWheel(msgspec.Struct, frozen=True):
    """Step: a wheel that is downloaded already."""

    step: PureWheel
    wheel: Path
    kind = "distribution"

    def key(self) -> tuple[object, ...]:
        """Return the wheel's own key."""
        return self.step.key()

    def make(self, folder: Path, _: Context) -> None:
        """Unpack it."""
        install.wheel(self.step.pin, self.wheel, folder)

    def load(self, folder: Path) -> Distribution:
        """Return the distribution."""
        return self.step.load(folder)


def read(steps: Sequence[OfferStep], ctx: Context) -> None:
    """Read the index for those of *steps* that the cache lacks; fetch the wheels they offer.

    Raises:
        UnreachableError: the index cannot be reached.
    """
    try:
        _list([step for step in steps if not ctx.store.has(step)], ctx)
        _fetch([step for step in steps if step.pin.hashes and _is_pure(step, ctx)], ctx)
    except UnreachableError:
        raise
    except (ToolError, ProjectError):
        return  # Of one of them; its own step raises it again.


def _list(steps: Sequence[OfferStep], ctx: Context) -> None:
    if len(steps) < FEWEST:
        return
    ctx.progress.report(f"reading the index for {len(steps)} distributions")
    with ctx.store.scratch() as scratch:
        pins = [step.pin for step in steps]
        found = index.files_of(pins, scratch, python=steps[0].python, run=ctx.run)
    for step in steps:
        try:
            ctx.build(ListedOffer(step, found[step.pin]))
        except ObstacleError:
            continue


def _is_pure(step: OfferStep, ctx: Context) -> bool:
    decided = ctx.store.get(step)
    return bool(decided and decided.found and decided.found.offer.provider == PURE.name)


def _fetch(offers: Sequence[OfferStep], ctx: Context) -> None:
    wheels = [PureWheel(step.pin, step.python) for step in offers]
    wheels = [step for step in wheels if not ctx.store.has(step)]
    if len(wheels) < FEWEST:
        return
    ctx.progress.report(f"fetching {len(wheels)} wheels")
    with ctx.store.scratch() as scratch:
        pins = [step.pin for step in wheels]
        found = index.download_wheels(pins, scratch, python=wheels[0].python, run=ctx.run)
        for step in wheels:
            if wheel := found.get(step.pin):
                ctx.build(DownloadedWheel(step, wheel))
