"""Facts of a snapshot in the form in which expectations compare them."""

from collections.abc import Callable
from typing import Any, Final, TypeAlias

import msgspec

from devops_info_service.catalog.properties import PROPERTIES
from devops_info_service.catalog.property import Expect, Kind, at_path
from devops_info_service.catalog.row import proved
from devops_info_service.catalog.security import PROFILES
from devops_info_service.facts.fact import Fact, Known, Unknown, derive
from devops_info_service.facts.kubernetes.resource_requests import CpuRequest, Range
from devops_info_service.facts.linux.sandbox import Detection
from devops_info_service.snapshot import PlatformSnapshot
from devops_info_service.standards.verdicts import UNOBSERVABLE

from .quantity import ONE

Span: TypeAlias = tuple[float, float]
"""From and to, in billionths; both the same where the value is known exactly."""
Value: TypeAlias = tuple[Span, ...] | bool | str | frozenset[str]
"""Spans of numbers, of which one holds; a boolean; a string; strings."""
Read: TypeAlias = Callable[[PlatformSnapshot], Fact[Value]]

UNLIMITED: Final = float("inf")
"""The number for ``none``: no limit is above each limit."""


class Extractor(msgspec.Struct, frozen=True):
    """A property that can be expected, and the reader of its value."""

    expect: Expect
    path: str
    """In ``/platform``."""
    read: Read


def _reader(path: str, expect: Expect) -> Read:
    if expect.kind == "profile":
        return failing_checks(PROFILES[-1])
    read = expect.read or (lambda snapshot: at_path(snapshot, path))
    return lambda snapshot: derive(
        proved(read(snapshot)), lambda value: comparable(expect.kind, value)
    )


def comparable(kind: Kind, value: Any) -> Value:  # noqa: ANN401  any fact's value
    """Return *value* in the form of its *kind*."""
    if kind == "set":
        return frozenset(value)
    if kind == "boolean":
        return bool(value)
    if kind == "string":
        return str(value.name if isinstance(value, Detection) else value)
    return spans(value)


def spans(found: float | Range | CpuRequest | None) -> tuple[Span, ...]:
    """Return *found* in billionths; a request for CPU comes in thousandths."""
    if isinstance(found, CpuRequest):
        # The later formula first.
        ranges = dict.fromkeys([each for each in (found.quadratic, found.linear) if each])
        return tuple([(each.low * ONE // 1000, each.high * ONE // 1000) for each in ranges])
    if isinstance(found, Range):
        return ((found.low * ONE, found.high * ONE),)
    billionths = UNLIMITED if found is None else round(found * ONE)
    return ((billionths, billionths),)


def failing_checks(profile: str) -> Read:
    """Return the reader of the failing checks of *profile*, which holds if there are none.

    As in its sum, one failure decides, and else one unknown leaves it open.
    """
    profiles = PROFILES[: PROFILES.index(profile) + 1]

    def read(snapshot: PlatformSnapshot) -> Fact[Value]:
        checks = [
            check
            for check in snapshot.security.checks
            if check.profile in profiles and check.id not in UNOBSERVABLE
        ]
        failed = [check for check in checks if check.verdict == "fail"]
        open_ = [check for check in checks if check.verdict == "unknown"]
        if open_ and not failed:
            return Unknown("; ".join([f"{check.id}: {check.message}" for check in open_]))
        evidence = tuple([seen for check in failed for seen in check.evidence])
        return Known(frozenset([check.id for check in failed]), evidence)

    return read


EXTRACTORS: Final = {
    each.expect.name: Extractor(each.expect, each.path, _reader(each.path, each.expect))
    for each in PROPERTIES
    if each.expect is not None
}
"""By the name of the expectation, in the order of the reference."""
