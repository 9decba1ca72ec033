"""Origins of mounts: tables of the last steps that kubelet, runtimes and engines leave."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devops_info_service.facts.container.container_id import find_in_path
from devops_info_service.facts.container.labels import parse_apparmor, parse_context
from devops_info_service.facts.container.volumes import Volumes, read_volumes
from devops_info_service.facts.fact import Fact, Known, Unknown
from devops_info_service.facts.linux.mounts import Mounts, parse_mounts
from devops_info_service.facts.system_files import SystemFiles

UID = "5b0c7c1e-2f57-4a53-9d0e-6f1a3c8b2d47"
OTHER = "0467a0a0-28d2-40cb-b630-c9c5cbe3abfe"
ID = "1a" * 32
POD = f"/var/lib/kubelet/pods/{UID}"
OWN = (
    "1 0 0:1 / / rw - overlay overlay rw\n"
    "2 1 0:2 / /dev rw,nosuid - tmpfs tmpfs rw,size=65536k,mode=755\n"
    f"3 1 8:1 {POD}/etc-hosts /etc/hosts rw - ext4 /dev/sda1 rw\n"
)
DOCKERS = (
    f"2 1 8:1 /var/lib/docker/containers/{'c4' * 32}/hosts /etc/hosts rw - ext4 /dev/sda1 rw\n"
)
NSPAWNS = "2 1 0:24 /systemd/nspawn/propagate/x /run/host/incoming ro - tmpfs tmpfs rw,mode=755\n"
UNSHARED: dict[str, Fact[bool]] = {"ipc": Known(value=False), "cgroup": Known(value=False)}


def mounts_of(text: str) -> Mounts:
    found = parse_mounts(text)
    assert isinstance(found, Mounts)
    return found


def read(tree: SystemFiles, lines: str, *, ipc: bool = False) -> Volumes:
    return read_volumes(tree, mounts_of(OWN + lines), UNSHARED | {"ipc": Known(ipc)})


@pytest.mark.parametrize(
    ("line", "origin"),
    [
        (f"8:1 {POD}/volumes/kubernetes.io~configmap/c /c ro - ext4 /d rw", "kubelet"),
        (f"8:1 {POD}/volumes/kubernetes.io~empty-dir/c/sub /c rw - ext4 /d rw", "kubelet"),
        (f"8:1 {POD}/containers/app/1a2b /dev/termination-log rw - ext4 /d rw", "runtime"),
        (f"8:2 {POD}/volumes/kubernetes.io~empty-dir/c /c rw - ext4 /d rw", "host"),
        (f"8:1 /srv/pods/{UID}/volumes/a/b /c rw - ext4 /d rw", "host"),
        (f"8:1 /var/lib/kubelet/pods/{OTHER}/volumes/a/b /c rw - ext4 /d rw", "host"),
        ("8:1 /srv/pods/x/volumes/kubernetes.io~empty-dir/fake /c rw - ext4 /d rw", "other"),
        ("8:1 /etc/hosts /etc/hosts rw - ext4 /d rw", "host"),
        ("8:1 /etc/shadow /etc/group ro - ext4 /d rw", "host"),
        ("8:1 /etc /run/secrets rw - ext4 /d rw", "host"),
        ("8:1 /etc /dev/etc rw - ext4 /d rw", "host"),
        ("8:1 / /machine rw - ext4 /d rw", "host"),
        ("8:1 /mnt/disks/ssd /data rw - ext4 /d rw", "other"),
        ("8:9 /etc /data rw - ext4 /e rw", "other"),
        ("8:9 / /data rw - xfs /e rw", "other"),
        ("8:1 /opt/local-path-provisioner/pvc-1_ns_a/sub /d rw - ext4 /d rw", "other"),
        ("8:1 /var/snap/storage/ns-data-pvc-1 /d rw - ext4 /d rw", "other"),
        ("8:1 /tmp/hostpath-provisioner/ns/claim /d rw - ext4 /d rw", "other"),
        ("8:1 /opt/local-path-provisioner/ns/claim /d rw - ext4 /d rw", "other"),
        ("8:1 /var/lib/rancher/k3s/storage/ns/claim /d rw - ext4 /d rw", "other"),
        (f"8:1 {POD}/etc-hosts//deleted /etc/hosts rw - ext4 /d rw", "runtime"),
        (
            "0:40 /kind/product_uuid /sys/devices/virtual/dmi/id/product_uuid ro - overlay o rw",
            "runtime",
        ),
        ("0:40 /kind/product_uuid /data/product_uuid ro - overlay o rw", "other"),
        ("8:1 /opt/local-path-provisioner /d rw - ext4 /d rw", "host"),
        ("8:1 /var/lib/docker/volumes/v/_data /d rw - ext4 /d rw", "host"),
        ("0:9 /..2024_03_05_07_11_13.123/tls.key /k ro - tmpfs tmpfs rw", "memory"),
        ("0:9 /inner /k rw - tmpfs tmpfs rw", "other"),
        ("0:9 /dbus /k rw,nosuid - tmpfs tmpfs rw,mode=755", "host"),
        ("0:9 / /k rw - tmpfs tmpfs rw,mode=755", "host"),
        ("0:9 / /k rw,nosuid,nodev - tmpfs tmpfs rw", "host"),
        ("0:9 / /k rw - tmpfs tmpfs rw,size=100k", "other"),
        ("0:9 / /dev/shm rw - tmpfs shm rw,size=65536k", "runtime"),
        ("0:9 / /dev/shm rw - tmpfs tmpfs rw,size=65536k", "other"),
        ("0:2 /null /proc/kcore rw - tmpfs tmpfs rw", "runtime"),
        ("0:7 /null /proc/kcore rw - tmpfs tmpfs rw", "other"),
        ("0:2 /null /data/key rw - tmpfs tmpfs rw", "runtime"),
        ("0:5 /null /data/key rw - devtmpfs udev rw", "other"),
        ("8:1 /var/mnt/storage /data rw - ext4 /d rw", "other"),
        ("0:5 /null /dev/null rw - devtmpfs udev rw", "other"),
        ("0:5 /console /dev/console rw - devtmpfs udev rw", "other"),
        ("0:5 /sda /dev/sda rw - devtmpfs udev rw", "other"),
        ("0:5 / /dev rw - devtmpfs udev rw", "host"),
        ("0:6 / /sys/kernel/debug rw - debugfs debugfs rw", "other"),
        ("0:6 / /host/debug rw - debugfs debugfs rw", "host"),
        ("0:6 / /host/cgroup rw - cgroup cgroup rw,memory", "host"),
        ("0:6 /../.. /sys/fs/cgroup rw - cgroup2 cgroup rw", "host"),
        ("0:6 / /sys/fs/cgroup ro - cgroup2 cgroup rw", "kernel"),
        ("0:8 / /proc rw - proc proc rw", "kernel"),
        ("0:8 /sys /proc/sys ro - proc proc rw", "kernel"),
        ("0:8 / /machine/proc ro - proc proc rw", "host"),
        ("0:25 /crun/.empty-directory /proc/acpi ro - tmpfs tmpfs rw,mode=755", "runtime"),
        ("0:30 / /data rw - nfs4 server:/x rw", "network"),
        ("0:30 / /data rw - fuse.sshfs x rw", "network"),
        ("0:30 / /data rw - newfs x rw", "other"),
        ("8:1 /etc/os-release /run/host/os-release ro - ext4 /d rw", "host"),
        ("8:1 /usr/bin/tini /sbin/docker-init ro - ext4 /d rw", "host"),
        ("8:1 /usr/libexec/podman/catatonit /dev/init ro - ext4 /d rw", "host"),
        (f"8:1 /opt/nomad/alloc/{UID}/alloc /alloc rw - ext4 /d rw", "host"),
        ("8:1 /var/lib/ecs/data/metadata/x /opt/ecs/metadata/x ro - ext4 /d rw", "host"),
        ("0:24 /systemd/nspawn/propagate/x /run/host/incoming ro - tmpfs t rw,mode=755", "host"),
    ],
)
def test_origin_in_a_pod(tree_of: Callable[..., SystemFiles], line: str, origin: str) -> None:
    """A root and a file system decide; a place in the container proves nothing."""
    found = read(tree_of({"/x": ""}), f"9 1 {line}\n")

    assert found.entries[-1][1].origin == origin, found.entries[-1]
    assert found.entries[-1][1].sign


@pytest.mark.parametrize(
    ("lines", "line", "origin"),
    [
        (DOCKERS, "8:1 /usr/bin/tini /sbin/docker-init ro - ext4 /d rw", "runtime"),
        (DOCKERS, "8:1 /etc/os-release /run/host/os-release ro - ext4 /d rw", "host"),
        (DOCKERS, "8:1 /usr/libexec/podman/catatonit /run/podman-init ro - ext4 /d rw", "host"),
        (NSPAWNS, "8:1 /usr/lib/os-release /run/host/os-release ro - ext4 /d rw", "runtime"),
        (NSPAWNS, "8:1 /usr/bin/tini /sbin/docker-init ro - ext4 /d rw", "host"),
    ],
)
def test_plain_name(lines: str, line: str, origin: str) -> None:
    """A file of the machine's may have the name of an engine's: another mount shows the engine."""
    table = mounts_of(f"1 0 0:1 / / rw - overlay overlay rw\n{lines}9 1 {line}\n")
    found = read_volumes(SystemFiles("/nonexistent", {}), table, UNSHARED)

    assert found.entries[-1][1].origin == origin


@pytest.mark.parametrize("left_out", ["", "full", "null", "random", "tty", "urandom", "zero"])
def test_default_devices_come_together(left_out: str) -> None:
    """A runtime that may make no nodes binds them all: fewer are those of a request."""
    names = {"full", "null", "random", "tty", "urandom", "zero"} - {left_out}
    devices = "".join(f"9 1 0:5 /{name} /dev/{name} rw - devtmpfs udev rw\n" for name in names)
    found = read(SystemFiles("/nonexistent", {}), devices).entries[-len(names) :]

    assert {volume.origin for _, volume in found} == {"other" if left_out else "runtime"}


def test_subvolume_and_separate_disk() -> None:
    """The machine's own names are found from kubelet's: on a subvolume, or on a disk at /var."""
    for kubelet, root, origin in (
        ("/@/var/lib/kubelet", "/@/etc/shadow", "host"),
        ("/lib/kubelet", "/log/pods", "host"),
        ("/kubelet", "/docker", "host"),
        ("/kubelet", "/kubelet/plugins", "host"),
        ("/kubelet", "/disks/vol1", "other"),
        ("/kubelet", "/", "host"),
        ("/data/kubelet", "/photos", "other"),
    ):
        text = (
            "1 0 0:1 / / rw - overlay overlay rw\n"
            f"2 1 8:1 {kubelet}/pods/{UID}/etc-hosts /etc/hosts rw - btrfs /dev/sda1 rw\n"
            f"3 1 8:1 {root} /data rw - btrfs /dev/sda1 rw\n"
        )
        found = read_volumes(SystemFiles("/nonexistent", {}), mounts_of(text), UNSHARED)

        assert found.entries[-1][1].origin == origin, found.entries[-1]


def test_shared_memory_of_the_host(tree_of: Callable[..., SystemFiles]) -> None:
    """With the machine's IPC namespace the runtime mounts the machine's /dev/shm."""
    line = "9 1 0:9 / /dev/shm rw - tmpfs tmpfs rw\n"

    assert read(tree_of({"/x": ""}), line, ipc=True).entries[-1][1].origin == "runtime"


def test_pod_of_another() -> None:
    """The file of hosts names the pod, whatever else is mounted before it."""
    other = f"9 1 8:1 /var/lib/kubelet/pods/{OTHER}/volumes/a/b /a rw - ext4 /dev/sda1 rw\n"
    tree = SystemFiles("/nonexistent", {})
    second = other.replace(OTHER, UID).replace(" /a ", " /b ")
    first = read_volumes(tree, mounts_of(other + OWN), UNSHARED).pod
    alone = read_volumes(tree, mounts_of(other + second), UNSHARED).pod

    assert isinstance(first, Known)
    assert first.value.uid == UID
    assert isinstance(alone, Unknown)


HEX = st.text("0123456789abcdef", min_size=64, max_size=64)
GROUPS = st.sampled_from(
    [
        ("/docker/{}", "docker"),
        ("/system.slice/docker-{}.scope", "docker"),
        ("/kubepods/burstable/podX/{}", ""),
        ("/kubepods.slice/kubepods-podX.slice/cri-containerd-{}.scope", "containerd"),
        ("/kubepods.slice/crio-{}.scope", "cri-o"),
        ("/machine.slice/libpod-{}.scope", "podman"),
        ("/system.slice/app.service/libpod-payload-{}", "podman"),
        ("/system.slice/c.service/kubepods-podX.slice:cri-containerd:{}", "containerd"),
        ("/system.slice:docker:{}", "docker"),
        ("/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-{}.scope", "podman"),
        ("/ecs/0f4e3d2c1b0a49588776655443322110/{}", ""),
        ("/docker/" + "f" * 64 + "/kubelet/kubepods/podX/{}", ""),
    ]
)


@given(
    GROUPS, HEX, st.lists(st.sampled_from(["init", "container", "payload", "a.scope"]), max_size=3)
)
def test_container_in_a_group(group: tuple[str, str], number: str, below: list[str]) -> None:
    """The nearest number is the container's, whatever groups are below its own."""
    path, engine = group
    found = find_in_path("/".join([path.format(number), *below]))

    assert found is not None
    assert (found.id, found.engine) == (number, engine)


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/system.slice/docker-registry.service",
        "/system.slice/crio-proxy.scope",
        "/user.slice/user-1000.slice/session-1.scope",
        "/system.slice/docker.service",
        f"/system.slice/backup-{'a' * 64}.service",
        f"/system.slice/docker-{'A' * 64}.scope",
        f"/docker/{'a' * 63}",
        "/jobs/0f4e3d2c1b0a49588776655443322110-3141592653",
    ],
)
def test_no_container_in_a_group(path: str) -> None:
    """A unit may be named like an engine, and a number may be another's."""
    assert find_in_path(path) is None


