"""The signs that kubelet, runtimes and engines leave in the root of a mount: one table.

The root is a path on the machine's file system, so its last steps name its maker: a place in the
container is chosen by a user and proves nothing alone.

Sources: Kubernetes, pkg/kubelet/kubelet_getters.go and pkg/volume/util/atomic_writer.go;
containerd, internal/cri/server/podsandbox/helpers.go and plugins/snapshots/overlay; moby,
daemon/container_operations_unix.go; containers/storage, store.go; nerdctl,
pkg/dnsutil/hostsstore; BuildKit, executor/oci; crun, src/libcrun/linux.c; systemd,
src/nspawn/nspawn.c and nspawn-mount.c; LXC, src/lxc/conf.c (lxc_setup_boot_id); Nomad,
"Allocation filesystems"; Amazon ECS, "Container metadata file".
"""

from collections.abc import Iterable, Sequence
from typing import Final, Literal, TypeAlias

import msgspec

from devops_info_service.facts.forms import UID
from devops_info_service.facts.linux.mounts import Mount

Maker = Literal[
    "kubelet",
    "containerd",
    "docker",
    "storage",
    "nerdctl",
    "buildkit",
    "crun",
    "ecs",
    "kind",
    "lxc",
    "nomad",
    "nspawn",
    "systemd",
]
"""``storage`` is containers/storage, which serves CRI-O and Podman alike; ``systemd`` makes masks
for its units as for nspawn."""

_HEX: Final = frozenset("0123456789abcdef")
ID_LENGTH: Final = 64
"""Digits of a container's number, of every engine."""


class Sign(msgspec.Struct, frozen=True):
    """The last steps of a root, and the point in the container that goes with them."""

    maker: Maker
    steps: tuple[str, ...]
    """``ID``, ``UID`` and ``DATE`` match a step of that form, ``*`` for any, ``*x`` for one
    that ends in x; ``...`` at the end for any number of steps."""
    points: tuple[str, ...] = ()
    """Empty: any. A point that ends in ``/`` matches all below it."""
    literal: str = ""
    """A text that every such root has."""


Found: TypeAlias = tuple[Mount, Sign, int]
"""A mount, the sign that it shows, and the index of its first step in the root."""
_FORMS: Final = frozenset({"ID", "UID", "DATE", "..."})


def _sign(maker: Maker, steps: tuple[str, ...], points: tuple[str, ...] = ()) -> Sign:
    texts = (step.strip("*") for step in steps if step not in _FORMS)
    return Sign(maker, steps, points, max(texts, key=len))


