"""The origin of each mount: the image, the kernel's, the runtime's, a volume, or the host's disk.

A mount shows its file system and where on that it starts, its root. Those decide, never its
point: a user chooses the point. A mount without a sign of its origin is ``other``.
"""

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from devops_info_service.facts.fact import Fact, Known, Unknown, value_of
from devops_info_service.facts.linux.cgroup import CGROUP, memberships
from devops_info_service.facts.linux.mounts import Mount, Mounts
from devops_info_service.facts.system_files import SystemFiles

from . import kernel_mounts, memory_mounts
from .machine_disks import DISK_KINDS, HOST_TREES, is_in, machine_disks
from .origin import Volume
from .signs import CLAIMS, IMAGES, KUBELETS, RUNTIMES, VOLUMES, Found, Maker, match, proven

_SWARMS: Final = 26
"""Characters of the name of a secret or config, with its slash."""
_HOOKS: Final = frozenset({"ro", "nosuid", "nodev"})
"""Set by libnvidia-container (src/nvc_mount.c) and CDI, and by neither kubelet nor Docker."""
_SYSBOX: Final = ("/lib/modules/", "/usr/src/", "/lib/sysbox/")
"""Directories of the machine that Sysbox binds unasked (sysbox-runc, libsysbox/syscont)."""
_DRIVERS: Final = ("/nvidia", "vgpu", "/ascend", "/dcmi", "/habana", "/rocm", "/spire", "/spiffe")
"""In paths that kubelet binds for a device plugin (k8s.io/kubelet, deviceplugin/v1beta1, ``Mount``)
and for SPIFFE's CSI driver: no pod requests them by hostPath."""
_ENGINES: Final = frozenset({"docker", "storage", "var-lib-docker"})
"""Directories that engines keep their volumes in by default."""
_CONTENT: Final[Mapping[str, frozenset[str]]] = {
    "/": frozenset({"etc", "proc", "usr", "var"}),
    "/etc": frozenset({"fstab", "group", "passwd", "shadow"}),
    "/usr": frozenset({"bin", "lib", "share"}),
    "/var": frozenset({"cache", "lib", "log"}),
}
"""Names in directories of every machine: a claim may have a directory ``etc``, but no such one."""


class Pod(msgspec.Struct, frozen=True):
    """The mark of kubelet on a container: its uid and the directory it is under."""

    uid: str
    directory: str
    """Of kubelet, as a path on its file system."""
    device: str
    mount: Mount


class Volumes(msgspec.Struct, frozen=True):
    """Every mount with its origin, in the order of the table."""

    entries: tuple[tuple[Mount, Volume], ...] = ()
    pod: Fact[Pod] = Unknown("no mount shows kubelet's directory")
    engine_mounts: tuple[tuple[Mount, Maker], ...] = ()
    """Those that a runtime made, with its name."""


def read_volumes(
    tree: SystemFiles, mounts: Mounts | Unknown, shared: Mapping[str, Fact[bool]]
) -> Volumes:
    """Find the origin of each mount; *shared* is whether each namespace is the machine's."""
    if isinstance(mounts, Unknown):
        return Volumes(pod=mounts)
    classifier = _Classifier(tree, mounts, shared)
    return Volumes(
        tuple([(mount, classifier.origin_of(mount)) for mount in mounts.entries]),
        classifier.pod,
        tuple([(mount, sign.maker) for mount, sign, _ in classifier.runtimes.values()]),
    )


