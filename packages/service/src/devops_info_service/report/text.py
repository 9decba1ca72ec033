"""All of a report as text, what matters most first, what decides the exit status last.

Last, as that is what stands above the next prompt and at the end of a job's log.
"""

from devops_info_service.expectations.conformance import Conformance
from devops_info_service.snapshot import PlatformSnapshot

from .expected import expected
from .layout import WIDTH, Section, render
from .scorecard import Standard, conclusion, scorecard
from .sections import DETAILS, section


def report(
    look: PlatformSnapshot,
    profile: Standard | None = None,
    conformance: Conformance | None = None,
    *,
    width: int | None = None,
    colour: bool = False,
) -> str:
    """Return the lines; *width* in columns, if somebody knows it."""
    sections = [
        Section(f"Platform report of {look.taken_at}", ()),
        section(look, "granted"),
        section(look, "identity"),
        *scorecard(look.security),
        *(section(look, name) for name in DETAILS),
    ]
    if profile is not None:
        sections.append(conclusion(look.security, profile))
    if conformance is not None:
        sections.append(expected(conformance))
    return render(sections, width=width or WIDTH, colour=colour)
