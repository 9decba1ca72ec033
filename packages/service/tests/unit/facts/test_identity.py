"""The workload's identity and requests, with the evidence of each value."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devops_info_service.facts.fact import Evidence, Known, Unknown
from devops_info_service.facts.kubernetes.identity import NOT_A_POD
from devops_info_service.facts.kubernetes.resource_requests import (
    CpuRequest,
    Range,
    burstable,
    cpu_request,
    linear,
    memory_request,
    qos,
    quadratic,
)
from devops_info_service.facts.linux.sandbox import SANDBOXED, Detection
from devops_info_service.facts.system_files import Clock, SystemFiles
from devops_info_service.snapshot import read_platform

MIB = 2**20
HEX = 32

FACTS: dict[str, dict[str, Any]] = {
    "docker-default": {
        "engine": Detection("docker", "certain"),
        "sandbox": Detection("none", "possible"),
        "pod": NOT_A_POD,
        "qos": NOT_A_POD,
        "cpu_request": NOT_A_POD,
    },
    "containerd-restricted": {
        "engine": Detection("containerd", "certain"),
        "hostname": "web-7c9f6d5b8-x2v4q",
        "container": "service",
        "pod": "web-7c9f6d5b8-x2v4q",
        "pod_uid": "1f0e2f5c-6a3d-4c57-9b1a-0c2f3d4e5f60",
        "namespace": "shop",
        "node": "node-3",
        "service_account": "web",
        "labels": {"app": "web", "pod-template-hash": "7c9f6d5b8"},
        "annotations": ("example.com/owner", "kubernetes.io/config.source"),
        "qos": "Burstable",
        "cpu_request": CpuRequest(linear=Range(874, 898), quadratic=Range(250, 258)),
    },
    "crio-pod": {
        "engine": Detection("cri-o", "likely"),
        "container": "api",
        "pod": "api-0",
        "namespace": "orders",
        "qos": "Guaranteed",
        "memory_request": Range(2048 * MIB, 2048 * MIB),
        "cpu_request": CpuRequest(linear=Range(2000, 2025), quadratic=Range(730, 741)),
    },
    "gvisor": {
        "sandbox": Detection("gvisor", "certain"),
        "pod": "untrusted-1",
        "node": "node-gvisor",
        "qos": SANDBOXED,
        "memory_request": SANDBOXED,
        "cpu_request": SANDBOXED,
    },
    "cgroup-v1-pod": {
        "container": "worker",
        "container_id": "c4" * HEX,
        "namespace": "batch",
        "node": "old-node",
        "qos": "Burstable",
        "cpu_request": CpuRequest(Range(500, 500), Range(500, 500)),
    },
    "hybrid": {"engine": Detection("docker", "certain"), "container_id": "e5" * HEX},
    "podman-rootless": {"engine": Detection("podman", "likely"), "container_id": "f6" * HEX},
    "privileged-pod": {
        "container": "agent",
        "container_id": "a7" * HEX,
        "pod": "agent-k8x2p",
        "namespace": "kube-system",
        "qos": "Burstable",
    },
}


@pytest.mark.parametrize(
    ("name", "field", "expected"),
    [(name, field, value) for name, facts in FACTS.items() for field, value in facts.items()],
)
def test_facts(
    saved: Callable[[str], SystemFiles], clock: Clock, name: str, field: str, expected: Any
) -> None:
    """The identity in each tree is found."""
    fact = getattr(read_platform(saved(name), clock).identity, field)

    assert (fact.value if isinstance(fact, Known) else fact) == expected


@pytest.mark.parametrize(
    ("name", "field", "file"),
    [
        ("containerd-restricted", "pod_uid", "/proc/self/mountinfo"),
        ("containerd-restricted", "labels", "/etc/podinfo/labels"),
        ("cgroup-v1-pod", "namespace", "environment"),
        ("cgroup-v1-pod", "qos", "/proc/self/cgroup"),
        (
            "privileged-pod",
            *("node", "/var/run/secrets/kubernetes.io/serviceaccount/token"),
        ),
    ],
)
def test_source(
    saved: Callable[[str], SystemFiles], clock: Clock, name: str, field: str, file: str
) -> None:
    """Every value has its source."""
    fact = getattr(read_platform(saved(name), clock).identity, field)

    assert isinstance(fact, Known)
    assert fact.evidence[0].file == file


@pytest.mark.parametrize("name", ["containerd-restricted", "cgroup-v1-pod"])
def test_memory_request(saved: Callable[[str], SystemFiles], clock: Clock, name: str) -> None:
    """The range contains the request that the tree's README names."""
    asked = {"containerd-restricted": 128 * MIB, "cgroup-v1-pod": 256 * MIB}[name]
    fact = read_platform(saved(name), clock).identity.memory_request

    assert isinstance(fact, Known)
    assert fact.value.low <= asked <= fact.value.high
    assert len(fact.evidence) == 2


