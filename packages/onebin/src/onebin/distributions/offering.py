"""The best offer for one distribution, by the files that the index has of it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal

import msgspec

from onebin.effects import index, unpack
from onebin.effects.context import Context
from onebin.effects.index import IndexFile
from onebin.effects.wheel_tags import has_programs, is_compiled
from onebin.model import Machine, Obstacle, Offer, Pin

from . import captured
from .captured import Captured
from .pure import Pure

CACHE_VERSION: Final = 15
"""Raised when a provider's offer changes for the same files: part of the key."""

PURE: Final = Pure()
SOURCE: Final = Captured()

Form = Literal["as pip installs it", "from source", "pure"]
"""The form a project wants: pip's, ``tool.onebin.from-source``, ``tool.onebin.pure``."""


class ObstacleError(Exception):
    """A distribution that cannot come in."""

    def __init__(self, obstacle: Obstacle) -> None:
        super().__init__(obstacle.reason)
        self.obstacle = obstacle


class Found(msgspec.Struct, frozen=True):
    """The best offer by the files of an index, and a wheel for where it cannot be built."""

    offer: Offer
    instead: Offer | None = None


class Decided(msgspec.Struct, frozen=True):
    """One of the two: what the files of a lock's hashes offer, now and later."""

    found: Found | None = None
    obstacle: Obstacle | None = None


UNLOCKED: Final = "the lock has no hash of its source distribution (write it again: onebin lock)"

PROGRAMS: Final = "its wheels bring programs, or shared libraries that its code loads itself"

UNSHIPPED: Final = "the index has no source distribution of it"


class OfferStep(msgspec.Struct, frozen=True):
    """Step: the best offer for a pin; its hashes name the same files for ever."""

    pin: Pin
    form: Form
    python: str
    """``3.13``."""
    machine: Machine
    kind = "decided"

    def key(self) -> tuple[object, ...]:
        """Return the pin, and how it is wanted."""
        return CACHE_VERSION, self.pin, self.form, self.python, self.machine

    def make(self, folder: Path, ctx: Context) -> None:
        """List the index's files and take the best offer."""
        ctx.progress.report(f"{self.pin}: reading the index")
        with ctx.store.scratch() as scratch:
            every = index.files(self.pin, scratch, python=self.python, run=ctx.run)
        self.decide(every, folder, ctx)

    def decide(self, every: Sequence[IndexFile], folder: Path, ctx: Context) -> None:
        """Take the best offer of *every* file that the index has."""
        files = index.locked(self.pin, every)
        try:
            decided = Decided(self._best(files, every, ctx))
        except ObstacleError as exc:
            if not files or not all(file.sha256 for file in files):
                raise  # without hashes other files may come
            decided = Decided(obstacle=exc.obstacle)
        (folder / "offer.json").write_bytes(msgspec.json.encode(decided))

    def _best(self, files: Sequence[IndexFile], every: Sequence[IndexFile], ctx: Context) -> Found:
        # Not of the lock alone: it has the hash of the very file that is used.
        compiled = any(is_compiled(file.name, self.python, self.machine) for file in every)
        hashes = {file.name: file.sha256 for file in files}
        pure, source = (
            msgspec.structs.replace(found, has_compiled=compiled, sha256=hashes[found.file])
            if isinstance(found, Offer)
            else found
            for found in (one.offer(self.pin, files, self.python) for one in (PURE, SOURCE))
        )
        is_open = self.form == "as pip installs it"
        program = next((x.name for x in every if has_programs(x.name, self.machine)), "")
        has_other = isinstance(pure, Offer) or isinstance(source, Offer)
        if program and is_open and has_other and not compiled and self._is_code_alone(ctx):
            program = ""
        if isinstance(pure, Offer) and is_open and program and not compiled:
            return Found(
                msgspec.structs.replace(pure, has_compiled=True, lacks=f"{PROGRAMS} ({program})")
            )
        if isinstance(pure, Offer) and (self.form == "pure" or (is_open and not compiled)):
            return Found(pure)
        if is_open and has_other and not compiled and program:
            raise ObstacleError(self._no_modules(program))
        if isinstance(source, Offer):
            return Found(source, pure if is_open and isinstance(pure, Offer) else None)
        if isinstance(pure, Offer) and is_open:
            has_source = any(file.name.endswith(captured.TARBALL) for file in every)
            return Found(msgspec.structs.replace(pure, lacks=UNLOCKED if has_source else UNSHIPPED))
        raise ObstacleError(source)

    def _is_code_alone(self, ctx: Context) -> bool:
        """Whether the wheel for this platform has no machine code: others of the version have."""
        with ctx.store.scratch() as scratch:
            # It is read here, not used: the lock may lack its hash.
            pin = msgspec.structs.replace(self.pin, hashes=())
            wheel = index.download_for_platform(
                pin, scratch, python=self.python, machine=self.machine, run=ctx.run
            )
            return wheel is not None and not unpack.has_machine_code(wheel)

    def _no_modules(self, file: str) -> Obstacle:
        return Obstacle(
            self.pin,
            f"{self.pin}: {PROGRAMS} ({file})",
            hint="a static executable has no loader, and files inside it cannot be started: "
            "choose another package; or try its source distribution, "
            f'tool.onebin.from-source = ["{self.pin.name}"]',
        )

    def load(self, folder: Path) -> Decided:
        """Return it."""
        return msgspec.json.decode((folder / "offer.json").read_bytes(), type=Decided)
