"""The truths of each kind of platform: what its request promises, by the names of ``FACTS``.

A truth is a verdict of a check or a value of a fact. Defaults that promise nothing are left out,
or ``...``.
"""

from collections.abc import Mapping
from typing import Any, Final

Truths = Mapping[str, Any]
Row = tuple[str, str, Truths]
"""Name, options, truths besides those of the whole group."""

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

OWN: Final[Truths] = {"host net": False, "host pid": False, "host ipc": False, "host uts": False}
KEPT: Final[Truths] = {
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
ROOT: Final[Truths] = {"user": 0, "runAsNonRoot": "fail", "userNamespace": "fail"}
USER: Final[Truths] = {"user": 65532, "runAsNonRoot": "pass", "runAsUser": "pass"}
MAPPED: Final[Truths] = {"host user": False, "userNamespace": "pass", "runAsNonRoot": "pass"}
LIMITED: Final[Truths] = {"memory": 64 * MIB, "cpu": 0.5, "pids": 50}
LIMITS: Final = "--memory 64m --cpus 0.5 --pids-limit 50"
IN_A_CONTAINER: Final[Truths] = {**OWN, **KEPT, "seccompProfile_baseline": "pass"}
IN_DOCKER: Final[Truths] = {
    **IN_A_CONTAINER,
    **ROOT,
    "engine": "docker",
    "container_id": "ID",
    "appArmorProfile": "pass",
    "seLinuxOptions": "pass",
    "readOnlyRootFilesystem": "fail",
    "allowPrivilegeEscalation": "fail",
    "capabilities_restricted": "fail",
}
IN_PODMAN: Final[Truths] = {
    **IN_A_CONTAINER,
    **ROOT,
    "engine": "podman",
    "container_id": "ID",
    "seLinuxOptions": "pass",
    "readOnlyRootFilesystem": "fail",
    "allowPrivilegeEscalation": "fail",
}
IN_ROOTLESS_PODMAN: Final[Truths] = {**IN_PODMAN, **MAPPED, "appArmorProfile": "fail"}
PRIVILEGED: Final[Truths] = {
    "privileged": "fail",
    "capabilities_baseline": "fail",
    "procMount": "fail",
    "seccompProfile_baseline": "fail",
    "appArmorProfile": "fail",
    "deviceNodes": "fail",
}
OF_A_BUNDLE: Final[Truths] = {
    **OWN,
    "hostNamespaces": "pass",
    "hostPathVolumes": "pass",
    "privileged": "pass",
    "procMount": "pass",
    "seccompProfile_baseline": "fail",
    "appArmorProfile": "fail",
    "allowPrivilegeEscalation": "pass",
    "capabilities_baseline": "pass",
    "deviceNodes": "pass",
    **ROOT,
}
ON_THE_MACHINE: Final[Truths] = {
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
IN_NSPAWN: Final[Truths] = {
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
