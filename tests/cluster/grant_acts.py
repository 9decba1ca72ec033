"""Requested and granted, loosened value by value and volume by volume."""

import json
import subprocess
import sys
import tempfile
from collections import Counter
from typing import Any, Final

from .cluster import Cluster
from .commands import CHART, ROOT, output

PROGRAM: Final = "/app/devops-info-service"
LOOSENED: Final = {
    "replicas=1": "",
    "security.readOnlyRootFilesystem=false": "",
    "security.runAsUser=0,security.runAsNonRoot=false": "runAsNonRoot, runAsUser",
    "security.seccompProfile=Unconfined": "seccompProfile_restricted",
    "security.allowPrivilegeEscalation=true": "allowPrivilegeEscalation",
    "security.addCapabilities={NET_RAW}": "capabilities_restricted",
    "security.keepDefaultCapabilities=true": "capabilities_restricted",
    "security.hostPID=true": "hostNamespaces",
    "security.privileged=true": "privileged, allowPrivilegeEscalation",
    "resources.limits.cpu=250m": "",
}
"""A value of the chart -> the checks that refuse it, by request and by grant. Without hostNetwork:
kubelet's probes do not reach the machine's network from the node's."""

VOLUMES: Final[dict[str, tuple[dict[str, Any], str]]] = {
    "emptydir": ({"emptyDir": {}}, ""),
    "memory": ({"emptyDir": {"medium": "Memory"}}, ""),
    "emptydir-subpath": ({"emptyDir": {}}, "inner"),
    "configmap": ({"configMap": {"name": "volumes"}}, ""),
    "configmap-subpath": ({"configMap": {"name": "volumes"}}, "key"),
    "secret": ({"secret": {"secretName": "volumes"}}, ""),
    "secret-subpath": ({"secret": {"secretName": "volumes"}}, "key"),
    "downward": ({"downwardAPI": {"items": [
        {"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}]}}, ""),
    "projected": ({"projected": {"sources": [
        {"serviceAccountToken": {"path": "token"}}, {"configMap": {"name": "volumes"}}]}}, ""),
    "claim": ({"persistentVolumeClaim": {"claimName": "volumes"}}, ""),
    "host-directory": ({"hostPath": {"path": "/etc"}}, ""),
    "host-file": ({"hostPath": {"path": "/etc/hostname"}}, ""),
    "host-memory": ({"hostPath": {"path": "/dev/shm"}}, ""),
    "host-root": ({"hostPath": {"path": "/"}}, ""),
    "host-kubelet": ({"hostPath": {"path": "/var/lib/kubelet"}}, ""),
}  # fmt: skip
"""Name of a pod -> its volume, and the subPath."""
BY_VOLUMES: Final = "hostPathVolumes", "restrictedVolumes"
"""The checks that decide them."""


def loosened(cluster: Cluster) -> str:
    """Grant more, value by value: audit and report name the same checks."""
    found = []
    for value, refused in LOOSENED.items():
        manifests = output([cluster.tools / "helm", "template", "loose", ROOT / CHART,
                            "--set", value, "--set", "replicas=1",
                            "--set", "networkPolicy.enabled=false",
                            "--set", "drain.delaySeconds=0",
                            "--set", "serviceAccount.create=false",
                            "--show-only", "templates/workload.yaml"])  # fmt: skip
        cluster.kubectl("apply", "-f", "-", stdin=manifests)
        name = "deployment/loose-devops-info-service"
        cluster.kubectl("rollout", "status", name, "--timeout=60s")
        report = cluster.kubectl("exec", name, "--", PROGRAM, "report", "--json")
        pod = audit(manifests, report)
        checks = [each["id"] for each in pod["checks"] if each["verdict"] == "fail"]
        assert ", ".join(checks) == refused, (value, checks)
        states = Counter(each["state"] for each in pod["differences"])
        different = [each["name"] for each in pod["differences"] if each["state"] == "different"]
        granted = {each["id"]: each["verdict"] for each in json.loads(report)["security"]["checks"]}
        held = {check: granted[check] for check in checks if granted[check] == "pass"}
        assert not held, f"{value}: requested, and the report has {held}"
        found.append(
            f"{value}: refused for {refused or 'nothing'};"
            f" {states['same']} as requested, {', '.join(different) or 'nothing'} different"
        )
        # In the foreground: the next one must not find a pod of this.
        cluster.kubectl("delete", "--cascade=foreground", "-f", "-", stdin=manifests)
    return listed(found)


def volumes(cluster: Cluster) -> str:
    """Mount each kind of volume: one of the host is never passed, another one never failed."""
    objects = [*SOURCES, *(pod(name) for name in VOLUMES)]
    manifests = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
    cluster.kubectl("apply", "-f", "-", stdin=manifests)
    found, wrong = [], []
    try:
        for name in VOLUMES:
            cluster.kubectl("wait", "--for=condition=ready", f"pod/{name}", "--timeout=120s")
            report = cluster.kubectl("exec", name, "--", PROGRAM, "report", "--json")
            one = audit(json.dumps(pod(name)), report)
            requested = verdicts(one["checks"])
            granted = verdicts(json.loads(report)["security"]["checks"])
            forbidden = "pass" if name.startswith("host-") else "fail"
            # The claim's volume is a directory of the node, and no sign inside shows the author.
            if forbidden in ((requested,) if name == "claim" else (requested, granted)):
                wrong.append(name)
            found.append(f"{name}: requested {requested}, granted {granted}")
    finally:
        cluster.kubectl("delete", "--wait=true", "-f", "-", stdin=manifests)
    assert not wrong, f"{', '.join(wrong)}: {listed(found)}"
    return listed(found)


def verdicts(checks: list[dict[str, Any]]) -> str:
    """Return the verdict on volumes: fail if a check of them fails, pass if each passes."""
    found = {each["verdict"] for each in checks if each["id"] in BY_VOLUMES}
    return next(each for each in ("fail", "unknown", "pass") if each in found)


SOURCES: Final[list[dict[str, Any]]] = [
    {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "volumes"},
     "data": {"key": "value"}},
    {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "volumes"},
     "stringData": {"key": "value"}},
    {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "volumes"},
     "spec": {"capacity": {"storage": "1Mi"}, "accessModes": ["ReadWriteOnce"],
              "storageClassName": "by-hand",
              "hostPath": {"path": "/var/lib/kubelet/storage", "type": "DirectoryOrCreate"}}},
    {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "volumes"},
     "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": "by-hand",
              "volumeName": "volumes", "resources": {"requests": {"storage": "1Mi"}}}},
]  # fmt: skip


