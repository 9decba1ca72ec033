"""Options of engines, and the truths of each."""

from typing import Final

from .truths import (
    LIMITED,
    LIMITS,
    MAPPED,
    MIB,
    OWN,
    PRIVILEGED,
    USER,
    Row,
)

DOCKER: Final[tuple[Row, ...]] = (
    ("default", "", {}),
    (
        "limited",
        (
            f"{LIMITS} --read-only -v rec:/rec --cap-drop ALL --security-opt no-new-privileges"
            " --user 65532:65532 --network none"
        ),
        {
            **LIMITED,
            **USER,
            "readOnlyRootFilesystem": "pass",
            "allowPrivilegeEscalation": "pass",
            "capabilities_restricted": "pass",
            "restrictedVolumes": "pass",
        },
    ),
    ("memory", "--memory 100m --memory-swap 150m", {"memory": 100 * MIB}),
    ("cpuset", "--cpuset-cpus 1", {"cpuset": [1]}),
    ("slice", f"--cgroup-parent limited.slice {LIMITS}", LIMITED),
    ("privileged", "--privileged", {**PRIVILEGED, "container_id": "ID"}),
    ("host-net", "--network host", {"host net": True, "hostNamespaces": "fail"}),
    ("host-pid", "--pid host", {"host pid": True, "hostNamespaces": "fail"}),
    ("host-ipc", "--ipc host", {"host ipc": True, "hostNamespaces": "fail"}),
    ("host-uts", "--uts host", {"host uts": True}),
    ("host-cgroupns", f"--cgroupns host {LIMITS}", LIMITED),
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
        {**USER, "engineSockets": "unknown", "hostPathVolumes": "fail"},
    ),
    ("init", "--init", {}),
    ("crun", f"--runtime crun {LIMITS}", LIMITED),
)

PODMAN: Final[tuple[Row, ...]] = (
    ("default", "--network none", {}),
    (
        "limited",
        (
            f"--network none {LIMITS} --read-only -v rec:/rec --cap-drop ALL"
            " --security-opt no-new-privileges --user 65532:65532"
        ),
        {
            **LIMITED,
            **USER,
            "readOnlyRootFilesystem": "pass",
            "allowPrivilegeEscalation": "pass",
            "capabilities_restricted": "pass",
        },
    ),
    ("runc", f"--network none --runtime runc {LIMITS}", LIMITED),
    ("privileged", "--network none --privileged", PRIVILEGED),
    ("userns", "--network none --userns auto", MAPPED),
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
        {**MAPPED, "procMount": "pass", "procMount_restricted": "fail"},
    ),
)
ROOTLESS: Final[tuple[Row, ...]] = (
    ("default", "--network none", {}),
    ("limited", f"--network none {LIMITS}", LIMITED),
    ("keep-id", "--network none --userns keep-id", {"user": ...}),
    ("runc", "--network none --runtime runc", {}),
    ("home", "--network none -v /home/u:/data", {"hostPathVolumes": "fail"}),
    ("host-net", "--network host", {"host net": True, "hostNamespaces": "fail"}),
)
BUBBLEWRAP: Final[tuple[Row, ...]] = (
    (
        "unshared",
        "--unshare-all --uid 1000 --gid 1000",
        {**OWN, "hostNamespaces": "pass", "user": 1000, "runAsNonRoot": "pass"},
    ),
    (
        "root",
        "--unshare-all --uid 0 --gid 0",
        {**OWN, **MAPPED, "hostNamespaces": "pass", "user": 0},
    ),
    (
        "host-net",
        "--unshare-user --unshare-pid --unshare-ipc --ro-bind /etc /etc",
        {"host net": True, "host pid": False, "hostNamespaces": "fail", "hostPathVolumes": "fail"},
    ),
)
