"""Pods of a real cluster: the report against the pod as it was requested.

The judge is the manifest, by the rules of the standards; inside a container only effects show, so
a few verdicts differ for a reason that is named here, and some facts stay unknown.
"""

from typing import Final

import pytest

from devops_info_service.facts.fact import Known, Unknown
from devops_info_service.snapshot import PlatformSnapshot, read_platform
from devops_info_service.standards.requested.evaluate import REQUESTED, evaluate
from devops_info_service.standards.verdicts import UNOBSERVABLE

from .clusters import NAMES, Recording, load
from .recorded import FrozenClock, RecordedFiles

VOLUMES: Final = ("hostPathVolumes", "restrictedVolumes")
EFFECTS: Final[dict[str, set[str]]] = {
    # A runtime without a profile applies none: the standard passes an undefined one.
    "seccompProfile_baseline": {"default", "default-root", "privileged", "v2-default-root"},
    # Privileged is one field; each of its effects fails besides.
    "appArmorProfile": {"v2-privileged"},
    "capabilities_baseline": {"privileged"},
    "procMount": {"privileged", "v2-privileged"},
    "procMount_restricted": {"privileged", "v2-privileged"},
    # The image's own user is not root, whatever the manifest leaves open.
    "runAsNonRoot": {"default"},
}
EFFECTS["capabilities_baseline"].add("v2-privileged")
EFFECTS["seccompProfile_baseline"].add("v2-privileged")
UNKNOWN: Final[dict[str, str]] = {
    "emptydir-memory": "/data may be a hostPath: a volume in memory",
    "emptydir-memory-subpath": "/data may be a hostPath: a part of a volume in memory",
    "hostpath-dev-shm": "/data may be a hostPath: a volume in memory",
    "hostpath-etc": "/host/etc may be a hostPath: a persistent volume, or a directory of another",
    "hostpath-srv": "/data may be a hostPath: /srv on the machine's disk",
    "hostpath-under-dev": "/dev/etc may be a hostPath: a persistent volume, or a directory",
    "pvc-hostpath-var": "/data may be a hostPath: named like a persistent volume",
    "v2-emptydir-memory": "/data may be a hostPath: a volume in memory",
}
"""Mounts that show alike, as a hostPath and as a volume: both checks of volumes are unknown."""


@pytest.fixture(scope="module", params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def recording(name: str) -> Recording:
    return load(name)


@pytest.fixture(scope="module")
def report(recording: Recording, tmp_path_factory: pytest.TempPathFactory) -> PlatformSnapshot:
    """Read the platform that the container saw."""
    folder = tmp_path_factory.mktemp("pod")
    recording.unpack(folder)
    return read_platform(RecordedFiles(folder), FrozenClock())


def test_verdicts(name: str, recording: Recording, report: PlatformSnapshot) -> None:
    """Each verdict is that of the manifest, or unknown for the reason that is listed."""
    requested = {each.id: each for each in evaluate(recording.requested(), REQUESTED)}
    compared = 0
    for check in report.security.checks:
        if check.id in UNOBSERVABLE or check.id not in requested:
            continue
        compared += 1
        if check.id in VOLUMES and name in UNKNOWN:
            assert check.verdict == "unknown"
            assert check.message.startswith(UNKNOWN[name])
        elif name not in EFFECTS.get(check.id, ()):
            assert check.verdict == requested[check.id].verdict, (check, requested[check.id])
    assert compared > 12


def test_identity(name: str, recording: Recording, report: PlatformSnapshot) -> None:
    """A known fact of the pod is as the cluster has it; an unknown one has a reason."""
    metadata, identity = recording.pod["metadata"], report.identity
    truths = {
        "pod": metadata["name"],
        "pod_uid": metadata["uid"],
        "namespace": metadata["namespace"],
        "container": recording.container,
        "container_id": recording.container_id,
        "qos": recording.qos,
        "node": recording.pod["spec"]["nodeName"],
        "service_account": recording.pod["spec"]["serviceAccountName"],
    }
    found = {field: getattr(identity, field) for field in truths}
    known = {field: fact.value for field, fact in found.items() if isinstance(fact, Known)}

    assert known == {field: truths[field] for field in known}
    assert {"pod_uid", "namespace", "container", "qos"} <= known.keys()
    # A cgroup namespace hides it; a privileged container has none.
    assert ("container_id" in known) == (name == "v2-privileged" or not name.startswith("v2-"))
    assert all(fact.reason for fact in found.values() if isinstance(fact, Unknown))


def test_namespaces(recording: Recording, report: PlatformSnapshot) -> None:
    """The host's namespaces are those that the manifest shares."""
    spec, shared = recording.pod["spec"], report.security.namespaces.shared

    for kind, field in (("net", "hostNetwork"), ("pid", "hostPID"), ("ipc", "hostIPC")):
        fact = shared[kind]
        assert isinstance(fact, Known), fact
        assert fact.value == spec.get(field, False)


def test_volumes(recording: Recording, report: PlatformSnapshot) -> None:
    """No volume has another origin than its own: the right one, or none that is certain."""
    allowed = {
        "hostPath": {"host", "other", "kernel"},
        "persistentVolumeClaim": {"other", "network"},
        "emptyDir": {"kubelet", "memory", "other"},
        "configMap": {"kubelet", "memory"},
        "secret": {"memory"},
        "projected": {"memory"},
        "downwardAPI": {"memory"},
    }
    assert isinstance(report.filesystem.mounts, Known)
    origins = {mount.point: mount.origin for mount in report.filesystem.mounts.value}
    volumes = {each["name"]: each for each in recording.pod["spec"].get("volumes", ())}
    [container] = [
        each for each in recording.pod["spec"]["containers"] if each["name"] == recording.container
    ]
    for mount in container.get("volumeMounts", ()):
        [kind] = volumes[mount["name"]].keys() - {"name"}
        assert origins[mount["mountPath"]] in allowed[kind], (mount, kind)
