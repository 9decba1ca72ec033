"""Memory: limits, use, swap, OOM kills."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from devops_info_service.facts.fact import Known, Unknown, value_of

from .cpu import OWN, SMALLEST
from .formatting import comma_list, size, yes_no
from .limits import memory_limit
from .property import Expect, Metric, Property, Tile
from .row import Row
from .usage import memory_usage

if TYPE_CHECKING:
    from devops_info_service.facts.fact import Fact
    from devops_info_service.facts.linux.limits import Limit
    from devops_info_service.snapshot import PlatformSnapshot

PAGE_SIZES: Final = ("64Ki", "2Mi", "32Mi", "1Gi")
"""Of x86-64 and arm64, as Kubernetes spells them in ``hugepages-2Mi``."""
EVENTS: Final = ("low", "high", "max", "oom", "oom_group_kill")
"""Of ``memory.events``; ``oom_kill`` is a separate family. Version 1 counts ``max`` only."""


def _used(snapshot: "PlatformSnapshot") -> tuple[Row]:
    resources = snapshot.resources
    return (memory_usage(resources).row("memory in use", resources.memory.working_set),)


def _counters(events: dict[str, int]) -> str:
    return comma_list([f"{name} {times}" for name, times in events.items()])


def _protected(number: int | None) -> str:
    return "all of it" if number is None else size(number)


def _huge_pages(limits: "dict[str, Limit[int]]") -> str:
    found = [(name, limit.effective) for name, limit in limits.items()]
    return comma_list(
        [f"{name} {size(each.value) if isinstance(each, Known) else '?'}" for name, each in found]
    )


def _huge_page_samples(
    limits: "Fact[dict[str, Limit[int]]]",
) -> Iterator[tuple[tuple[tuple[str, str]], float]]:
    for size_, limit in value_of(limits, {}).items():
        if isinstance(limit.effective, Known):
            value = limit.effective.value
            yield (("page_size", _as_requested(size_)),), float("inf") if value is None else value


def _huge_pages_of(page_size: str) -> Property:
    """Return the expectation of one size's limit."""

    def read(snapshot: "PlatformSnapshot") -> "Fact[int | None]":
        limits = snapshot.resources.memory.huge_pages
        if isinstance(limits, Unknown):
            return limits
        for size_, limit in limits.value.items():
            if _as_requested(size_) == page_size:
                return limit.effective
        return Unknown(f"this machine has no huge pages of {page_size}")

    expect = Expect(
        f"memory.hugepages-{page_size}", "bytes", "the limit of huge pages of this size", read=read
    )
    return Property("resources.memory.huge_pages", expect=expect)


def _as_requested(size_: str) -> str:
    """Spell the size of the group's files as a pod requests it: ``2MB`` is ``2Mi``."""
    return f"{size_.removesuffix('B')}i"


def _events(
    events: Known[dict[str, int]] | Unknown,
) -> Iterator[tuple[tuple[tuple[str, str]], float]]:
    counts = value_of(events, {})
    for name in EVENTS:
        if name in counts:
            yield (("event", name),), counts[name]


MEMORY: Final = (
    Property(
        "resources.memory.limit.effective",
        shown="granted",
        rows=lambda snapshot: (memory_limit(snapshot.resources).row("memory"),),
        metric=Metric(
            "platform_memory_limit_bytes",
            "Memory above which the kernel kills: of the group and of those above it.",
        ),
        expect=Expect("memory.limit", "bytes", SMALLEST),
    ),
    Property("resources.memory.limit.own", expect=Expect("memory.own_limit", "bytes", OWN)),
    Property(
        "resources.memory.current",
        "memory with cache",
        size,
        "resources",
        metric=Metric("platform_memory_usage_bytes", "Memory in use, with the page cache."),
        tile=Tile("memory", "with cache"),
    ),
    Property(
        "resources.memory.high.effective",
        "memory, throttled from",
        size,
        "resources",
        metric=Metric(
            "platform_memory_high_bytes", "Memory above which the kernel slows down and reclaims."
        ),
        expect=Expect("memory.high", "bytes", "above it the kernel slows down; v2 only"),
    ),
    Property("resources.memory.protected", "memory protected", _protected, "resources"),
    Property(
        "resources.memory.working_set",
        shown="granted",
        rows=_used,
        metric=Metric(
            "platform_memory_working_set_bytes",
            "Memory in use without the file cache that was not used lately.",
        ),
    ),
    Property(
        "resources.memory.peak",
        "memory, highest",
        size,
        "granted",
        metric=Metric("platform_memory_peak_bytes", "The most that was in use."),
        tile=Tile("memory", "highest"),
    ),
    Property(
        "resources.memory.huge_pages",
        "huge pages",
        _huge_pages,
        "resources",
        metric=Metric(
            "platform_huge_pages_limit_bytes",
            "Limit of huge pages of a size: of the group and of those above it.",
            samples=_huge_page_samples,
        ),
    ),
    *map(_huge_pages_of, PAGE_SIZES),
    Property("resources.memory.swap_limit.effective", "swap", size, "resources"),
    Property("resources.memory.swap_current", "swap in use", size, "resources"),
    Property("resources.memory.swap_peak", "swap, highest", size, "resources"),
    Property(
        "resources.memory.events",
        "memory events",
        _counters,
        "resources",
        metric=Metric(
            "platform_memory_events_total",
            "Times that the group met a bound of its memory, by the kernel's name for it.",
            samples=_events,
        ),
    ),
    Property(
        "resources.memory.host_total", expect=Expect("memory.host", "bytes", "the host's memory")
    ),
    Property(
        "resources.memory.oom_kills",
        "OOM kills",
        shown="granted",
        metric=Metric(
            "platform_memory_oom_kills_total",
            "Processes of the group that the kernel killed for want of memory.",
        ),
        expect=Expect(
            "memory.oom_kills", "count", "processes of this container killed for want of memory"
        ),
        tile=Tile("memory", "OOM kills"),
    ),
    Property("resources.memory.oom_group", "OOM kills the group", yes_no, "resources"),
    Property("resources.memory.oom_score_adjustment", "OOM score adjustment", shown="resources"),
)