class _Classifier:
    """The signs of a whole table, which a single mount is held against."""

    def __init__(self, tree: SystemFiles, mounts: Mounts, shared: Mapping[str, Fact[bool]]) -> None:
        self._tree = tree
        self._mounts = mounts
        self._kubelets = match(KUBELETS, mounts.entries)
        self.pod = find_pod(self._kubelets.values())
        self._in_pod = isinstance(self.pod, Known) or is_hosts_file_kubelets(tree)
        self.runtimes = proven(match(RUNTIMES, mounts.entries), is_pod=self._in_pod)
        makers = {sign.maker for _, sign, _ in self.runtimes.values()}
        signs = (*self._kubelets.values(), *self.runtimes.values())
        self._around = memory_mounts.read_around(
            tree,
            mounts,
            is_pod=self._in_pod,
            is_ipc_shared=value_of(shared["ipc"], default=False),
        )
        self._disks = machine_disks(mounts, signs)
        # Podman and bubblewrap give a hook's flags to every mount.
        self._shows_hooks = self._in_pod or "docker" in makers
        # A disk may have them, and then all of its mounts.
        self._flagged = {mount.device for mount, _, _ in signs if "nosuid" in mount.options}
        self._first_root = next((each for each in mounts.entries if each.point == "/"), None)
        self._is_engines = not self._in_pod and bool(makers - {"systemd"})
        self._volumes = {} if self._in_pod else match(VOLUMES, mounts.entries)
        self._named = match((*CLAIMS, *IMAGES), mounts.entries)
        self._is_sysbox = any(each.origin == "sysboxfs" for each in mounts.kernels)
        self._groups = {
            name
            for name, path in memberships(tree.read(CGROUP))
            if path != "/" and value_of(shared["cgroup"], default=False)
        }
        self._engines = _engine_directories(self._first_root, self.runtimes.values())
        self._found: dict[int, Volume] = {}

    def origin_of(self, mount: Mount) -> Volume:
        """Return the origin of *mount*: the first that holds."""
        found = self._found.get(id(mount))
        if found is None:
            found = self._found[id(mount)] = (
                self._image(mount)
                or self._kubelet(mount)
                or self._runtime(mount)
                or self._unclear(mount)
                or kernel_mounts.origin_of(mount, self._mounts)
                or self._under_host(mount)
                or self._memory(mount)
                or self._engine_volume(mount)
                or self._disk(mount)
            )
        return found

    def _image(self, mount: Mount) -> Volume | None:
        # Only the first there: another over it was requested.
        root = self._first_root
        if mount is root:
            return Volume("image", "the root file system")
        # Each mount of an overlay has another device.
        if root and mount.kind == root.kind == "overlay" and mount.device == root.device:
            return Volume("image", "a part of the root file system")
        return None

    def _kubelet(self, mount: Mount) -> Volume | None:
        found = self._kubelets.get(id(mount))
        if not found:
            return None
        index = found[2]
        steps = mount.root.split("/")
        uid, kind = steps[index + 1 : index + 3]
        pod = value_of(self.pod, None)
        if pod is None:
            return Volume("other", "kubelet's directory of a pod, but of which shows nowhere")
        own = (pod.uid, pod.directory, pod.device)
        if own != (uid, "/".join(steps[:index]), mount.device):
            return Volume("host", "a path of another pod, or only named like kubelet's")
        if kind == "volumes":
            plugin, name = steps[index + 3 : index + 5]
            plugin = plugin.rpartition("~")[2]
            return Volume("kubelet", f"kubelet's {plugin} for this pod", plugin, name, uid)
        if kind == "volume-subpaths":
            return Volume("kubelet", "kubelet's path in a volume", "", steps[index + 3], uid)
        return Volume("runtime", "kubelet's file for this pod", pod=uid)

    def _runtime(self, mount: Mount) -> Volume | None:
        found = self.runtimes.get(id(mount))
        return Volume("runtime", f"made by {MAKERS[found[1].maker]}") if found else None

    def _under_host(self, mount: Mount) -> Volume | None:
        for around in self._mounts.around(mount.point):
            if self.origin_of(around).origin == "host":
                return Volume("host", f"under {around.point}, which is the machine's")
        return None

    def _memory(self, mount: Mount) -> Volume | None:
        if mount.kind != "tmpfs":
            return None
        # swarmkit, identity/doc.go: 25 digits to the base of 36.
        is_swarms = mount.read_only and len(mount.root) == _SWARMS and mount.root[1:].isalnum()
        if is_swarms and self._shows_hooks and not self._in_pod:
            return Volume("memory", "a secret or config of Swarm's")
        return memory_mounts.origin_of(self._tree, mount, self._mounts, self._around)

    def _engine_volume(self, mount: Mount) -> Volume | None:
        found = self._volumes.get(id(mount))
        if not found:
            return None
        steps, (_, sign, index) = mount.root.split("/"), found
        is_usual = sign.maker == "nerdctl" or (
            sign.maker == "docker" and steps[index - 1] in _ENGINES
        )
        if not is_usual and not "/".join(steps[:index]).endswith(self._engines):
            return None
        # Before ``_data``; of Nomad the allocation's.
        name = steps[index + max(1, len(sign.steps) - 3)]
        return Volume("engine-volume", "a volume of the engine", name=name)

    def _unclear(self, mount: Mount) -> Volume | None:
        named, options = self._named.get(id(mount)), mount.super_options
        is_disk = mount.kind in DISK_KINDS
        is_hook = self._shows_hooks and is_disk and {*mount.options} >= _HOOKS
        why = ""
        if mount.kind == "cgroup" and mount.root == "/" and self._groups & {*options}:
            # Version 1, and no namespace of groups: a runtime binds the container's own.
            why = "all groups of the machine: by LXC"
        elif (named and named[1] in IMAGES) or (
            mount.kind == "overlay" and "upperdir=" not in f"{options}"
        ):
            # An image's view has no layer to write to.
            why = "an image as a volume"
        elif (is_hook and mount.device not in self._flagged) or (
            self._in_pod and any(name in mount.root.lower() for name in _DRIVERS)
        ):
            why = "by a hook, a device plugin or a CSI driver"
        elif is_disk and self._is_sysbox and any(each in mount.root for each in _SYSBOX):
            why = "by Sysbox"
        elif named and is_disk and not self._is_engines:
            why = "named like a persistent volume on the machine's disk"
        return Volume("other", f"{why}, or by hostPath") if why else None

    def _disk(self, mount: Mount) -> Volume:
        if mount.may_hang:
            return Volume("network", "from elsewhere: as a volume or by hostPath, both show alike")
        if mount.kind not in DISK_KINDS:
            return Volume("other", f"{mount.kind}: nothing shows its origin")
        disk = self._disks.get(mount.device)
        if disk is None:
            return self._other_disk(mount)
        name = disk.name(mount.root)
        if disk.is_machines(mount.root, has_claims=not self._is_engines):
            return Volume("host", f"{name} on the machine's disk")
        return Volume("other", f"{name} on the machine's disk: a hostPath or a local volume")

    def _other_disk(self, mount: Mount) -> Volume:
        if self._is_engines and is_in(mount.root, *HOST_TREES):
            return Volume("host", f"{mount.root} on a disk of the machine: an engine has no claims")
        names = _CONTENT.get(mount.root)
        there = self._tree.names(mount.point) if names else ()
        if names and not isinstance(there, Unknown) and names <= set(there):
            return Volume("host", f"its content is that of a machine's {mount.root}")
        return Volume("other", "a persistent volume, or a directory of another disk of the machine")


