"""Mounts, and the room in them."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from devops_info_service.facts.fact import Known, Unknown

from .formatting import size
from .property import Property
from .row import Row, row

if TYPE_CHECKING:
    from devops_info_service.facts.container.filesystem import MountedVolume
    from devops_info_service.snapshot import PlatformSnapshot


def _mounts(snapshot: "PlatformSnapshot") -> Iterable[Row]:
    found = snapshot.filesystem
    if isinstance(found.mounts, Unknown):
        return (row("mounts", found.mounts),)
    return (
        *(Row(each.point, _mount(each)) for each in found.mounts.value),
        Row("of the kernel", str(found.kernel_mounts)),
        *([Row("not listed", str(found.unlisted))] if found.unlisted else []),
    )


def _mount(mount: "MountedVolume") -> str:
    kinds = [mount.origin, mount.plugin, mount.kind, "read-only" if mount.read_only else "writable"]
    text = ", ".join(dict.fromkeys([kind for kind in kinds if kind]))
    if mount.limit is not None:
        text += f", at most {size(mount.limit)}"
    if isinstance(mount.space, Known):
        text += f", {size(mount.space.value.free)} of {size(mount.space.value.size)} free"
    return text


FILESYSTEM: Final = (Property("filesystem.mounts", shown="filesystem", rows=_mounts),)
