"""All checks, made of the observed facts, and summed up."""

from typing import Final

import msgspec

from .baseline import BASELINE
from .checks import Check, Finding, Observed, Verdict, unknown
from .hardening import HARDENING
from .restricted import RESTRICTED

CHECKS: Final = (*BASELINE, *RESTRICTED, *HARDENING)
UNOBSERVABLE: Final = frozenset([each.id for each in CHECKS if each.unobservable])


class PodSecurity(msgspec.Struct, frozen=True):
    """The standard, summed up: one failure fails, else one unknown leaves it open."""

    baseline: Verdict
    restricted: Verdict
    """With all of the baseline, as the standard has it."""
    unobservable: tuple[str, ...]
    """Checks left out of the two: nothing inside a container ever shows them."""


def check(observed: Observed) -> tuple[Finding, ...]:
    """Make every check, in the order of ``CHECKS``."""
    return tuple([_finding(each, observed) for each in CHECKS])


def _finding(each: Check, observed: Observed) -> Finding:
    if each.observed is None:
        found = unknown(each.unobservable)
    elif each.level != "hardening" and observed.on_machine:
        found = unknown("not in a container: no engine was given anything that could be judged")
    else:
        found = each.observed(observed)
        if observed.on_machine and found.verdict == "fail":
            # A machine was never to be hardened like a container: no failure, but no pass.
            found = unknown(
                f"not in a container, where this would fail: {found.message}", *found.evidence
            )
    return Finding(each.id, each.level, each.since, found.verdict, found.message, found.evidence)


def sum_up(findings: tuple[Finding, ...]) -> PodSecurity:
    """Sum up the profiles of the Pod Security Standards."""
    decisive = [each for each in findings if each.id not in UNOBSERVABLE]
    baseline = {each.verdict for each in decisive if each.profile == "baseline"}
    added = {each.verdict for each in decisive if each.profile == "restricted"}
    return PodSecurity(_overall(baseline), _overall(baseline | added), tuple(sorted(UNOBSERVABLE)))


def _overall(verdicts: set[Verdict]) -> Verdict:
    return "fail" if "fail" in verdicts else "unknown" if "unknown" in verdicts else "pass"
