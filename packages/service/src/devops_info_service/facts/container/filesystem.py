"""Mounted file systems: origin, size, and free space."""

from typing import Final

import msgspec

from devops_info_service.facts.fact import Evidence, Fact, Known, Unknown
from devops_info_service.facts.linux.mounts import Mount
from devops_info_service.facts.system_files import FilesystemSpace, SystemFiles

from .origin import Origin, Volume
from .volumes import Volumes

MAX_LISTED: Final = 256
"""Mounts described: a pod has about thirty, a node's own table may have thousands."""


class MountedVolume(msgspec.Struct, frozen=True):
    """One mount."""

    point: str
    kind: str
    """The file system's type."""
    origin: Origin
    sign: str
    """What shows the origin, or why nothing does."""
    plugin: str
    """Of kubelet, where the mount names it: volumes in memory do not."""
    name: str
    read_only: bool
    source: str
    """Where on its file system it starts: the engine's or kubelet's own path."""
    options: tuple[str, ...]
    space: Fact[FilesystemSpace]
    limit: int | None
    """Bytes a file system in memory may grow to (``size=``); its pages count as the
    container's memory."""


class Filesystem(msgspec.Struct, frozen=True):
    """All mounts, those of the kernel's own file systems by number only."""

    mounts: Fact[tuple[MountedVolume, ...]]
    kernel_mounts: int
    unlisted: int
    """Beyond ``MAX_LISTED``."""


def read_filesystem(tree: SystemFiles, volumes: Volumes) -> Filesystem:
    """Read the room of each mount; the pod's own come before those of the machine."""
    if not volumes.entries:
        reason = volumes.pod if isinstance(volumes.pod, Unknown) else Unknown("no mounts")
        return Filesystem(reason, 0, 0)
    shown = [each for each in volumes.entries if each[1].origin != "kernel"]
    if len(shown) > MAX_LISTED:
        shown.sort(key=lambda each: each[1].origin == "host")
    found = tuple([_describe(tree, mount, volume) for mount, volume in shown[:MAX_LISTED]])
    return Filesystem(
        mounts=Known(found, (Evidence("/proc/self/mountinfo", "", f"{len(shown)} lines"),)),
        kernel_mounts=len(volumes.entries) - len(shown),
        unlisted=max(0, len(shown) - MAX_LISTED),
    )


def _describe(tree: SystemFiles, mount: Mount, volume: Volume) -> MountedVolume:
    return MountedVolume(
        point=mount.point,
        kind=mount.kind,
        origin=volume.origin,
        sign=volume.sign,
        plugin=volume.plugin,
        name=volume.name,
        read_only=mount.read_only,
        source=mount.root,
        options=mount.options,
        space=_space(tree, mount),
        limit=size_option(mount),
    )


def _space(tree: SystemFiles, mount: Mount) -> Fact[FilesystemSpace]:
    if mount.may_hang:
        return Unknown(
            f"{mount.point} is {mount.kind}: its room is not read, as that may wait for ever"
        )
    space = tree.space(mount.point)
    if isinstance(space, Unknown):
        return space
    return Known(space, (Evidence("statvfs(3)", mount.point, ""),))


def size_option(mount: Mount) -> int | None:
    """Parse the size of a tmpfs, in bytes; ``None``: half of the machine's memory."""
    if mount.kind != "tmpfs":
        return None
    for option in mount.super_options:
        key, _, size = option.partition("=")
        digits = size.rstrip("kmg")
        if key == "size" and digits.isascii() and digits.isdigit() and len(digits) <= 15:  # noqa: PLR2004
            value = int(digits) * {"k": 1024, "m": 1024**2, "g": 1024**3}.get(size[-1], 1)
            return value if value < 2**63 else None
    return None
