"""The means of an intruder in this process: places to write, devices, sockets.

Nothing is opened or written.
"""

from typing import Final

import msgspec

from devops_info_service.facts.fact import Evidence, Fact, Known, Unknown
from devops_info_service.facts.linux.mounts import Mounts
from devops_info_service.facts.system_files import Kind, SystemFiles

from .kernel_mounts import DEVICES
from .origin import OWN
from .volumes import Volumes

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
    "/run/docker/containerd/containerd.sock",
    "/run/k0s/containerd.sock",
    "/run/host-containerd/containerd.sock",
    "/run/balena-engine.sock",
    "/run/buildkit/buildkitd.sock",
    "/var/snap/microk8s/common/run/containerd.sock",
    "/var/snap/lxd/common/lxd/unix.socket",
    "/var/lib/lxd/unix.socket",
    "/var/lib/incus/unix.socket",
)
"""Where the programs that start containers listen: a client of one owns the node."""
SOCKET_NAMES: Final = (
    *("/docker.sock", "/containerd.sock", "/crio.sock", "/podman.sock", "/cri-dockerd.sock"),
    *("/balena-engine.sock", "/incus/unix.socket", "/lxd/unix.socket", "/dockershim.sock"),
    "/buildkitd.sock",
)
"""Ends of the same paths, wherever they are mounted."""
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
    own_sockets: tuple[str, ...]
    """Those of them in the files of this container or pod, where an engine beside this process
    makes them: no engine of the machine listens there."""
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
        own_sockets=tuple([path for path in names if _is_own(path, mounts, volumes)]),
        writable=_writable(tree, mounts),
    )


def _devices(tree: SystemFiles, mounts: Mounts | Unknown) -> Fact[tuple[Device, ...]]:
    points = () if isinstance(mounts, Unknown) else mounts.visible
    found: list[Device] = []
    entries = 0
    directories = ["/dev"]
    for directory in directories:
        nodes = tree.nodes(directory)
        if isinstance(nodes, Unknown):
            if directory == "/dev":
                return nodes
            # Gone since, or a recording older than this search.
            if not nodes.reason.endswith(("there", "recorded")):
                found.append(Device(directory, "directory"))
            continue
        entries += len(nodes)
        for name in sorted(nodes):
            path, kind = f"{directory}/{name}", nodes[name].kind
            # A machine has about thirty directories there.
            if kind == "directory" and len(directories) < 64:  # noqa: PLR2004
                if path not in points:
                    directories.append(path)
            elif kind in {"character", "block", "directory"} and path[5:] not in DEVICES:
                found.append(Device(path, kind))
    return Known(tuple(found), (Evidence("/dev", "", f"{entries} entries"),))


def _sockets(
    tree: SystemFiles, mounts: Mounts | Unknown, volumes: Volumes
) -> Fact[tuple[str, ...]]:
    paths = dict.fromkeys(ENGINE_SOCKETS)
    # A directory of the machine brings the sockets in it.
    machines = [
        mount
        for mount, volume in volumes.entries
        if volume.origin in {"host", "other"} and not mount.may_hang
    ]
    for mount in machines[:MAX_MOUNTS]:
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
    if not found and (unseen := _unseen(mounts, len(machines))):
        return unseen
    # /var/run is a link to /run in most images: one socket, two names.
    twice = [path for path in found if path.startswith("/var/run/") and path[4:] in found]
    for path in twice:
        del found[path]
    return Known(tuple(sorted(found)), tuple(found.values()))


def _unseen(mounts: Mounts | Unknown, number: int) -> Unknown | None:
    """Return why a socket may be where none was searched."""
    if isinstance(mounts, Unknown):
        return mounts
    if number > MAX_MOUNTS:
        return Unknown(f"{number} mounts may be the machine's, of which {MAX_MOUNTS} were searched")
    return mounts.unread_lines


def _is_own(path: str, mounts: Mounts | Unknown, volumes: Volumes) -> bool:
    if isinstance(mounts, Unknown):
        return False
    nearest = (mounts.at(path), *mounts.around(path), mounts.at("/"))
    mount = next(filter(None, nearest), None)
    return any(each is mount and volume.origin in OWN for each, volume in volumes.entries)


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
