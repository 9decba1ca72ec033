"""Disk traffic of a group: limits and use.

Source: Linux, admin-guide/cgroup-v2.rst (io) and cgroup-v1/blkio-controller.rst.
"""

from typing import Final

import msgspec

from devops_info_service.facts import parse
from devops_info_service.facts.fact import Fact, Known, Unknown, evidence_of, value_of
from devops_info_service.facts.lines import lines, words
from devops_info_service.facts.system_files import SystemFiles

from .cgroup import Cgroups
from .group_values import GroupReader, GroupValue, ReadFile, Source, whole
from .limits import NONE_SEEN

_V1_LIMITS: Final = {
    "read_bytes": "blkio.throttle.read_bps_device",
    "write_bytes": "blkio.throttle.write_bps_device",
    "reads": "blkio.throttle.read_iops_device",
    "writes": "blkio.throttle.write_iops_device",
}
_V1_USAGE: Final = ("blkio.throttle.io_service_bytes", "blkio.throttle.io_serviced")
_V2_LIMITS: Final = {
    "rbps": "read_bytes",
    "wbps": "write_bytes",
    "riops": "reads",
    "wiops": "writes",
}
_V2_USAGE: Final = {
    "rbytes": "read_bytes",
    "wbytes": "write_bytes",
    "rios": "reads",
    "wios": "writes",
}


class Traffic(msgspec.Struct, frozen=True):
    """Of one device; ``None`` is: no limit, or not counted."""

    device: str
    """``major:minor``."""
    read_bytes: int | None = None
    write_bytes: int | None = None
    reads: int | None = None
    writes: int | None = None


class Disks(msgspec.Struct, frozen=True):
    """Of all devices."""

    limits: Fact[tuple[Traffic, ...]]
    """Per second, the smallest of all groups that can be seen; a device without a limit is not
    listed. That none has one is known only if all groups up to the root can be seen."""
    usage: Fact[tuple[Traffic, ...]]
    """Since the group was made."""


def traffic(text: str, names: dict[str, str]) -> tuple[Traffic, ...]:
    """Parse lines such as ``8:0 rbps=1048576 wbps=max``; *names* maps keys to fields."""
    found = []
    for line in lines(text):
        device, *pairs = words(line)
        fields = {}
        for pair in pairs:
            key, _, number = pair.partition("=")
            if key in names:
                fields[names[key]] = parse.limit(number)
        found.append(Traffic(device, **fields))
    return tuple(found)


def _limits_v1(read: ReadFile) -> Fact[tuple[Traffic, ...]]:
    limits: dict[str, dict[str, int]] = {}
    facts = []
    for field, name in _V1_LIMITS.items():
        fact = read(name).parse(_pairs)
        if isinstance(fact, Unknown):
            return fact
        facts.append(fact)
        for device, number in fact.value:
            limits.setdefault(device, {})[field] = number
    found = tuple([Traffic(device, **fields) for device, fields in limits.items()])
    return Known(found, evidence_of(*facts))


def _pairs(text: str) -> tuple[tuple[str, int], ...]:
    pairs = (line.partition(" ") for line in lines(text))
    return tuple([(device, parse.count(number)) for device, _, number in pairs])


def _usage_v1(read: ReadFile) -> Fact[tuple[Traffic, ...]]:
    sizes, times = (read(name).parse(_operations) for name in _V1_USAGE)
    if isinstance(sizes, Unknown):
        return sizes
    if isinstance(times, Unknown):
        return times
    found = tuple(
        [
            Traffic(
                device,
                read_bytes=size.get("Read"),
                write_bytes=size.get("Write"),
                reads=times.value.get(device, {}).get("Read"),
                writes=times.value.get(device, {}).get("Write"),
            )
            for device, size in sizes.value.items()
        ]
    )
    return Known(found, evidence_of(sizes, times))


def _operations(text: str) -> dict[str, dict[str, int]]:
    """Parse lines such as ``8:0 Read 4096``; the last line sums them up."""
    found: dict[str, dict[str, int]] = {}
    for line in lines(text):
        device, *rest = words(line)
        if device == "Total":
            continue
        operation, number = rest
        found.setdefault(device, {})[operation] = parse.count(number)
    return found


LIMITS: Final = GroupValue(
    "io",
    v2=whole("io.max", lambda text: traffic(text, _V2_LIMITS)).along_path(),
    # "Throttling implements hierarchy support iff sane_behavior is enabled": never, outside of
    # development (cgroup-v1/blkio-controller.rst). The own group's alone count.
    v1=Source(tuple(_V1_LIMITS.values()), _limits_v1),
    v1_controller="blkio",
    unit="bytes or operations a second",
)
USAGE: Final = GroupValue(
    "io",
    v2=whole("io.stat", lambda text: traffic(text, _V2_USAGE)),
    v1=Source(_V1_USAGE, _usage_v1),
    v1_controller="blkio",
    unit="bytes or operations",
)


def read_disks(tree: SystemFiles, cgroups: Cgroups) -> Disks:
    """Read the ``io`` (version 2) or ``blkio`` (version 1) controller."""
    groups = GroupReader(tree, cgroups)
    return Disks(_limits(groups), groups.value(USAGE))


def _limits(groups: GroupReader) -> Fact[tuple[Traffic, ...]]:
    facts = groups.levels(LIMITS, ())
    if isinstance(facts, Unknown):
        return facts
    found: dict[str, Traffic] = {}
    for fact in facts:
        for limit in value_of(fact, ()):
            if limit == Traffic(limit.device):
                continue  # "max" of all four
            found[limit.device] = _smaller(limit, found.get(limit.device, limit))
    if not found:
        if unread := [fact for fact in facts if isinstance(fact, Unknown)]:
            return unread[0]
        if not groups.is_complete(LIMITS):
            return NONE_SEEN
    return Known(tuple(found.values()), evidence_of(*facts))


def _smaller(one: Traffic, other: Traffic) -> Traffic:
    limits = {}
    for name in _V1_LIMITS:
        both = [each for each in (getattr(one, name), getattr(other, name)) if each is not None]
        limits[name] = min(both, default=None)
    return Traffic(one.device, **limits)
