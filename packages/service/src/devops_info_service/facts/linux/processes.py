"""Processes and threads of the group, and their limit.

Source: Linux, admin-guide/cgroup-v2.rst (pids) and cgroup-v1/pids.rst.
"""

import msgspec

from devops_info_service.facts.fact import Fact
from devops_info_service.facts.system_files import SystemFiles

from . import group_table as table
from .cgroup import Cgroups
from .group_values import GroupReader
from .limits import Limit


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
        limit=groups.limit(table.PIDS_LIMIT),
        current=groups.value(table.PIDS_CURRENT),
        peak=groups.value(table.PIDS_PEAK),
        refused=groups.value(table.PIDS_REFUSED),
    )
