"""Requests beside grants, on recorded containers."""

from typing import Any

import msgspec
import pytest

from devops_info_service.facts.fact import Known
from devops_info_service.manifests.comparison import (
    ComparisonError,
    Difference,
    compare,
    container_of,
    qos_class,
)
from devops_info_service.manifests.workloads import Workload, workloads
from devops_info_service.snapshot import PlatformSnapshot, read_platform
from devops_info_service.standards.requested.pod import PodSpec

from ..recorded import DATA, TREES, FrozenClock, RecordedFiles
from .policy import RESTRICTED, change

APP = ("spec", "containers", 0)
CONTEXT = (*APP, "securityContext")


def granted(name: str) -> PlatformSnapshot:
    """Return a recorded report as it is after JSON."""
    snapshot = read_platform(RecordedFiles(DATA / name), FrozenClock())
    return msgspec.json.decode(msgspec.json.encode(snapshot), type=PlatformSnapshot)


def differences(pod: dict[str, Any], name: str, container: str = "") -> dict[str, Difference]:
    [found] = workloads(pod, "f", 1)
    assert isinstance(found, Workload)
    return {
        each.name: each for each in compare(found, container_of(found, container), granted(name))
    }


def test_report_survives_json() -> None:
    for name in TREES:
        snapshot = read_platform(RecordedFiles(DATA / name), FrozenClock())

        assert granted(name) == snapshot


def test_restricted_as_requested() -> None:
    """Of a restricted pod on containerd nothing that is known differs."""
    found = differences(RESTRICTED, "containerd-restricted")
    checks = [each for each in found.values() if "." not in each.name]

    assert {each.state for each in checks} <= {"same", "unknown"}
    assert found["allowPrivilegeEscalation"].state == "same"


def test_more_than_requested() -> None:
    """A privileged container of a restricted manifest differs in its effects."""
    found = differences(RESTRICTED, "privileged-pod")

    for name in ("privileged", "capabilities_restricted", "allowPrivilegeEscalation"):
        assert (found[name].state, found[name].requested, found[name].granted) == (
            "different", "pass", "fail",
        )  # fmt: skip


def test_less_than_requested() -> None:
    """A forbidden request that was not granted is stricter, no fault."""
    pod = change(RESTRICTED, (*CONTEXT, "privileged"), value=True)
    found = differences(pod, "containerd-restricted")

    assert found["privileged"].state == "stricter"


def test_privileged_has_its_effects() -> None:
    pod = change(RESTRICTED, (*CONTEXT, "privileged"), value=True)
    found = differences(pod, "privileged-pod")

    assert {found[name].state for name in ("privileged", "capabilities_restricted")} == {"same"}


def test_other_containers_do_not_count() -> None:
    other = {"name": "other", "securityContext": {"privileged": True}}
    pod = change(RESTRICTED, ("spec", "containers"), [*RESTRICTED["spec"]["containers"], other])

    assert differences(pod, "containerd-restricted", "app")["privileged"].state == "same"
    assert differences(pod, "containerd-restricted", "other")["privileged"].state == "stricter"
    with pytest.raises(ComparisonError, match="has the containers app, other; expected one"):
        differences(pod, "containerd-restricted")


def test_limits() -> None:
    """A limit of memory is cut to whole pages, and else as requested."""
    limit = granted("containerd-restricted").resources.memory.limit.effective
    assert isinstance(limit, Known)
    number = limit.value
    assert number is not None
    for given, state in ((number, "same"), (number + 5, "same"), (number - 1, "different")):
        pod = change(RESTRICTED, (*APP, "resources"), {"limits": {"memory": given}})
        assert differences(pod, "containerd-restricted")["memory.limit"].state == state
    pod = change(RESTRICTED, (*APP, "resources"), {"limits": {"memory": f"{10 * number}"}})
    assert differences(pod, "containerd-restricted")["memory.limit"].state == "different"


def test_no_limit_differs_from_one() -> None:
    assert differences(RESTRICTED, "containerd-restricted")["memory.own_limit"].state == "different"


@pytest.mark.parametrize(
    ("resources", "qos"),
    [
        ([{}], "BestEffort"),
        ([{"limits": {"cpu": 1, "memory": "1Gi"}}], "Guaranteed"),
        ([{"limits": {"cpu": 1, "memory": "1Gi"}, "requests": {"cpu": "1000m"}}], "Guaranteed"),
        ([{"limits": {"cpu": 1, "memory": "1Gi"}, "requests": {"cpu": "1"}}, {}], "Burstable"),
        ([{"requests": {"cpu": "1m"}}], "Burstable"),
        ([{"requests": {"cpu": 0}}], "BestEffort"),
        ([{"limits": {"memory": "1Gi"}}], "Burstable"),
        ([{"requests": {"example.com/gpu": 1}}], "BestEffort"),
    ],
)
def test_class_of_service(resources: list[dict[str, Any]], qos: str) -> None:
    """As the Kubernetes documentation defines the classes."""
    containers = [{"name": str(n), "resources": each} for n, each in enumerate(resources)]

    assert qos_class(msgspec.convert({"containers": containers}, PodSpec)) == qos


def test_wrong_quantity() -> None:
    pod = change(RESTRICTED, (*APP, "resources"), {"limits": {"cpu": "half"}})

    with pytest.raises(ComparisonError, match=r"resources\.limits\.cpu: 'half'"):
        differences(pod, "containerd-restricted")
