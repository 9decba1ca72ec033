"""The scorecard: whether standards and expectations hold, what speaks against them, and why."""

from collections.abc import Iterable, Sequence
from typing import Final

from devops_info_service.catalog.formatting import count
from devops_info_service.catalog.row import Row
from devops_info_service.report.layout import Section
from devops_info_service.report.scorecard import Standard, checks_of, conclusion, verdict_of
from devops_info_service.snapshot import Security
from devops_info_service.standards.checks import Profile, Verdict

from .markup import Markup, join, tag
from .tables import badge, checks, more

_STANDARDS: Final[tuple[tuple[Standard, str], ...]] = (
    ("baseline", "Baseline"),
    ("restricted", "Restricted"),
)


def verdicts(security: Security) -> Markup:
    """Say in the page's head whether each standard holds."""
    found = ((key, name, verdict_of(security, key)) for key, name in _STANDARDS)
    return _summed("Pod Security Standards", found)


def verdict_on(expectations: Section) -> Markup:
    """Say in the page's head whether all is as expected."""
    title, _, met = expectations.title.partition(": ")
    return _summed(title, [("expectations", met, _worst(expectations.rows))])


def _summed(title: str, found: Iterable[tuple[str, str, Verdict]]) -> Markup:
    links = (
        tag("li", tag("a", tag("span", name), badge(verdict), href=f"#{key}"))
        for key, name, verdict in found
    )
    return tag("div", tag("p", title), tag("ul", *links, class_="verdicts", aria_label=title))


def _worst(rows: Sequence[Row]) -> Verdict:
    # What nobody can tell nobody has granted: it counts as not met.
    return "pass" if all(row.verdict == "pass" for row in rows) else "fail"


def expectations_part(expectations: Section) -> Markup:
    """Return what was expected, in the order in which it was written."""
    return tag(
        "section",
        tag("h2", expectations.title, id="expectations-title"),
        tag("div", checks(expectations.rows, expectations.title, "expected"), class_="card"),
        id="expectations",
        aria_labelledby="expectations-title",
    )


def security_part(security: Security) -> Markup:
    """Return both standards and the checks beyond."""
    return tag(
        "section",
        tag("h2", "Security scorecard", id="security-title"),
        tag(
            "p",
            "The Pod Security Standards, check by check, as they show from inside; "
            "each with the file it rests on.",
            class_="intro",
        ),
        *(_standard(security, key, name) for key, name in _STANDARDS),
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
    failed = sum(row.verdict == "fail" for row in against)
    open_ = len(against) - failed
    said = [f"{count(failed, 'check')} {'fails' if failed == 1 else 'fail'}"] if failed else []
    said += [f"{count(open_, 'check')} cannot be told from inside"] if open_ else []
    profiles = {check.id: check.profile for check in security.checks}
    links = [
        tag("a", tag("code", row.label), href=f"#{profiles[row.label]}-{row.label}")
        for row in against
    ]
    listed = (each for link in links for each in (", ", link))
    next(listed)
    return join([f"{' and '.join(said)}: ", *listed, "."])


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
    open_ = [row for row in rows if row.verdict != "pass" and row.label not in unobservable]
    passed = [row for row in rows if row.verdict == "pass"]
    silent = [row for row in rows if row.verdict != "pass" and row.label in unobservable]
    parts = []
    if open_:
        parts.append(checks(open_, f"{name}: what does not pass", profile))
    if passed:
        title = f"{count(len(passed), 'check')} {'passes' if len(passed) == 1 else 'pass'}"
        parts.append(more(title, checks(passed, f"{name}: {title}", profile), heading="h4"))
    if silent:
        title = f"{count(len(silent), 'check')} never seen from inside, which decide nothing"
        parts.append(more(title, checks(silent, f"{name}: {title}", profile), heading="h4"))
    return join(parts)
