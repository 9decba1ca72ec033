"""The rules of an audit against the documentation of the Pod Security Standards."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devops_info_service.manifests.workloads import Workload, workloads
from devops_info_service.standards.requested.evaluate import (
    REQUESTED,
    Level,
    checks_of,
    evaluate,
)

from .policy import EVER, NEWEST, RESTRICTED, ROWS, Row, change

LISTS = ("containers", "initContainers", "ephemeralContainers")
OVERRIDDEN = {
    "capabilities_baseline": ("capabilities_restricted", (1, 22)),
    "hostPathVolumes": ("restrictedVolumes", EVER),
    "seccompProfile_baseline": ("seccompProfile_restricted", (1, 19)),
    "procMount": ("procMount_restricted", (1, 35)),
}
"""Checks of the baseline that restricted replaces, by which check and since when."""

versions = st.tuples(st.just(1), st.integers(0, NEWEST[1]))
levels = st.sampled_from(("baseline", "restricted"))


def failed(pod: dict[str, Any], level: Level, version: tuple[int, int] = NEWEST) -> set[str]:
    [found] = workloads(pod, "pod.yaml", 1, version)
    assert isinstance(found, Workload)
    findings = evaluate(found.pod, checks_of(level, version))
    return {each.id for each in findings if each.verdict != "pass"}


def with_container(pod: dict[str, Any], kind: str) -> tuple[dict[str, Any], tuple[str | int, ...]]:
    """Return *pod* with a harmless container more in the list of *kind*, and its path."""
    [first] = RESTRICTED["spec"]["containers"]
    members = [*pod["spec"].get(kind, []), {**first, "name": f"more-{kind}"}]
    return change(pod, ("spec", kind), members), ("spec", kind, len(members) - 1)


def expected(row: Row, level: Level, version: tuple[int, int]) -> set[str]:
    if version < row.since:
        return set()
    found = set()
    for name in row.ids:
        [check] = [each for each in REQUESTED if each.id == name]
        major, minor = check.since.split(".")
        made = (int(major), int(minor)) <= version and level in {check.level, "restricted"}
        by, since = OVERRIDDEN.get(name, ("", NEWEST))
        replaced = by and level == "restricted" and version >= since
        if made and not replaced:
            found.add(name)
    return found


def test_every_rule_has_rows() -> None:
    """The table names each check that a manifest decides, once in the product."""
    names = [each.id for each in REQUESTED]

    assert sorted(names) == sorted(set(names)) == sorted({id_ for row in ROWS for id_ in row.ids})


@given(versions, levels)
def test_the_example_is_allowed(version: tuple[int, int], level: Level) -> None:
    assert failed(RESTRICTED, level, version) == set()


@given(st.data(), st.sampled_from(ROWS), versions, levels, st.sampled_from(LISTS))
def test_one_field(
    data: st.DataObject, row: Row, version: tuple[int, int], level: Level, kind: str
) -> None:
    """One value fails the checks of its row, in any list of containers, and no other check."""
    pod, container = with_container(RESTRICTED, kind)
    path = (*container, *row.path[1:]) if row.path[0] == "*" else row.path
    is_allowed = data.draw(st.booleans()) if row.allowed else False
    value = data.draw(st.sampled_from(row.allowed if is_allowed else row.forbidden))

    found = failed(change(pod, path, value), level, version)

    assert found == (set() if is_allowed else expected(row, level, version))


@given(st.lists(st.tuples(st.sampled_from(ROWS), st.sampled_from(LISTS)), max_size=8), st.data())
def test_many_fields(rows: list[tuple[Row, str]], data: st.DataObject) -> None:
    """Several values fail the checks of all their rows."""
    pod, wanted, used = RESTRICTED, set(), set()
    for row, kind in rows:
        if row.path[0] == "*":
            pod, container = with_container(pod, kind)
            path: tuple[str | int, ...] = (*container, *row.path[1:])
        else:
            path = row.path
        if path in used:
            continue
        used.add(path)
        pod = change(pod, path, data.draw(st.sampled_from(row.forbidden)))
        wanted |= expected(row, "restricted", NEWEST)

    assert failed(pod, "restricted") == wanted


@pytest.mark.parametrize("name", ["net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem"])
@given(versions)
def test_sysctl_is_safe_since(name: str, version: tuple[int, int]) -> None:
    pod = change(RESTRICTED, ("spec", "securityContext", "sysctls"), [{"name": name}])

    assert failed(pod, "baseline", version) == (set() if version >= (1, 32) else {"sysctls"})


@pytest.mark.parametrize(
    ("kind", "since"),
    [("container_t", EVER), ("container_kvm_t", EVER), ("container_engine_t", (1, 31))],
)
@given(versions)
def test_type_of_selinux_is_allowed_since(
    kind: str, since: tuple[int, int], version: tuple[int, int]
) -> None:
    pod = change(RESTRICTED, ("spec", "securityContext", "seLinuxOptions"), {"type": kind})

    assert failed(pod, "baseline", version) == (set() if version >= since else {"seLinuxOptions"})


@given(versions, st.sampled_from([None, True, False]), levels)
def test_user_namespace_lets_off(
    version: tuple[int, int], host_users: object, level: Level
) -> None:
    """Since 1.35 a pod in a user namespace may be root; unmasked /proc is baseline's."""
    pod = change(RESTRICTED, ("spec", "hostUsers"), host_users)
    context = ("spec", "containers", 0, "securityContext")
    pod = change(pod, (*context, "runAsNonRoot"), value=False)
    pod = change(pod, (*context, "runAsUser"), 0)
    pod = change(pod, (*context, "procMount"), "Unmasked")
    relaxed = host_users is False and version >= (1, 35)

    found = failed(pod, level, version)

    if level == "baseline":
        assert found == (set() if relaxed else {"procMount"})
    else:
        proc = "procMount_restricted" if version >= (1, 35) else "procMount"
        root = {"runAsNonRoot", *(["runAsUser"] if version >= (1, 23) else [])}
        assert found == {proc} | (set() if relaxed else root)


