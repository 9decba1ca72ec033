"""Mounts in memory (tmpfs): kubelet's volumes, the runtime's masks and /dev, or the host's.

Kubelet mounts a ``tmpfs`` from ``tmpfs`` and gives it nothing but ``size=`` and ``noswap``
(pkg/volume/emptydir); systemd gives its own a mode, a number of inodes or an owner, and mounts
them nosuid and nodev (src/shared/mount-setup.c). A hostPath of /dev/shm may show like an
emptyDir: then only content or an equal size decides.
"""

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from devops_info_service.facts.fact import Unknown
from devops_info_service.facts.linux.mounts import Mount, Mounts
from devops_info_service.facts.linux.sandbox import KATA_FILES
from devops_info_service.facts.system_files import SystemFiles

from .origin import Volume
from .signs import find, is_dated

_KUBELETS: Final = frozenset({"rw", "ro", "inode64", "inode32", "noswap", "seclabel"})
_CONTEXTS: Final = ("size=", "context=", "rootcontext=", "fscontext=", "defcontext=")
_FLAGS: Final = frozenset({"nosuid", "nodev", "noexec"})
_ACCOUNT: Final = "/secrets/kubernetes.io/serviceaccount"
_READ_ONLY: Final = frozenset({"/run", "/tmp", "/var/tmp"})  # noqa: S108 (mount points)
"""Where CRI-O mounts memory itself, if it runs all containers read-only (crio.conf(5))."""
_SHARED: Final = "/dev/shm"  # noqa: S108 (a mount point, not written to)


def is_written_by_kubelet(tree: SystemFiles, mount: Mount) -> bool:
    """Return whether kubelet's writer made the content.

    ``..data`` is a link to a version; a service account's volume has these three files.
    """
    target = tree.link(f"{mount.point}/..data")
    if not isinstance(target, Unknown):
        return is_dated(target)
    names = tree.names(mount.point)
    if isinstance(names, Unknown):
        # A recording may have the table alone. Where kubelet finds another mount at this place,
        # it adds no token; a read-only one is not a place to share memory.
        return mount.point.endswith(_ACCOUNT) and "ro" in mount.options
    return set(names) >= {"ca.crt", "namespace", "token"}


class Around(msgspec.Struct, frozen=True):
    """What of the container decides about a tmpfs."""

    sizes: frozenset[str]
    """Of kubelet's volumes: each ``size=``."""
    is_pod: bool
    """Whether kubelet prepared the container."""
    is_ipc_shared: bool
    """Whether its IPC namespace is the machine's: then the runtime mounts the machine's
    /dev/shm."""
    owner: frozenset[str]
    """Options that the runtime's own /dev has: in a user namespace every tmpfs names its owner."""


def read_around(tree: SystemFiles, mounts: Mounts, *, is_pod: bool, is_ipc_shared: bool) -> Around:
    """Read it; the sizes are of the volumes that kubelet wrote: all without a limit have one."""
    devices = mounts.at("/dev")
    options = devices.super_options if devices and devices.kind == "tmpfs" else ()
    owner = frozenset([each for each in options if each.startswith(("uid=", "gid="))])
    written = (
        each
        for each in (mounts.entries if is_pod else ())
        if each.kind == "tmpfs"
        and (
            _is_version(each)
            or (_has_kubelets_form(each, owner) and is_written_by_kubelet(tree, each))
        )
    )
    sizes = frozenset([size for each in written if (size := _size(each.super_options))])
    return Around(sizes, is_pod, is_ipc_shared, owner)


def origin_of(tree: SystemFiles, mount: Mount, mounts: Mounts, around: Around) -> Volume:
    """Return the origin of a tmpfs: the first that holds."""
    return next(_origins(tree, mount, mounts, around))


