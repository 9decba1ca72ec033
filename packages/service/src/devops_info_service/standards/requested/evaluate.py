"""The checks made of a manifest, by level and version of the standards."""

import functools
from typing import Final, Literal

import msgspec

from devops_info_service.standards.checks import Check, Finding, Outcome, failed, passed
from devops_info_service.standards.verdicts import CHECKS

from .pod import Requested
from .rules import RULES, Rule

Level = Literal["baseline", "restricted"]
LEVELS: Final[tuple[Level, ...]] = ("baseline", "restricted")


def requested(rule: Rule, pod: Requested) -> Outcome:
    """Apply *rule* to *pod*; every field against it is evidence."""
    against = tuple(rule.violations(pod))
    if against:
        return failed(f"{rule.subject} must be {rule.allowed}.", *against)
    return passed(f"{rule.subject} is {rule.allowed}.")


REQUESTED: Final = tuple(
    [
        msgspec.structs.replace(each, requested=functools.partial(requested, RULES[each.id]))
        for each in CHECKS
        if each.id in RULES
    ]
)
"""The checks that a manifest decides, with their evaluators."""


def checks_of(level: Level, version: tuple[int, int]) -> tuple[Check, ...]:
    """Return the checks that *version* of the standards makes at *level*."""
    made = [
        each
        for each in REQUESTED
        if level in {each.level, "restricted"} and parse_version(each.since) <= version
    ]
    replaced = {RULES[each.id].replaces for each in made}
    return tuple([each for each in made if each.id not in replaced])


def evaluate(pod: Requested, checks: tuple[Check, ...]) -> tuple[Finding, ...]:
    """Make *checks* of *pod*."""
    return tuple(
        [
            Finding(each.id, each.level, each.since, made.verdict, made.message, made.evidence)
            for each in checks
            if each.requested is not None
            for made in (each.requested(pod),)
        ]
    )


def is_allowed(findings: tuple[Finding, ...]) -> bool:
    """Return whether no check failed."""
    return all(each.verdict == "pass" for each in findings)


def parse_version(text: str) -> tuple[int, int]:
    """Return a version such as ``1.35`` or ``v1.35``.

    Raises:
        ValueError: it has another form.
    """
    major, dot, minor = text.removeprefix("v").partition(".")
    if not dot or not all(part.isascii() and part.isdigit() for part in (major, minor)):
        raise ValueError(text)
    return int(major), int(minor)
