"""Facts of the target for a build back end that runs here and compiles for another processor.

Source: CPython's Lib/sysconfig, whose variables for cross builds are these.
"""

import shutil
from pathlib import Path
from typing import Final

from onebin.model import Interpreter, Machine, Obstacle, Pin, Plan

from .source_facts import SourceFacts

HOOK: Final = Path(__file__).parent.parent / "target" / "other_machine.py"
"""Runs a program of Python that sees the target's processor."""

RUNS_CODE: Final = ("meson", "meson-python")
"""Build requirements that run a compiled program first, unless a file of theirs describes the
target."""

HINT: Final = (
    "it does for the build machine, so it may run compiled programs: build it on a machine of the "
    "target's kind, or "
)
"""Before other ways out of a build that failed, since the one for the build machine did not."""


def environment(interpreter: Interpreter, machine: Machine, folder: Path) -> dict[str, str]:
    """Return variables by which *interpreter* states how the target's CPython was built.

    The new *folder* is the first it imports from.
    """
    folder.mkdir()
    for data in interpreter.stdlib.glob("_sysconfigdata_*.py"):
        shutil.copy(data, folder)
    return {"_PYTHON_HOST_PLATFORM": f"linux-{machine}"}


def obstacle(pin: Pin, facts: SourceFacts, plan: Plan) -> Obstacle | None:
    """Return why *pin* cannot be built for the target of *plan* although it can be here."""
    # A build requirement is built for this machine.
    of_tools = {used for tool in facts.build_sources for used in tool.build_requires}
    used = [
        item.name
        for item in facts.build_requires
        if item.name in RUNS_CODE and item not in of_tools
    ]
    if not plan.is_cross or not used:
        return None
    return Obstacle(
        pin,
        f"{pin}: its build runs compiled programs ({used[0]}), so it is compiled for the "
        f"build machine alone: {plan.build_machine}; the target is {plan.machine}",
        hint=f"build it on a machine of that kind, or accept that it may be slower, if it has a "
        f'pure-Python wheel: tool.onebin.pure = ["{pin.name}"]',
    )