NAMES = st.text(
    st.characters(blacklist_categories=["Cs", "Cc"], blacklist_characters="&():/ "), min_size=1
)


@given(st.lists(NAMES, min_size=1, max_size=4), st.sampled_from(["enforce", "kill", "mixed", "-"]))
def test_stack(profiles: list[str], mode: str) -> None:
    """A stack of profiles has one mode; names may hold any letter."""
    label = parse_apparmor(f"{'//&'.join(profiles)} ({mode})")

    assert (label.profiles, label.mode) == (tuple(profiles), mode)


@pytest.mark.parametrize(
    ("text", "enforcement"),
    [
        ("unconfined", "does not enforce"),
        ("crun (unconfined)", "does not enforce"),
        ("x//&unconfined (unconfined)", "does not enforce"),
        (":inner://x (enforce)", "enforces"),
        ("docker-default//&:ns:unconfined (enforce)", "enforces"),
        ("/usr/bin/a (b) (complain)", "does not enforce"),
        ("a (prompt)", "unknown"),
        ("a//&b (mixed)", "unknown"),
    ],
)
def test_modes(text: str, enforcement: str) -> None:
    """A mode enforces, does not, or leaves it open."""
    assert parse_apparmor(text).enforcement == enforcement


@pytest.mark.parametrize("text", ["kernel", "docker-default", "a:b:c:s0", ""])
def test_not_apparmor(text: str) -> None:
    """A label of AppArmor has a mode, or is ``unconfined``."""
    with pytest.raises(ValueError, match=f"^{text}$"):
        parse_apparmor(text)


@given(
    *[st.from_regex(r"[a-z_]{1,12}", fullmatch=True)] * 3, st.sampled_from(["", ":s0", ":s0:c1,c2"])
)
def test_context(user: str, role: str, kind: str, level: str) -> None:
    """The type is the third part, with levels or without."""
    assert parse_context(f"{user}:{role}:{kind}{level}").type == kind
