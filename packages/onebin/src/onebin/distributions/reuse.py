"""Builds from source under another build lock: a lock that grows repeats none of them.

A build uses some pins of the lock, known once it has run. Its result is noted by those, below
its other inputs, as ccache's manifests note the files that a compiler read.
"""

import hashlib

import msgspec

from onebin.effects.atomic import replace_atomically
from onebin.effects.context import Context
from onebin.effects.store import key_of
from onebin.model import Distribution, Pin

from .captured import CapturedBuild


class Use(msgspec.Struct, frozen=True):
    """A result in the cache."""

    key: str
    pins: tuple[Pin, ...]
    """Of the build requirements that made it."""

    def fits(self, step: CapturedBuild) -> bool:
        """Whether *step* would use the same pins: its lock has each, and no other of the name."""
        return all([pin] == [it for it in step.build_pins if it.name == pin.name]
                   for pin in self.pins)  # fmt: skip


def build(step: CapturedBuild, ctx: Context) -> Distribution:
    """Return the result of *step*, or an earlier result to which its lock leads as well.

    Raises:
        ProjectError, ToolError: as ``CapturedBuild.make``.
    """
    if (kept := ctx.store.get(step)) is not None:
        return kept
    bare = msgspec.structs.replace(step, build_pins=(), may_be_unpinned=False)
    uses = ctx.store.shared("build-uses") / key_of(*bare.key())
    for file in sorted(uses.glob("*.json")):
        use = msgspec.json.decode(file.read_bytes(), type=Use)
        if use.fits(step) and (folder := ctx.store.find(step.kind, use.key)):
            found = step.load(folder)
            new = tuple(pin for pin in found.unpinned if pin not in step.build_pins)
            return msgspec.structs.replace(found, unpinned=new)
    made = ctx.build(step)
    data = msgspec.json.encode(Use(made.key, made.requires))
    uses.mkdir(exist_ok=True)
    with replace_atomically(uses / f"{hashlib.sha256(data).hexdigest()[:24]}.json") as new_file:
        new_file.write_bytes(data)
    return made
