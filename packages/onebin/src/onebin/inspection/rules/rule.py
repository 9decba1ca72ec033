"""The form of a rule: an id, the sentence that must hold, and the function that checks it."""

from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

import msgspec

from onebin.inspection.evidence import InspectedImage
from onebin.inspection.listing import first_lines
from onebin.inspection.report import Finding, Status
from onebin.terminal import truncate

Subject = TypeVar("Subject")
"""An inspected image, or a measured program."""


class Verdict(msgspec.Struct, frozen=True):
    """The result of one check."""

    status: Status
    evidence: tuple[str, ...]


class Rule(msgspec.Struct, Generic[Subject], frozen=True):
    """One check of ``docs/reference/inspect.md``."""

    id: str
    check: str
    """The requirement: one sentence."""
    evaluate: Callable[[Subject], Verdict]

    def finding(self, subject: Subject) -> Finding:
        """Apply the rule to *subject*."""
        verdict = self.evaluate(subject)
        return Finding(self.id, verdict.status, self.check, verdict.evidence)


def verdict(violations: Iterable[str], evidence: str = "") -> Verdict:
    """Return a failure with its *violations*, or a pass with *evidence* if there are none."""
    lines = first_lines(violations)
    if lines:
        return Verdict("fail", lines)
    return Verdict("pass", (truncate(evidence),) if evidence else ())


def of_linux(evaluate: Callable[[InspectedImage], Verdict]) -> Callable[[InspectedImage], Verdict]:
    """Apply a check that reads paths and users of Unix; it is unknown of an image for Windows."""

    def of_image(image: InspectedImage) -> Verdict:
        if image.config.os == "windows":
            return unknown("the image is for Windows, and this check reads paths and users of Unix")
        return evaluate(image)

    return of_image


def unknown(reason: str) -> Verdict:
    """Return that the file does not show whether the rule holds, for *reason*."""
    return Verdict("unknown", (truncate(reason),))
