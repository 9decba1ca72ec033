"""The checks, over the saved trees and over trees made for one check."""

from collections.abc import Callable
from typing import Any

import pytest

from devops_info_service.facts.container.host_network import uses_host_network
from devops_info_service.facts.fact import Known, Unknown
from devops_info_service.facts.system_files import Clock, SystemFiles
from devops_info_service.snapshot import read_platform
from devops_info_service.standards.baseline import BASELINE
from devops_info_service.standards.checks import Finding
from devops_info_service.standards.restricted import RESTRICTED

IDS = {
    "appArmorProfile": "1.0",
    "capabilities_baseline": "1.0",
    "hostNamespaces": "1.0",
    "hostPathVolumes": "1.0",
    "hostPorts": "1.0",
    "hostProbesAndHostLifecycle": "1.34",
    "privileged": "1.0",
    "procMount": "1.0",
    "seLinuxOptions": "1.0",
    "seccompProfile_baseline": "1.0",
    "sysctls": "1.0",
    "windowsHostProcess": "1.0",
    "allowPrivilegeEscalation": "1.8",
    "capabilities_restricted": "1.22",
    "procMount_restricted": "1.35",
    "restrictedVolumes": "1.0",
    "runAsNonRoot": "1.0",
    "runAsUser": "1.23",
    "seccompProfile_restricted": "1.19",
}
"""The admission ids of the standard and the version that first has each."""
HARDENING = (
    *("readOnlyRootFilesystem", "userNamespace", "engineSockets", "deviceNodes", "setIdFiles"),
    "serviceAccountToken",
)
UNOBSERVABLE = {"hostPorts", "hostProbesAndHostLifecycle", "sysctls"}

FAILED: dict[str, set[str]] = {
    "docker-default": {
        *("allowPrivilegeEscalation", "capabilities_restricted", "runAsNonRoot", "runAsUser"),
        *("readOnlyRootFilesystem", "userNamespace", "setIdFiles"),
    },
    "docker-limited": {"userNamespace"},
    "docker-privileged": {
        *("capabilities_baseline", "hostPathVolumes", "privileged", "procMount"),
        "procMount_restricted",
        *("seccompProfile_baseline", "allowPrivilegeEscalation", "capabilities_restricted"),
        *("restrictedVolumes", "runAsNonRoot", "runAsUser", "seccompProfile_restricted"),
        *("readOnlyRootFilesystem", "userNamespace", "deviceNodes", "setIdFiles"),
    },
    "docker-host": {
        *("hostNamespaces", "hostPathVolumes", "allowPrivilegeEscalation"),
        *("capabilities_restricted", "restrictedVolumes", "runAsNonRoot", "runAsUser"),
        *("readOnlyRootFilesystem", "userNamespace", "engineSockets", "setIdFiles"),
    },
    "containerd-restricted": {"userNamespace", "serviceAccountToken"},
    "crio-pod": {"readOnlyRootFilesystem", "userNamespace", "serviceAccountToken"},
    "gvisor": {"readOnlyRootFilesystem", "serviceAccountToken"},
    "cgroup-v1-pod": {
        *("seccompProfile_baseline", "allowPrivilegeEscalation", "capabilities_restricted"),
        *("runAsNonRoot", "runAsUser", "seccompProfile_restricted"),
        *("readOnlyRootFilesystem", "userNamespace", "setIdFiles"),
    },
    "hybrid": {
        *("allowPrivilegeEscalation", "capabilities_restricted"),
        *("readOnlyRootFilesystem", "userNamespace"),
    },
    "podman-rootless": {
        *("hostPathVolumes", "allowPrivilegeEscalation", "capabilities_restricted"),
        *("restrictedVolumes", "readOnlyRootFilesystem"),
    },
    "privileged-pod": {
        *(set(IDS) - UNOBSERVABLE - {"seLinuxOptions", "windowsHostProcess"}),
        *HARDENING,
    },
}
UNKNOWN: dict[str, set[str]] = {
    "gvisor": {
        *("appArmorProfile", "hostNamespaces", "hostPathVolumes", "procMount", "seLinuxOptions"),
        *("seccompProfile_baseline", "allowPrivilegeEscalation", "restrictedVolumes"),
        *("seccompProfile_restricted", "userNamespace", "procMount_restricted"),
    },
    "podman-rootless": {"hostNamespaces"},
}
SUMS = {
    "docker-default": ("pass", "fail"),
    "docker-limited": ("pass", "pass"),
    "docker-privileged": ("fail", "fail"),
    "docker-host": ("fail", "fail"),
    "containerd-restricted": ("pass", "pass"),
    "crio-pod": ("pass", "pass"),
    "gvisor": ("unknown", "unknown"),
    "cgroup-v1-pod": ("fail", "fail"),
    "hybrid": ("pass", "fail"),
    "podman-rootless": ("fail", "fail"),
    "privileged-pod": ("fail", "fail"),
}


