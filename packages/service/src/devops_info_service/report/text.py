"""All of a report as text, what matters most first, what decides the exit status last.

Last, as that is what stands above the next prompt and at the end of a job's log.
"""

from devops_info_service.expectations.conformance import Conformance
from devops_info_service.snapshot import Platform

from .details import confinement, filesystem, network, resources_in_full
from .expected import expected
from .granted import granted, who
from .layout import WIDTH, Section, render
from .scorecard import Standard, conclusion, scorecard


def report(
    look: Platform,
    profile: Standard | None = None,
    conformance: Conformance | None = None,
    *,
    width: int | None = None,
    colour: bool = False,
) -> str:
    """Return the lines; *width* in columns, if somebody knows it."""
    sections = [
        Section(f"Platform report of {look.taken_at}", ()),
        granted(look.resources),
        who(look.identity, look.security.process),
        *scorecard(look.security),
        confinement(look.security),
        resources_in_full(look.resources),
        network(look.network),
        filesystem(look.filesystem),
    ]
    if profile is not None:
        sections.append(conclusion(look.security, profile))
    if conformance is not None:
        sections.append(expected(conformance))
    return render(sections, width=width or WIDTH, colour=colour)