def pod(name: str) -> dict[str, Any]:
    """Return a pod with the volume of that name, else by the restricted standard."""
    volume, inner = VOLUMES[name]
    mount = {"name": "data", "mountPath": "/data", **({"subPath": inner} if inner else {})}
    container = {
        "name": "app",
        "image": "docker.io/library/devops-info-service:latest",
        "imagePullPolicy": "Never",
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [mount],
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default", "labels": {"volumes": name}},
        "spec": {
            "automountServiceAccountToken": False,
            "terminationGracePeriodSeconds": 1,
            "securityContext": {
                "runAsNonRoot": True,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [container],
            "volumes": [{"name": "data", **volume}],
        },
    }


def audit(manifests: str, report: str) -> dict[str, Any]:
    """Return the result of ``audit --against`` for the one pod of *manifests*."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        file.write(report)
        file.flush()
        process = subprocess.run(
            [sys.executable, "-m", "devops_info_service", "audit", "--json", "--against",
             file.name, "-"], input=manifests, capture_output=True, text=True, check=False,
        )  # fmt: skip
    assert process.stdout, process.stderr
    found: dict[str, Any] = json.loads(process.stdout)["pods"][0]
    return found


def listed(lines: list[str]) -> str:
    """Return *lines* below the act's own."""
    return "\n      " + "\n      ".join(lines)
