"""The machine's own disks, and where on them something is surely the machine's.

A mount shows a path on a disk, not where the machine mounts the disk. Kubelet's directory and the
engine's, which are on it as well, show that.
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from devops_info_service.facts.linux.mounts import Mounts

from .signs import KUBELETS, Found

DISK_KINDS: Final = frozenset(
    "ext2 ext3 ext4 xfs btrfs zfs f2fs bcachefs overlay vfat exfat ntfs3 erofs squashfs".split()  # noqa: SIM905
)
HOST_TREES: Final = (
    *("/bin", "/boot", "/dev", "/etc", "/home", "/lib", "/opt", "/proc", "/root", "/run"),
    *("/sbin", "/sys", "/tmp", "/usr", "/var"),  # noqa: S108 (a directory of the host)
)
"""Directories of a host; a local volume is elsewhere, such as under ``/mnt``."""
_LINKED: Final = ("/var/mnt", "/var/srv")
"""The same as /mnt and /srv where /var alone is written to: ostree, Talos."""
_USUAL: Final = ("/kubelet", "/containerd", "/docker", "/containers", "/lxc")
"""Directories of kubelet and of the engines in ``/var/lib``, on a machine with one disk."""


class MachineDisk(msgspec.Struct, frozen=True):
    """A file system of the machine's."""

    subvolume: str = ""
    """How each path on it begins, as in ``/@/var/lib/kubelet``."""
    place: str = ""
    """Where the machine mounts it: ``/lib/kubelet`` is on a disk at ``/var``."""
    kubelet_directory: str = "-"
    """The machine's name of it; ``-``, which no path begins with, if it does not show."""
    is_guess: bool = False
    """Whether ``place`` is a custom alone: the disk of ``/kubelet`` may be at ``/data``."""

    def name(self, root: str) -> str:
        """Return the machine's name of *root*, or its path on the disk where that is a guess."""
        return root if self.is_guess and root != "/" else self._path(root)

    def is_machines(self, root: str, *, has_claims: bool) -> bool:
        """Return whether *root* is the machine's; *has_claims*: volumes may be beside its files."""
        path = self._path(root)
        trees = _USUAL if self.is_guess and has_claims else HOST_TREES
        return (
            path == "/"
            or (is_in(root if trees is _USUAL else path, *trees) and not is_in(path, *_LINKED))
            or is_in(path, self.kubelet_directory)
            or is_in(self.kubelet_directory, path)
        )

    def _path(self, root: str) -> str:
        inside = root.removeprefix(self.subvolume) if is_in(root, self.subvolume) else root
        return f"{self.place}{inside}".rstrip("/") or "/"


def machine_disks(mounts: Mounts, signs: Iterable[Found]) -> dict[str, MachineDisk]:
    """Return the devices that are the machine's, by the mounts of kubelet and the runtime."""
    found: dict[str, MachineDisk] = {}
    for mount, sign, index in signs:
        if mount.kind in DISK_KINDS and sign not in KUBELETS[:2]:
            kept = "/".join(mount.root.split("/")[:index]) if sign in KUBELETS else ""
            found.setdefault(mount.device, _disk_of(mount.root, kept or "-"))
    root = mounts.at("/")
    if root is not None and root.root != "/" and root.kind in DISK_KINDS:
        # A directory of the machine is the root: LXC, nspawn, chroot.
        found.setdefault(root.device, _disk_of(root.root))
    return found


def _disk_of(root: str, kept: str = "-") -> MachineDisk:
    before, there, _ = root.partition("/var/")
    if there:
        return MachineDisk(before, "", kept.removeprefix(before))
    is_guess = root.startswith(tuple([f"{each}/" for each in _USUAL]))
    place = "/var/lib" if is_guess else "/var" if root.startswith("/lib/") else ""
    return MachineDisk("", place, f"{place}{kept}", is_guess)


def is_in(path: str, *trees: str) -> bool:
    """Return whether *path* is one of *trees*, or below one."""
    return any(path == tree or path.startswith(f"{tree}/") for tree in trees)