@pytest.mark.parametrize("name", FAILED)
def test_verdicts(saved: Callable[[str], SystemFiles], clock: Clock, name: str) -> None:
    """Each check of each tree fails, passes or stays open as its container was started."""
    checks = read_platform(saved(name), clock).security.checks
    expected = {
        **dict.fromkeys([*IDS, *HARDENING], "pass"),
        **dict.fromkeys(FAILED[name], "fail"),
        **dict.fromkeys(UNKNOWN.get(name, set()) | UNOBSERVABLE, "unknown"),
    }

    assert {check.id: check.verdict for check in checks} == expected


@pytest.mark.parametrize("name", SUMS)
def test_sums(saved: Callable[[str], SystemFiles], clock: Clock, name: str) -> None:
    """One failure fails a profile; what no container can show does not keep it open."""
    sums = read_platform(saved(name), clock).security.pod_security

    assert (sums.baseline, sums.restricted) == SUMS[name]
    assert set(sums.unobservable) == UNOBSERVABLE


def test_every_id() -> None:
    """All ids of the standard are there, with the version that first has them."""
    assert {rule.id: rule.since for rule in BASELINE + RESTRICTED} == IDS


@pytest.mark.parametrize("name", FAILED)
def test_message_and_evidence(saved: Callable[[str], SystemFiles], clock: Clock, name: str) -> None:
    """Each verdict is one sentence; each failure but one about absence shows its evidence."""
    for check in read_platform(saved(name), clock).security.checks:
        assert check.message[0].isupper() or check.message[0] in "/0123456789"
        assert check.message.endswith(".")
        assert "\n" not in check.message
        # an absent mask has no line to show
        if check.verdict == "fail" and not check.id.startswith("procMount"):
            assert check.evidence, check.id


def test_process(saved: Callable[[str], SystemFiles], clock: Clock) -> None:
    """The facts under the checks are there too, by name."""
    process = read_platform(saved("docker-default"), clock).security.process

    assert known(process.seccomp) == "filter"
    assert known(process.seccomp_filters) == 1
    assert known(process.no_new_privileges) is False
    assert known(process.user_ids) == (0, 0, 0, 0)
    assert known(process.capabilities.ambient) == ()
    assert known(process.capabilities.bounding) == known(process.capabilities.effective)
    assert "NET_RAW" in known(process.capabilities.bounding)


def test_namespaces(saved: Callable[[str], SystemFiles], clock: Clock) -> None:
    """Namespaces are the machine's or not, one by one."""
    shared = read_platform(saved("docker-host"), clock).security.namespaces.shared

    assert {kind: known(fact) for kind, fact in shared.items()} == {
        "cgroup": True,
        "ipc": True,
        "net": True,
        "pid": True,
        "user": True,
        "uts": True,
    }


def test_id_maps(saved: Callable[[str], SystemFiles], clock: Clock) -> None:
    """A user namespace shows the host ids behind its own."""
    uid_map = known(read_platform(saved("podman-rootless"), clock).security.namespaces.uid_map)

    assert [(each.inside, each.outside) for each in uid_map] == [(0, 1000), (1, 524288)]


def test_exposure(saved: Callable[[str], SystemFiles], clock: Clock) -> None:
    """Devices, sockets, set-uid files and places to write are listed."""
    security = read_platform(saved("privileged-pod"), clock).security

    assert [each.path for each in known(security.devices)] == [
        *("/dev/kmsg", "/dev/mem", "/dev/sda", "/dev/sda2"),
    ]
    assert known(security.engine_sockets) == ("/run/containerd/containerd.sock",)
    assert known(security.set_id_files).found == ("/usr/bin/mount",)
    assert "/sys" in known(security.writable)
    assert known(security.masked_paths) == ()


def known(fact: Known[Any] | Unknown) -> Any:
    """Take the value of a fact that must be known."""
    assert isinstance(fact, Known), fact
    return fact.value


STATUS = (
    "Uid:\t1\t1\t1\t1\nCapInh:\t0\nCapPrm:\t0\nCapEff:\t0\nCapBnd:\t0\nCapAmb:\t0\n"
    "NoNewPrivs:\t1\nSeccomp:\t2\nSeccomp_filters:\t1\n"
)
MOUNTINFO = "1 0 0:1 / / ro - overlay overlay ro\n"


def check_of(tree: SystemFiles, clock: Clock, name: str) -> Finding:
    """Make one check."""
    security = read_platform(tree, clock).security
    return next(check for check in security.checks if check.id == name)


