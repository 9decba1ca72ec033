"""Pressure stall information: how long tasks waited for CPU, memory and disks.

Source: Linux, accounting/psi.rst.
"""

import msgspec

from devops_info_service.facts import parse
from devops_info_service.facts.fact import Fact
from devops_info_service.facts.lines import lines, words
from devops_info_service.facts.system_files import SystemFiles

from .cgroup import Cgroups
from .group_values import UNIFIED, GroupReader, GroupValue, whole


class Stall(msgspec.Struct, frozen=True):
    """Share of time in per cent, over the last 10, 60 and 300 seconds; and all of it."""

    avg10: float
    avg60: float
    avg300: float
    total_microseconds: int


class Pressure(msgspec.Struct, frozen=True):
    """Of one resource."""

    some: Stall
    """At least one task waited."""
    full: Stall | None
    """All of them waited: nothing was done; ``None``: the kernel does not report it."""


class Pressures(msgspec.Struct, frozen=True):
    """Of all three resources."""

    cpu: Fact[Pressure]
    memory: Fact[Pressure]
    io: Fact[Pressure]


def read_own(tree: SystemFiles, cgroups: Cgroups) -> Pressures:
    """Read those of the process's own group; version 1 has none."""
    groups = GroupReader(tree, cgroups)
    cpu, memory, io = (
        groups.value(GroupValue(UNIFIED, source))
        for source in (whole(f"{name}.pressure", pressure) for name in ("cpu", "memory", "io"))
    )
    return Pressures(cpu, memory, io)


def read_machine(tree: SystemFiles) -> Pressures:
    """Read those of the whole machine."""
    cpu, memory, io = (
        tree.read(f"/proc/pressure/{name}").parse(pressure) for name in ("cpu", "memory", "io")
    )
    return Pressures(cpu, memory, io)


def pressure(text: str) -> Pressure:
    """Parse the lines ``some avg10=0.00 avg60=0.00 avg300=0.00 total=0`` and ``full ...``."""
    stalls: dict[str, Stall] = {}
    for line in lines(text):
        kind, *pairs = words(line)
        fields = dict([pair.split("=", 1) for pair in pairs if "=" in pair])
        try:
            stalls[kind] = Stall(
                avg10=parse.decimal(fields["avg10"]),
                avg60=parse.decimal(fields["avg60"]),
                avg300=parse.decimal(fields["avg300"]),
                total_microseconds=parse.count(fields["total"]),
            )
        except KeyError as exc:
            raise ValueError(line) from exc
    if "some" not in stalls:
        raise ValueError(text)
    return Pressure(stalls["some"], stalls.get("full"))
