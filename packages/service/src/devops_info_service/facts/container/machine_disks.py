"""The machine's disks, as the mounts of kubelet and of runtimes show them.

A path on a disk is the machine's where the disk holds what kubelet or a runtime made.
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from devops_info_service.facts.linux.mounts import Mounts

from .signs import KUBELETS, Found

DISK_KINDS: Final = frozenset(
    "ext2 ext3 ext4 xfs btrfs zfs f2fs bcachefs overlay vfat exfat ntfs3 erofs squashfs".split()  # noqa: SIM905
)
_USUAL: Final = ("/kubelet/", "/containerd/", "/docker/", "/containers/", "/lxc/")
"""Directories of kubelet and of the engines in ``/var/lib``, on a machine with one disk."""


_KEEPERS: Final = frozenset({"kubelet", "containerd", "docker", "storage"})
"""Those that keep all their files below one directory, which no claim is in."""


class Disk(msgspec.Struct, frozen=True):
    """A file system of the machine's."""

    subvolume: str = ""
    """How each path on it begins, as in ``/@/var/lib/kubelet``."""
    place: str = ""
    """Where the machine mounts it: ``/lib/kubelet`` is on a disk at ``/var``."""
    kept: tuple[str, ...] = ()
    """Directories of kubelet and of the engine, as their mounts show them."""

    def path(self, root: str) -> str:
        """Return the machine's name of *root*."""
        inside = root.removeprefix(self.subvolume) if is_in(root, self.subvolume) else root
        return f"{self.place}{inside}".rstrip("/") or "/"

    def keeper(self, root: str) -> str:
        """Return the directory of kubelet or of the engine that *root* has or is in, or empty."""
        around = root.rstrip("/")
        return next((each for each in self.kept if is_in(root, each) or is_in(each, around)), "")


def read_disks(mounts: Mounts, signs: Iterable[Found]) -> dict[str, Disk]:
    """Return the devices that are the machine's, by the mounts of kubelet and the runtime."""
    found: dict[str, str] = {}
    kept: dict[str, dict[str, None]] = {}
    for mount, sign, index in signs:
        if mount.kind in DISK_KINDS and sign not in KUBELETS[:2]:
            found.setdefault(mount.device, mount.root)
            directory = "/".join(mount.root.split("/")[:index])
            if sign.maker in _KEEPERS and len(sign.steps) > 1 and directory:
                kept.setdefault(mount.device, {})[directory] = None
    root = mounts.at("/")
    if root is not None and root.root != "/" and root.kind in DISK_KINDS:
        # A directory of the machine is the root: LXC, nspawn, chroot.
        found.setdefault(root.device, root.root)
    return {
        device: _disk_of(example, tuple(kept.get(device, ()))) for device, example in found.items()
    }


def _disk_of(root: str, kept: tuple[str, ...]) -> Disk:
    before, there, _ = root.partition("/var/")
    if there:
        return Disk(before, "", kept)
    is_below = root.startswith(_USUAL)
    return Disk("", "/var/lib" if is_below else "/var" if root.startswith("/lib/") else "", kept)


def is_in(path: str, *trees: str) -> bool:
    """Return whether *path* is one of *trees* or below it."""
    return any(path == tree or path.startswith(f"{tree}/") for tree in trees)
