"""Pods are found in every kind of object that starts some."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devops_info_service.manifests.workloads import (
    TEMPLATES,
    ObjectError,
    Skipped,
    Workload,
    workloads,
)

from .policy import RESTRICTED

SPEC = RESTRICTED["spec"]
PLACES = {
    **TEMPLATES,
    "Rollout": ("spec", "template"),
    "ScaledJob": ("spec", "jobTargetRef", "template"),
    "Service": ("spec", "template"),
}
"""Known kinds, and some that others define."""
GROUPS = {
    "Rollout": "argoproj.io/v1",
    "ScaledJob": "keda.sh/v1",
    "Service": "serving.knative.dev/v1",
}


def made(kind: str, name: str = "x") -> dict[str, Any]:
    template: dict[str, Any] = {"spec": SPEC}
    for step in reversed(PLACES[kind]):
        template = {step: template}
    group = GROUPS.get(kind, "v1" if kind in {"Pod", "PodTemplate"} else "apps/v1")
    return {"apiVersion": group, "kind": kind, "metadata": {"name": name}, **template}


def paths(value: object) -> list[str]:
    found = list(workloads(value, "f", 1))
    return [each.pod.path if isinstance(each, Workload) else each.kind for each in found]


@pytest.mark.parametrize("kind", PLACES)
def test_kind(kind: str) -> None:
    [found] = workloads(made(kind), "f.yaml", 7)

    assert isinstance(found, Workload)
    assert (found.kind, found.name, found.line, found.file) == (kind, "x", 7, "f.yaml")
    assert found.pod.path == ".".join((*PLACES[kind], "spec"))
    assert [each.name for _, each in found.pod.containers()] == ["app"]


@given(st.recursive(
    st.sampled_from(sorted(PLACES)).map(made),
    lambda inner: st.lists(inner, max_size=4).map(lambda items: {"kind": "List", "items": items}),
))  # fmt: skip
def test_lists_are_opened(value: dict[str, Any]) -> None:
    def count(each: dict[str, Any]) -> int:
        return sum(map(count, each["items"])) if each["kind"] == "List" else 1

    assert len(paths(value)) == count(value)


def test_members_of_a_typed_list_need_no_kind() -> None:
    item = {name: value for name, value in made("Deployment").items() if name != "kind"}

    assert paths({"kind": "DeploymentList", "items": [item, item]}) == ["spec.template.spec"] * 2


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (None, []),
        ({"kind": "ConfigMap", "data": {"a": "kind: Pod"}}, ["ConfigMap"]),
        ({"kind": "Service", "apiVersion": "v1", "spec": {"ports": []}}, ["Service"]),
        ({"kind": "ReplicationController", "spec": {"replicas": 0}}, ["ReplicationController"]),
        ({"kind": "X", "spec": {"a": [{"spec": SPEC}, {"b": {"spec": SPEC}}]}},
         ["spec.a[0].spec", "spec.a[1].b.spec"]),
        # The schema of a custom resource names containers, and has none.
        ({"kind": "CustomResourceDefinition", "spec": {"containers": {"type": "array"}}},
         ["CustomResourceDefinition"]),
    ],
)  # fmt: skip
def test_objects_without_pods(value: object, found: list[str]) -> None:
    assert paths(value) == found


def test_skipped_has_its_name() -> None:
    assert list(workloads({"kind": "Secret", "metadata": {"name": "s"}}, "f", 1)) == [
        Skipped("f", "Secret", "s")
    ]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ([], "list; expected an object"),
        ("text", "str; expected an object"),
        ({}, "no kind"),
        ({"kind": 1}, "no kind"),
        ({"kind": "Kustomization", "apiVersion": "kustomize.config.k8s.io/v1beta1"}, "its output"),
        ({"kind": "List", "items": [1]}, "int; expected an object"),
        ({"kind": "Pod"}, "no spec"),
        ({"kind": "Pod", "spec": {}}, "no containers"),
        ({"kind": "Pod", "spec": {"containers": []}}, "no containers"),
        ({"kind": "Deployment", "spec": {"template": []}}, "no spec.template.spec"),
        ({"kind": "CronJob", "spec": []}, "expected a mapping"),
        ({"kind": "Pod", "metadata": 1, "spec": SPEC}, "metadata"),
        ({"kind": "Pod", "metadata": {"annotations": {"a": 1}}, "spec": SPEC}, "annotations"),
    ],
)
def test_refused(value: object, reason: str) -> None:
    with pytest.raises(ObjectError, match=reason):
        list(workloads(value, "f", 1))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("privileged", "true"), ("privileged", 1), ("runAsUser", "0"), ("runAsUser", 0.5),
        ("runAsUser", False), ("capabilities", ["ALL"]), ("capabilities", {"drop": "ALL"}),
        ("capabilities", {"drop": [1]}), ("seccompProfile", "RuntimeDefault"), ("procMount", True),
    ],
)  # fmt: skip
def test_wrong_type_is_refused_with_its_path(field: str, value: object) -> None:
    """The API server does not take it, so it is neither allowed nor refused by the standards."""
    container = {"name": "a", "securityContext": {field: value}}
    template = {"spec": {"template": {"spec": {"containers": [SPEC["containers"][0], container]}}}}

    with pytest.raises(
        ObjectError, match=rf"spec\.template\.spec\.containers\[.*\]\.securityContext\.{field}"
    ):
        list(workloads({"kind": "Job", **template}, "f", 1))
