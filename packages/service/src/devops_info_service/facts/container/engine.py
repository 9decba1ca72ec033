"""The engine that started this container, or that there is none, by every sign of it.

Sources: those of ``signs`` and ``container_id``; systemd, CONTAINER_INTERFACE (the variable
``container``, /run/systemd/container and /run/host/container-manager) and src/basic/virt.c;
LXC, src/lxc/cgroups (``lxc.payload.NAME``); Apptainer, "Files in the container"; flatpak-run(1);
ostree, src/switchroot/ostree-prepare-root.c; podman-run(1), /run/.containerenv.
"""

from typing import Final

from devops_info_service.facts.fact import Evidence, Fact, Known, Unknown, value_of
from devops_info_service.facts.lines import lines
from devops_info_service.facts.linux.cgroup import CGROUP
from devops_info_service.facts.linux.mounts import Mount, Mounts
from devops_info_service.facts.linux.sandbox import Detection
from devops_info_service.facts.system_files import SystemFiles

from .container_id import find_in_path
from .labels import APPARMOR_LABEL, LABEL
from .signs import Maker
from .volumes import Volumes, is_hosts_file_kubelets

NO_CONTAINER: Final = Detection("none", "certain")
_NO_SIGN: Final = Unknown("no mount, group, label or file here is one an engine leaves")
_MAKERS: Final[dict[Maker, str]] = {
    "containerd": "containerd",
    "docker": "docker",
    "nerdctl": "containerd",
    "nspawn": "systemd-nspawn",
    "lxc": "lxc",
    "buildkit": "buildkit",
}
_BY_LABEL: Final = (
    ("cri-containerd.apparmor.d", "containerd"),
    ("docker-default", "docker"),
    ("crio-default", "cri-o"),
    ("containers-default-", "podman"),
)
_APPTAINERS: Final = "/.singularity.d"
_BY_FILE: Final = (
    ("/.dockerenv", "docker"),
    ("/run/.containerenv", "podman"),
    (_APPTAINERS, "apptainer"),
    ("/.flatpak-info", "flatpak"),
)
_BY_VARIABLE: Final = (
    *("systemd-nspawn", "lxc", "lxc-libvirt", "podman", "docker", "pouch", "proot", "rkt"),
    *("flatpak", "wsl"),
)
_MACHINES: Final = ("pid", "ipc", "uts", "user", "cgroup")
"""Namespaces that engines make unless a user wants the machine's; without an engine all are."""


def in_pod(tree: SystemFiles, volumes: Volumes) -> bool:
    """Return whether kubelet prepared this container."""
    # In a sandbox the mounts do not show where they come from; the file shows in both.
    return isinstance(volumes.pod, Known) or is_hosts_file_kubelets(tree)


def read_engine(
    tree: SystemFiles,
    mounts: Mounts | Unknown,
    volumes: Volumes,
    shared: dict[str, Fact[bool]],
) -> Fact[Detection]:
    """Name the engine: by certain signs, which must agree, else by the first likely one."""
    pod = in_pod(tree, volumes)
    certain = {
        found.value.name: found
        for found in (_by_mounts(volumes, pod=pod), _by_group(tree))
        if found
    }
    if len(certain) > 1:
        shown = ", ".join([f"{each.evidence[0].file} {name}" for name, each in certain.items()])
        return Unknown(f"signs contradict each other: {shown}")
    if certain:
        return next(iter(certain.values()))
    # What follows is also left behind where no container is any more.
    return (
        _machine(tree, mounts, volumes, shared)
        or _by_label(tree)
        or _by_group_of_lxc(tree)
        or _by_files(tree)
        or _by_variable(tree)
        or _NO_SIGN
    )


def _by_mounts(volumes: Volumes, *, pod: bool) -> Known[Detection] | None:
    for mount, maker in volumes.engine_mounts:
        if maker == "storage":
            # It serves CRI-O and Podman alike; only a pod distinguishes them.
            name = "cri-o" if pod else "podman"
            return Known(Detection(name, "likely"), (mount.evidence(),))
        if maker in _MAKERS:
            return Known(Detection(_MAKERS[maker], "certain"), (mount.evidence(),))
    return None


