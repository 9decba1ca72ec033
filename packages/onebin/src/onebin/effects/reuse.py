"""Steps under another build lock: a lock that grows repeats none of them.

Such a step uses some pins of the lock, known once it has run. Its result is noted by those, below
its other inputs, as ccache's manifests note the files that a compiler read.
"""

import hashlib
from collections.abc import Callable, Iterable
from typing import Protocol, TypeVar

import msgspec

from onebin.model import Pin

from .atomic import replace_atomically
from .context import Context, Step
from .store import key_of

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class PinnedStep(Step[T_co], Protocol[T_co]):
    """A step that uses some of ``build_pins``."""

    @property
    def build_pins(self) -> tuple[Pin, ...]:
        """The pins of the build lock."""
        ...

    def without_pins(self) -> Step[T_co]:
        """Return the step without that lock."""
        ...


class Use(msgspec.Struct, frozen=True):
    """A result in the cache."""

    key: str
    pins: tuple[Pin, ...]
    """Of the build requirements that made it."""

    def fits(self, build_pins: Iterable[Pin]) -> bool:
        """Whether a step with *build_pins* would use the same: each of them, none like it."""
        locked = tuple(build_pins)
        return all([pin] == [it for it in locked if it.name == pin.name] for pin in self.pins)


def build(step: PinnedStep[T], ctx: Context, used: Callable[[T], Iterable[Pin]]) -> T:
    """Return the result of *step*, or an earlier result to which its lock leads as well.

    *used* returns the pins that made a result, those that the index chose among them.

    Raises:
        ProjectError, ToolError: as the step's ``make``.
    """
    if (kept := ctx.store.get(step)) is not None:
        return kept
    uses = ctx.store.shared("build-uses") / key_of(*step.without_pins().key())
    for file in sorted(uses.glob("*.json")):
        use = msgspec.json.decode(file.read_bytes(), type=Use)
        if use.fits(step.build_pins) and (folder := ctx.store.find(step.kind, use.key)):
            return step.load(folder)
    made = ctx.build(step)
    data = msgspec.json.encode(Use(key_of(*step.key()), tuple(used(made))))
    uses.mkdir(exist_ok=True)
    with replace_atomically(uses / f"{hashlib.sha256(data).hexdigest()[:24]}.json") as new_file:
        new_file.write_bytes(data)
    return made
