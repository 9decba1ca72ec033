"""The checks with their evidence, failures first; and whether a profile holds."""

from typing import Final, Literal

from devops_info_service.catalog.formatting import shortened
from devops_info_service.catalog.row import Row, place
from devops_info_service.facts.fact import Evidence
from devops_info_service.snapshot import Security
from devops_info_service.standards.checks import Finding, Profile, Verdict

from .layout import Section

MAX_EVIDENCE: Final = 4
"""Places shown for one check; JSON has them all."""
_ORDER: Final = ("fail", "unknown", "pass")

Standard = Literal["baseline", "restricted"]
FailOn = Literal["fail", "unknown"]


def scorecard(security: Security, *, judged: bool = True) -> tuple[Section, ...]:
    """Return the standard's two profiles and the checks beyond it.

    Without a container they are not *judged*: what a hardened container would have is left.
    """
    summed = security.pod_security
    beyond = Section("Beyond the standards", checks_of(security, "hardening"))
    if not judged:
        return Section("Pod Security Standards: not judged outside a container", ()), beyond
    return (
        Section(
            f"Pod Security Standards, baseline: {summed.baseline}",
            checks_of(security, "baseline"),
        ),
        Section(
            f"Pod Security Standards, restricted (with all of baseline): {summed.restricted}",
            checks_of(security, "restricted"),
        ),
        beyond,
    )


def checks_of(security: Security, profile: Profile) -> tuple[Row, ...]:
    """Return the checks of *profile* alone, failures first."""
    unobservable = security.pod_security.unobservable

    def order(check: Finding) -> tuple[bool, int]:
        return check.id in unobservable, _ORDER.index(check.verdict)

    found = [check for check in security.checks if check.profile == profile]
    return tuple(
        [
            Row(
                check.id,
                check.message,
                tuple(map(place, shortened(map(_seen, check.evidence), MAX_EVIDENCE))),
                check.verdict,
            )
            for check in sorted(found, key=order)
        ]
    )


def _seen(evidence: Evidence) -> str:
    location = f"{evidence.file} {evidence.field}".strip()
    # Tabs and line ends of the kernel's tables have no meaning here.
    return f"{location}: {' '.join(evidence.value.split())}" if evidence.value else location


def conclusion(security: Security, profile: Standard) -> Section:
    """Return whether *profile* holds, and the checks against it."""
    checks = _of_profile(security, profile)
    against = sorted(
        [check for check in checks if check.verdict != "pass"],
        key=lambda check: _ORDER.index(check.verdict),
    )
    rows = tuple([Row(check.id, check.message, (), check.verdict) for check in against])
    return Section(f"Profile {profile}: {verdict_of(security, profile)}", rows)


def holds(security: Security, profile: Standard, fail_on: FailOn) -> bool:
    """Return whether *profile* holds; *fail_on* ``unknown`` wants it proved."""
    verdict = verdict_of(security, profile)
    return verdict == "pass" or (verdict == "unknown" and fail_on == "fail")


def verdict_of(security: Security, profile: Standard) -> Verdict:
    """Sum *profile* up."""
    summed = security.pod_security
    return summed.baseline if profile == "baseline" else summed.restricted


def _of_profile(security: Security, profile: Standard) -> tuple[Finding, ...]:
    # Restricted has all of baseline; an unobservable check decides nothing.
    profiles = {"baseline"} if profile == "baseline" else {"baseline", "restricted"}
    return tuple(
        [
            check
            for check in security.checks
            if check.profile in profiles and check.id not in security.pod_security.unobservable
        ]
    )
