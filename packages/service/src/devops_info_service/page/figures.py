"""CPU, memory, processes and disks in figures: the limit of each, and its use.

The words are the catalog's: a fact reads here as in the report.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, cast

import msgspec

from devops_info_service.catalog.limits import (
    LimitText,
    cpu_limit,
    disk_limit,
    memory_limit,
    process_limit,
)
from devops_info_service.catalog.property import ResourcesAlone
from devops_info_service.catalog.resources import RESOURCES
from devops_info_service.catalog.usage import (
    Usage,
    Utilization,
    cpu_usage,
    disk_usage,
    memory_usage,
    process_usage,
)
from devops_info_service.facts.linux.resources import Resources

if TYPE_CHECKING:
    from devops_info_service.snapshot import PlatformSnapshot


class Detail(msgspec.Struct, frozen=True):
    """One further figure of a resource."""

    label: str
    value: str


class Figure(msgspec.Struct, frozen=True):
    """One resource."""

    key: str
    name: str
    granted: str
    remark: str
    used: str
    utilization: Utilization | None
    """``None``: there is nothing to compare with, or the use is not known."""
    details: tuple[Detail, ...]


_RESOURCES: Final[tuple[tuple[str, str, Callable[[Resources], LimitText]], ...]] = (
    ("cpu", "CPU", cpu_limit),
    ("memory", "Memory", memory_limit),
    ("pids", "Processes", process_limit),
    ("disk", "Disk traffic", disk_limit),
)


def figures(resources: Resources, cpus_in_use: float | None = None) -> tuple[Figure, ...]:
    """Return CPU, memory, processes and disk traffic; *cpus_in_use*: if known, of late."""
    used = {
        "cpu": cpu_usage(resources, cpus_in_use),
        "memory": memory_usage(resources),
        "pids": process_usage(resources),
        "disk": disk_usage(resources, "read_bytes", "write_bytes"),
    }
    return tuple(
        [
            _figure(key, name, limit(resources), used[key], _details(resources, key))
            for key, name, limit in _RESOURCES
        ]
    )


def _details(resources: Resources, key: str) -> tuple[Detail, ...]:
    # The properties of resources read nothing else of a snapshot.
    snapshot = cast("PlatformSnapshot", ResourcesAlone(resources))
    return tuple(
        [
            Detail(each.tile.label, row.value)
            for each in RESOURCES
            if each.tile is not None and each.tile.resource == key
            for row in each.rows_of(snapshot)
        ]
    )


def _figure(
    key: str, name: str, limit: LimitText, usage: Usage, details: tuple[Detail, ...]
) -> Figure:
    used = ", ".join(filter(None, (f"{usage.words} {usage.noun}".rstrip(), usage.share)))
    remark = limit.remark or ("granted" if limit.is_limited else "")
    return Figure(key, name, limit.words, remark, used, usage.utilization, details)
