"""Processes and threads, and the limits of the process itself."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from devops_info_service.facts.fact import Fact, Known, Unknown

from .cpu import OWN, SMALLEST
from .limits import hidden_limits, process_limit
from .property import Expect, Kind, Metric, Property, Tile
from .row import Row, row
from .usage import process_usage

if TYPE_CHECKING:
    from devops_info_service.facts.linux.resources import Rlimit
    from devops_info_service.snapshot import PlatformSnapshot


def _used(snapshot: "PlatformSnapshot") -> tuple[Row]:
    resources = snapshot.resources
    return (process_usage(resources).row("PIDs in use", resources.processes.current),)


def _rlimit_rows(snapshot: "PlatformSnapshot") -> Iterable[Row]:
    rlimits = snapshot.resources.rlimits
    if isinstance(rlimits, Unknown):
        return (row("process limits", rlimits),)
    return (
        Row(f"limit of {each.name.replace('_', ' ')}", _soft_and_hard(each))
        for each in rlimits.value
    )


def _soft_and_hard(limit: "Rlimit") -> str:
    soft, hard = ("unlimited" if each is None else str(each) for each in (limit.soft, limit.hard))
    both = soft if soft == hard else f"{soft}, may be raised to {hard}"
    return f"{both} {limit.unit}" if limit.unit and soft != "unlimited" else both


def _rlimit(name: str, kind: Kind, meaning: str) -> Property:
    """Return the expectation of a soft limit of the process."""

    def read(snapshot: "PlatformSnapshot") -> Fact[int | None]:
        limits = snapshot.resources.rlimits
        if isinstance(limits, Unknown):
            return limits
        for limit in limits.value:
            if limit.name == name:
                return Known(limit.soft, limits.evidence)
        return Unknown(f"/proc/self/limits has no {name}")

    return Property(
        "resources.rlimits",
        expect=Expect(f"rlimits.{name}", kind, f"{meaning}: the soft limit", read=read),
    )


PROCESSES: Final = (
    Property(
        "resources.processes.limit.effective",
        shown="granted",
        rows=lambda snapshot: (process_limit(snapshot.resources).row("PIDs"),),
        metric=Metric("platform_pids_limit", "Processes and threads the group may have."),
        expect=Expect("pids.limit", "count", SMALLEST),
    ),
    Property("resources.processes.limit.own", expect=Expect("pids.own_limit", "count", OWN)),
    Property(
        "resources.processes.current",
        shown="granted",
        rows=_used,
        metric=Metric("platform_pids", "Processes and threads the group has."),
    ),
    Property(
        "resources.processes.peak",
        "PIDs, highest",
        shown="resources",
        metric=Metric("platform_pids_peak", "The most it had."),
        tile=Tile("pids", "highest"),
    ),
    Property(
        "resources.processes.refused",
        "PIDs refused",
        shown="resources",
        metric=Metric(
            "platform_pids_refused_total", "Times that a new one was refused for the limit."
        ),
        tile=Tile("pids", "refused"),
    ),
    Property("resources", shown="granted", rows=lambda snapshot: hidden_limits(snapshot.resources)),
)
RLIMITS: Final = (
    Property("resources.rlimits", shown="resources", rows=_rlimit_rows),
    _rlimit("open_files", "count", "open files"),
    _rlimit("processes", "count", "processes of the user"),
    _rlimit("core_file_size", "bytes", "core dumps"),
    _rlimit("locked_memory", "bytes", "memory that may be locked"),
    _rlimit("stack_size", "bytes", "the stack"),
)
