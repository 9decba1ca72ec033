"""The installations: the chart, every kustomization, the Job, the tutorial."""

import tempfile
from pathlib import Path
from typing import Final

from tests.docs import test_commands

from .cluster import Cluster
from .commands import CLUSTER, PODS, RELEASE, ROOT, output

OLD_APIS: Final = {
    "apiVersion: policy/v1\n": "apiVersion: policy/v1beta1\n",
    "apiVersion: autoscaling/v2\n": "apiVersion: autoscaling/v2beta2\n",
}
"""For 1.20; the fields are the same."""


def install(cluster: Cluster) -> str:
    """Install the chart with three replicas."""
    cluster.upgrade("replicas=3")
    pods = cluster.pods(PODS)
    assert len(pods) == 3, [pod["metadata"]["name"] for pod in pods]
    return "3 pods Ready"


def helm_test(cluster: Cluster) -> str:
    """Run the chart's test."""
    cluster.helm("test", RELEASE, "--timeout", "60s")
    return "ready over the Service's address, restricted standard held"


def exec_check(cluster: Cluster) -> str:
    """Run the binary in a pod: the health check, and the management port."""
    first = cluster.pods(PODS)[0]["metadata"]["name"]
    program = ("exec", first, "--", "/app/devops-info-service", "check")
    health = cluster.kubectl(*program).strip()
    metrics = cluster.kubectl(*program, "http://127.0.0.1:9090/metrics").strip()
    return f"{health}; {metrics}"


def kustomizations(cluster: Cluster) -> str:
    """Apply every kustomization, wait until it is ready, and remove it."""
    found = []
    for name, kind in (
        ("base", "deployment/devops-info-service"),
        ("overlays/development", "deployment/devops-info-service"),
        ("overlays/production", "deployment/devops-info-service"),
        ("overlays/restricted", "deployment/devops-info-service"),
        ("daemonset", "daemonset/devops-info-service-nodes"),
    ):
        namespace = "devops-info" if name.endswith("restricted") else "default"
        manifests = old(output([cluster.tools / "kubectl", "kustomize",
                                ROOT / "deploy/kustomize" / name]))  # fmt: skip
        cluster.kubectl("apply", "-f", "-", stdin=manifests)
        cluster.kubectl("-n", namespace, "rollout", "status", kind, "--timeout=120s")
        cluster.kubectl("delete", "--wait=true", "-f", "-", stdin=manifests)
        found.append(name)
    return f"Ready: {', '.join(found)}"


def job(cluster: Cluster) -> str:
    """Run the Job: it ends with the verdict of its report."""
    manifests = old(output([cluster.tools / "kubectl", "kustomize",
                            ROOT / "deploy/kustomize/job"]))  # fmt: skip
    cluster.kubectl("apply", "-f", "-", stdin=manifests)
    try:
        name = "job/devops-info-service-report"
        cluster.kubectl("wait", "--for=condition=complete", name, "--timeout=60s")
        verdict = cluster.kubectl("logs", name).rpartition("\nProfile ")[2].splitlines()[0]
    finally:
        cluster.kubectl("delete", "-f", "-", stdin=manifests)
    return f"Profile {verdict}"


def tutorial(cluster: Cluster) -> str:
    """Walk the tutorial's page: each command succeeds and prints what the page shows."""
    page = ROOT / "docs/tutorial/laptop-to-cluster.md"
    chosen = [block for block in test_commands.blocks(page) if block.mark == "run: cluster"]
    steps = [command for block in chosen for command in test_commands.commands(block)]
    conf = CLUSTER / "pki/admin.conf"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for tool, words in (
            ("kubectl", [CLUSTER / "kubectl"]),
            ("helm", [*cluster.inside, cluster.tools / "helm", "--kubeconfig", conf]),
            ("devops-info-service", [ROOT / ".venv/bin/devops-info-service"]),
        ):
            line = " ".join(str(word) for word in words).replace(f"--wd={ROOT}", '--wd="$PWD"')
            (folder / tool).write_text(f'#!/bin/sh\nexec {line} "$@"\n')
            (folder / tool).chmod(0o755)
        test_commands.copy_repository(folder / "repository")
        steps.insert(0, test_commands.Command(f'export PATH="{folder}:$PATH"'))
        outputs = test_commands.run(steps, folder / "repository", folder, 8080)
    for step, printed in zip(steps, outputs, strict=True):
        absent = test_commands.missing(step.shown, printed)
        assert not absent, f"$ {step.text}\nprinted\n{printed}\nwithout {absent}"
    return f"{len(steps)} commands"


def old(manifests: str) -> str:
    """Return *manifests* with the names that 1.20 has for their kinds."""
    for name, before in OLD_APIS.items():
        manifests = manifests.replace(name, before)
    return manifests