def _origins(tree: SystemFiles, mount: Mount, mounts: Mounts, around: Around) -> Iterator[Volume]:
    yield from _of_runtime(mount, mounts, around)
    if _is_version(mount):
        yield Volume("memory", "a version of a volume that kubelet wrote")
    if KATA_FILES in mount.root:
        yield Volume("other", "copied into the guest of Kata Containers: a volume, or a hostPath")
    if mount.root != "/" and _is_hosts(mount, around):
        yield Volume("host", "a part of a file system in the machine's memory")
    if mount.root != "/":
        yield Volume("other", "a part of a volume in memory, or of the machine's: both show alike")
    if _has_kubelets_form(mount, around.owner) and is_written_by_kubelet(tree, mount):
        yield Volume("memory", "kubelet's writer filled it")
    is_sized = _size(mount.super_options) in around.sizes
    if around.is_pod and is_sized and _has_kubelets_form(mount, around.owner):
        yield Volume("memory", "of the size that kubelet gives its volumes")
    if around.is_pod and mount.point in _READ_ONLY and _is_read_only(mounts):
        yield Volume("other", "CRI-O's over a read-only root, or the machine's: both show alike")
    if _is_hosts(mount, around):
        yield Volume("host", "mounted with options that kubelet never gives")
    yield Volume("other", "a volume in memory, or the machine's /dev/shm: both show alike")


def _of_runtime(mount: Mount, mounts: Mounts, around: Around) -> Iterator[Volume]:
    devices, options = mounts.at("/dev"), set(mount.super_options)
    is_below = _is_below(mount.point, "/proc", "/sys")
    is_null = devices is not None and devices.device == mount.device and mount.root == "/null"
    if is_null:
        # The container's own: a user's hostPath of /dev/null is the machine's.
        yield Volume("runtime", "a mask: nothing is behind it")
    if mount.root != "/":
        return
    if mount.point == "/dev" and "mode=755" in options:
        yield Volume("runtime", "the runtime's own /dev")
    if mount.point == "/sys/fs/cgroup" and "mode=755" in options:
        yield Volume("runtime", "the directory of the groups")
    if mount.point == "/sys" and {"mode=555", "mode=755"} & options:
        yield Volume("runtime", "nspawn's own /sys")
    # runc makes the file system read-only, crun the mount of one without room.
    if is_below and ("ro" in options or ("ro" in mount.options and "size=0k" in options)):
        yield Volume("runtime", "a mask: an empty directory")
    if is_below and "mode=555" in options:
        yield Volume("runtime", "an empty directory over the kernel's")
    if mount.point == _SHARED and mount.origin == "shm" and _size(mount.super_options):
        yield Volume("runtime", "the engine's own /dev/shm")
    if mount.point == _SHARED and around.is_ipc_shared:
        yield Volume("runtime", "the machine's /dev/shm, as its IPC namespace is shared")


def _is_read_only(mounts: Mounts) -> bool:
    root = mounts.at("/")
    return root is not None and root.read_only


def _is_version(mount: Mount) -> bool:
    return find(("", "DATE", "..."), mount.root.split("/")) == 0


def _has_kubelets_form(mount: Mount, owner: frozenset[str]) -> bool:
    return (
        mount.root == "/"
        and mount.origin == "tmpfs"
        and not _FLAGS & set(mount.options)
        and all(
            option in _KUBELETS or option in owner or option.startswith(_CONTEXTS)
            for option in _plain(mount)
        )
    )


def _plain(mount: Mount) -> Iterable[str]:
    # The categories of a context are between quotes, with commas among them.
    quoted = False
    for option in mount.super_options:
        if not quoted:
            yield option
        quoted ^= option.count('"') % 2 == 1


def _is_hosts(mount: Mount, around: Around) -> bool:
    # An engine gives a tmpfs of its user's such options as well; kubelet never does.
    return around.is_pod and (
        bool(_FLAGS & set(mount.options))
        or any(
            option.startswith(("mode=", "nr_inodes=", "uid=", "gid="))
            and option not in around.owner
            for option in _plain(mount)
        )
    )


def _size(options: tuple[str, ...]) -> str:
    return next((option for option in options if option.startswith("size=")), "")


def _is_below(path: str, *trees: str) -> bool:
    return any(path.startswith(f"{tree}/") for tree in trees)