@pytest.mark.parametrize(
    ("name", "old", "new", "verdict"),
    [
        ("capabilities_restricted", "CapBnd:\t0", "CapBnd:\t400", "pass"),
        ("capabilities_restricted", "CapBnd:\t0", "CapBnd:\t2000", "fail"),
        ("capabilities_restricted", "CapAmb:\t0", "CapAmb:\t1", "fail"),
        ("capabilities_restricted", "CapBnd:\t0", "CapBnd:\tnone", "unknown"),
        ("capabilities_baseline", "CapBnd:\t0", "CapBnd:\t00000000a80405fb", "pass"),
        ("capabilities_baseline", "CapBnd:\t0", "CapBnd:\t00000000a80425fb", "unknown"),
        ("capabilities_baseline", "CapBnd:\t0", "CapBnd:\t2000", "fail"),
        ("capabilities_baseline", "CapBnd:\t0", "CapBnd:\t2001", "unknown"),
        ("capabilities_baseline", "CapBnd:\t0", "CapBnd:\t1000", "fail"),
        ("allowPrivilegeEscalation", "NoNewPrivs:\t1", "NoNewPrivs:\t0", "fail"),
        ("allowPrivilegeEscalation", "NoNewPrivs:\t1", "NoNewPrivs:\t7", "unknown"),
        ("seccompProfile_restricted", "Seccomp:\t2", "Seccomp:\t0", "fail"),
        ("seccompProfile_restricted", "Seccomp:\t2", "Seccomp:\t1", "pass"),
        ("runAsNonRoot", "Uid:\t1\t1\t1\t1", "Uid:\t1\t1\t0\t1", "unknown"),
        ("runAsNonRoot", "Uid:\t1\t1\t1\t1", "Uid:\t1\t1", "unknown"),
        ("privileged", "CapBnd:\t0", "CapBnd:\t000001ffffffffff", "fail"),
    ],
)
def test_status(
    tree_of: Callable[..., SystemFiles], clock: Clock, name: str, old: str, new: str, verdict: str
) -> None:
    """One field of status decides; an invalid one leaves it unknown."""
    seccomp = ("Seccomp:\t2", "Seccomp:\t0") if name == "privileged" else ("", "")
    status = STATUS.replace(old, new).replace(*seccomp)
    sysfs = "2 1 0:2 / /sys rw - sysfs sysfs rw\n"
    tree = tree_of({"/proc/self/status": status, "/proc/self/mountinfo": MOUNTINFO + sysfs})

    assert check_of(tree, clock, name).verdict == verdict


ID = "07ee4bda71a3de9e4e3682dfbd1b09f64fe57c3736face457028a079a8bf81e7"


@pytest.mark.parametrize(
    ("line", "path_volumes", "restricted"),
    [
        ("8:1 /home/ana/src /src rw - ext4 /dev/sda1 rw", "fail", "fail"),
        ("8:1 /mnt/disks/ssd1 /data rw - ext4 /dev/sda1 rw", "unknown", "unknown"),
        ("8:1 / /host ro - ext4 /dev/sda1 rw", "fail", "fail"),
        ("8:9 / /data rw - ext4 /dev/sdb rw", "unknown", "unknown"),
        ("0:5 / /dev rw - devtmpfs devtmpfs rw", "fail", "fail"),
        ("0:5 / /host/proc rw - proc proc rw", "fail", "fail"),
        ("0:25 /docker.sock /any/name rw - tmpfs tmpfs rw", "fail", "fail"),
        ("0:26 / /tmp rw - tmpfs tmpfs rw", "unknown", "unknown"),
        ("0:27 / /data rw - nfs4 server:/x rw", "unknown", "unknown"),
        ("8:1 /var/lib/docker/volumes/v/_data /v rw - ext4 /dev/sda1 rw", "pass", "pass"),
        ("8:1 /srv/volumes/v/_data /v rw - ext4 /dev/sda1 rw", "unknown", "unknown"),
    ],
)
def test_volumes(
    tree_of: Callable[..., SystemFiles], clock: Clock, line: str, path_volumes: str, restricted: str
) -> None:
    """A mount is the host's, a volume's, or unknown."""
    own = f"3 1 8:1 /var/lib/docker/containers/{ID}/hostname /etc/hostname rw - ext4 /dev/sda1 rw\n"
    tree = tree_of(
        {"/proc/self/status": STATUS, "/proc/self/mountinfo": f"{MOUNTINFO}{own}4 1 {line}\n"}
    )

    assert check_of(tree, clock, "hostPathVolumes").verdict == path_volumes
    assert check_of(tree, clock, "restrictedVolumes").verdict == restricted


