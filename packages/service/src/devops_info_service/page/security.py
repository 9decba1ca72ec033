"""The section on security: the standards, the checks against them, and their evidence."""

from collections.abc import Sequence
from typing import Final

from devops_info_service.catalog.formatting import count
from devops_info_service.catalog.row import Row
from devops_info_service.report.scorecard import Standard, checks_of, conclusion, verdict_of
from devops_info_service.snapshot import Security
from devops_info_service.standards.checks import Profile

from .markup import Markup, join, tag
from .tables import badge, checks, collapsible, verdict_links

_STANDARDS: Final[tuple[tuple[Standard, str], ...]] = (
    ("baseline", "Baseline"),
    ("restricted", "Restricted"),
)


def security_verdicts(security: Security) -> Markup:
    """Return the verdict on each standard, for the head of the page."""
    found = ((key, name, verdict_of(security, key)) for key, name in _STANDARDS)
    return verdict_links("Pod Security Standards", found)


def security_section(security: Security, *, judged: bool) -> Markup:
    """Return both standards and the checks beyond them; *judged*: whether they apply here."""
    intro = (
        "The Pod Security Standards, check by check, as observed from inside; "
        "each with its evidence."
    )
    if not judged:
        intro = "The Pod Security Standards are not judged outside a container."
    return tag(
        "section",
        tag("h2", "Security scorecard", id="security-title"),
        tag(
            "p",
            intro,
            class_="intro",
        ),
        *(_standard(security, key, name) for key, name in _STANDARDS if judged),
        _beyond(security),
        id="security",
        aria_labelledby="security-title",
    )


def _standard(security: Security, profile: Standard, name: str) -> Markup:
    against = conclusion(security, profile).rows
    return tag(
        "section",
        tag("h3", f"{name} ", badge(verdict_of(security, profile)), id=f"{profile}-title"),
        tag("p", _summary(security, profile, against)),
        _tables(security, profile, name),
        id=profile,
        class_="card",
        aria_labelledby=f"{profile}-title",
    )


def _summary(security: Security, profile: Standard, against: Sequence[Row]) -> Markup:
    if not against:
        with_ = ", those of baseline as well" if profile == "restricted" else ""
        return join([f"Every check that can be made from inside passes{with_}."])
    failed = sum([row.verdict == "fail" for row in against])
    undecided = len(against) - failed
    parts = []
    if failed:
        parts.append(f"{count(failed, 'check')} {'fails' if failed == 1 else 'fail'}")
    if undecided:
        parts.append(f"{count(undecided, 'check')} cannot be decided from inside")
    profiles = {check.id: check.profile for check in security.checks}
    links = [
        tag("a", tag("code", row.label), href=f"#{profiles[row.label]}-{row.label}")
        for row in against
    ]
    listed = (each for link in links for each in (", ", link))
    next(listed)
    return join([f"{' and '.join(parts)}: ", *listed, "."])


def _beyond(security: Security) -> Markup:
    return tag(
        "section",
        tag("h3", "Beyond the standards", id="hardening-title"),
        _tables(security, "hardening", "Beyond the standards"),
        id="hardening",
        class_="card",
        aria_labelledby="hardening-title",
    )


def _tables(security: Security, profile: Profile, name: str) -> Markup:
    unobservable = security.pod_security.unobservable
    rows = checks_of(security, profile)
    passed = [row for row in rows if row.verdict == "pass"]
    others = [row for row in rows if row.verdict != "pass"]
    open_ = [row for row in others if row.label not in unobservable]
    hidden = [row for row in others if row.label in unobservable]
    parts = []
    if open_:
        parts.append(checks(open_, f"{name}: checks that do not pass", profile))
    for found, title in (
        (passed, f"{count(len(passed), 'check')} {'passes' if len(passed) == 1 else 'pass'}"),
        (hidden, f"{count(len(hidden), 'check')} not observable from inside, which decide nothing"),
    ):
        if found:
            table = checks(found, f"{name}: {title}", profile)
            parts.append(collapsible(title, table, heading="h4"))
    return join(parts)
