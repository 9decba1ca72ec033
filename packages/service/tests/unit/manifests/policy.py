"""The Pod Security Standards as a table: each field they name, with values on both sides.

Written from Kubernetes' documentation of the standards; shares nothing with the rules under test.
"""

import copy
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

NEWEST: Final = (1, 37)
EVER: Final = (1, 0)

POD: Final = ("spec", "securityContext")
"""The pod's own context."""
EACH: Final = ("*", "securityContext")
"""The context of any container."""

RESTRICTED: Final[dict[str, Any]] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "example"},
    "spec": {
        "containers": [
            {
                "name": "app",
                "image": "example",
                "securityContext": {
                    "allowPrivilegeEscalation": False,
                    "capabilities": {"drop": ["ALL"]},
                    "runAsNonRoot": True,
                    "seccompProfile": {"type": "RuntimeDefault"},
                },
            }
        ]
    },
}
"""A pod that every version allows at both levels."""


class Row(NamedTuple):
    """Values of one field."""

    path: tuple[str | int, ...]
    """From the pod, or with a star from one of its containers."""
    allowed: Sequence[Any]
    forbidden: Sequence[Any]
    ids: frozenset[str]
    """Checks that the forbidden ones fail, of both levels and all versions."""
    since: tuple[int, int] = EVER
    """Version from which on the forbidden ones are."""


def ids(*names: str) -> frozenset[str]:
    return frozenset(names)


BOTH_SECCOMP: Final = ids("seccompProfile_baseline", "seccompProfile_restricted")
BOTH_CAPABILITIES: Final = ids("capabilities_baseline", "capabilities_restricted")
BOTH_PROC: Final = ids("procMount", "procMount_restricted")
SELINUX: Final = ids("seLinuxOptions")
APPARMOR: Final = ids("appArmorProfile")
HOSTS: Final = ids("hostProbesAndHostLifecycle")
PLUGINS: Final = (  # noqa: SIM905
    "awsElasticBlockStore azureDisk azureFile cephfs cinder fc flexVolume flocker gcePersistentDisk"
    " gitRepo glusterfs iscsi nfs photonPersistentDisk portworxVolume quobyte rbd scaleIO storageos"
    " vsphereVolume"
).split()
VOLUMES: Final = (  # noqa: SIM905
    "configMap csi downwardAPI emptyDir ephemeral image persistentVolumeClaim projected secret"
).split()
ANNOTATION: Final = "container.apparmor.security.beta.kubernetes.io/app"


def contexts(*steps: str) -> Iterator[tuple[str, ...]]:
    yield (*POD, *steps)
    yield (*EACH, *steps)


