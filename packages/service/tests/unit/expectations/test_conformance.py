"""Expectations against the saved trees: states, evidence and texts."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from devops_info_service.catalog.properties import PROPERTIES
from devops_info_service.expectations.condition import (
    MAX_LISTED,
    Expectation,
    expectation,
    format_value,
    is_met,
)
from devops_info_service.expectations.conformance import (
    Conformance,
    Result,
    evaluate,
    load_expectations,
)
from devops_info_service.expectations.entry import Entry
from devops_info_service.expectations.extract import EXTRACTORS
from devops_info_service.facts.fact import Evidence, Known, Unknown
from devops_info_service.facts.system_files import Clock, SystemFiles
from devops_info_service.report.json_report import report_json
from devops_info_service.report.text import report
from devops_info_service.snapshot import read_platform

from ..recorded import TREES

Saved = Callable[[str], SystemFiles]

RESTRICTED = "containerd-restricted"
"""A pod as a restricted namespace has it: 500m, 256Mi, Burstable, ndots 5."""
OLD = "cgroup-v1-pod"
"""A pod on cgroup v1: 384Mi of 512Mi as its pod has less, no limit of PIDs, root."""


def one(text: str) -> Expectation:
    """Return the only expectation of *text*."""
    (only,) = load_expectations(text)
    return only


def result(saved: Saved, clock: Clock, tree: str, text: str) -> Result:
    """Hold a saved tree against one expectation."""
    conformance = evaluate((one(text),), read_platform(saved(tree), clock))
    (only,) = conformance.expectations
    assert conformance.conforms is (only.state == "met")
    return only


@pytest.mark.parametrize(
    ("tree", "text", "state", "found"),
    [
        (RESTRICTED, "memory.limit: 256Mi", "met", "256Mi"),
        (RESTRICTED, "memory.limit: 268435456", "met", "256Mi"),
        (RESTRICTED, "memory.limit: 0.25Gi", "met", "256Mi"),
        (RESTRICTED, "memory.limit: 256M", "not met", "256Mi"),
        (RESTRICTED, 'memory.limit: ">= 256Mi"', "met", "256Mi"),
        (RESTRICTED, 'memory.limit: "> 256Mi"', "not met", "256Mi"),
        (RESTRICTED, 'memory.limit: "< 256Mi"', "not met", "256Mi"),
        (RESTRICTED, 'memory.limit: "<=256Mi"', "met", "256Mi"),
        (RESTRICTED, 'memory.limit: "!= 256Mi"', "not met", "256Mi"),
        (RESTRICTED, 'memory.limit: "> 128Mi, < 512Mi"', "met", "256Mi"),
        (RESTRICTED, 'memory.limit: "> 128Mi, < 200Mi"', "not met", "256Mi"),
        (RESTRICTED, "memory.limit: [128Mi, 256Mi]", "met", "256Mi"),
        (RESTRICTED, 'memory.limit: [128Mi, "> 1Gi"]', "not met", "256Mi"),
        (RESTRICTED, "memory.limit: none", "not met", "256Mi"),
        (RESTRICTED, 'memory.limit: "!= none"', "met", "256Mi"),
        (OLD, "memory.limit: 384Mi", "met", "384Mi"),
        (OLD, "memory.own_limit: 512Mi", "met", "512Mi"),
        (OLD, "memory.high: none", "unknown", None),
        (OLD, "memory.oom_kills: 0", "not met", "2"),
        (OLD, "pids.limit: none", "unknown", None),
        (OLD, 'pids.limit: ">= 1000"', "unknown", None),
        (OLD, 'pids.limit: "<= 1000"', "unknown", None),
        (OLD, 'pids.limit: "!= none"', "unknown", None),
        (RESTRICTED, "cpu.limit: 500m", "met", "500m"),
        (RESTRICTED, "cpu.limit: 0.5", "met", "500m"),
        (RESTRICTED, "cpu.limit: 5e-1", "met", "500m"),
        (RESTRICTED, 'cpu.limit: "<= 499999u"', "not met", "500m"),
        (RESTRICTED, "cpu.usable: 1", "met", "1"),
        # ranges: any value in them may have been requested
        (RESTRICTED, "cpu.request: 250m", "met", "250m to 258m or 874m to 898m"),
        (RESTRICTED, "cpu.request: 880m", "met", "250m to 258m or 874m to 898m"),
        (RESTRICTED, "cpu.request: 500m", "not met", "250m to 258m or 874m to 898m"),
        (RESTRICTED, 'cpu.request: ">= 258m"', "met", "250m to 258m or 874m to 898m"),
        (RESTRICTED, 'cpu.request: "> 898m"', "not met", "250m to 258m or 874m to 898m"),
        (RESTRICTED, 'cpu.request: "< 250m"', "not met", "250m to 258m or 874m to 898m"),
        (RESTRICTED, "memory.request: 128Mi", "met", "128Mi to 150994943"),
        (RESTRICTED, 'memory.request: "!= 128Mi"', "met", "128Mi to 150994943"),
        (RESTRICTED, 'rlimits.open_files: ">= 65536"', "met", "1048576"),
        (RESTRICTED, "rlimits.core_file_size: none", "met", "none"),
        (RESTRICTED, "cgroup.version: v2", "met", "v2"),
        (RESTRICTED, "qos.class: Burstable", "met", "Burstable"),
        (RESTRICTED, 'qos.class: "!= BestEffort"', "met", "Burstable"),
        (RESTRICTED, "qos.class: [Guaranteed, Burstable]", "met", "Burstable"),
        ("docker-limited", "qos.class: Burstable", "unknown", None),
        (RESTRICTED, "security.profile: restricted", "met", "holds"),
        (RESTRICTED, "security.profile: baseline", "met", "holds"),
        (OLD, "security.profile: baseline", "not met", "fails seccompProfile_baseline"),
        (RESTRICTED, "security.read_only_root: true", "met", "true"),
        (RESTRICTED, "security.read_only_root: Yes", "met", "true"),
        (RESTRICTED, 'security.read_only_root: "!= false"', "met", "true"),
        (OLD, "security.read_only_root: true", "not met", "false"),
        (RESTRICTED, "security.seccomp: filter", "met", "filter"),
        (RESTRICTED, "security.capabilities: none", "met", "none"),
        (RESTRICTED, "security.capabilities: []", "met", "none"),
        (RESTRICTED, 'security.capabilities: "<= NET_BIND_SERVICE"', "met", "none"),
        (RESTRICTED, 'security.capabilities: ">= CHOWN"', "not met", "none"),
        (OLD, 'security.capabilities: "!= none"', "met", ...),
        (OLD, 'security.capabilities: ">= CHOWN, KILL"', "met", ...),
        (OLD, 'security.capabilities: ">= CHOWN KILL <= CHOWN KILL"', "not met", ...),
        (OLD, "security.capabilities: [CHOWN]", "not met", ...),
        (RESTRICTED, "security.user: 65532", "met", "65532"),
        (RESTRICTED, 'security.user: "!= 0"', "met", "65532"),
        (OLD, 'security.user: "!= 0"', "not met", "0"),
        (RESTRICTED, "security.runAsNonRoot: pass", "met", "pass"),
        (OLD, "security.runAsNonRoot: pass", "not met", "fail"),
        ("gvisor", "security.no_new_privileges: true", ..., ...),
        (RESTRICTED, 'dns.ndots: "<= 2"', "not met", "5"),
        (RESTRICTED, "dns.servers: 10.96.0.10", "met", "10.96.0.10"),
        (RESTRICTED, "dns.search: [shop.svc.cluster.local, svc.cluster.local, cluster.local]",
         "met", "cluster.local, shop.svc.cluster.local, svc.cluster.local"),
        (RESTRICTED, 'network.mtu: ">= 1400"', "met", "1450"),
        ("docker-limited", "network.mtu: 1500", "unknown", None),
        (RESTRICTED, "identity.namespace: shop", "met", "shop"),
        (RESTRICTED, "identity: {pod: other}", "not met", "web-7c9f6d5b8-x2v4q"),
        (RESTRICTED, "identity.engine: containerd", "met", "containerd"),
        (RESTRICTED, 'filesystem.writable: "<= /tmp, /dev/shm, /dev/termination-log"', "met", ...),
        (RESTRICTED, "filesystem.writable: none", "not met", ...),
    ],
)  # fmt: skip
def test_trees(
    saved: Saved, clock: Clock, tree: str, text: str, state: object, found: object
) -> None:
    """Each kind of expectation against a platform that is known."""
    result_ = result(saved, clock, tree, text)

    assert state in {result_.state, ...}
    assert found in {result_.found, ...}
    assert (result_.found is None) is (result_.state == "unknown")
    assert bool(result_.reason) is (result_.state == "unknown")


def test_evidence(saved: Saved, clock: Clock) -> None:
    """A result repeats the expectation and has the file as evidence."""
    assert result(saved, clock, RESTRICTED, 'memory.limit: ">= 64Mi"') == Result(
        "memory.limit",
        "met",
        ">= 64Mi",
        "256Mi",
        None,
        (Evidence("/sys/fs/cgroup/memory.max", "", "268435456"),),
    )


def test_profile_names_its_checks(saved: Saved, clock: Clock) -> None:
    """A profile that does not hold names what fails, with the evidence of each."""
    found = result(saved, clock, OLD, "security.profile: restricted")

    assert found.found is not None
    assert found.found.startswith("fails allowPrivilegeEscalation, ")
    assert Evidence("/proc/self/status", "NoNewPrivs", "0") in found.evidence


def test_open_profile(saved: Saved, clock: Clock) -> None:
    """A profile that cannot be observed is unknown, with the checks that leave it open."""
    found = result(saved, clock, "gvisor", "security.profile: restricted")

    assert found.state == "unknown"
    assert found.reason is not None
    assert "allowPrivilegeEscalation: " in found.reason


@pytest.mark.parametrize("tree", TREES)
def test_found_can_be_expected(saved: Saved, clock: Clock, tree: str) -> None:
    """A found value, written as an expectation, is met."""
    snapshot = read_platform(saved(tree), clock)
    for each in EXTRACTORS.values():
        name, fact = each.expect, each.read(snapshot)
        if isinstance(fact, Unknown):
            continue
        text = format_value(name.kind, fact.value)
        if name.kind != "profile" and " to " not in text and " more" not in text:
            expected = expectation(Entry(name.name, 1, (text,), is_list=False))
            assert is_met(expected, fact.value), (name.name, text)


def test_nothing_to_read(tmp_path: Path, clock: Clock) -> None:
    """Where nothing can be read nothing is an error: it is unknown, with a reason, and not met."""
    snapshot = read_platform(SystemFiles(str(tmp_path), {}), clock)
    contract = tuple(
        Expectation(each, "", ())
        for each in EXTRACTORS.values()
        if isinstance(each.read(snapshot), Unknown)
    )
    conformance = evaluate(contract, snapshot)

    assert len(contract) > len(EXTRACTORS) // 2
    assert not conformance.conforms
    assert all(each.state == "unknown" and each.reason for each in conformance.expectations)


def test_order(saved: Saved, clock: Clock) -> None:
    """Results keep the order of the expectations; a single failure decides."""
    text = "dns.ndots: 5\ncpu:\n  limit: 500m\n  usable: 9\nmemory.limit: 256Mi"
    snapshot = read_platform(saved(RESTRICTED), clock)
    conformance = evaluate(load_expectations(text), snapshot)

    assert [(each.name, each.state) for each in conformance.expectations] == [
        ("dns.ndots", "met"),
        ("cpu.limit", "met"),
        ("cpu.usable", "not met"),
        ("memory.limit", "met"),
    ]
    assert not conformance.conforms
    assert conformance.taken_at == snapshot.taken_at


def test_names(saved: Saved, clock: Clock) -> None:
    """No name comes twice, none begins another's, and every check that can show has one."""
    snapshot = read_platform(saved(RESTRICTED), clock)
    names = [each.expect.name for each in PROPERTIES if each.expect]
    checks = {
        f"security.{check.id}"
        for check in snapshot.security.checks
        if check.id not in snapshot.security.pod_security.unobservable
    }

    assert len(names) == len(set(names))
    assert not any(other.startswith(f"{name}.") for name in names for other in names)
    assert checks == {name for name, each in EXTRACTORS.items() if each.path == "security.checks"}


