"""The processes of a node, where they are seen from inside a container.

The PID namespace is the node's then, or an engine runs in this container.

Source: proc_pid_comm(5), which is cut at 15 characters.
"""

from typing import Final

from devops_info_service.facts.fact import Evidence
from devops_info_service.facts.system_files import SystemFiles

MAX_READ: Final = 64
"""Processes read, the first ones: a node starts its own before those of pods."""
_NAMES: Final = frozenset({
    *("kubelet", "containerd", "containerd-shim", "crio", "conmon", "dockerd", "k3s-server"),
    *("k3s-agent", "rke2"),
})  # fmt: skip


def find_node_process(tree: SystemFiles) -> Evidence | None:
    """Return a process that only a node has, or an engine."""
    names = tree.names("/proc")
    if not isinstance(names, tuple):
        return None
    pids = sorted([int(name) for name in names if name.isascii() and name.isdigit()])
    for pid in pids[:MAX_READ]:
        path = f"/proc/{pid}/comm"
        name = tree.read(path).text.removesuffix("\n")
        if is_of_node(name):
            return Evidence(path, "", name)
    return None


def is_of_node(name: str) -> bool:
    """Return whether only a node has a process of this *name*, or an engine."""
    return name in _NAMES or name.startswith("containerd-shim")
