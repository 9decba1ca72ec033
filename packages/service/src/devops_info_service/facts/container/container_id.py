"""The number of the container, in its cgroup or in a mount that is its own.

Sources: cgroups(7); the names of groups: moby daemon/daemon_unix.go, containerd
internal/cri/server (``cri-containerd-ID.scope``), CRI-O internal/config/cgmgr (``crio-ID.scope``),
libpod (``libpod-ID.scope/container``), Amazon ECS, task metadata endpoint version 4 (``DockerId``).
"""

from typing import Final

import msgspec

from devops_info_service.facts.fact import Fact, Known, Unknown
from devops_info_service.facts.linux.cgroup import CGROUP

from .signs import is_id
from .volumes import Volumes

_ENGINES: Final = {
    "docker": "docker",
    "cri-containerd": "containerd",
    "nerdctl": "containerd",
    "crio": "cri-o",
    "libpod": "podman",
    "libpod-payload": "podman",
}
"""What goes before the number in the name of a scope."""
_TASK_DIGITS: Final = 32
_CONTAINERENV: Final = "/run/.containerenv"


class GroupName(msgspec.Struct, frozen=True):
    """The container that a step of a group's path names."""

    id: str
    engine: str
    """Empty where only the number is there."""


def find_in_path(path: str) -> GroupName | None:
    """Return the nearest container whose number is in *path*: below its group may be others."""
    steps = path.split("/")
    for index in range(len(steps) - 1, 0, -1):
        found = _step(steps[index], steps[:index])
        if found is not None:
            return found
    return None


def _step(step: str, before: list[str]) -> GroupName | None:
    if is_id(step):
        return GroupName(step, "docker" if before[-1] == "docker" else "")
    name, dash, number = step.removesuffix(".scope").rpartition("-")
    if step.count(":") == 2:  # noqa: PLR2004
        # SLICE:NAME:ID of systemd's driver, which another driver takes for a name.
        _, name, number = step.split(":")
        dash = ":"
    # Not of another name: a unit's may end in a hash, and conmon is outside its container.
    if dash and is_id(number) and name in _ENGINES:
        return GroupName(number, _ENGINES[name])
    # Of ECS on Fargate: the task's number and ten digits or so, below the task.
    is_task = len(name) == _TASK_DIGITS and before[-1] == name and "ecs" in before
    if is_task and number.isascii() and number.isdigit():
        return GroupName(step, "")
    return None


def container_id(volumes: Volumes, path: Fact[str], *, is_pod: bool) -> Fact[str]:
    """Take the number out of the group's path, or out of a mount that is this container's own.

    The files of a network (hosts, hostname, resolv.conf) are those of the container that was
    started with it, which others join: their number may be another's.
    """
    if isinstance(path, Known) and (found := find_in_path(path.value)):
        return Known(found.id, path.evidence)
    network = ""
    for mount, _ in volumes.engine_mounts:
        number = next((step for step in mount.root.split("/") if is_id(step)), "")
        if number and mount.point == _CONTAINERENV:
            return Known(number, (mount.evidence(),))
        network = network or number
    if is_pod:
        # In a pod those mounts are the sandbox's, shared by its containers.
        return Unknown(f"{CGROUP} does not name the container: a cgroup namespace hides it")
    if network:
        return Unknown(
            f"{CGROUP} does not name the container; its network is that of {network}, which is"
            " itself or one whose network it joined"
        )
    return Unknown("neither group nor mounts name the container")