@pytest.mark.parametrize(
    ("files", "guess"),
    [
        ({"/proc/version": "Linux version 4.4.0 #1 SMP Sun Jan 10 15:06:54 PST 2016"}, "gvisor"),
        ({"/proc/version": "Linux version 4.4.0 (me) #1"}, "gvisor"),
        (
            {
                "/proc/version": "Linux version 6.12.0",
                "/proc/self/mountinfo": "1 0 0:1 /x / rw - virtiofs kataShared rw",
            },
            "kata",
        ),
        (
            {
                "/proc/version": "Linux version 6.12.0",
                "/proc/cmdline": "quiet systemd.unit=kata-containers.target",
            },
            "kata",
        ),
        (
            {
                "/proc/version": "Linux version 6.1.0",
                "/proc/cmdline": "reboot=k virtio_mmio.device=4K@0xd0000000:5",
            },
            "firecracker",
        ),
        ({"/proc/version": "Linux version 6.1.0"}, "none"),
    ],
)
def test_sandbox(
    tree_of: Callable[..., SystemFiles], clock: Clock, files: dict[str, str], guess: str
) -> None:
    """A sandbox is known by its marks, and only some marks are certain."""
    fact = read_platform(tree_of(files), clock).identity.sandbox

    assert isinstance(fact, Known)
    assert fact.value.name == guess


@pytest.mark.parametrize(
    ("files", "environ", "namespace"),
    [
        ({"/etc/resolv.conf": "search shop.svc.cluster.local svc.cluster.local\n"}, {}, "shop"),
        ({"/etc/resolv.conf": "search a.b.svc.cluster.local\n"}, {}, None),
        ({}, {"POD_NAMESPACE": "x"}, "x"),
        ({"/var/run/secrets/kubernetes.io/serviceaccount/namespace": "y"}, {}, "y"),
        ({"/var/run/secrets/kubernetes.io/serviceaccount/namespace": "a secret key"}, {}, None),
    ],
)
def test_namespace(
    tree_of: Callable[..., SystemFiles],
    clock: Clock,
    files: dict[str, str],
    environ: dict[str, str],
    namespace: str | None,
) -> None:
    """The namespace is found without a token too."""
    fact = read_platform(tree_of({"/x": "", **files}, environ), clock).identity.namespace

    assert (fact.value if isinstance(fact, Known) else None) == namespace


@pytest.mark.parametrize(
    ("hostname", "pod"),
    [
        ("web-7d4b9c6f5-x2k8q", "web-7d4b9c6f5-x2k8q"),
        ("web-1", None),
        ("chosen", None),
        ("the-proxy", None),
        (f"{'a' * 48}-7d4b9c6f5-x2", None),
        (f"{'a' * 47}-7d4b9c6f5-x2k8q", None),
    ],
)
def test_hostname_is_the_pods(
    tree_of: Callable[..., SystemFiles], clock: Clock, hostname: str, pod: str | None
) -> None:
    """Without a token a hostname names the pod by its form alone; else it may be chosen or cut."""
    tree = tree_of(
        {
            "/etc/hosts": "# Kubernetes-managed hosts file.\n",
            "/proc/sys/kernel/hostname": f"{hostname}\n",
            "/proc/self/ns/net": "net:[4026532000]",
        }
    )
    fact = read_platform(tree, clock).identity.pod

    assert (fact.value if isinstance(fact, Known) else None) == pod
    assert isinstance(fact, Known) or "hostname" in fact.reason or len(hostname) == 63


