"""Granted resources: CPU, memory, processes, disks, open files."""

from typing import Final

import msgspec

from devops_info_service.facts import parse
from devops_info_service.facts.fact import Fact
from devops_info_service.facts.lines import lines, words
from devops_info_service.facts.open_files import OpenFiles
from devops_info_service.facts.system_files import SystemFiles

from .cgroup import CGROUP, Group, Version, read_cgroups
from .cpu import Cpu, MeteredCpu, read_cpu, read_metered_cpu
from .disks import Disks, read_disks
from .memory import Memory, MeteredMemory, read_memory, read_metered_memory
from .mounts import MOUNTINFO, read_mounts
from .pressure import Pressures, read_machine, read_own
from .processes import Processes, read_processes
from .provenance import sourced

LIMITS: Final = "/proc/self/limits"
_NAME_WIDTH: Final = 26
"""Columns of the first field of ``/proc/self/limits``: names have blanks in them."""


class ControlGroup(msgspec.Struct, frozen=True):
    """How this process is held."""

    version: Fact[Version]
    path: Fact[str]
    namespaced: Fact[bool]
    levels: tuple[str, ...]
    """Directories that could be read for memory limits: the own one, then those above."""


class Rlimit(msgspec.Struct, frozen=True):
    """One limit of the process itself; ``None`` is unlimited."""

    name: str
    soft: int | None
    hard: int | None
    unit: str


class Metered(msgspec.Struct, frozen=True):
    """The part that metrics are taken from."""

    cpu: MeteredCpu
    memory: MeteredMemory
    processes: Processes
    pressure: Pressures
    """Of the process's own group."""
    host_pressure: Pressures


class Resources(Metered, frozen=True):
    """All of it."""

    cpu: Cpu
    memory: Memory
    cgroup: ControlGroup
    disks: Disks
    rlimits: Fact[tuple[Rlimit, ...]]


def read_resources(tree: SystemFiles) -> Resources:
    """Read all of it once."""
    return ResourceReader(tree).read()


class ResourceReader:
    """Reads resources again and again, from groups and mounts that were found once.

    To find them is half of the cost, and all of it where there are thousands of mounts.
    """

    def __init__(self, tree: SystemFiles, kept: OpenFiles | None = None) -> None:
        """Find them; files that are read later stay open in *kept*, if there is one."""
        self._membership = tree.read(CGROUP).content
        found = sourced(tree)
        self._cgroups = read_cgroups(found, read_mounts(found))
        self._files = tree.keeping(kept) if kept else tree
        self._tree = found.keeping(kept) if kept else found

    @property
    def is_current(self) -> bool:
        """Whether the process is in the groups in which it was found."""
        return self._files.read(CGROUP).content == self._membership

    @property
    def has_same_mounts(self) -> bool:
        """Whether the mounts are those among which the groups were found."""
        # The second is of that time; see ``sourced``.
        return self._files.read(MOUNTINFO).content == self._tree.read(MOUNTINFO).content

    def read_metered(self) -> Metered:
        """Read nothing but what metrics are taken from: half of the cost."""
        tree, cgroups = self._tree, self._cgroups
        return Metered(
            cpu=read_metered_cpu(tree, cgroups),
            memory=read_metered_memory(tree, cgroups),
            processes=read_processes(tree, cgroups),
            pressure=read_own(tree, cgroups),
            host_pressure=read_machine(tree),
        )

    def read(self) -> Resources:
        """Read all of it once."""
        tree, cgroups = self._tree, self._cgroups
        memory_group = cgroups.group("memory")
        return Resources(
            cgroup=ControlGroup(
                version=cgroups.version,
                path=cgroups.path,
                namespaced=cgroups.namespaced,
                levels=memory_group.levels if isinstance(memory_group, Group) else (),
            ),
            cpu=read_cpu(tree, cgroups),
            memory=read_memory(tree, cgroups),
            processes=read_processes(tree, cgroups),
            disks=read_disks(tree, cgroups),
            pressure=read_own(tree, cgroups),
            host_pressure=read_machine(tree),
            rlimits=tree.read(LIMITS).parse(rlimits),
        )


def rlimits(text: str) -> tuple[Rlimit, ...]:
    """Parse ``/proc/self/limits``."""
    found = []
    for line in lines(text)[1:]:
        name = line[:_NAME_WIDTH].strip(" ")
        soft, hard, *unit = words(line[_NAME_WIDTH:]) or ["", ""]
        found.append(
            Rlimit(
                name.removeprefix("Max ").replace(" ", "_"),
                parse.rlimit(soft),
                parse.rlimit(hard),
                " ".join(unit),
            )
        )
    if not found:
        raise ValueError(text)
    return tuple(found)
