"""The writer of a file under /proc or /sys, if it was not the kernel of the machine.

lxcfs, a bind mount or an engine's mask puts another file over the kernel's: the place is the
same, the word is not. In gVisor and in Kata Containers the whole kernel is the sandbox's: its
word on the machine is true of the sandbox.

Source: lxcfs(1); gVisor, pkg/sentry/fsimpl/proc and sys; Kata Containers, docs/design/architecture.
"""

from collections.abc import Iterator
from typing import Final

from devops_info_service.facts.fact import Fact, Unknown, value_of
from devops_info_service.facts.system_files import SystemFiles

from .mounts import Mount, Mounts, read_mounts
from .sandbox import NONE, Detection, read_sandbox

_ROOTED: Final = {"/proc": "proc", "/sys": "sysfs"}
"""Tree -> the file system whose parts may be mounted again at their own places."""
_KERNELS: Final = frozenset(
    "cgroup cgroup2 securityfs debugfs tracefs bpf pstore fusectl configfs binfmt_misc selinuxfs"  # noqa: SIM905
    " smackfs rpc_pipefs autofs nfsd efivarfs resctrl".split()
)
"""The kernel's own file systems, mounted under these two, whatever part of them."""
MACHINE: Final = (
    *("/proc/meminfo", "/proc/pressure", "/proc/stat", "/sys/devices/system/cpu"),
    *("/proc/cpuinfo", "/proc/loadavg"),
)
"""Files that describe the machine as a whole."""


def sourced(tree: SystemFiles) -> SystemFiles:
    """Return *tree* without the files of /proc and /sys that the machine's kernel did not write."""
    if tree.sourced:
        return tree
    tree = tree.without({})  # From here on the table is that of one reading.
    mounts = read_mounts(tree)
    makers = {}
    if (guest := _guest(read_sandbox(tree, mounts))) is not None:
        makers = dict.fromkeys(MACHINE, guest)
    if not isinstance(mounts, Unknown):
        makers |= _as_self(tree, dict(overlays(mounts)))
    return tree.without(makers)


def overlays(mounts: Mounts) -> Iterator[tuple[str, str]]:
    """Yield each mount under /proc and /sys, and what wrote it; empty: the kernel did."""
    for mount in mounts.kernels:
        point = mount.point
        for tree, kind in _ROOTED.items():
            below = point.removeprefix(tree)
            if below == point or (below and below[0] != "/"):
                continue
            same = mount.kind == kind and mount.root == (below or "/")
            yield point, "" if same or mount.kind in _KERNELS else _name(mount)


def is_lxcfs(mount: Mount) -> bool:
    """Return whether *mount* is a view of lxcfs."""
    return mount.kind == "fuse.lxcfs" or (mount.kind == "fuse" and mount.origin == "lxcfs")


def _name(mount: Mount) -> str:
    if is_lxcfs(mount):
        return "lxcfs"
    return f"the {mount.kind} at {mount.point}"


def _as_self(tree: SystemFiles, makers: dict[str, str]) -> dict[str, str]:
    """Name the process's own directory as it is read: a mount is listed under its number."""
    if not any(point[6:7].isdigit() for point in makers):
        return makers
    number = tree.link("/proc/self")
    own = f"/proc/{number}"
    return {
        f"/proc/self{point[len(own) :]}" if f"{point}/".startswith(f"{own}/") else point: maker
        for point, maker in makers.items()
    }


def _guest(sandbox: Fact[Detection]) -> str | None:
    found = value_of(sandbox, NONE)
    names = {"gvisor": "gVisor", "kata": "the guest of Kata Containers"}
    return names.get(found.name) if found.confidence == "certain" else None