@given(versions)
def test_windows_lets_off(version: tuple[int, int]) -> None:
    """Since 1.25 a pod for Windows needs no setting that only Linux has."""
    pod = change(RESTRICTED, ("spec", "os"), {"name": "windows"})
    pod = change(pod, ("spec", "containers", 0, "securityContext"), {"runAsNonRoot": True})
    wanted = {
        name
        for name, since in (
            ("allowPrivilegeEscalation", (1, 8)),
            ("seccompProfile_restricted", (1, 19)),
            ("capabilities_restricted", (1, 22)),
        )
        if since <= version < (1, 25)
    }

    assert failed(pod, "restricted", version) == wanted


@given(versions)
def test_seccomp_annotations_counted_before_the_field(version: tuple[int, int]) -> None:
    prefix = "container.seccomp.security.alpha.kubernetes.io/"
    pod = change(RESTRICTED, ("metadata", "annotations"), {f"{prefix}app": "unconfined"})

    assert failed(pod, "baseline", version) == (
        {"seccompProfile_baseline"} if version < (1, 19) else set()
    )
    other = change(pod, ("metadata", "annotations"), {f"{prefix}another": "unconfined"})
    assert failed(other, "baseline", version) == set()


def test_a_container_inherits_of_the_pod() -> None:
    pod = change(RESTRICTED, ("spec", "containers", 0, "securityContext", "runAsNonRoot"), None)
    pod = change(pod, ("spec", "containers", 0, "securityContext", "seccompProfile"), None)
    assert failed(pod, "restricted") == {"runAsNonRoot", "seccompProfile_restricted"}

    pod = change(pod, ("spec", "securityContext", "runAsNonRoot"), value=True)
    pod = change(pod, ("spec", "securityContext", "seccompProfile"), {"type": "RuntimeDefault"})
    assert failed(pod, "restricted") == set()
