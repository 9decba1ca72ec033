"""A plan as lines for a terminal."""

from collections.abc import Iterable

from .model import Pin, Plan
from .terminal import row


def plan(planned: Plan) -> str:
    """Return the plan as lines for a terminal, without a final line break."""
    project = planned.project
    start = ":".join(part for part in (project.entry.module, project.entry.function) if part)
    rows = (
        ("project", f"{project.name} {project.version}, in {project.root}"),
        ("starts", start),
        ("machine", planned.machine),
        ("compiler", planned.toolchain),
        ("python", f"CPython {planned.python.version} ({planned.python.origin})"),
        ("with", _pins(planned.distributions)),
        ("build tools", _build_tools(planned)),
    )
    return "\n".join(row(name, value) for name, value in rows)


def _build_tools(planned: Plan) -> str:
    pins = _pins(planned.build_pins)
    loose = planned.project.options.allow_unpinned_build_requirements
    return f"{pins}; others as the index has them, unpinned" if loose else pins


def _pins(pins: Iterable[Pin]) -> str:
    return ", ".join(f"{pin.name} {pin.version}" for pin in pins) or "none"
