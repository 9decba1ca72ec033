"""The engine that started this container, by the paths that its mounts come from."""

from typing import Final

from devops_info_service.facts.fact import Evidence, Fact, Known, Unknown
from devops_info_service.facts.linux.mounts import Mounts
from devops_info_service.facts.linux.sandbox import Confidence, Detection
from devops_info_service.facts.system_files import SystemFiles

from .volumes import classify

_BY_MOUNT: Final = (
    ("/docker/containers/", "docker"),
    ("io.containerd.grpc.v1.cri/", "containerd"),
    ("io.containerd.runtime.v2.task/", "containerd"),
    ("nerdctl/", "containerd"),
)
"""In the root of a mount: the engine's own directory on the host's disk."""
_STORAGE: Final = "-containers/"
"""In ``overlay-containers/ID/userdata``: containers/storage serves CRI-O and Podman alike;
only a pod distinguishes them."""
_BY_GROUP: Final = (
    ("cri-containerd-", "containerd"),
    ("crio-", "cri-o"),
    ("libpod-", "podman"),
    ("docker-", "docker"),
    ("/docker/", "docker"),
)
_BY_LABEL: Final = (
    ("cri-containerd.apparmor.d", "containerd"),
    ("docker-default", "docker"),
    ("crio-default", "cri-o"),
    ("containers-default-", "podman"),
)
_BY_FILE: Final = (("/.dockerenv", "docker"), ("/run/.containerenv", "podman"))


def read_engine(tree: SystemFiles, mounts: Mounts | Unknown) -> Fact[Detection]:
    """Name the engine, from the surest mark to the least."""
    return (
        _from_mounts(tree, mounts)
        or _from_words(tree, "/proc/self/cgroup", _BY_GROUP, "certain")
        or _from_words(tree, "/proc/self/attr/current", _BY_LABEL, "likely")
        or _from_files(tree)
        or Unknown("no mount, group, label or file here is one an engine leaves")
    )


def in_pod(tree: SystemFiles, mounts: Mounts | Unknown) -> bool:
    """Return whether kubelet prepared this container."""
    # In a sandbox the mounts do not show where they come from; the file shows in both.
    if tree.read("/etc/hosts").text.startswith("# Kubernetes-managed hosts file"):
        return True
    if isinstance(mounts, Unknown):
        return False
    return any(classify(mount, mounts).pod for mount in mounts.entries)


def _from_mounts(tree: SystemFiles, mounts: Mounts | Unknown) -> Fact[Detection] | None:
    if isinstance(mounts, Unknown):
        return None
    for point in ("/etc/hostname", "/etc/resolv.conf", "/etc/hosts", "/run/.containerenv"):
        mount = mounts.at(point)
        if mount is None:
            continue
        for mark, name in _BY_MOUNT:
            if mark in mount.root:
                return Known(Detection(name, "certain"), (mount.evidence(),))
        if _STORAGE in mount.root and "/userdata/" in mount.root:
            name = "cri-o" if in_pod(tree, mounts) else "podman"
            return Known(Detection(name, "likely"), (mount.evidence(),))
    return None


def _from_words(
    tree: SystemFiles, path: str, marks: tuple[tuple[str, str], ...], confidence: Confidence
) -> Fact[Detection] | None:
    file = tree.read(path)
    for mark, name in marks:
        if mark in file.text:
            return Known(Detection(name, confidence), (file.evidence("", mark),))
    return None


def _from_files(tree: SystemFiles) -> Fact[Detection] | None:
    for path, name in _BY_FILE:
        if not isinstance(tree.node(path), Unknown):
            return Known(Detection(name, "likely"), (Evidence(path, "", "is there"),))
    return None