def _by_group(tree: SystemFiles) -> Known[Detection] | None:
    file = tree.read(CGROUP)
    for line in lines(file.text):
        path = line.split(":", 2)[-1]
        found = find_in_path(path)
        if found is not None and found.engine:
            return Known(Detection(found.engine, "certain"), (file.evidence("", path),))
    return None


def _by_group_of_lxc(tree: SystemFiles) -> Fact[Detection] | None:
    file = tree.read(CGROUP)
    for line in lines(file.text):
        path = line.split(":", 2)[-1]
        if path.startswith(("/lxc/", "/lxc.payload")):
            return Known(Detection("lxc", "likely"), (file.evidence("", path),))
    return None


def _by_label(tree: SystemFiles) -> Fact[Detection] | None:
    for path in (APPARMOR_LABEL, LABEL):
        file = tree.read(path)
        for mark, name in _BY_LABEL:
            if file.text.startswith(mark):
                return Known(Detection(name, "likely"), (file.evidence("", mark),))
    return None


def _by_files(tree: SystemFiles) -> Fact[Detection] | None:
    for path, name in _BY_FILE:
        if not isinstance(tree.node(path), Unknown):
            if 'engine="buildah-' in tree.read(path).text:
                name = "buildah"  # noqa: PLW2901 (it shares the file with Podman)
            return Known(Detection(name, "likely"), (Evidence(path, "", "is there"),))
    return None


def _by_variable(tree: SystemFiles) -> Fact[Detection] | None:
    for path in ("/run/host/container-manager", "/run/systemd/container"):
        file = tree.read(path)
        name = file.text.strip("\n")
        if name in _BY_VARIABLE:
            return Known(Detection(name, "likely"), (file.evidence("", name),))
    name = tree.environ().get("container", "")
    if name in _BY_VARIABLE:
        return Known(Detection(name, "likely"), (Evidence("environment", "container", name),))
    return None


def _machine(
    tree: SystemFiles, mounts: Mounts | Unknown, volumes: Volumes, shared: dict[str, Fact[bool]]
) -> Known[Detection] | None:
    """Return that there is no container: its namespaces and devices are the machine's own."""
    if isinstance(mounts, Unknown) or isinstance(volumes.pod, Known):
        return None
    facts = [shared[kind] for kind in _MACHINES]
    devices, root = mounts.at("/dev"), mounts.at("/")
    if (
        not all(value_of(fact, default=False) for fact in facts)
        or devices is None
        # Every runtime makes its own /dev; a machine's kernel fills it. A unit may have another.
        or (devices.kind != "devtmpfs" and not _is_unit(tree))
        or root is None
        or _is_image(tree, root)
    ):
        return None
    seen = tuple([each for fact in facts if isinstance(fact, Known) for each in fact.evidence])
    return Known(NO_CONTAINER, (*seen, devices.evidence(), root.evidence()))


def _is_image(tree: SystemFiles, root: Mount) -> bool:
    """Return whether *root* is like the roots that programs make of an image or of directories.

    Apptainer and bubblewrap may leave every namespace the machine's but that of mounts.
    """
    return (
        (root.kind == "overlay" and not _is_deployment(root))
        or (root.kind == "tmpfs" and root.root != "/")
        or root.origin.startswith("/dev/loop")
        or not isinstance(tree.node(_APPTAINERS), Unknown)
    )


def _is_deployment(root: Mount) -> bool:
    """Return whether *root* is made of a machine's image, as ostree and bootc do."""
    return root.origin.startswith("composefs") or any(
        option.startswith("lowerdir") and "/run/ostree/" in option for option in root.super_options
    )


def _is_unit(tree: SystemFiles) -> bool:
    # The cgroup namespace is the machine's, so the path is whole.
    paths = (line.split(":", 2)[-1] for line in lines(tree.read(CGROUP).text))
    return any(
        path.startswith(("/system.slice/", "/user.slice/")) and path.endswith(".service")
        for path in paths
    )
