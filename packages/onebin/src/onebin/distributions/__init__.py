"""How a pinned distribution becomes part of an executable: a provider for each kind of file.

At plan time a provider returns an ``Offer`` for the files of an index, or an ``Obstacle``; at build
time it gives the step for its offer.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, Protocol

import msgspec
from packaging.utils import canonicalize_name

from onebin.effects import index
from onebin.effects.context import Context, Step
from onebin.effects.index import IndexFile
from onebin.errors import ProjectError
from onebin.model import CPython, Distribution, Machine, Obstacle, Offer, Pin, Plan, Toolchain

from . import captured
from .captured import Captured
from .pure import Pure, is_compiled

CACHE_VERSION: Final = 3
"""Raised when a provider's offer changes for the same files: part of the key."""


class Provider(Protocol):
    """One kind of file, and how it comes in."""

    @property
    def name(self) -> str:
        """The name that its offers have."""
        ...

    def offer(self, pin: Pin, files: Sequence[IndexFile], python: str) -> Offer | Obstacle:
        """Return an offer for *files*, all that the index has of *pin*, or an obstacle."""
        ...

    def step(
        self, offer: Offer, plan: Plan, python: CPython, toolchain: Toolchain
    ) -> Step[Distribution]:
        """Return the step for *offer*."""
        ...


PROVIDERS: Final[tuple[Provider, ...]] = (Pure(), Captured())
"""In order of preference; ``tool.onebin.from-source`` allows only the last."""


class _ObstacleError(Exception):
    def __init__(self, obstacle: Obstacle) -> None:
        super().__init__(obstacle.reason)
        self.obstacle = obstacle


class OfferStep(msgspec.Struct, frozen=True):
    """Step: the best offer for a pin; its hashes name the same files for ever."""

    pin: Pin
    from_source: bool
    python: str
    """``3.13``."""
    machine: Machine
    kind = "offers"

    def key(self) -> tuple[object, ...]:
        """Return the pin, and how it is wanted."""
        return CACHE_VERSION, self.pin, self.from_source, self.python, self.machine

    def make(self, folder: Path, ctx: Context) -> None:
        """List the index's files and take the best offer."""
        ctx.progress.report(f"{self.pin}: reading the index")
        with ctx.store.scratch() as scratch:
            every = index.files(self.pin, scratch, python=self.python, run=ctx.run)
        files = index.locked(self.pin, every)
        found = best(self.pin, files, from_source=self.from_source, python=self.python)
        if isinstance(found, Obstacle):
            raise _ObstacleError(found)
        # Not of the lock alone: it has the hash of the very file that is used.
        compiled = any(is_compiled(file.name, self.python, self.machine) for file in every)
        found = msgspec.structs.replace(found, has_compiled=compiled)
        (folder / "offer.json").write_bytes(msgspec.json.encode(found))

    def load(self, folder: Path) -> Offer:
        """Return it."""
        return msgspec.json.decode((folder / "offer.json").read_bytes(), type=Offer)


class BuildRequires(msgspec.Struct, frozen=True):
    """Step: the build requirements of a source distribution.

    Not part of its offer, since they depend on the build lock: that may grow with each build.
    """

    pin: Pin
    python: str
    machine: Machine
    build_pins: tuple[Pin, ...]
    may_be_unpinned: bool
    """As in ``captured.CapturedBuild``."""
    kind = "build-requires"

    def key(self) -> tuple[object, ...]:
        """Return the pin, the target, and the pins that may be used."""
        return (
            CACHE_VERSION, self.pin, self.python, self.machine, self.build_pins,
            self.may_be_unpinned,
        )  # fmt: skip

    def make(self, folder: Path, ctx: Context) -> None:
        """Read its ``pyproject.toml``; none of its code runs."""
        ctx.progress.report(f"{self.pin}: reading its build requirements")
        found = captured.build_requires(
            self.pin, self.build_pins, may_be_unpinned=self.may_be_unpinned, python=self.python,
            machine=self.machine, ctx=ctx,
        )  # fmt: skip
        if isinstance(found, Obstacle):
            raise _ObstacleError(found)
        (folder / "pins.json").write_bytes(msgspec.json.encode(found))

    def load(self, folder: Path) -> tuple[Pin, ...]:
        """Return them."""
        return msgspec.json.decode((folder / "pins.json").read_bytes(), type=tuple[Pin, ...])


def best(
    pin: Pin, files: Sequence[IndexFile], *, from_source: bool, python: str
) -> Offer | Obstacle:
    """Return the first offer for *files*, or the last provider's obstacle."""
    providers = PROVIDERS[-1:] if from_source else PROVIDERS
    found = [provider.offer(pin, files, python) for provider in providers]
    return next((item for item in found if isinstance(item, Offer)), found[-1])


def offers(plan: Plan, python: str, ctx: Context) -> tuple[Offer | Obstacle, ...]:
    """Return how each distribution of *plan* comes in, for Python *python* (``3.13``).

    Raises:
        ProjectError: ``tool.onebin.from-source`` names something that is not a dependency.
        ToolError: the index cannot be reached.
    """
    chosen = {canonicalize_name(name): name for name in plan.project.options.from_source}
    names = {pin.name for pin in plan.distributions}
    for canonical, name in chosen.items():
        if canonical not in names:
            raise ProjectError(
                f"tool.onebin.from-source: {name} is not among the dependencies",
                hint=f"known are {', '.join(sorted(names))}" if names else "there are none",
            )
    found: list[Offer | Obstacle] = []
    for n, pin in enumerate(plan.distributions):
        ctx.progress.report(str(pin), done=n, total=len(plan.distributions))
        try:
            offer = ctx.build(OfferStep(pin, pin.name in chosen, python, plan.machine))
            if offer.provider == Captured.name:
                step = BuildRequires(
                    pin, python, plan.machine, plan.build_pins, plan.may_be_unpinned
                )
                offer = msgspec.structs.replace(offer, build_requires=ctx.build(step))
            found.append(offer)
        except _ObstacleError as exc:
            found.append(exc.obstacle)
    return tuple(found)


def distributions(
    plan: Plan,
    wanted: Iterable[Offer | Obstacle],
    python: CPython,
    toolchain: Toolchain,
    ctx: Context,
) -> tuple[Distribution, ...]:
    """Make every distribution of *wanted* ready to be frozen and linked.

    Raises:
        ProjectError: one of them cannot be part of a static executable.
        ToolError: one does not build, or cannot be downloaded.
    """
    wanted = tuple(wanted)
    providers = {provider.name: provider for provider in PROVIDERS}
    made = []
    for n, item in enumerate(wanted):
        if isinstance(item, Obstacle):
            raise ProjectError(item.reason, hint=item.hint)
        ctx.progress.report(str(item.pin), done=n, total=len(wanted))
        found = ctx.build(providers[item.provider].step(item, plan, python, toolchain))
        if item.has_compiled and not found.extensions:
            ctx.progress.warn(f"{item.pin}: {_without_compiled_code(item)}")
        made.append(found)
    return tuple(made)


def _without_compiled_code(offer: Offer) -> str:
    """Return what an executable lacks that an environment made by pip has."""
    lack = "without the compiled code that pip would install"
    if offer.provider == Pure.name:
        return f"{lack}, so it may be slower; tool.onebin.from-source has it built"
    return f"{lack}: its build left that out, perhaps for want of a library"