def test_hostname_of_the_machine(tree_of: Callable[..., SystemFiles], clock: Clock) -> None:
    """With the machine's network comes its name, of whatever form."""
    tree = tree_of(
        {
            "/etc/hosts": "# Kubernetes-managed hosts file (host network).\n",
            "/proc/sys/kernel/hostname": "web-7d4b9c6f5-x2k8q\n",
        }
    )
    fact = read_platform(tree, clock).identity.pod

    assert isinstance(fact, Unknown)
    assert "the hostname may be the machine's" in fact.reason


SCORE = Evidence("/proc/self/oom_score_adj", "", "")


@pytest.mark.parametrize(
    ("score", "kind"),
    [
        (-997, "Guaranteed"),
        (-998, "Guaranteed"),
        (1000, "BestEffort"),
        (3, "Burstable"),
        (999, "Burstable"),
        (0, None),
        (-1000, None),
        (-500, None),
    ],
)
def test_qos(score: int, kind: str | None) -> None:
    """Kubelet's scores name the class; another score names none."""
    fact = qos(Known(score, (SCORE,)))

    assert (fact.value if isinstance(fact, Known) else None) == kind


@given(machine=st.integers(2**28, 2**42), share=st.floats(0, 1))
def test_memory_comes_back(machine: int, share: float) -> None:
    """Any request is within the range of its score."""
    asked = int(machine * share)
    score = min(max(1000 - 1000 * asked // machine, 3), 999)
    found = burstable(score, machine)

    assert found.low <= asked <= found.high


@given(millis=st.integers(0, 256_000))
def test_cpu_comes_back(millis: int) -> None:
    """Any request is within the range of the formula in use."""
    shares = max(2, min(millis * 1024 // 1000, 262_144))
    old = cpu_request(Known(linear(shares)), Unknown(""))
    new = cpu_request(Known(quadratic(shares)), Unknown(""))
    exact = cpu_request(Unknown(""), Known(shares))

    assert isinstance(old, Known)
    assert isinstance(new, Known)
    assert isinstance(exact, Known)
    for found in (old.value.linear, new.value.quadratic, exact.value.linear):
        assert found is not None
        assert found.low <= millis <= found.high


@pytest.mark.parametrize(
    ("shares", "old", "new"), [(2, 1, 1), (256, 10, 35), (1024, 39, 100), (2000, 77, 170)]
)
def test_formulas(shares: int, old: int, new: int) -> None:
    """Both formulas give what the runtimes' own reports of the change show."""
    assert (linear(shares), quadratic(shares)) == (old, new)


def test_weight_of_neither() -> None:
    """A weight beyond both formulas gives no request."""
    assert isinstance(cpu_request(Known(20_000), Unknown("")), Unknown)


def test_guaranteed_without_a_limit() -> None:
    """A critical pod has the score and no limit: its request stays unknown."""
    fact = memory_request(Known("Guaranteed"), Known(-997), Known(2**34), Known(None))

    assert fact == Unknown("the class is Guaranteed, but there is no limit: a critical pod")


def test_guaranteed_whatever_the_score() -> None:
    """Where the runtime may not lower the score, the group's name is enough."""
    fact = memory_request(Known("Guaranteed"), Known(0), Known(2**34), Known(2**26))

    assert fact == Known(Range(2**26, 2**26))


def test_class_against_score() -> None:
    """Two signs of different classes contradict each other: neither is believed."""
    fact = memory_request(Known("Burstable"), Known(1000), Known(2**34), Known(None))

    assert isinstance(fact, Unknown)
    assert "contradict" in fact.reason
