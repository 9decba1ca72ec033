"""The machine's own disks among the mounts, and the machine's names of paths on them.

A root is a path on its file system: where the machine mounts that, and below which subvolume, shows
in the roots of kubelet's and the engines' own directories.
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from devops_info_service.facts.linux.mounts import Mounts

from .signs import KUBELETS, Found

DISK_KINDS: Final = frozenset(
    "ext2 ext3 ext4 xfs btrfs zfs f2fs bcachefs overlay vfat exfat ntfs3 erofs squashfs".split()  # noqa: SIM905
)
_USUAL: Final = (
    "/var/lib/kubelet",
    "/var/lib/containerd",
    "/var/lib/docker",
    "/var/lib/containers",
    "/var/lib/lxc",
)
"""Where the directories of kubelet and of the engines are, on a machine with one disk."""


def find_disks(mounts: Mounts, signs: Iterable[Found]) -> "dict[str, Disk]":
    """Return the devices that are the machine's, by the mounts of kubelet and the runtime."""
    found: dict[str, Disk] = {}
    for mount, sign, _ in signs:
        if mount.kind in DISK_KINDS and sign not in KUBELETS[:2]:
            found.setdefault(mount.device, _disk_of(mount.root))
    root = mounts.at("/")
    if root is not None and root.root != "/" and root.kind in DISK_KINDS:
        # A directory of the machine is the root: LXC, nspawn, chroot.
        found.setdefault(root.device, _disk_of(root.root))
    return found


class Disk(msgspec.Struct, frozen=True):
    """A file system of the machine's."""

    subvolume: str = ""
    """How each path on it begins, as in ``/@/var/lib/kubelet``."""
    place: str = ""
    """Where the machine mounts it: ``/lib/kubelet`` is on a disk at ``/var``."""

    def path(self, root: str) -> str:
        """Return the machine's name of *root*."""
        inside = root.removeprefix(self.subvolume) if is_in(root, self.subvolume) else root
        return f"{self.place}{inside}".rstrip("/") or "/"


def _disk_of(root: str) -> Disk:
    before, there, _ = root.partition("/var/")
    if there:
        return Disk(subvolume=before)
    for usual in _USUAL:
        for place in ("/var", "/var/lib"):
            if root.startswith(f"{usual.removeprefix(place)}/"):
                return Disk(place=place)
    return Disk()


def is_in(path: str, *trees: str) -> bool:
    """Return whether *path* is one of *trees*, or below it."""
    return any(path == tree or path.startswith(f"{tree}/") for tree in trees)
