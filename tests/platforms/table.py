"""Commands that start a process, and the truths of each: the request, never the report.

A truth is a verdict of a check or a value of a fact (``FACTS``). Defaults that promise
nothing are left out, or ``...``. A verdict "unknown" is due where nothing shows it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

Truths = Mapping[str, Any]
Row = tuple[str, str, Truths]
"""Name, options, truths besides those of the whole group."""


@dataclass(frozen=True)
class Platform:
    """One command."""

    name: str
    command: str
    """A function of ``guest.sh`` and its arguments; ``NAME`` is replaced by the name."""
    truths: Truths
    needs: str = ""
    """The function of ``guest.sh`` that comes first, once."""
    suite: str = ""
    """Of Debian; empty: that of the command."""
    arguments: str = ""
    """Of its kernel."""


FACTS: Final = {
    "engine": ("identity.engine", "name"),
    "container_id": ("identity.container_id", ""),
    "memory": ("resources.memory.limit.effective", ""),
    "cpu": ("resources.cpu.limit.effective", ""),
    "pids": ("resources.processes.limit.effective", ""),
    "cpuset": ("resources.cpu.affinity", ""),
    "user": ("security.process.user_ids", 1),
    "read-only root": ("security.read_only_root", ""),
    "no new privileges": ("security.process.no_new_privileges", ""),
    "seccomp": ("security.process.seccomp", ""),
    "host net": ("security.namespaces.shared.net", ""),
    "host pid": ("security.namespaces.shared.pid", ""),
    "host ipc": ("security.namespaces.shared.ipc", ""),
    "host uts": ("security.namespaces.shared.uts", ""),
    "host user": ("security.namespaces.shared.user", ""),
}
"""Name -> path in the report, and the part of the value."""
MIB: Final = 2**20

_OWN: Final[Truths] = {"host net": False, "host pid": False, "host ipc": False, "host uts": False}
_KEPT: Final[Truths] = {
    "hostNamespaces": "pass",
    "hostPathVolumes": "pass",
    "privileged": "pass",
    "procMount": "pass",
    "capabilities_baseline": "pass",
    "engineSockets": "pass",
    "deviceNodes": "pass",
    "windowsHostProcess": "pass",
    "serviceAccountToken": "pass",
}
_ROOT: Final[Truths] = {"user": 0, "runAsNonRoot": "fail", "userNamespace": "fail"}
_USER: Final[Truths] = {"user": 65532, "runAsNonRoot": "pass", "runAsUser": "pass"}
_MAPPED: Final[Truths] = {"host user": False, "userNamespace": "pass", "runAsNonRoot": "pass"}
_LIMITED: Final[Truths] = {"memory": 64 * MIB, "cpu": 0.5, "pids": 50}
_LIMITS: Final = "--memory 64m --cpus 0.5 --pids-limit 50"
_CONTAINER: Final[Truths] = {**_OWN, **_KEPT, "seccompProfile_baseline": "pass"}
_DOCKER: Final[Truths] = {
    **_CONTAINER,
    **_ROOT,
    "engine": "docker",
    "container_id": "ID",
    "appArmorProfile": "pass",
    "seLinuxOptions": "pass",
    "readOnlyRootFilesystem": "fail",
    "allowPrivilegeEscalation": "fail",
    "capabilities_restricted": "fail",
}
_PODMAN: Final[Truths] = {
    **_CONTAINER,
    **_ROOT,
    "engine": "podman",
    "container_id": "ID",
    "seLinuxOptions": "pass",
    "readOnlyRootFilesystem": "fail",
    "allowPrivilegeEscalation": "fail",
}
_PODMAN_USER: Final[Truths] = {**_PODMAN, **_MAPPED, "appArmorProfile": "fail"}
_PRIVILEGED: Final[Truths] = {
    "privileged": "fail",
    "capabilities_baseline": "fail",
    "procMount": "fail",
    "seccompProfile_baseline": "fail",
    "appArmorProfile": "fail",
    "deviceNodes": "fail",
}
_BUNDLE: Final[Truths] = {
    **_OWN,
    "hostNamespaces": "pass",
    "hostPathVolumes": "pass",
    "privileged": "pass",
    "procMount": "pass",
    "seccompProfile_baseline": "fail",
    "appArmorProfile": "fail",
    "allowPrivilegeEscalation": "pass",
    "capabilities_baseline": "pass",
    "deviceNodes": "pass",
    **_ROOT,
}
_MACHINE: Final[Truths] = {
    "engine": "none",
    "host net": True,
    "host pid": True,
    "host ipc": True,
    "host uts": True,
    "host user": True,
    "user": 0,
    "memory": None,
    "cpu": None,
}
_NSPAWN: Final[Truths] = {
    "engine": "systemd-nspawn",
    "host pid": False,
    "host ipc": False,
    "host uts": False,
    "privileged": "pass",
    "hostPathVolumes": "pass",
    "seccompProfile_baseline": "pass",
    "capabilities_baseline": "fail",
    "deviceNodes": "pass",
    "user": 0,
}


def _table(
    prefix: str, rows: tuple[Row, ...], start: str, needs: str, base: Truths
) -> list[Platform]:
    return [
        Platform(f"{prefix}-{name}", f"{start} NAME {options}", {**base, **truths}, needs)
        for name, options, truths in rows
    ]


DOCKER: Final[tuple[Row, ...]] = (
    ("default", "", {}),
    (
        "limited",
        (
            f"{_LIMITS} --read-only -v rec:/rec --cap-drop ALL --security-opt no-new-privileges"
            " --user 65532:65532 --network none"
        ),
        {
            **_LIMITED,
            **_USER,
            "readOnlyRootFilesystem": "pass",
            "allowPrivilegeEscalation": "pass",
            "capabilities_restricted": "pass",
            "restrictedVolumes": "pass",
        },
    ),
    ("memory", "--memory 100m --memory-swap 150m", {"memory": 100 * MIB}),
    ("cpuset", "--cpuset-cpus 1", {"cpuset": [1]}),
    ("slice", f"--cgroup-parent limited.slice {_LIMITS}", _LIMITED),
    ("privileged", "--privileged", {**_PRIVILEGED, "container_id": "ID"}),
    ("host-net", "--network host", {"host net": True, "hostNamespaces": "fail"}),
    ("host-pid", "--pid host", {"host pid": True, "hostNamespaces": "fail"}),
    ("host-ipc", "--ipc host", {"host ipc": True, "hostNamespaces": "fail"}),
    ("host-uts", "--uts host", {"host uts": True}),
    ("host-cgroupns", f"--cgroupns host {_LIMITS}", _LIMITED),
    ("joined-net", "--network container:sleeper", {}),
    ("unconfined", "--security-opt seccomp=unconfined", {"seccompProfile_baseline": "fail"}),
    ("no-apparmor", "--security-opt apparmor=unconfined", {"appArmorProfile": "fail"}),
    ("no-masks", "--security-opt systempaths=unconfined", {"procMount": "fail"}),
    ("net-raw", "--cap-drop ALL --cap-add NET_RAW", {"capabilities_baseline": "fail"}),
    ("sys-admin", "--cap-add SYS_ADMIN", {"capabilities_baseline": "fail"}),
    ("host-etc", "-v /etc:/host/etc:ro", {"hostPathVolumes": "fail"}),
    ("host-hosts", "-v /etc/hosts:/etc/hosts", {"hostPathVolumes": "fail"}),
    ("host-shm", "-v /dev/shm:/dev/shm", {"hostPathVolumes": "fail"}),
    ("volume", "-v data:/data", {}),
    ("tmpfs", "--tmpfs /data:size=1m", {}),
    ("kmsg", "--device /dev/kmsg", {"deviceNodes": "fail"}),
    ("disk", "--device /dev/vda", {"deviceNodes": "fail"}),
    (
        "socket",
        "-v /run/docker.sock:/run/docker.sock",
        {"engineSockets": "fail", "hostPathVolumes": "fail"},
    ),
    (
        "socket-refused",
        "-v /run/docker.sock:/x.sock --user 65532",
        {**_USER, "engineSockets": "unknown", "hostPathVolumes": "fail"},
    ),
    ("init", "--init", {}),
    ("crun", f"--runtime crun {_LIMITS}", _LIMITED),
)

PODMAN: Final[tuple[Row, ...]] = (
    ("default", "--network none", {}),
    (
        "limited",
        (
            f"--network none {_LIMITS} --read-only -v rec:/rec --cap-drop ALL"
            " --security-opt no-new-privileges --user 65532:65532"
        ),
        {
            **_LIMITED,
            **_USER,
            "readOnlyRootFilesystem": "pass",
            "allowPrivilegeEscalation": "pass",
            "capabilities_restricted": "pass",
        },
    ),
    ("runc", f"--network none --runtime runc {_LIMITS}", _LIMITED),
    ("privileged", "--network none --privileged", _PRIVILEGED),
    ("userns", "--network none --userns auto", _MAPPED),
    (
        "identity",
        "--network none --uidmap 0:0:65536 --gidmap 0:0:65536",
        {"host user": False, "userNamespace": "fail", "runAsNonRoot": "fail"},
    ),
    ("host-net", "--network host", {"host net": True, "hostNamespaces": "fail"}),
    ("host-pid", "--network none --pid host", {"host pid": True, "hostNamespaces": "fail"}),
    ("host-etc", "--network none -v /etc:/host/etc", {"hostPathVolumes": "fail"}),
    ("volume", "--network none -v data:/data", {}),
    ("no-attr", "--network none --security-opt apparmor=unconfined", {"appArmorProfile": "fail"}),
    ("unmasked", "--network none --security-opt unmask=ALL", {"procMount": "fail"}),
    (
        "unmasked-userns",
        "--network none --security-opt unmask=ALL --userns auto",
        {**_MAPPED, "procMount": "pass", "procMount_restricted": "fail"},
    ),
)
ROOTLESS: Final[tuple[Row, ...]] = (
    ("default", "--network none", {}),
    ("limited", f"--network none {_LIMITS}", _LIMITED),
    ("keep-id", "--network none --userns keep-id", {"user": ...}),
    ("runc", "--network none --runtime runc", {}),
    ("home", "--network none -v /home/u:/data", {"hostPathVolumes": "fail"}),
    ("host-net", "--network host", {"host net": True, "hostNamespaces": "fail"}),
)
UNITS: Final[tuple[Row, ...]] = (
    ("plain", "", {}),
    ("limited", "-p MemoryMax=64M -p CPUQuota=50% -p TasksMax=50", _LIMITED),
    (
        "hardened",
        (
            "-p MemoryMax=64M -p CPUQuota=50% -p TasksMax=50 -p ProtectSystem=strict"
            " -p ReadWritePaths=/out -p PrivateDevices=yes -p PrivateTmp=yes -p PrivateNetwork=yes"
            " -p NoNewPrivileges=yes -p CapabilityBoundingSet= -p ProtectKernelTunables=yes"
            " -p ProtectControlGroups=yes -p SystemCallFilter=@system-service -p UMask=0000"
        ),
        {**_LIMITED, "host net": False, "no new privileges": True, "seccomp": "filter"},
    ),
    (
        "dynamic-user",
        "-p DynamicUser=yes -p ReadWritePaths=/out -p MemoryMax=64M -p UMask=0000",
        {"memory": 64 * MIB, "user": ...},
    ),
    (
        "without-proc",
        "-p ProcSubset=pid -p ProtectProc=invisible -p MemoryMax=64M",
        {"memory": 64 * MIB, "engine": ...},
    ),
    (
        "private-users",
        "-p PrivateUsers=yes -p MemoryMax=64M",
        {"memory": 64 * MIB, "host user": False, "userNamespace": "fail", "engine": ...},
    ),
    (
        "root-directory",
        (
            "-p RootDirectory=/srv/platforms/rootfs -p MountAPIVFS=yes -p BindPaths=/out"
            " -p BindReadOnlyPaths=/in"
        ),
        {},
    ),
)
NSPAWN_WAYS: Final[tuple[Row, ...]] = (
    ("default", "", {"host net": True, "host user": True, "userNamespace": "fail"}),
    ("private-net", "--private-network", {"host net": False, "hostNamespaces": "pass"}),
    (
        "users",
        "-U --private-users-ownership=chown",
        {"host net": True, **_MAPPED, "capabilities_baseline": ...},
    ),
    ("bind", "--bind=/etc:/host", {"hostPathVolumes": "fail", "host net": True}),
)
_SETPRIV: Final = "setpriv --reuid 1000 --regid 1000 --clear-groups"
UNSHARE: Final[tuple[Row, ...]] = (
    ("mapped", f"{_SETPRIV} unshare -Ur", {**_MAPPED, "engine": ..., "runAsNonRoot": ...}),
    (
        "identity",
        "unshare -U --map-users=0,0,65536 --map-groups=0,0,65536",
        {"host user": False, "userNamespace": "fail", "runAsNonRoot": "fail", "engine": ...},
    ),
    ("net", "unshare -n", {"host net": False, "engine": ...}),
    ("pid", "unshare -p -f --mount-proc", {"host pid": False, "engine": ...}),
    ("ipc", "unshare -i", {"host ipc": False, "engine": ...}),
    ("mount", "unshare -m", {"engine": ...}),
    ("cgroup", "unshare -C", {"engine": ..., "memory": None, "cpu": None}),
    ("bare", "env", {}),
    ("no-capability", "setpriv --bounding-set -all --inh-caps -all", {"privileged": ...}),
    ("user", _SETPRIV, {"user": 1000}),
)  # fmt: skip

_UNMASK: Final = "c['linux'].update(maskedPaths=[], readonlyPaths=[])"
"""As ``procMount: Unmasked`` of a pod."""
_EDITS: Final[tuple[Row, ...]] = (
    ("default", "pass", {}),
    (
        "limited",
        (
            "c['linux'].setdefault('resources', {}).update(memory={'limit': 2**26},"
            " cpu={'quota': 50000, 'period': 100000}, pids={'limit': 50})"
        ),
        _LIMITED,
    ),
    (
        "user",
        "c['process']['user'] = {'uid': 65532, 'gid': 65532}",
        {**_USER, "runAsNonRoot": "pass", "userNamespace": "fail"},
    ),
    (
        "mapped",
        (
            "c['linux']['namespaces'].append({'type': 'user'});"
            " m = [{'containerID': 0, 'hostID': 100000, 'size': 65536}];"
            " c['linux'].update(uidMappings=m, gidMappings=m)"
        ),
        _MAPPED,
    ),
    (
        "host-net",
        "n = c['linux']['namespaces']; n.remove({'type': 'network'})",
        {"host net": True, "hostNamespaces": "fail"},
    ),
    (
        "no-cgroup-mount",
        "c['mounts'] = [m for m in c['mounts'] if m['type'] != 'cgroup']",
        {},
    ),
    (
        "host-etc",
        (
            "c['mounts'].append({'destination': '/data', 'source': '/etc', 'type': 'none',"
            " 'options': ['rbind']})"
        ),
        {"hostPathVolumes": "fail"},
    ),
    ("unmasked", f"{_UNMASK}", {"procMount": "fail"}),
    (
        "unmasked-mapped",
        (
            f"{_UNMASK}; c['linux']['namespaces'].append({{'type': 'user'}});"
            " m = [{'containerID': 0, 'hostID': 100000, 'size': 65536}];"
            " c['linux'].update(uidMappings=m, gidMappings=m)"
        ),
        {**_MAPPED, "procMount": "pass", "procMount_restricted": "fail"},
    ),
)
BUNDLES: Final = [
    Platform(
        f"{runtime}-{name}",
        f'bundle NAME "{runtime}" "{edit}"',
        {**_BUNDLE, **truths, **({"engine": ...} if runtime != "runsc" else {})},
    )
    for runtime in ("runc", "crun")
    for name, edit, truths in _EDITS
]
_GVISOR: Final[Truths] = {"user": 0, "runAsNonRoot": "fail", "memory": 64 * MIB}
"""Of its confinement nothing shows inside, so that every other verdict is due to be unknown; a
known one must be true of the sandbox as requested."""
SANDBOXES: Final = [
    Platform(
        f"here-runsc-{name}",
        f'bundle NAME "$RUNSC" "{edit}"',
        {**_BUNDLE, **_GVISOR, "memory": ..., "readOnlyRootFilesystem": "fail", **truths},
        "find_runsc",
    )
    for name, edit, truths in (
        ("default", "pass", {}),
        (
            "user",
            "c['process']['user'] = {'uid': 65532, 'gid': 65532}",
            {"user": 65532, "runAsNonRoot": "pass"},
        ),
        (
            "ptrace",
            "[s.append('CAP_SYS_PTRACE') for s in c['process']['capabilities'].values()]",
            {"capabilities_baseline": "fail"},
        ),
    )
]
"""gVisor on this machine: what it shows of itself, on every machine alike."""
LXC: Final[tuple[Row, ...]] = (
    (
        "privileged",
        "'lxc.net.0.type = empty' 'lxc.cgroup2.memory.max = 67108864'",
        {**_OWN, "hostNamespaces": "pass", "memory": 64 * MIB, "user": 0, "runAsNonRoot": "fail"},
    ),
    (
        "host-net",
        "'lxc.net.0.type = none'",
        {"host net": True, "host pid": False, "hostNamespaces": "fail", "user": 0},
    ),
)

BUBBLEWRAP: Final[tuple[Row, ...]] = (
    (
        "unshared",
        "--unshare-all --uid 1000 --gid 1000",
        {**_OWN, "hostNamespaces": "pass", "user": 1000, "runAsNonRoot": "pass"},
    ),
    (
        "root",
        "--unshare-all --uid 0 --gid 0",
        {**_OWN, **_MAPPED, "hostNamespaces": "pass", "user": 0},
    ),
    (
        "host-net",
        "--unshare-user --unshare-pid --unshare-ipc --ro-bind /etc /etc",
        {"host net": True, "host pid": False, "hostNamespaces": "fail", "hostPathVolumes": "fail"},
    ),
)
_SECOND: Final = frozenset({
    *("process-bare", "process-user", "unit-limited", "unit-hardened"),
    *("docker-default", "docker-limited", "docker-host-net", "docker-host-pid"),
    *("docker-privileged", "podman-default", "podman-limited", "podman-userns"),
    *("podman-rootless-default", "nspawn-default", "nspawn-users", "lxc-privileged"),
    *("bubblewrap-unshared", "nested-docker-limited"),
})  # fmt: skip
"""Started with the kernel and the programs of another release as well."""

_HERE: Final = frozenset(
    "default limited memory cpuset host-net host-pid host-ipc host-uts joined-net unconfined"  # noqa: SIM905
    " no-masks net-raw host-etc volume tmpfs socket socket-refused init".split()
)
HERE: Final = [
    *_table(
        "here",
        tuple(row for row in DOCKER if row[0] in _HERE),
        "engine docker",
        "image_here",
        _DOCKER,
    ),
    *SANDBOXES,
]
"""On this machine, whatever its engine and its control groups are."""

PLATFORMS: Final = [
    *_table("process", UNSHARE, "direct", "", _MACHINE),
    *_table("unit", UNITS, "unit", "", _MACHINE),
    *_table("nspawn", NSPAWN_WAYS, "nspawn", "", _NSPAWN),
    *BUNDLES,
    *_table("lxc", LXC, "lxc", "", {"engine": "lxc", "seccompProfile_baseline": "pass"}),
    Platform(
        "lxc-mapped",
        "lxc_mapped NAME 'lxc.net.0.type = empty' 'lxc.cgroup2.memory.max = 67108864'",
        {
            **_OWN,
            **_MAPPED,
            "engine": "lxc",
            "hostNamespaces": "pass",
            "hostPathVolumes": "pass",
            "privileged": "pass",
            "seccompProfile_baseline": "pass",
            "memory": 64 * MIB,
            "user": 0,
        },
    ),
    *_table(
        "bubblewrap",
        BUBBLEWRAP,
        "sandbox",
        "",
        {"host user": False, "allowPrivilegeEscalation": "pass", "readOnlyRootFilesystem": "pass"},
    ),
    *_table("podman", PODMAN, "engine podman", "start_podman", _PODMAN),
    *_table("podman-rootless", ROOTLESS, "rootless", "start_rootless", _PODMAN_USER),
    *_table("docker", DOCKER, "engine docker", "start_docker", _DOCKER),
    Platform(
        "docker-runsc",
        "LIMIT=900 engine docker NAME --runtime runsc --network none --memory 64m -v runsc:/rec",
        _GVISOR,
        "start_docker",
    ),
    *_table(
        "docker-rootless",
        (("default", "", {}), ("limited", _LIMITS, _LIMITED)),
        "rootless_docker",
        "start_rootless_docker",
        {**_DOCKER, **_MAPPED, "appArmorProfile": "fail"},
    ),
    Platform("nested-runc", "nested NAME", {**_BUNDLE, "appArmorProfile": ...}, "start_docker"),
    *_table(
        "nested-docker",
        (
            ("default", "", {}),
            ("limited", _LIMITS, _LIMITED),
            (
                "host-net",
                "--network host",
                {"host net": ..., "hostNamespaces": ...},
            ),
            ("host-etc", "-v /etc:/data", {"hostPathVolumes": "fail"}),
            ("privileged", "--privileged", _PRIVILEGED),
        ),
        "nested_docker",
        "start_docker",
        {**_DOCKER, "appArmorProfile": ...},
    ),
    *_table(
        "nested-podman",
        (
            ("default", "", {}),
            ("limited", _LIMITS, _LIMITED),
            ("host-etc", "-v /etc:/data", {"hostPathVolumes": "fail"}),
        ),
        "nested_podman",
        "start_docker; start_podman",
        {**_PODMAN, "appArmorProfile": ...},
    ),
    *_table(
        "nested-nspawn",
        (
            ("default", "", {"host user": True, "userNamespace": "fail"}),
            ("private-net", "--private-network", {"host net": False, "hostNamespaces": "pass"}),
        ),
        "nested_nspawn",
        "",
        {**_NSPAWN, "host net": ...},
    ),
    Platform(
        "lxc-podman",
        "lxc_podman NAME",
        {**_PODMAN, "appArmorProfile": "unknown"},
        "start_podman",
    ),
]
"""Those that start fast come first."""
_HYBRID: Final = frozenset({
    *("process-bare", "unit-limited", "unit-plain", "docker-default", "docker-limited"),
    *("docker-host-cgroupns", "docker-memory", "podman-limited", "nspawn-default"),
    "lxc-privileged",
})  # fmt: skip
"""Started where version 1 has the controllers and version 2 systemd's names."""
_BARE: Final = frozenset({
    *("process-bare", "unit-limited", "docker-default", "docker-cpuset", "podman-default"),
    "nspawn-default",
})  # fmt: skip
"""Started where the kernel has no AppArmor and lacks controllers."""
PLATFORMS.extend(
    [
        replace(each, name=f"{prefix}-{each.name}", suite="bookworm", arguments=arguments)
        for prefix, names, arguments in (
            ("bookworm", _SECOND, ""),
            ("hybrid", _HYBRID, "systemd.unified_cgroup_hierarchy=0"),
            ("bare-kernel", _BARE, "apparmor=0 cgroup_disable=memory,pids"),
        )
        for each in tuple(PLATFORMS)
        if each.name in names
    ]
)
