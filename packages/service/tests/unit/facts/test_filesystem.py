"""Mounts by kind, with their room and limits."""

from collections.abc import Callable

import pytest

from devops_info_service.facts.container.filesystem import (
    MAX_LISTED,
    Filesystem,
    MountedVolume,
    read_filesystem,
    size_option,
)
from devops_info_service.facts.container.volumes import read_volumes
from devops_info_service.facts.fact import Known, Unknown
from devops_info_service.facts.linux.mounts import parse_mount, read_mounts
from devops_info_service.facts.system_files import FilesystemSpace, SystemFiles

MIB = 2**20


def filesystem_of(tree: SystemFiles) -> Filesystem:
    """Read the mounts of a tree and the room of each."""
    unshared = dict.fromkeys(("ipc", "cgroup"), Known(value=False))
    return read_filesystem(tree, read_volumes(tree, read_mounts(tree), unshared))


def at(filesystem: Filesystem, point: str) -> MountedVolume:
    """Find one mount."""
    assert isinstance(filesystem.mounts, Known)
    return next(each for each in filesystem.mounts.value if each.point == point)


@pytest.mark.parametrize(
    ("name", "point", "origin", "plugin", "volume"),
    [
        ("containerd-restricted", "/", "image", "", ""),
        ("containerd-restricted", "/etc/app", "kubelet", "configmap", "settings"),
        ("containerd-restricted", "/tmp", "memory", "", ""),
        ("containerd-restricted", "/etc/hosts", "runtime", "", ""),
        ("crio-pod", "/scratch", "kubelet", "empty-dir", "scratch"),
        ("crio-pod", "/run/.containerenv", "runtime", "", ""),
        ("gvisor", "/", "image", "", ""),
        ("hybrid", "/cache", "engine-volume", "", "cache"),
        ("podman-rootless", "/src", "host", "", ""),
        ("privileged-pod", "/host", "host", "", ""),
        ("privileged-pod", "/host/run", "host", "", ""),
        ("privileged-pod", "/host/proc", "host", "", ""),
        ("docker-host", "/run/docker.sock", "host", "", ""),
    ],
)
def test_origin(
    saved: Callable[[str], SystemFiles],
    name: str,
    point: str,
    origin: str,
    plugin: str,
    volume: str,
) -> None:
    """Each mount is classified by its source."""
    mount = at(filesystem_of(saved(name)), point)

    assert (mount.origin, mount.plugin, mount.name) == (origin, plugin, volume)


def test_room(saved: Callable[[str], SystemFiles]) -> None:
    """A disk has room, a file system in memory has a limit besides."""
    filesystem = filesystem_of(saved("containerd-restricted"))
    root, tmp = at(filesystem, "/"), at(filesystem, "/tmp")

    assert isinstance(root.space, Known)
    assert root.space.value == FilesystemSpace(
        105_089_261_568, 60_129_542_144, 13_107_200, 12_200_000
    )
    assert root.read_only
    assert root.limit is None
    assert tmp.limit == 256 * MIB


def test_network_mounts_are_not_read(saved: Callable[[str], SystemFiles]) -> None:
    """The room of a network file system is not queried: a dead server would block."""
    assert at(filesystem_of(saved("gvisor")), "/").space == Unknown(
        "/ is 9p: its room is not read, as that may wait for ever"
    )


def test_kernel_mounts_are_counted(saved: Callable[[str], SystemFiles]) -> None:
    """The kernel's own file systems are a number, not a list."""
    filesystem = filesystem_of(saved("docker-default"))

    assert isinstance(filesystem.mounts, Known)
    assert not {"proc", "sysfs", "cgroup"} & {each.kind for each in filesystem.mounts.value}
    assert filesystem.kernel_mounts > 10


def test_too_many(tree_of: Callable[..., SystemFiles]) -> None:
    """Beyond a number mounts are counted only."""
    lines = (f"{n} 1 8:1 /x{n} /m{n} rw - ext4 /dev/sda rw\n" for n in range(MAX_LISTED + 5))
    filesystem = filesystem_of(tree_of({"/proc/self/mountinfo": "".join(lines)}))

    assert isinstance(filesystem.mounts, Known)
    assert len(filesystem.mounts.value) == MAX_LISTED
    assert filesystem.unlisted == 5


@pytest.mark.parametrize(
    ("options", "size"),
    [
        ("rw,size=65536k", 64 * MIB),
        ("rw,size=64m,mode=755", 64 * MIB),
        ("rw,size=1g", 1024 * MIB),
        ("rw,size=4096", 4096),
        ("rw", None),
        ("rw,size=", None),
        ("rw,size=50%", None),
        ("rw,size=9999999999999999999k", None),
        ("rw,size=999999999999999g", None),
    ],
)
def test_size(options: str, size: int | None) -> None:
    """The limit of a tmpfs is its size option."""
    mount = parse_mount(f"1 0 0:1 / /tmp rw - tmpfs tmpfs {options}")

    assert mount is not None
    assert size_option(mount) == size


@pytest.mark.parametrize(
    ("line", "point"),
    [
        ("36 35 98:0 /r /m rw,noatime master:1 - ext3 /dev/root rw", "/m"),
        ("36 35 98:0 /r /m rw - ext3 /dev/root rw", "/m"),
        ("36 35 98:0 /r /m rw shared:1 master:2 unbindable - ext3 /dev/root rw", "/m"),
        ("36 35 98:0 /r /a\\040b\\134c rw - ext3 /dev/root rw", "/a b\\c"),
        ("36 35 98:0 /r /m rw", None),
        ("36 35 98:0 /r /m rw - ext3", None),
        ("x 35 98:0 /r /m rw - ext3 /dev/root rw", None),
        ("", None),
        (" - ", None),
    ],
)
def test_lines(line: str, point: str | None) -> None:
    """A line is a mount or it is not; blanks in names come back."""
    mount = parse_mount(line)

    assert (mount.point if mount else None) == point
