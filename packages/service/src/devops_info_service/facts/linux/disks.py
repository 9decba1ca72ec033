"""Disk traffic of a group: what is allowed, what was used.

Source: Linux, admin-guide/cgroup-v2.rst (io) and cgroup-v1/blkio-controller.rst.
"""

from typing import Final

import msgspec

from devops_info_service.facts import parse
from devops_info_service.facts.fact import Fact, Known, Unknown, evidence_of
from devops_info_service.facts.system_files import Tree

from .cgroup import Cgroups, Group
from .limits import group_file

_V1_LIMITS: Final = {
    "read_bytes": "blkio.throttle.read_bps_device",
    "write_bytes": "blkio.throttle.write_bps_device",
    "reads": "blkio.throttle.read_iops_device",
    "writes": "blkio.throttle.write_iops_device",
}
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
    """Per second; a device without a limit is not listed."""
    usage: Fact[tuple[Traffic, ...]]
    """Since the group was made."""


def read_disks(tree: Tree, cgroups: Cgroups) -> Disks:
    """Read what the ``io`` (version 2) or ``blkio`` (version 1) controller gives and counts."""
    old = cgroups.v1.get("blkio")
    if old is not None:
        return Disks(_limits_v1(tree, old), _usage_v1(tree, old))
    group = cgroups.group("io")
    return Disks(
        limits=group_file(tree, group, "io.max").whole(lambda text: traffic(text, _V2_LIMITS)),
        usage=group_file(tree, group, "io.stat").whole(lambda text: traffic(text, _V2_USAGE)),
    )


def traffic(text: str, names: dict[str, str]) -> tuple[Traffic, ...]:
    """Parse lines such as ``8:0 rbps=1048576 wbps=max``; *names* says what each key is."""
    found = []
    for line in text.splitlines():
        device, *pairs = line.split()
        fields = {}
        for pair in pairs:
            key, _, number = pair.partition("=")
            if key in names:
                fields[names[key]] = parse.limit(number)
        found.append(Traffic(device, **fields))
    return tuple(found)


def _limits_v1(tree: Tree, group: Group | Unknown) -> Fact[tuple[Traffic, ...]]:
    limits: dict[str, dict[str, int]] = {}
    facts = []
    for field, name in _V1_LIMITS.items():
        fact = group_file(tree, group, name).whole(_pairs)
        if isinstance(fact, Unknown):
            return fact
        facts.append(fact)
        for device, number in fact.value:
            limits.setdefault(device, {})[field] = number
    found = tuple(Traffic(device, **fields) for device, fields in limits.items())
    return Known(found, evidence_of(*facts))


def _pairs(text: str) -> tuple[tuple[str, int], ...]:
    lines = (line.partition(" ") for line in text.splitlines())
    return tuple((device, parse.count(number)) for device, _, number in lines)


def _usage_v1(tree: Tree, group: Group | Unknown) -> Fact[tuple[Traffic, ...]]:
    sizes = group_file(tree, group, "blkio.throttle.io_service_bytes").whole(_operations)
    times = group_file(tree, group, "blkio.throttle.io_serviced").whole(_operations)
    if isinstance(sizes, Unknown):
        return sizes
    if isinstance(times, Unknown):
        return times
    found = tuple(
        Traffic(
            device,
            read_bytes=size.get("Read"),
            write_bytes=size.get("Write"),
            reads=times.value.get(device, {}).get("Read"),
            writes=times.value.get(device, {}).get("Write"),
        )
        for device, size in sizes.value.items()
    )
    return Known(found, evidence_of(sizes, times))


def _operations(text: str) -> dict[str, dict[str, int]]:
    """Parse lines such as ``8:0 Read 4096``; the last line sums them up."""
    found: dict[str, dict[str, int]] = {}
    for line in text.splitlines():
        device, *rest = line.split()
        if device == "Total":
            continue
        operation, number = rest
        found.setdefault(device, {})[operation] = parse.count(number)
    return found