_FILES: Final = ("hostname", "hosts", "resolv.conf")
KUBELETS: Final = (
    _sign("kubelet", ("pods", "UID", "volumes", "*", "*", "...")),
    _sign("kubelet", ("pods", "UID", "volume-subpaths", "*", "...")),
    _sign("kubelet", ("pods", "UID", "etc-hosts"), ("/etc/hosts",)),
    _sign("kubelet", ("pods", "UID", "containers", "*", "*")),
)
RUNTIMES: Final = (
    *(
        _sign(
            "containerd", ("io.containerd.grpc.v1.cri", "sandboxes", "ID", name), (f"/etc/{name}",)
        )
        for name in _FILES
    ),
    _sign("containerd", ("io.containerd.grpc.v1.cri", "sandboxes", "ID", "shm"), ("/dev/shm",)),  # noqa: S108
    *(_sign("docker", ("containers", "ID", name), (f"/etc/{name}",)) for name in _FILES),
    *(
        _sign("storage", ("*-containers", "ID", "userdata", name), (f"/etc/{name}",))
        for name in (*_FILES, "passwd", "group")
    ),
    _sign("storage", ("*-containers", "ID", "userdata", ".containerenv"), ("/run/.containerenv",)),
    _sign(
        "storage",
        ("*-containers", "ID", "userdata", "run", "secrets", "..."),
        ("/run/secrets", "/run/secrets/"),
    ),
    _sign("storage", ("*-containers", "ID", "userdata", "shm"), ("/dev/shm",)),  # noqa: S108
    _sign("storage", ("catatonit",), ("/run/podman-init", "/dev/init")),
    _sign("nerdctl", ("etchosts", "*", "ID", "hosts"), ("/etc/hosts",)),
    *(
        _sign("nerdctl", ("containers", "*", "ID", name), (f"/etc/{name}",))
        for name in ("hostname", "resolv.conf")
    ),
    # The engine's init, by its own name or by the distribution's: --init mounts it nowhere else.
    *(
        _sign("docker", (name,), ("/sbin/docker-init", "/dev/init"))
        for name in ("docker-init", "tini", "tini-static")
    ),
    *(_sign("buildkit", ("buildkit", "executor", name), (f"/etc/{name}",)) for name in _FILES),
    _sign("kind", ("kind", "product_*"), ("/sys/devices/virtual/dmi/id/",)),
    # Over the directories of /proc and /sys that a runtime hides.
    _sign("crun", ("crun", ".empty-directory"), ("/proc/", "/sys/")),
    _sign("systemd", ("systemd", "inaccessible", "*"), ("/proc/", "/sys/", "/run/host/")),
    _sign("systemd", ("host", "inaccessible", "*"), ("/proc/", "/sys/", "/run/host/")),
    _sign("nspawn", ("systemd", "nspawn", "propagate", "*"), ("/run/host/incoming",)),
    _sign("nspawn", ("systemd", "nspawn", "unix-export", "*"), ("/run/host/unix-export",)),
    _sign("nspawn", ("os-release",), ("/run/host/os-release",)),
    _sign("nspawn", (".#proc-*",), ("/proc/",)),
    _sign("lxc", (".lxc-boot-id",), ("/proc/sys/kernel/random/boot_id",)),
    _sign("ecs", ("ecs", "data", "metadata", "..."), ("/opt/ecs/metadata/",)),
    # Of an allocation and of its task.
    _sign("nomad", ("alloc", "UID", "alloc"), ("/alloc",)),
    *(
        _sign("nomad", ("alloc", "UID", "*", name), (f"/{name}",))
        for name in ("local", "secrets", "private")
    ),
)
"""What a runtime adds to a container by itself."""
VOLUMES: Final = (
    _sign("docker", ("volumes", "*", "_data", "...")),
    _sign("nerdctl", ("volumes", "*", "*", "_data", "...")),
    _sign("nomad", ("alloc", "UID", "...")),
)
"""An engine's named volumes, and an allocation's files, which Nomad binds anywhere. In a pod there
are none: kubelet takes no volume from an engine."""
CLAIMS: Final = (
    _sign("kubelet", ("pvc-*", "...")),
    _sign("kubelet", ("*-pvc-*", "...")),
    _sign("kubelet", ("hostpath-provisioner", "*", "*", "...")),
    _sign("kubelet", ("csi-data-dir", "*", "...")),
    _sign("kubelet", ("local-path-provisioner", "*", "...")),
    _sign("kubelet", ("k3s", "storage", "*", "...")),
)
"""Directories that provisioners make on a node's disk for a persistent volume: those of
local-path, OpenEBS, MicroK8s, KubeVirt, minikube and the CSI driver for host paths."""
IMAGES: Final = (
    _sign("containerd", ("io.containerd.snapshotter.v1.*", "snapshots", "*", "fs", "...")),
)
"""A layer of an image: alone it is bound as it is."""


def match(signs: Sequence[Sign], mounts: Iterable[Mount]) -> dict[int, Found]:
    """Return each of *mounts* that shows one of *signs*, by its ``id``.

    A table has thousands of mounts, and nearly all fail nearly every sign: those of one point are
    found by it, and of the others the cheapest test comes first.
    """
    exact: dict[str, list[Sign]] = {}
    others = []
    for sign in signs:
        for point in sign.points or "/":
            if point[-1] == "/":
                others.append((sign, point))
            else:
                exact.setdefault(point, []).append(sign)
    found = {}
    for mount in mounts:
        near = exact.get(mount.point, [])
        for sign, point in others:
            if sign.literal in mount.root and mount.point.startswith(point):
                near = [*near, sign]
        for sign in near:
            index = find(sign.steps, mount.root.split("/"))
            if index is not None:
                found[id(mount)] = mount, sign, index
                break
    return found


def find(pattern: tuple[str, ...], steps: Sequence[str]) -> int | None:
    """Return where *pattern* begins in *steps*, whose end it must reach; the first such place."""
    open_ended = pattern[-1] == "..."
    length = len(pattern) - open_ended
    last = len(steps) - length
    starts = range(last + 1) if open_ended else range(max(last, 0), last + 1)
    first = pattern[0].strip("*")  # never a form
    for start in starts:
        if first in steps[start] and all(map(_fits, pattern[:length], steps[start:])):
            return start
    return None


def _fits(part: str, step: str) -> bool:
    match part:
        case "*":
            return bool(step)
        case "ID":
            return is_id(step)
        case "UID":
            return UID.holds(step)
        case "DATE":
            return is_dated(step)
        case _:
            pass
    if part.endswith("*"):
        middle = part.strip("*")
        return middle in step if part.startswith("*") else step.startswith(middle)
    return step.endswith(part[1:]) if part.startswith("*") else step == part


def is_id(text: str) -> bool:
    """Return whether *text* has the form of a container's number."""
    return len(text) == ID_LENGTH and not set(text) - _HEX


def is_dated(text: str) -> bool:
    """Return whether *text* names a version of a volume that kubelet writes at once.

    ``..2006_01_02_15_04_05.`` as Go formats it, then the number of os.MkdirTemp.
    """
    date, _, number = text.removeprefix("..").partition(".")
    steps = date.split("_")
    return (
        text.startswith("..")
        and list(map(len, steps)) == [4, 2, 2, 2, 2, 2]
        and all(step.isascii() and step.isdigit() for step in (*steps, number))
    )
