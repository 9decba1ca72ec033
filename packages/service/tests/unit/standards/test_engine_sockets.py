"""Sockets of engines: where they are looked for, and whose they are."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pytest

from devops_info_service.facts.container.exposure import ENGINE_SOCKETS, SOCKET_NAMES
from devops_info_service.facts.linux.mounts import MOUNTINFO
from devops_info_service.recording.machine_file import MachineFile, Node
from devops_info_service.snapshot import read_platform
from devops_info_service.standards.checks import Finding

from ..recorded import FrozenClock
from .test_signs import Files

REFERENCE: Final = Path(__file__).parents[5] / "docs" / "reference" / "signs.md"
POD: Final = "/var/lib/kubelet/pods/7d1c9a52-40be-4c52-8f0e-2b8f6f1d9e31"
OWN: Final = (
    "1 0 0:1 / / rw - overlay overlay rw,upperdir=/u\n"
    "2 1 0:2 / /dev rw - tmpfs tmpfs rw,mode=755\n"
    f"3 1 8:1 {POD}/etc-hosts /etc/hosts rw - ext4 /dev/sda1 rw\n"
    "4 1 0:9 / /var/run/secrets/kubernetes.io/serviceaccount ro - tmpfs tmpfs rw,size=100k\n"
)


def engine_sockets(socket: str, *mounts: str, is_open: bool = True) -> Finding:
    """Judge a pod that has *mounts* and a socket."""
    table = OWN + "".join(f"9 1 {mount}\n" for mount in mounts)
    machine = MachineFile(
        nodes={socket: Node("socket", 0o660)}, writable=[socket] if is_open else []
    )
    checks = read_platform(Files({MOUNTINFO: table}, {}, machine), FrozenClock()).security.checks
    return next(check for check in checks if check.id == "engineSockets")


@pytest.mark.parametrize("path", ENGINE_SOCKETS)
@pytest.mark.parametrize("is_open", [True, False])
def test_under_the_machines_root(path: str, is_open: bool) -> None:  # noqa: FBT001
    """Each is found under the machine's own root, wherever that is mounted."""
    found = engine_sockets(f"/host{path}", "8:1 / /host rw - ext4 /dev/sda1 rw", is_open=is_open)

    assert found.verdict == ("fail" if is_open else "unknown")
    assert f"/host{path}" in found.message


@pytest.mark.parametrize(
    ("root", "name"),
    [
        ("/", "docker.sock"), ("/", "podman/podman.sock"), ("/podman", "podman.sock"),
        ("/", "buildkit/buildkitd.sock"), ("/buildkit", "buildkitd.sock"),
    ],
)  # fmt: skip
def test_of_an_engine_without_root(root: str, name: str) -> None:
    """It listens below /run/user/UID, a separate file system, wherever that is mounted."""
    mount = f"0:50 {root} /data rw,nosuid,nodev - tmpfs tmpfs rw,size=2g,mode=700,uid=1000,gid=1000"

    assert engine_sockets(f"/data/{name}", mount).verdict == "fail"


@pytest.mark.parametrize("name", SOCKET_NAMES)
def test_under_another_name(name: str) -> None:
    """The root of a mount names the socket, wherever it is mounted."""
    mount = f"0:24 {name} /tmp/x rw,nosuid,nodev - tmpfs tmpfs rw,mode=755"

    assert engine_sockets("/tmp/x", mount).verdict == "fail"


@pytest.mark.parametrize(
    ("mount", "verdict"),
    [
        ("", "unknown"),
        (f"8:1 {POD}/volumes/kubernetes.io~empty-dir/run /run rw - ext4 /dev/sda1 rw", "unknown"),
        ("0:30 / /run rw - tmpfs tmpfs rw,size=100k", "unknown"),
        ("0:24 / /run rw,nosuid,nodev - tmpfs tmpfs rw,mode=755", "fail"),
        ("0:24 /docker.sock /run/docker.sock rw - tmpfs tmpfs rw,mode=755", "fail"),
        ("8:1 /run /run rw - ext4 /dev/sda1 rw", "fail"),
        ("0:31 /docker.sock /run/docker.sock rw - virtiofs run rw", "fail"),
    ],
    ids=["image", "emptyDir", "memory", "run", "socket", "directory", "Docker Desktop"],
)
def test_engine_beside_this_process(mount: str, verdict: str) -> None:
    """Of Docker in Docker it shows no more than that an engine runs in this pod."""
    found = engine_sockets("/run/docker.sock", *filter(None, [mount]))

    assert found.verdict == verdict, found
    assert ("on the node" in found.message) == (verdict == "fail")


@pytest.mark.parametrize(
    ("mounts", "verdict"),
    [
        (("8:1 /srv /data rw - ext4 /dev/sda1 rw",), "pass"),
        (("8:1 /srv /data rw ext4 /dev/sda1 rw",), "unknown"),
        ([f"8:1 /srv/{n} /data/{n} rw - ext4 /dev/sda1 rw" for n in range(513)], "unknown"),
        (
            [f"0:47 /{n} /proc/{n} rw - proc proc rw" for n in range(600)]
            + ["8:1 /srv /data rw - ext4 /dev/sda1 rw"],
            "pass",
        ),
    ],
    ids=["one", "a line that is not read", "too many", "many of the kernel's"],
)
def test_no_socket(mounts: Sequence[str], verdict: str) -> None:
    """No socket is proven by all mounts alone."""
    assert engine_sockets("/elsewhere", *mounts).verdict == verdict


@pytest.mark.parametrize("before", [0, 600])
def test_after_many_mounts(before: int) -> None:
    """Those of the kernel do not count: a later mount of the machine's brings its socket."""
    many = [f"0:47 /{n} /proc/{n} rw - proc proc rw" for n in range(before)]

    found = engine_sockets("/host/run/docker.sock", *many, "8:1 / /host rw - ext4 /dev/sda1 rw")

    assert found.verdict == "fail"


def test_reference_lists_every_socket() -> None:
    """The reference names each socket that is known, in the order of the source."""
    section = REFERENCE.read_text().partition("## Sockets of engines")[2].partition("\n## ")[0]
    listed = [line[3:-1] for line in section.splitlines() if line.startswith("- `")]

    assert listed == [*ENGINE_SOCKETS, *[f"*{name}" for name in SOCKET_NAMES]]
