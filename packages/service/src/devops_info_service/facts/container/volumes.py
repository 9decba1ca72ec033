"""The origin of each mount: the image, the kernel's, the runtime's, a volume, or the host's disk.

A mount shows only where on its own file system it starts. For a volume on kubelet's disk
that names pod, plugin and volume; a volume in memory starts at ``/`` and names nothing.
"""

from typing import Final, Literal

import msgspec

from devops_info_service.facts.linux.mounts import Mount, Mounts

Origin = Literal[
    "image", "kernel", "runtime", "memory", "kubelet", "engine-volume", "host", "network", "other"
]

KERNEL_KINDS: Final = frozenset(
    "proc sysfs cgroup cgroup2 devpts mqueue securityfs debugfs tracefs bpf pstore hugetlbfs"  # noqa: SIM905
    " fusectl configfs binfmt_misc selinuxfs rpc_pipefs autofs nsfs efivarfs".split()
)
NETWORK_KINDS: Final = frozenset(
    "nfs nfs4 cifs smb3 smbfs ceph glusterfs lustre afs 9p virtiofs fuse".split()  # noqa: SIM905
)
"""Those that may wait for another machine, or for a process that died; ``fuse.*`` too."""
DISK_KINDS: Final = frozenset(
    "ext2 ext3 ext4 xfs btrfs zfs f2fs bcachefs overlay vfat exfat ntfs3 erofs squashfs".split()  # noqa: SIM905
)
_RUNTIME_POINTS: Final = frozenset({
    "/etc/hosts",
    "/etc/hostname",
    "/etc/resolv.conf",
    "/etc/passwd",
    "/etc/group",
    "/dev/termination-log",
    "/run/.containerenv",
    "/run/secrets",
})  # fmt: skip
_HOST_TREES: Final = (
    *("/bin", "/boot", "/dev", "/etc", "/home", "/lib", "/opt", "/proc", "/root", "/run"),
    *("/sbin", "/sys", "/tmp", "/usr", "/var"),  # noqa: S108 (a directory of the host)
)
"""Directories of a host; a local volume is elsewhere, such as under ``/mnt``."""
ENGINE_SOCKETS: Final = (
    "/var/run/docker.sock",
    "/run/docker.sock",
    "/run/containerd/containerd.sock",
    "/run/k3s/containerd/containerd.sock",
    "/run/crio/crio.sock",
    "/var/run/crio/crio.sock",
    "/run/podman/podman.sock",
    "/run/cri-dockerd.sock",
)
"""Where the programs that start containers listen: a client of one owns the node."""
SOCKET_NAMES: Final = (
    *("/docker.sock", "/containerd.sock", "/crio.sock", "/podman.sock", "/cri-dockerd.sock"),
)
"""Ends of the same paths, wherever they are mounted."""


class Volume(msgspec.Struct, frozen=True):
    """The origin of a mount."""

    origin: Origin
    plugin: str = ""
    """Of kubelet, such as ``configmap``; empty if the mount does not name it."""
    name: str = ""
    pod: str = ""
    """The uid of the pod it was made for."""


def classify(mount: Mount, mounts: Mounts) -> Volume:
    """Return the origin of *mount*."""
    found: Volume | None = mounts.memo.get(mount)
    if found is None:
        found = mounts.memo[mount] = _classify(mount, mounts)
    return found


def _classify(mount: Mount, mounts: Mounts) -> Volume:
    if pod := _kubelet(mount):
        return pod
    if "/volumes/" in mount.root and mount.root.endswith("/_data"):
        return Volume("engine-volume", name=mount.root.split("/")[-2])
    return Volume(_origin(mount, mounts))


def _origin(mount: Mount, mounts: Mounts) -> Origin:
    # The first that holds.
    rules: tuple[tuple[bool, Origin], ...] = (
        (mount.point == "/", "image"),
        (mount.point in _RUNTIME_POINTS, "runtime"),
        (mount.kind in {"proc", "sysfs"} and not _in(mount.point, "/proc", "/sys"), "host"),
        (mount.kind == "devtmpfs", "host"),
        (mount.kind in KERNEL_KINDS, "kernel"),
        (_in(mount.point, "/dev", "/proc", "/sys"), "runtime"),
        (may_hang(mount), "network"),
        (any(_disk(each, mounts) == "host" for each in mounts.around(mount.point)), "host"),
        (mount.kind == "tmpfs" and mount.root == "/", "memory"),
        (mount.kind == "tmpfs", "host"),
    )
    return next((origin for holds, origin in rules if holds), None) or _disk(mount, mounts)


def _in(path: str, *trees: str) -> bool:
    return any(path == tree or path.startswith(f"{tree}/") for tree in trees)


def may_hang(mount: Mount) -> bool:
    """Return whether a call to this file system may wait for ever."""
    return mount.kind in NETWORK_KINDS or mount.kind.startswith("fuse.")


def _kubelet(mount: Mount) -> Volume | None:
    before, found, after = mount.root.rpartition("/pods/")
    steps = after.split("/")
    if not found or len(steps) < 2 or before.count("/pods/"):  # noqa: PLR2004
        return None
    pod, kind, *rest = steps
    match kind, rest:
        case "volumes", [plugin, name, *_]:
            return Volume("kubelet", plugin.rpartition("~")[2], name, pod)
        case "volume-subpaths", [name, *_]:
            return Volume("kubelet", "", name, pod)
        case "etc-hosts" | "containers", _:
            return Volume("runtime", pod=pod)
        case _:
            return None


def _disk(mount: Mount, mounts: Mounts) -> Origin:
    if mount.kind not in DISK_KINDS:
        return "other"
    if mount.root == "/":
        # All of a file system: a separate disk, unless it is the one kubelet writes to.
        own = mounts.at("/etc/hosts") or mounts.at("/etc/hostname")
        return "host" if own is not None and own.device == mount.device else "other"
    return "host" if _in(mount.root, *_HOST_TREES) else "other"
