"""Builds from source under another build lock: see ``effects.reuse``."""

import msgspec

from onebin.effects import reuse
from onebin.effects.context import Context
from onebin.model import Distribution

from .captured import CapturedBuild


def build(step: CapturedBuild, ctx: Context) -> Distribution:
    """Return the result of *step*, or an earlier result to which its lock leads as well.

    Raises:
        ProjectError, ToolError: as ``CapturedBuild.make``.
    """
    found = reuse.build(step, ctx, lambda made: made.requires)
    new = tuple(pin for pin in found.unpinned if pin not in step.build_pins)
    return msgspec.structs.replace(found, unpinned=new)
