"""Commands that start a process, and the truths of each: the request, never the report.

A verdict "unknown" is due where nothing shows it.
"""

from dataclasses import dataclass, replace
from typing import Final

from .engines import BUBBLEWRAP, DOCKER, PODMAN, ROOTLESS
from .truths import (
    IN_DOCKER,
    IN_NSPAWN,
    IN_PODMAN,
    IN_ROOTLESS_PODMAN,
    LIMITED,
    LIMITS,
    MAPPED,
    MIB,
    OF_A_BUNDLE,
    ON_THE_MACHINE,
    OWN,
    PRIVILEGED,
    USER,
    Row,
    Truths,
)
from .variants import VARIANTS


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


def _table(
    prefix: str, rows: tuple[Row, ...], start: str, needs: str, base: Truths
) -> list[Platform]:
    return [
        Platform(f"{prefix}-{name}", f"{start} NAME {options}", {**base, **truths}, needs)
        for name, options, truths in rows
    ]


UNITS: Final[tuple[Row, ...]] = (
    ("plain", "", {}),
    ("limited", "-p MemoryMax=64M -p CPUQuota=50% -p TasksMax=50", LIMITED),
    (
        "hardened",
        (
            "-p MemoryMax=64M -p CPUQuota=50% -p TasksMax=50 -p ProtectSystem=strict"
            " -p ReadWritePaths=/out -p PrivateDevices=yes -p PrivateTmp=yes -p PrivateNetwork=yes"
            " -p NoNewPrivileges=yes -p CapabilityBoundingSet= -p ProtectKernelTunables=yes"
            " -p ProtectControlGroups=yes -p SystemCallFilter=@system-service -p UMask=0000"
        ),
        {**LIMITED, "host net": False, "no new privileges": True, "seccomp": "filter"},
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
        {"host net": True, **MAPPED, "capabilities_baseline": ...},
    ),
    ("bind", "--bind=/etc:/host", {"hostPathVolumes": "fail", "host net": True}),
)
_SETPRIV: Final = "setpriv --reuid 1000 --regid 1000 --clear-groups"
UNSHARE: Final[tuple[Row, ...]] = (
    ("mapped", f"{_SETPRIV} unshare -Ur", {**MAPPED, "engine": ..., "runAsNonRoot": ...}),
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
        LIMITED,
    ),
    (
        "user",
        "c['process']['user'] = {'uid': 65532, 'gid': 65532}",
        {**USER, "runAsNonRoot": "pass", "userNamespace": "fail"},
    ),
    (
        "mapped",
        (
            "c['linux']['namespaces'].append({'type': 'user'});"
            " m = [{'containerID': 0, 'hostID': 100000, 'size': 65536}];"
            " c['linux'].update(uidMappings=m, gidMappings=m)"
        ),
        MAPPED,
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
        {**MAPPED, "procMount": "pass", "procMount_restricted": "fail"},
    ),
)
BUNDLES: Final = [
    Platform(
        f"{runtime}-{name}",
        f'bundle NAME "{runtime}" "{edit}"',
        {**OF_A_BUNDLE, **truths, **({"engine": ...} if runtime != "runsc" else {})},
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
        {**OF_A_BUNDLE, **_GVISOR, "memory": ..., "readOnlyRootFilesystem": "fail", **truths},
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
        {**OWN, "hostNamespaces": "pass", "memory": 64 * MIB, "user": 0, "runAsNonRoot": "fail"},
    ),
    (
        "host-net",
        "'lxc.net.0.type = none'",
        {"host net": True, "host pid": False, "hostNamespaces": "fail", "user": 0},
    ),
)

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
        IN_DOCKER,
    ),
    *SANDBOXES,
]
"""On this machine, whatever its engine and its control groups are."""

PLATFORMS: Final = [
    *_table("process", UNSHARE, "direct", "", ON_THE_MACHINE),
    *_table("unit", UNITS, "unit", "", ON_THE_MACHINE),
    *_table("nspawn", NSPAWN_WAYS, "nspawn", "", IN_NSPAWN),
    *BUNDLES,
    *_table("lxc", LXC, "lxc", "", {"engine": "lxc", "seccompProfile_baseline": "pass"}),
    Platform(
        "lxc-mapped",
        "lxc_mapped NAME 'lxc.net.0.type = empty' 'lxc.cgroup2.memory.max = 67108864'",
        {
            **OWN,
            **MAPPED,
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
    *_table("podman", PODMAN, "engine podman", "start_podman", IN_PODMAN),
    *_table("podman-rootless", ROOTLESS, "rootless", "start_rootless", IN_ROOTLESS_PODMAN),
    *_table("docker", DOCKER, "engine docker", "start_docker", IN_DOCKER),
    Platform(
        "docker-runsc",
        "LIMIT=900 engine docker NAME --runtime runsc --network none --memory 64m -v runsc:/rec",
        _GVISOR,
        "start_docker",
    ),
    *_table(
        "docker-rootless",
        (("default", "", {}), ("limited", LIMITS, LIMITED)),
        "rootless_docker",
        "start_rootless_docker",
        {**IN_DOCKER, **MAPPED, "appArmorProfile": "fail"},
    ),
    Platform("nested-runc", "nested NAME", {**OF_A_BUNDLE, "appArmorProfile": ...}, "start_docker"),
    *_table(
        "nested-docker",
        (
            ("default", "", {}),
            ("limited", LIMITS, LIMITED),
            (
                "host-net",
                "--network host",
                {"host net": ..., "hostNamespaces": ...},
            ),
            ("host-etc", "-v /etc:/data", {"hostPathVolumes": "fail"}),
            ("privileged", "--privileged", PRIVILEGED),
        ),
        "nested_docker",
        "start_docker",
        {**IN_DOCKER, "appArmorProfile": ...},
    ),
    *_table(
        "nested-podman",
        (
            ("default", "", {}),
            ("limited", LIMITS, LIMITED),
            ("host-etc", "-v /etc:/data", {"hostPathVolumes": "fail"}),
        ),
        "nested_podman",
        "start_docker; start_podman",
        {**IN_PODMAN, "appArmorProfile": ...},
    ),
    *_table(
        "nested-nspawn",
        (
            ("default", "", {"host user": True, "userNamespace": "fail"}),
            ("private-net", "--private-network", {"host net": False, "hostNamespaces": "pass"}),
        ),
        "nested_nspawn",
        "",
        {**IN_NSPAWN, "host net": ...},
    ),
    Platform(
        "lxc-podman",
        "lxc_podman NAME",
        {**IN_PODMAN, "appArmorProfile": "unknown"},
        "start_podman",
    ),
]
"""Those that start fast come first."""
PLATFORMS.extend(
    [
        replace(
            each,
            name=f"{prefix}-{each.name}",
            suite="bookworm",
            arguments=arguments,
            truths={**each.truths, **truths},
        )
        for prefix, names, arguments, truths in VARIANTS
        for each in tuple(PLATFORMS)
        if each.name in names
    ]
)
