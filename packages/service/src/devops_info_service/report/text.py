"""All of a report as text: limits first, the sections that decide the exit status last.

Last, as that is the text above the next prompt and at the end of a job's log.
"""

from devops_info_service.catalog.placement import is_machine
from devops_info_service.catalog.properties import rows
from devops_info_service.expectations.conformance import Conformance
from devops_info_service.snapshot import PlatformSnapshot

from .expected import expected
from .layout import WIDTH, Section, render
from .scorecard import Standard, conclusion, scorecard
from .sections import DETAILS, section


def report(
    snapshot: PlatformSnapshot,
    profile: Standard | None = None,
    conformance: Conformance | None = None,
    *,
    width: int | None = None,
    color: bool = False,
) -> str:
    """Return the lines; *width* in columns, if it is known."""
    sections = [
        Section(f"Platform report of {snapshot.taken_at}", rows(snapshot, "placement")),
        section(snapshot, "granted"),
        section(snapshot, "identity"),
        *scorecard(snapshot.security, judged=not is_machine(snapshot)),
        *(section(snapshot, name) for name in DETAILS),
    ]
    if profile is not None:
        sections.append(conclusion(snapshot.security, profile))
    if conformance is not None:
        sections.append(expected(conformance))
    return render(sections, width=width or WIDTH, color=color)
