"""Processes and threads of the group, and their limit.

Source: Linux, admin-guide/cgroup-v2.rst (pids) and cgroup-v1/pids.rst.
"""

from typing import Final

import msgspec

from devops_info_service.facts import parse
from devops_info_service.facts.fact import Fact
from devops_info_service.facts.system_files import SystemFiles

from .cgroup import Cgroups
from .group_values import GroupLimit, GroupReader, GroupValue, field, whole
from .limits import Limit

LIMIT: Final = GroupLimit("pids", whole("pids.max", parse.limit))
CURRENT: Final = GroupValue("pids", whole("pids.current", parse.count))
PEAK: Final = GroupValue("pids", whole("pids.peak", parse.count))
REFUSED: Final = GroupValue("pids", field("pids.events", "max", parse.count))


class Processes(msgspec.Struct, frozen=True):
    """How many processes and threads; the kernel counts both alike."""

    limit: Limit[int]
    current: Fact[int]
    peak: Fact[int]
    refused: Fact[int]
    """Times a new one was refused for the limit."""


def read_processes(tree: SystemFiles, cgroups: Cgroups) -> Processes:
    """Read the ``pids`` controller."""
    groups = GroupReader(tree, cgroups)
    return Processes(
        limit=groups.limit(LIMIT),
        current=groups.value(CURRENT),
        peak=groups.value(PEAK),
        refused=groups.value(REFUSED),
    )
