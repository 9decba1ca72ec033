"""Every manifest under deploy/: valid for Kubernetes, allowed by the restricted standard."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from .conftest import CHART, DEPLOY, ROOT, Tool, run

pytestmark = pytest.mark.kubernetes

KUSTOMIZATIONS: Final = sorted(
    str(path.parent.relative_to(DEPLOY / "kustomize"))
    for path in (DEPLOY / "kustomize").rglob("kustomization.yaml")
    if "kind: Component" not in path.read_text()  # a part of an overlay
)
VERSIONS: Final = ("1.35", "1.36", "1.37")
EVERYTHING: Final = (
    'autoscaling={"enabled":true}',
    'ingress={"enabled":true,"className":"nginx","tls":[{"secretName":"s"}]}',
    'httpRoute={"enabled":true,"parentRefs":[{"name":"g"}],"hostnames":["a.example"]}',
    'grpcRoute={"enabled":true,"parentRefs":[{"name":"g"}]}',
    'metrics.serviceMonitor={"enabled":true}',
    'metrics.prometheusRule={"enabled":true}',
    'metrics.dashboard={"enabled":true}',
    'expectations={"memory.limit":"64Mi","qos.class":["Guaranteed","Burstable"]}',
    "readyRequiresExpectations=true",
    'settings={"ACCESS_LOG":true,"WORKERS":2}',
    'env=[{"name":"X","value":"y"}]',
    'envFrom=[{"secretRef":{"name":"s"}}]',
    'volumes=[{"name":"tmp","emptyDir":{}}]',
    'volumeMounts=[{"name":"tmp","mountPath":"/tmp"}]',
    'drain={"preStopSeconds":3}',
    'imagePullSecrets=[{"name":"s"}]',
    'podLabels={"a":"b"}',
    'podAnnotations={"a":"b"}',
    'commonLabels={"c":"d"}',
    'priorityClassName="high"',
    'nodeSelector={"kubernetes.io/os":"linux"}',
    'affinity={"nodeAffinity":{}}',
    'tolerations=[{"operator":"Exists"}]',
    'service={"annotations":{"a":"b"}}',
    'serviceAccount={"annotations":{"a":"b"}}',
    f'image={{"digest":"sha256:{"0" * 64}"}}',
    'security={"runAsUser":1000,"hostUsers":false,"addCapabilities":["NET_BIND_SERVICE"]}',
    'probes={"liveness":"http"}',
    "tools.enabled=true",
)
"""Every value of the chart that adds something, all within the restricted standard."""


def audit(manifests: str, level: str = "restricted") -> dict[str, Any]:
    process = subprocess.run(
        [sys.executable, "-m", "devops_info_service", "audit", "--json", "--level", level, "-"],
        input=manifests,
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode in {0, 1}, process.stderr
    found: dict[str, Any] = json.loads(process.stdout)
    return found


def failing(manifests: str) -> set[str]:
    pods = audit(manifests)["pods"]
    return {check["id"] for pod in pods for check in pod["checks"] if check["verdict"] != "pass"}


def objects(manifests: str, kind: str) -> list[Any]:
    return [each for each in yaml.safe_load_all(manifests) if each and each["kind"] == kind]


def validate(tools: Path, manifests: str, tmp_path: Path) -> None:
    file = tmp_path / "manifests.yaml"
    file.write_text(manifests)
    for version in VERSIONS:
        run([tools / "kubernetes-validate", "--strict", "--quiet", "-k", version, file])


@pytest.mark.parametrize("name", KUSTOMIZATIONS)
def test_kustomization(kustomize: Tool, tools: Path, name: str, tmp_path: Path) -> None:
    manifests = kustomize(name)

    assert audit(manifests)["allowed"]
    validate(tools, manifests, tmp_path)


@pytest.mark.parametrize(
    "values",
    [(), ('kind="DaemonSet"',), ('management={"enabled":false}',), EVERYTHING],
    ids=["default", "daemonset", "one port", "everything"],
)
def test_chart(helm: Tool, tools: Path, values: tuple[str, ...], tmp_path: Path) -> None:
    manifests = helm(*values)

    assert audit(manifests)["allowed"]
    validate(tools, manifests, tmp_path)


@pytest.mark.parametrize(
    ("version", "budget", "autoscaler"),
    [
        ("1.20.2", "policy/v1beta1", "autoscaling/v2beta2"),
        ("1.22.0", "policy/v1", "autoscaling/v2beta2"),
        ("1.37.0", "policy/v1", "autoscaling/v2"),
    ],
)
def test_api_follows_the_cluster(tools: Path, version: str, budget: str, autoscaler: str) -> None:
    manifests = run(
        [tools / "helm", "template", "info", CHART, "--kube-version", version,
         "--set", "autoscaling.enabled=true"]
    )  # fmt: skip

    assert [each["apiVersion"] for each in objects(manifests, "PodDisruptionBudget")] == [budget]
    found = objects(manifests, "HorizontalPodAutoscaler")
    assert [each["apiVersion"] for each in found] == [autoscaler]


def test_helm_lint(tools: Path) -> None:
    run([tools / "helm", "lint", "--strict", CHART])


@pytest.mark.parametrize(
    ("value", "ids"),
    [
        ('{"runAsNonRoot":false}', {"runAsNonRoot"}),
        ('{"runAsUser":0}', {"runAsUser"}),
        ('{"seccompProfile":"Unconfined"}', {"seccompProfile_restricted"}),
        ('{"allowPrivilegeEscalation":true}', {"allowPrivilegeEscalation"}),
        ('{"privileged":true}', {"privileged", "allowPrivilegeEscalation"}),
        ('{"addCapabilities":["NET_RAW"]}', {"capabilities_restricted"}),
        ('{"keepDefaultCapabilities":true}', {"capabilities_restricted"}),
        ('{"hostNetwork":true}', {"hostNamespaces"}),
        ('{"hostPID":true}', {"hostNamespaces"}),
        ('{"readOnlyRootFilesystem":false}', set()),
        ('{"hostUsers":false}', set()),
        ('{"hostUsers":false,"runAsUser":0,"runAsNonRoot":false}', set()),
    ],
)
def test_loosened_value_fails_its_check(helm: Tool, value: str, ids: set[str]) -> None:
    """And no other one."""
    assert failing(helm(f"security={value}")) == ids


def test_extra_volume_may_loosen(helm: Tool) -> None:
    volume = '[{"name":"host","hostPath":{"path":"/"}}]'

    assert failing(helm(f"volumes={volume}")) == {"restrictedVolumes"}


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ('kind="StatefulSet"', "at '/kind'"),
        ("replicas=-1", "at '/replicas'"),
        ('replicas="2"', "at '/replicas'"),
        ('drain={"delay":5}', "'delay' not allowed"),
        ('secruity={"privileged":true}', "'secruity' not allowed"),
        ('security={"privileged":"yes"}', "at '/security/privileged'"),
        ('security={"addCapabilities":["CAP_net_raw"]}', "at '/security/addCapabilities/0'"),
        ('image={"digest":"sha256:1"}', "at '/image/digest'"),
        ('settings={"port":"80"}', "'port' not allowed"),
        ('settings={"DRAIN_SECONDS":"80"}', "at '/settings/DRAIN_SECONDS'"),
        ('management={"port":80}', "at '/management/port'"),
        ('expectations={"memory":{"limit":"64Mi"}}', "at '/expectations"),
        ('service={"port":0}', "at '/service/port'"),
        ("terminationGracePeriodSeconds=14", "14 is too short; expected 15 at least"),
        ("readyRequiresExpectations=true", "without expectations; expected some"),
        ('httpRoute={"enabled":true}', "httpRoute: parentRefs is empty; expected the Gateway"),
    ],
)
def test_bad_value_is_refused(helm: Tool, value: str, message: str) -> None:
    assert message in helm(value, status=1)


def test_daemonset_has_no_autoscaler(helm: Tool) -> None:
    values = ('kind="DaemonSet"', 'autoscaling={"enabled":true}')

    assert "one pod a node; expected kind Deployment" in helm(*values, status=1)


@pytest.mark.parametrize("name", ["base", "overlays/production", "daemonset"])
def test_grace_period_covers_the_drain(kustomize: Tool, name: str) -> None:
    """Delay, drain time and 2 s, as docs/how-to/prestop.md requires."""
    workloads = objects(kustomize(name), "Deployment") + objects(kustomize(name), "DaemonSet")
    for workload in workloads:
        spec = workload["spec"]["template"]["spec"]
        env = {each["name"]: each.get("value") for each in spec["containers"][0]["env"]}
        delay, drain = env.get("DRAIN_DELAY_SECONDS", 0), env.get("DRAIN_SECONDS", 8)
        assert spec["terminationGracePeriodSeconds"] >= int(delay) + int(drain) + 2


@pytest.mark.parametrize("name", ["base", "overlays/restricted", "daemonset"])
def test_selectors_select_the_pods(kustomize: Tool, name: str) -> None:
    """Services, budgets and policies select the pods of the workload, and by a label of theirs."""
    manifests = kustomize(name)
    workloads = objects(manifests, "Deployment") + objects(manifests, "DaemonSet")
    labels = workloads[0]["spec"]["template"]["metadata"]["labels"]
    selectors = [each["spec"]["selector"] for each in objects(manifests, "Service")]
    for kind, field in (("PodDisruptionBudget", "selector"), ("NetworkPolicy", "podSelector")):
        selectors += [
            each["spec"][field]["matchLabels"]
            for each in objects(manifests, kind)
            if each["metadata"]["name"] != "default-deny"
        ]

    assert len(selectors) >= len(workloads)
    for selector in selectors:
        assert selector
        assert selector.items() <= labels.items()


def test_settings_are_the_service_s(helm: Tool, kustomize: Tool) -> None:
    """A variable in a manifest is a setting of the service, or one of the pod's names."""
    from devops_info_service.config import load  # noqa: PLC0415

    values = [helm(*EVERYTHING), *(kustomize(name) for name in KUSTOMIZATIONS)]
    for manifests in values:
        for workload in objects(manifests, "Deployment") + objects(manifests, "DaemonSet"):
            env = workload["spec"]["template"]["spec"]["containers"][0]["env"]
            given = {each["name"]: each.get("value", "") for each in env}
            load((), {**given, "EXPECTATIONS": given.get("EXPECTATIONS", "")})


def test_readme_is_generated() -> None:
    run([sys.executable, ROOT / ".ci/chart-readme", "--check"])


def test_version_is_the_service_s() -> None:
    from devops_info_service import __version__  # noqa: PLC0415

    assert yaml.safe_load((CHART / "Chart.yaml").read_text())["appVersion"] == __version__
