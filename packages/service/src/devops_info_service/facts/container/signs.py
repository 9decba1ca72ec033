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
from typing import Final, TypeAlias

import msgspec

from devops_info_service.facts.forms import UID
from devops_info_service.facts.lines import lines, words
from devops_info_service.facts.linux.mounts import Mount

Maker: TypeAlias = str
"""A name in the table. ``storage`` is containers/storage, which serves CRI-O and Podman alike;
``systemd`` makes masks for its units as for nspawn."""

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

    @property
    def is_plain(self) -> bool:
        """Whether other files have such a name."""
        return len(self.steps) == 1 and self.steps[0][0] != "."


Found: TypeAlias = tuple[Mount, Sign, int]
"""A mount, the sign that it shows, and the index of its first step in the root."""
_FORMS: Final = frozenset({"ID", "UID", "DATE", "..."})


def _signs(table: str) -> tuple[Sign, ...]:
    """Parse lines of a maker, steps, and points: all with a slash between."""
    found = []
    for line in lines(table):
        maker, path, *points = words(line)
        steps = tuple(path.split("/"))
        texts = (step.strip("*") for step in steps if step not in _FORMS)
        found.append(Sign(maker, steps, tuple(points), max(texts, key=len)))
    return tuple(found)


KUBELETS: Final = _signs("""\
kubelet pods/UID/volumes/*/*/...
kubelet pods/UID/volume-subpaths/*/...
kubelet pods/UID/etc-hosts /etc/hosts
kubelet pods/UID/containers/*/*
""")
RUNTIMES: Final = _signs("""\
containerd io.containerd.grpc.v1.cri/sandboxes/ID/hostname /etc/hostname
containerd io.containerd.grpc.v1.cri/sandboxes/ID/hosts /etc/hosts
containerd io.containerd.grpc.v1.cri/sandboxes/ID/resolv.conf /etc/resolv.conf
containerd io.containerd.grpc.v1.cri/sandboxes/ID/shm /dev/shm
docker containers/ID/hostname /etc/hostname
docker containers/ID/hosts /etc/hosts
docker containers/ID/resolv.conf /etc/resolv.conf
storage *-containers/ID/userdata/hostname /etc/hostname
storage *-containers/ID/userdata/hosts /etc/hosts
storage *-containers/ID/userdata/resolv.conf /etc/resolv.conf
storage *-containers/ID/userdata/passwd /etc/passwd
storage *-containers/ID/userdata/group /etc/group
storage *-containers/ID/userdata/.containerenv /run/.containerenv
storage *-containers/ID/userdata/run/secrets/... /run/secrets /run/secrets/
storage *-containers/ID/userdata/shm /dev/shm
storage *-containers/ID/userdata/secrets/*
storage catatonit /run/podman-init /dev/init
nerdctl etchosts/*/ID/hosts /etc/hosts
nerdctl containers/*/ID/hostname /etc/hostname
nerdctl containers/*/ID/resolv.conf /etc/resolv.conf
docker docker-init /sbin/docker-init /dev/init
docker tini /sbin/docker-init /dev/init
docker tini-static /sbin/docker-init /dev/init
buildkit buildkit/executor/hostname /etc/hostname
buildkit buildkit/executor/hosts /etc/hosts
buildkit buildkit/executor/resolv.conf /etc/resolv.conf
kind kind/product_* /sys/devices/virtual/dmi/id/
crun crun/.empty-directory /proc/ /sys/
systemd systemd/inaccessible/* /proc/ /sys/ /run/host/
systemd host/inaccessible/* /proc/ /sys/ /run/host/
nspawn systemd/nspawn/propagate/* /run/host/incoming
nspawn systemd/nspawn/unix-export/* /run/host/unix-export
nspawn os-release /run/host/os-release
nspawn .#proc-* /proc/
lxc .lxc-boot-id /proc/sys/kernel/random/boot_id
ecs ecs/data/metadata/... /opt/ecs/metadata/
nomad alloc/UID/alloc /alloc
nomad alloc/UID/*/local /local
nomad alloc/UID/*/secrets /secrets
nomad alloc/UID/*/private /private
""")
"""What a runtime adds to a container by itself: files of the network, the engine's init by its own
name or by the distribution's (--init mounts it nowhere else), masks over directories of /proc and
/sys, and what belongs to an allocation and to its task."""
VOLUMES: Final = _signs("""\
docker volumes/*/_data/...
nerdctl volumes/*/*/_data/...
nomad alloc/UID/...
""")
"""An engine's named volumes, and an allocation's files, which Nomad binds anywhere. In a pod there
are none: kubelet takes no volume from an engine."""
CLAIMS: Final = _signs("""\
kubelet pvc-*/...
kubelet *-pvc-*/...
kubelet hostpath-provisioner/*/*/...
kubelet csi-data-dir/*/...
kubelet local-path-provisioner/*/...
kubelet k3s/storage/*/...
""")
"""Directories that provisioners make on a node's disk for a persistent volume: those of
local-path, OpenEBS, MicroK8s, KubeVirt, minikube and the CSI driver for host paths."""
_NO_PODS: Final = frozenset({"nspawn", "lxc", "buildkit", "ecs", "nomad"})
"""Makers that kubelet has nothing to do with."""
IMAGES: Final = _signs("""\
containerd io.containerd.snapshotter.v1.*/snapshots/*/fs/...
""")
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


def proven(found: dict[int, Found], *, is_pod: bool) -> dict[int, Found]:
    """Return those of *found* that only their maker mounts.

    A plain name, such as ``tini`` or ``os-release``, is that of a file of the machine's as well:
    it needs another mount of the maker's. In a pod no such file and no such maker is expected.
    """
    makers = {sign.maker for _, sign, _ in found.values() if not sign.is_plain}
    return {
        key: each
        for key, each in found.items()
        if (not is_pod and each[1].maker in makers)
        or (is_pod and not each[1].is_plain and each[1].maker not in _NO_PODS)
    }


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
