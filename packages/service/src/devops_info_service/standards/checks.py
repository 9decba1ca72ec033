"""What a check answers."""

from collections.abc import Callable
from typing import Literal

import msgspec

from devops_info_service.facts.container.process_view import View
from devops_info_service.facts.fact import Evidence, Unknown

Verdict = Literal["pass", "fail", "unknown"]
Profile = Literal["baseline", "restricted", "hardening"]


class Finding(msgspec.Struct, frozen=True):
    """A verdict, what it means in one sentence, and what it rests on."""

    verdict: Verdict
    meaning: str
    evidence: tuple[Evidence, ...] = ()


class Rule(msgspec.Struct, frozen=True):
    """A check to be made."""

    id: str
    since: str
    """Kubernetes version of the standard that first has it; empty outside the standard."""
    judge: Callable[[View], Finding]


class Check(msgspec.Struct, frozen=True):
    """A check that was made."""

    id: str
    """For a standard's check its admission id, as in the label's warnings."""
    profile: Profile
    since: str
    verdict: Verdict
    meaning: str
    evidence: tuple[Evidence, ...]


def passed(meaning: str, *evidence: Evidence) -> Finding:
    """Say that what the check forbids is not so."""
    return Finding("pass", meaning, evidence)


def failed(meaning: str, *evidence: Evidence) -> Finding:
    """Say that what the check forbids is so."""
    return Finding("fail", meaning, evidence)


def unknown(reason: str | Unknown, *evidence: Evidence) -> Finding:
    """Say why nobody can tell from inside."""
    meaning = reason.reason if isinstance(reason, Unknown) else reason
    return Finding("unknown", f"{meaning[:1].upper()}{meaning[1:].rstrip('.')}.", evidence)


def judge(rules: tuple[Rule, ...], profile: Profile, view: View) -> tuple[Check, ...]:
    """Make every check of *rules*."""
    checks = []
    for rule in rules:
        found = rule.judge(view)
        checks.append(
            Check(rule.id, profile, rule.since, found.verdict, found.meaning, found.evidence)
        )
    return tuple(checks)


def worst(checks: tuple[Check, ...]) -> Verdict:
    """Sum up: one failure fails, else one unknown leaves it open."""
    verdicts = {check.verdict for check in checks}
    return "fail" if "fail" in verdicts else "unknown" if "unknown" in verdicts else "pass"
