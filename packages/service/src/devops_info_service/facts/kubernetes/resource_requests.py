"""The manifest's requests, computed back from the results of kubelet and the runtime.

Nothing inside a container states the request. Kubelet turns memory into an OOM score and CPU
into shares, the runtime turns shares into a weight; each step rounds, so the result is
a range.

Sources: Kubernetes, pkg/kubelet/qos/policy.go (the score) and MilliCPUToShares (the shares);
opencontainers/cgroups, ConvertCPUSharesToCgroupV2Value before and after its change of 2025
(runc 1.3.2, crun 1.23).
"""

import math
from collections.abc import Callable, Iterator
from typing import Final, Literal

import msgspec

from devops_info_service.facts.fact import Fact, Known, Unknown, evidence_of

MIN_SHARES: Final = 2
MAX_SHARES: Final = 262_144
SHARES_PER_CPU: Final = 1024
GUARANTEED: Final = frozenset({-997, -998})
"""-998 until Kubernetes 1.19 or so. Pods critical to the node have it as well."""
BEST_EFFORT: Final = 1000

Qos = Literal["Guaranteed", "Burstable", "BestEffort"]


class Range(msgspec.Struct, frozen=True):
    """Both ends belong to it."""

    low: int
    high: int


class CpuRequest(msgspec.Struct, frozen=True):
    """In thousandths of a CPU, by each formula a runtime may have used."""

    linear: Range | None
    """runc before 1.3.2, crun before 1.23; ``None``: this formula never gives such a weight."""
    quadratic: Range | None
    """Those and later. Version 1 of cgroups has no formula: there both are the same."""


def qos(adjustment: Fact[int]) -> Fact[Qos]:
    """Return the class of ``oom_score_adj``."""
    if isinstance(adjustment, Unknown):
        return adjustment
    value = adjustment.value
    if value in GUARANTEED:
        return Known("Guaranteed", adjustment.evidence)
    if value == BEST_EFFORT:
        return Known("BestEffort", adjustment.evidence)
    if 0 < value < BEST_EFFORT:
        return Known("Burstable", adjustment.evidence)
    return Unknown(f"an oom_score_adj of {value} is none that kubelet sets")


def memory_request(
    kind: Fact[Qos], adjustment: Fact[int], machine: Fact[int], limit: Fact[int | None]
) -> Fact[Range]:
    """Return the bytes of the class, else of ``oom_score_adj`` and the host's memory."""
    return next(_requests(kind, adjustment, machine, limit))


def _requests(
    kind: Fact[Qos], adjustment: Fact[int], machine: Fact[int], limit: Fact[int | None]
) -> Iterator[Fact[Range]]:
    if isinstance(kind, Unknown):
        yield kind
    elif kind.value == "BestEffort":
        yield Known(Range(0, 0), kind.evidence)
    elif kind.value == "Guaranteed":
        yield _guaranteed(kind, limit)
    elif isinstance(adjustment, Unknown):
        yield adjustment
    elif isinstance(scored := qos(adjustment), Unknown):
        yield scored
    elif scored.value != kind.value:
        yield Unknown(
            f"signs contradict each other: the class is {kind.value}, the score that of"
            f" {scored.value}"
        )
    elif isinstance(machine, Unknown):
        yield machine
    else:
        yield Known(burstable(adjustment.value, machine.value), evidence_of(adjustment, machine))


def _guaranteed(kind: Known[Qos], limit: Fact[int | None]) -> Fact[Range]:
    if isinstance(limit, Unknown):
        return limit
    if limit.value is None:
        return Unknown("the class is Guaranteed, but there is no limit: a critical pod")
    return Known(Range(limit.value, limit.value), evidence_of(kind, limit))


def burstable(adjustment: int, machine: int) -> Range:
    """Undo ``1000 - 1000 * request // machine``, which kubelet keeps within 3 and 999."""
    share = 1000 - adjustment
    # A quotient of 0 becomes 999 as well, one under 3 becomes 3.
    low = 0 if share <= 1 else -(-share * machine // 1000)
    high = machine if adjustment <= 3 else ((share + 1) * machine - 1) // 1000  # noqa: PLR2004
    return Range(low, high)


def cpu_request(weight: Fact[int], shares: Fact[int]) -> Fact[CpuRequest]:
    """Return thousandths of a CPU of the weight (version 2) or the shares (version 1)."""
    if isinstance(shares, Known):
        exact = _millis(shares.value, shares.value)
        return Known(CpuRequest(exact, exact), shares.evidence)
    if isinstance(weight, Unknown):
        return weight
    found = CpuRequest(_invert(linear, weight.value), _invert(quadratic, weight.value))
    if found.linear is None and found.quadratic is None:
        return Unknown(f"no request gives a weight of {weight.value}")
    return Known(found, weight.evidence)


def linear(shares: int) -> int:
    """Convert as runtimes did until 2025."""
    return 1 + (shares - MIN_SHARES) * 9999 // 262_142


def quadratic(shares: int) -> int:
    """Convert as runtimes do since: 1024 shares are the default weight of 100."""
    if shares <= MIN_SHARES:
        return 1
    if shares >= MAX_SHARES:
        return 10_000
    power = math.log2(shares)
    return math.ceil(10 ** ((power * power + 125 * power) / 612 - 7 / 34))


def _invert(convert: Callable[[int], int], weight: int) -> Range | None:
    first, after = _min_shares_for(convert, weight), _min_shares_for(convert, weight + 1)
    return _millis(first, after - 1) if first < after else None


def _min_shares_for(convert: Callable[[int], int], weight: int) -> int:
    """Return the fewest shares that give at least *weight*: both formulas only grow."""
    low, high = MIN_SHARES, MAX_SHARES + 1
    while low < high:
        middle = (low + high) // 2
        if convert(middle) >= weight:
            high = middle
        else:
            low = middle + 1
    return low


def _millis(low: int, high: int) -> Range:
    """Undo ``milli * 1024 // 1000``, never below 2."""
    if low <= MIN_SHARES:
        return Range(0, ((high + 1) * 1000 - 1) // SHARES_PER_CPU)
    return Range(-(-low * 1000 // SHARES_PER_CPU), ((high + 1) * 1000 - 1) // SHARES_PER_CPU)
