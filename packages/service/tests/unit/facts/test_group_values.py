"""Rows of the table of group values: which files they name, how far up they reach."""

from typing import Any

import pytest

from devops_info_service.facts.fact import Known, Unknown
from devops_info_service.facts.linux import disks
from devops_info_service.facts.linux import group_table as table
from devops_info_service.facts.linux.cgroup import Cgroups, Group
from devops_info_service.facts.linux.group_values import GroupValue
from devops_info_service.facts.linux.limit_watch import WATCHED

NEW = Group(2, ("/c/pod/own", "/c/pod"), top_visible=False)
OLD = Group(1, ("/old/own", "/old"), top_visible=True)
MISSING = Unknown("no group")


def cgroups(unified: Group | Unknown, **v1: Group | Unknown) -> Cgroups:
    """Return groups of either version."""
    return Cgroups(Known("hybrid"), Known("/"), Known(value=True), unified, dict(v1))


@pytest.mark.parametrize(
    ("row", "new", "old"),
    [
        (table.MEMORY_HIGH, ["/c/pod/own/memory.high", "/c/pod/memory.high"], []),
        (
            table.MEMORY_LIMIT,
            ["/c/pod/own/memory.max", "/c/pod/memory.max"],
            ["/old/own/memory.limit_in_bytes", "/old/memory.limit_in_bytes"],
        ),
        (table.CPU_SHARES, [], ["/old/own/cpu.shares"]),
        (table.CPU_THROTTLED, ["/c/pod/own/cpu.stat"], ["/old/own/cpu.stat"]),
        (table.CPU_USAGE, ["/c/pod/own/cpu.stat"], ["/old/own/cpuacct.usage"]),
        (
            disks.USAGE,
            ["/c/pod/own/io.stat"],
            [
                "/old/own/blkio.throttle.io_service_bytes",
                "/old/own/blkio.throttle.io_serviced",
            ],
        ),
    ],
)
def test_paths(row: GroupValue[Any], new: list[str], old: list[str]) -> None:
    """A value is in the own group, a limit in those above as well; some have one version only."""
    names = ("cpu", "cpuacct", "blkio", "memory")

    assert list(dict.fromkeys(row.paths(cgroups(NEW)))) == new
    assert list(dict.fromkeys(row.paths(cgroups(MISSING, **dict.fromkeys(names, OLD))))) == old


def test_watched() -> None:
    """Without a group no file is watched."""
    assert not [path for row in WATCHED.values() for path in row.paths(cgroups(MISSING))]