MAKERS: Final[Mapping[Maker, str]] = {
    "kubelet": "kubelet",
    "containerd": "containerd",
    "docker": "Docker",
    "storage": "CRI-O or Podman",
    "nerdctl": "nerdctl",
    "buildkit": "BuildKit",
    "crun": "crun",
    "ecs": "Amazon ECS",
    "kind": "kind",
    "lxc": "LXC",
    "nomad": "Nomad",
    "nspawn": "systemd-nspawn",
    "systemd": "systemd",
}


def find_pod(signs: Iterable[Found]) -> Fact[Pod]:
    """Return the pod: by its file of hosts, else by its termination log, else by all its volumes.

    The file of hosts cannot be another pod's, as only kubelet mounts one there.
    """
    found = [_pod(mount, index) for mount, _, index in signs]
    for name in ("etc-hosts", "containers"):
        own = {(each.uid, each.directory): each for kind, each in found if kind == name}
        if len(own) == 1:
            [pod] = own.values()
            return Known(pod, (pod.mount.evidence(),))
    uids = {each.uid: each for _, each in found}
    if len(uids) == 1:
        [pod] = uids.values()
        return Known(pod, (pod.mount.evidence(),))
    if uids:
        return Unknown(f"mounts show {len(uids)} pods, and none is a file of hosts or a log")
    return Unknown("no mount shows kubelet's directory")


def _pod(mount: Mount, index: int) -> tuple[str, Pod]:
    steps = mount.root.split("/")
    directory = "/".join(steps[:index])
    return steps[index + 2], Pod(steps[index + 1], directory, mount.device, mount)


def is_hosts_file_kubelets(tree: SystemFiles) -> bool:
    """Return whether kubelet wrote the file of hosts: in a sandbox mounts show no origin."""
    return tree.read("/etc/hosts").text.startswith(HOSTS_MARK)


HOSTS_MARK: Final = "# Kubernetes-managed hosts file"
"""Its first line (pkg/kubelet/kubelet_pods.go)."""


def _engine_directories(root: Mount | None, runtimes: Iterable[Found]) -> tuple[str, ...]:
    """Return where the engine keeps its volumes: beside its containers, and beside its layers."""
    found = ["/".join(mount.root.split("/")[:index]) for mount, _, index in runtimes]
    # DIRECTORY/overlay2/ID/diff; on its disk it may be below a subvolume.
    found += [
        option.removeprefix("upperdir=").rsplit("/", 3)[0]
        for option in (root.super_options if root else ())
        if option.startswith("upperdir=/")
    ]
    return tuple([directory for directory in found if directory])