def test_long_sets() -> None:
    """A set has the number of members not listed."""
    members = frozenset(f"{number:03}" for number in range(MAX_LISTED + 3))

    assert format_value("set", members).endswith("011 and 3 more")


def test_report(saved: Saved, clock: Clock) -> None:
    """The report ends with expected and found values."""
    snapshot = read_platform(saved(RESTRICTED), clock)
    contract = load_expectations("memory.limit: 256Mi\ndns.ndots: 2\ncpu.limit: 500m")
    text = report(snapshot, "restricted", evaluate(contract, snapshot), width=90)

    _, _, last = text.rpartition("\n\n")
    assert last.splitlines() == [
        "Expectations: 2 of 3 met",
        "  pass     memory.limit  expected 256Mi",
        "                         /sys/fs/cgroup/memory.max",
        "  fail     dns.ndots     5, expected 2",
        "                         /etc/resolv.conf",
        "  pass     cpu.limit     expected 500m",
        "                         /sys/fs/cgroup/cpu.max quota, period",
    ]


def test_report_of_unknown(saved: Saved, clock: Clock) -> None:
    """An unknown result is listed with its reason."""
    snapshot = read_platform(saved("docker-limited"), clock)
    text = report(snapshot, None, evaluate(load_expectations("qos.class: Burstable"), snapshot))

    assert "  unknown  qos.class  expected Burstable\n" in text
    assert text.endswith("nothing here was made by kubelet: this is not a pod\n")


def test_report_json(saved: Saved, clock: Clock) -> None:
    """The report's JSON is the snapshot, with the conformance beside its parts."""
    snapshot = read_platform(saved(RESTRICTED), clock)
    conformance = evaluate(load_expectations("dns.ndots: 2"), snapshot)

    plain = msgspec.json.decode(report_json(snapshot))
    both = msgspec.json.decode(report_json(snapshot, conformance))

    said = msgspec.convert(both.pop("conformance"), Conformance)
    assert said == conformance
    assert both == plain


def test_known_is_not_unknown(saved: Saved, clock: Clock) -> None:
    """No limit is a value, not a lack of knowledge."""
    snapshot = read_platform(saved("docker-default"), clock)

    assert isinstance(EXTRACTORS["memory.limit"].read(snapshot), Known)