@pytest.mark.parametrize(
    ("label", "enabled", "app_armor", "selinux"),
    [
        ("unconfined\n", "Y\n", "fail", "pass"),
        ("docker-default (enforce)\n", "Y\n", "pass", "pass"),
        ("docker-default (complain)\n", "Y\n", "fail", "pass"),
        ("system_u:system_r:container_t:s0:c1,c2\n", "", "pass", "pass"),
        ("system_u:system_r:spc_t:s0\n", "", "pass", "fail"),
        (None, "", "unknown", "unknown"),
        (None, "N\n", "pass", "unknown"),
        (None, "Y\n", "unknown", "pass"),
    ],
)
def test_labels(
    tree_of: Callable[..., SystemFiles],
    clock: Clock,
    label: str | None,
    enabled: str,
    app_armor: str,
    selinux: str,
) -> None:
    """A label is AppArmor's or SELinux's, and confines or does not."""
    files = {
        "/proc/self/status": STATUS,
        "/proc/self/mountinfo": MOUNTINFO,
        "/sys/module/apparmor/parameters/enabled": enabled,
    }
    if label is not None:
        files["/proc/self/attr/current"] = label
    tree = tree_of(files)

    assert check_of(tree, clock, "appArmorProfile").verdict == app_armor
    assert check_of(tree, clock, "seLinuxOptions").verdict == selinux


CORE = "/proc/sys/net/core"
HOSTS = "# Kubernetes-managed hosts file"
OLD = {"/proc/sys/kernel/osrelease": "6.17.9\n"}
"""Before the first network namespace got its number."""
INNER = dict.fromkeys([f"{CORE}/somaxconn", f"{CORE}/txrehash"], "1")
"""The files of every network but the machine's first."""


@pytest.mark.parametrize(
    ("files", "environ", "shared"),
    [
        ({"/proc/sys/kernel/osrelease": "6.18.0\n"}, {}, False),
        (OLD, {"POD_IP": "10.0.0.1", "HOST_IP": "10.0.0.1"}, True),
        (OLD, {"POD_IP": "::ffff:10.0.0.1", "NODE_IP": "10.0.0.1"}, True),
        (OLD, {"POD_IP": "10.0.0.1", "HOST_IP": "10.0.0.2"}, False),
        (OLD, {"POD_IP": "127.0.0.1", "HOST_IP": "127.0.0.1"}, None),
        (OLD, {"POD_IP": "::ffff:0.0.0.0", "NODE_IP": "::"}, None),
        (INNER, {"POD_IP": "10.0.0.1", "NODE_IP": "10.0.0.1"}, None),
        (INNER, {"POD_IP": "10.0.0.1", "HOST_IP": "10.0.0.1"}, True),
        (INNER, {"POD_IP": "127.0.0.1", "NODE_IP": "127.0.0.1"}, False),
        (OLD, {"POD_IP": "hunter2", "HOST_IP": "hunter2"}, None),
        ({"/sys/class/net/cni0/ifindex": "4"}, {}, None),
        ({"/proc/sys/net/core/netdev_max_backlog": "1000"}, {}, True),
        (INNER, {}, False),
        ({"/etc/hosts": f"{HOSTS} (host network).\n"}, {}, True),
        ({"/etc/hosts": f"{HOSTS}.\n"}, {}, False),
        ({"/etc/hosts": f"{HOSTS}.\n", f"{CORE}/netdev_max_backlog": "1"}, {}, None),
        ({"/etc/hosts": f"{HOSTS}.\n"}, {"POD_IP": "10.0.0.1", "HOST_IP": "10.0.0.1"}, None),
        ({"/sys/class/net/eth0/ifindex": "2", "/sys/class/net/eth0/iflink": "9"}, {}, False),
        ({"/sys/class/net/eth0/ifindex": "2", "/sys/class/net/eth0/iflink": "2"}, {}, None),
        ({"/sys/class/net/tunl0/iflink": "0"}, {}, None),
        ({"/proc/sys/kernel/osrelease": "nonsense\n"}, {}, None),
    ],
)
def test_network_namespace(
    tree_of: Callable[..., SystemFiles],
    files: dict[str, str],
    environ: dict[str, str],
    shared: bool | None,  # noqa: FBT001
) -> None:
    """Without a fixed number, addresses and interfaces decide; else it is unknown."""
    tree = tree_of({"/proc/x": "", **files}, environ)
    fact = uses_host_network(tree, Known(value=False))

    assert (fact.value if isinstance(fact, Known) else None) is shared


def test_gvisor_is_not_linux(saved: Callable[[str], SystemFiles], clock: Clock) -> None:
    """A Seccomp of 0 in gVisor is not a finding: its filter is outside."""
    check = check_of(saved("gvisor"), clock, "seccompProfile_restricted")

    assert check.verdict == "unknown"
    assert "2016" in check.evidence[0].value
