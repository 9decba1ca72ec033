"""The means of an intruder in this process: places to write, devices, sockets.

Nothing is opened or written.
"""

from typing import TYPE_CHECKING, Final

import msgspec

from devops_info_service.facts.fact import Evidence, Fact, Known, Unknown
from devops_info_service.facts.linux.mounts import Mounts
from devops_info_service.facts.system_files import Kind, SystemFiles

from .kernel_mounts import DEVICES
from .volumes import Volumes

if TYPE_CHECKING:
    from collections.abc import Collection

_PLACES: Final = ("/", "/bin", "/etc", "/home", "/opt", "/root", "/tmp", "/usr", "/usr/bin", "/var")  # noqa: S108
ENGINE_SOCKETS: Final = (
    "/var/run/docker.sock",
    "/run/docker.sock",
    "/run/containerd/containerd.sock",
    "/run/k3s/containerd/containerd.sock",
    "/run/crio/crio.sock",
    "/var/run/crio/crio.sock",
    "/run/podman/podman.sock",
    "/run/cri-dockerd.sock",
    "/run/dockershim.sock",
    "/run/k0s/containerd.sock",
    "/run/isulad.sock",
    "/run/balena-engine.sock",
    "/var/lib/lxd/unix.socket",
    "/var/snap/lxd/common/lxd/unix.socket",
    "/var/lib/incus/unix.socket",
)
"""Where the programs that start containers listen: a client of one owns the node."""
SOCKET_NAMES: Final = (
    *("/docker.sock", "/containerd.sock", "/crio.sock", "/podman.sock", "/cri-dockerd.sock"),
    *("/dockershim.sock", "/isulad.sock", "/balena-engine.sock", "/balena.sock"),
    *("/lxd/unix.socket", "/incus/unix.socket"),
)
"""Ends of the same paths, wherever they are mounted."""
MAX_DIRECTORIES: Final = 64
"""Of ``/dev`` that are listed: a machine has about thirty."""
_TOP: Final = "/dev"
_RUNTIMES: Final = frozenset({"/dev/pts", "/dev/shm", "/dev/mqueue", "/dev/hugepages"})  # noqa: S108
"""Mount points of every runtime's, where the table of mounts cannot be read."""
_LINKS: Final = frozenset({"/dev/block", "/dev/char", "/dev/disk", "/dev/fd"})
"""Directories of udev's with links to other devices."""
MAX_MOUNTS: Final = 512
"""Checked: a container has about thirty."""


class Device(msgspec.Struct, frozen=True):
    """A device node that runtimes do not make by themselves, or a directory without a list."""

    path: str
    kind: Kind


class Exposure(msgspec.Struct, frozen=True):
    """Devices, engine sockets and writable places."""

    devices: Fact[tuple[Device, ...]]
    """In ``/dev`` and below it, beyond the usual ones and those of other mounts."""
    engine_sockets: Fact[tuple[str, ...]]
    """Sockets of programs that start containers, with the mounts of the machine's files."""
    open_sockets: tuple[str, ...]
    """Those of them that access(2) lets this process use."""
    writable: Fact[tuple[str, ...]]
    """Mounts and common directories this process may write to."""


def read_exposure(tree: SystemFiles, mounts: Mounts | Unknown, volumes: Volumes) -> Exposure:
    """Read devices, sockets and writable places."""
    sockets = _sockets(tree, mounts, volumes)
    names = sockets.value if isinstance(sockets, Known) else ()
    return Exposure(
        devices=_devices(tree, mounts),
        engine_sockets=sockets,
        open_sockets=tuple([path for path in names if tree.writable(path) is True]),
        writable=_writable(tree, mounts),
    )


def _devices(tree: SystemFiles, mounts: Mounts | Unknown) -> Fact[tuple[Device, ...]]:
    nodes = tree.nodes(_TOP)
    if isinstance(nodes, Unknown):
        return nodes
    points: Collection[str] = _RUNTIMES if isinstance(mounts, Unknown) else mounts.visible
    found: dict[str, Kind] = {}
    directories = [(_TOP, nodes)]
    for directory, entries in directories:
        for name in sorted(entries):
            path, kind = f"{directory}/{name}", entries[name].kind
            if kind in {"character", "block"} and (directory != _TOP or name not in DEVICES):
                found[path] = kind
            elif kind == "directory" and path not in points and path not in _LINKS:
                below = tree.nodes(path) if len(directories) < MAX_DIRECTORIES else Unknown("")
                if isinstance(below, Unknown):
                    found[path] = kind
                else:
                    directories.append((path, below))
    devices = tuple([Device(path, found[path]) for path in sorted(found)])
    return Known(devices, (Evidence(_TOP, "", f"{len(nodes)} entries"),))


def _sockets(
    tree: SystemFiles, mounts: Mounts | Unknown, volumes: Volumes
) -> Fact[tuple[str, ...]]:
    paths = dict.fromkeys(ENGINE_SOCKETS)
    # A directory of the machine brings the sockets in it.
    for mount, volume in volumes.entries[:MAX_MOUNTS]:
        if volume.origin in {"host", "other"} and not mount.may_hang:
            paths |= dict.fromkeys(_below(mount.root, mount.point))
    if not isinstance(mounts, Unknown):
        # Mounted under another name it is the same socket.
        paths |= dict.fromkeys(
            [mount.point for mount in mounts.entries if mount.root.endswith(SOCKET_NAMES)]
        )
    found: dict[str, Evidence] = {}
    for path in paths:
        node = tree.node(path)
        if not isinstance(node, Unknown) and node.kind == "socket":
            found[path] = Evidence(path, "", "is a socket")
    # /var/run is a link to /run in most images: one socket, two names.
    twice = [path for path in found if path.startswith("/var/run/") and path[4:] in found]
    for path in twice:
        del found[path]
    return Known(tuple(sorted(found)), tuple(found.values()))


def _below(root: str, point: str) -> set[str]:
    """Return the paths of engines' sockets under a mount of *root* at *point*."""
    # The machine's /run is most often a separate file system.
    bases = (root.rstrip("/"), f"/run{root}".rstrip("/"))
    return {
        point.rstrip("/") + path[len(base) :]
        for path in ENGINE_SOCKETS
        for base in bases
        if path.startswith(f"{base}/")
    }


def _writable(tree: SystemFiles, mounts: Mounts | Unknown) -> Fact[tuple[str, ...]]:
    if isinstance(mounts, Unknown):
        return mounts
    # A dead server would block the call.
    checked = [mount.point for mount in mounts.entries[:MAX_MOUNTS] if not mount.may_hang]
    hanging = {mount.point for mount in mounts.entries if mount.may_hang}
    places = sorted({*checked, *_PLACES} - hanging)
    found = tuple([place for place in places if tree.writable(place) is True])
    return Known(found, (Evidence("access(2)", "W_OK", f"{len(places)} places checked"),))