ROWS: Final = (
    *(
        Row(("spec", name), [None, False], [True], ids("hostNamespaces"))
        for name in ("hostNetwork", "hostPID", "hostIPC")
    ),
    Row((*EACH, "privileged"), [None, False], [True], ids("privileged")),
    Row(
        (*EACH, "capabilities", "add"),
        [None, [], ["NET_BIND_SERVICE"]],
        [["NET_RAW"], ["SYS_ADMIN", "CHOWN"], ["ALL"], ["CAP_CHOWN"], ["chown"]],
        BOTH_CAPABILITIES,
    ),
    Row(
        (*EACH, "capabilities", "add"),
        [],
        [["CHOWN"], ["KILL", "NET_BIND_SERVICE"], ["MKNOD"]],
        ids("capabilities_restricted"),
        (1, 22),
    ),
    Row(
        (*EACH, "capabilities", "drop"),
        [["ALL"], ["NET_RAW", "ALL"]],
        [None, [], ["all"], ["NET_RAW"]],
        ids("capabilities_restricted"),
        (1, 22),
    ),
    Row(
        ("spec", "volumes"),
        [None, [], [{"name": "v"}], [{"name": "v", "hostPath": None, "emptyDir": {}}]],
        [
            [{"name": "v", "hostPath": {"path": "/"}}],
            [{"name": "e", "emptyDir": {}}, {"name": "v", "hostPath": {}}],
        ],
        ids("hostPathVolumes", "restrictedVolumes"),
    ),
    Row(
        ("spec", "volumes"),
        [[{"name": "v", kind: {}}] for kind in VOLUMES],
        [[{"name": "v", kind: {}}] for kind in (*PLUGINS, "ofTheFuture")],
        ids("restrictedVolumes"),
    ),
    Row(
        ("*", "ports"),
        [None, [], [{"containerPort": 80}], [{"containerPort": 80, "hostPort": 0}]],
        [[{"containerPort": 80}, {"containerPort": 81, "hostPort": 81}]],
        ids("hostPorts"),
    ),
    *(
        Row(
            ("*", probe),
            [None, {"exec": {"command": ["x"]}}, {kind: {"port": 80}}, {kind: {"host": ""}}],
            [{kind: {"host": host, "port": 80}} for host in ("127.0.0.1", "::1", "example.com")],
            HOSTS,
            (1, 34),
        )
        for probe in ("livenessProbe", "readinessProbe", "startupProbe")
        for kind in ("httpGet", "tcpSocket")
    ),
    *(
        Row(
            ("*", "lifecycle"),
            [None, {hook: {"sleep": {"seconds": 5}}}, {hook: {kind: {"port": 80}}}],
            [{hook: {kind: {"host": "127.0.0.1", "port": 80}}}],
            HOSTS,
            (1, 34),
        )
        for hook in ("postStart", "preStop")
        for kind in ("httpGet", "tcpSocket")
    ),
    *(
        Row(
            path,
            [None, {"type": "RuntimeDefault"}, {"type": "Localhost", "localhostProfile": "x"}],
            [{"type": "Unconfined"}, {"type": "runtime/default"}, {}],
            APPARMOR,
        )
        for path in contexts("appArmorProfile")
    ),
    Row(
        ("metadata", "annotations"),
        [None, {ANNOTATION: "runtime/default"}, {ANNOTATION: "localhost/x"}, {ANNOTATION: ""}],
        [{ANNOTATION: "unconfined"}, {ANNOTATION: "Localhost/x"}, {f"{ANNOTATION}2": "x"}],
        APPARMOR,
    ),
    *(
        Row(
            path,
            [None, {}, {"level": "s0"}, {"type": ""}, {"type": "container_init_t"}, {"user": ""}],
            [{"type": "spc_t"}, {"user": "system_u"}, {"role": "r", "type": "container_t"}],
            SELINUX,
        )
        for path in contexts("seLinuxOptions")
    ),
    Row((*EACH, "procMount"), [None, "Default"], ["Unmasked", "", "default"], BOTH_PROC),
    *(
        Row(
            path,
            [{"type": "RuntimeDefault"}, {"type": "Localhost", "localhostProfile": "x"}],
            [{"type": "Unconfined"}, {}, {"type": "Runtimedefault"}],
            BOTH_SECCOMP,
            (1, 19),
        )
        for path in contexts("seccompProfile")
    ),
    Row((*EACH, "seccompProfile"), [], [None], ids("seccompProfile_restricted"), (1, 19)),
    Row(
        (*POD, "sysctls"),
        [None, [], [{"name": "net.ipv4.ping_group_range", "value": "0 0"}]],
        [[{"name": "kernel.msgmax"}], [{"name": "net.ipv4/tcp_syncookies"}], [{"value": "1"}]],
        ids("sysctls"),
    ),
    *(
        Row(
            path,
            [None, {}, {"hostProcess": False}],
            [{"hostProcess": True}],
            ids("windowsHostProcess"),
        )
        for path in contexts("windowsOptions")
    ),
    Row(
        (*EACH, "allowPrivilegeEscalation"),
        [False],
        [None, True],
        ids("allowPrivilegeEscalation"),
        (1, 8),
    ),
    Row((*POD, "runAsNonRoot"), [None, True], [False], ids("runAsNonRoot")),
    Row((*EACH, "runAsNonRoot"), [True], [None, False], ids("runAsNonRoot")),
    *(
        Row(path, [None, 1, 65532], [0], ids("runAsUser"), (1, 23))
        for path in contexts("runAsUser")
    ),
)


def change(pod: dict[str, Any], path: Sequence[str | int], value: object) -> dict[str, Any]:
    """Return *pod* with *value* at *path*; None removes the field."""
    changed = copy.deepcopy(pod)
    place: Any = changed
    for step in path[:-1]:
        place = place[step] if isinstance(step, int) else place.setdefault(step, {})
    if value is None:
        place.pop(path[-1], None)
    else:
        place[path[-1]] = value
    return changed
