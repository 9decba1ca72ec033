"""How the value behind a name is read from a look, in the form in which it is compared."""

from collections.abc import Callable
from typing import Any, Final, TypeAlias

from devops_info_service.facts.fact import Fact, Known, Unknown, derive
from devops_info_service.facts.kubernetes.resource_requests import CpuRequest, Range
from devops_info_service.snapshot import Platform
from devops_info_service.standards.baseline import INVISIBLE

from .quantity import ONE

Span: TypeAlias = tuple[float, float]
"""From and to, in billionths; both the same where the value is known exactly."""
Value: TypeAlias = tuple[Span, ...] | bool | str | frozenset[str]
"""Spans of numbers, of which one holds; a truth; a word; words."""
Read: TypeAlias = Callable[[Platform], Fact[Value]]

UNLIMITED: Final = float("inf")
"""What ``none`` is among numbers: no limit is above each limit."""
PROFILES: Final = ("baseline", "restricted")
"""Each has all of those before it."""


def follow(at: str) -> Callable[[Platform], Fact[Any]]:
    """Read what stands at a dotted place of ``/platform``."""
    steps = at.split(".")

    def read(look: Platform) -> Fact[Any]:
        found: Any = look
        for step in steps:
            found = getattr(found, step)
        fact: Fact[Any] = found
        return fact

    return read


def numbers(at: str) -> Read:
    """Read a number, where ``None`` is no limit, or a range of them."""
    read = follow(at)
    return lambda look: derive(read(look), spans)


def spans(found: float | Range | CpuRequest | None) -> tuple[Span, ...]:
    """Return *found* in billionths; a request for CPU comes in thousandths."""
    if isinstance(found, CpuRequest):
        # The later formula first.
        ranges = dict.fromkeys(each for each in (found.quadratic, found.linear) if each)
        return tuple((each.low * ONE // 1000, each.high * ONE // 1000) for each in ranges)
    if isinstance(found, Range):
        return ((found.low * ONE, found.high * ONE),)
    billionths = UNLIMITED if found is None else round(found * ONE)
    return ((billionths, billionths),)


def words(at: str) -> Read:
    """Read names of which any may be there, and their order says nothing."""
    read = follow(at)
    return lambda look: derive(read(look), frozenset)


def guess(at: str) -> Read:
    """Read a name, however sure it is."""
    read = follow(at)
    return lambda look: derive(read(look), lambda found: str(found.name))


def of_resolver(field: str, convert: Callable[[Any], Value]) -> Read:
    """Read one setting of the resolver, which is one fact as a whole."""

    def read(look: Platform) -> Fact[Value]:
        return derive(look.network.resolver, lambda found: convert(getattr(found, field)))

    return read


def effective(at: str) -> Read:
    """Read the effective one of a process's ids: real, effective, saved, file system."""
    read = follow(at)

    def read_second(look: Platform) -> Fact[Value]:
        fact = read(look)
        if isinstance(fact, Known) and len(fact.value) < 2:  # noqa: PLR2004 (it is the second)
            return Unknown("/proc/self/status names no effective id")
        return derive(fact, lambda ids: spans(ids[1]))

    return read_second


def rlimit(name: str) -> Read:
    """Read a soft limit of the process."""

    def read(look: Platform) -> Fact[Value]:
        limits = look.resources.rlimits
        if isinstance(limits, Unknown):
            return limits
        for limit in limits.value:
            if limit.name == name:
                return Known(spans(limit.soft), limits.evidence)
        return Unknown(f"/proc/self/limits has no {name}")

    return read


def mtu(look: Platform) -> Fact[Value]:
    """Read the MTU of the interface of the default route; the smallest, if there are several."""
    network = look.network
    if isinstance(network.routes, Unknown):
        return network.routes
    if isinstance(network.interfaces, Unknown):
        return network.interfaces
    out = {
        route.interface
        for route in network.routes.value
        if route.destination in {"0.0.0.0/0", "::/0"} and route.interface != "lo"
    }
    found = [each.mtu for each in network.interfaces.value if each.name in out]
    if not found:
        return Unknown("no interface has a default route")
    return min(
        (derive(fact, spans) for fact in found),
        # One that is not known may be the smallest.
        key=lambda fact: fact.value if isinstance(fact, Known) else (),
    )


def profile(name: str) -> Read:
    """Read which checks of a Pod Security Standard fail; it holds if none does.

    As in its sum, one failure decides, and else one unknown leaves it open.
    """
    profiles = PROFILES[: PROFILES.index(name) + 1]

    def read(look: Platform) -> Fact[Value]:
        checks = [
            check
            for check in look.security.checks
            if check.profile in profiles and check.id not in INVISIBLE
        ]
        failed = [check for check in checks if check.verdict == "fail"]
        open_ = [check for check in checks if check.verdict == "unknown"]
        if open_ and not failed:
            return Unknown("; ".join(f"{check.id}: {check.meaning}" for check in open_))
        evidence = tuple(seen for check in failed for seen in check.evidence)
        return Known(frozenset(check.id for check in failed), evidence)

    return read


def check(check_id: str) -> Read:
    """Read the verdict of one check."""

    def read(look: Platform) -> Fact[Value]:
        for check in look.security.checks:
            if check.id == check_id and check.verdict != "unknown":
                return Known(check.verdict, check.evidence)
            if check.id == check_id:
                return Unknown(check.meaning)
        return Unknown(f"{check_id} was not checked")

    return read
