"""The grants of a container beside the requests of its manifest.

Each check of the standards has both verdicts; limits, requests and identity of the manifest are
evaluated as expectations are.
"""

from collections.abc import Iterator, Mapping
from typing import Final, Literal

import msgspec

from devops_info_service.expectations import quantity
from devops_info_service.expectations.condition import NO_LIMIT, expectation
from devops_info_service.expectations.conformance import evaluate as conformance
from devops_info_service.expectations.entry import Entry
from devops_info_service.snapshot import PlatformSnapshot
from devops_info_service.standards.requested.evaluate import REQUESTED, evaluate
from devops_info_service.standards.requested.pod import Container, PodSpec, Resources

from .workloads import Workload

State = Literal["same", "stricter", "different", "unknown"]

_MAIN: Final = "cpu", "memory"
_LARGEST_PAGE: Final = 64 * 1024
"""Bytes of a page on arm64 at most; the kernel cuts a limit of memory to whole pages."""
_BY_PRIVILEGED: Final = frozenset({
    "appArmorProfile",
    "capabilities_baseline",
    "capabilities_restricted",
    "procMount",
    "procMount_restricted",
    "seLinuxOptions",
    "seccompProfile_baseline",
    "seccompProfile_restricted",
})  # fmt: skip
"""Checks whose effect ``privileged`` has as well, whatever the manifest has beside it."""


class ComparisonError(ValueError):
    """A report that cannot be compared with the manifest, with the reason."""


class Difference(msgspec.Struct, frozen=True):
    """A request, and its grant."""

    name: str
    """Id of a check, or name of an expectation."""
    state: State
    """``stricter``: what the check forbids was requested, and not granted; ``unknown``: the report
    does not have the grant."""
    requested: str
    granted: str | None
    """None: unknown."""
    reason: str
    """Message of the report's check; or why a value is unknown."""


def container_of(workload: Workload, name: str) -> Container:
    """Return the container called *name*; without one the only one there is.

    Raises:
        ComparisonError: there is none of this name, or no name where there are several.
    """
    containers = [each for _, each in workload.pod.containers()]
    if not name and len(workload.pod.spec.containers or ()) == 1:
        return (workload.pod.spec.containers or ())[0]
    for each in containers:
        if name and each.name == name:
            return each
    names = ", ".join([each.name or "without a name" for each in containers])
    raise ComparisonError(f"{workload.title} has the containers {names}; expected one of them")


def compare(
    workload: Workload, container: Container, snapshot: PlatformSnapshot
) -> tuple[Difference, ...]:
    """Return the requests of *container*, each beside its grant in *snapshot*."""
    return (*_checks(workload, container, snapshot), *_values(workload, container, snapshot))


def _checks(
    workload: Workload, container: Container, snapshot: PlatformSnapshot
) -> Iterator[Difference]:
    # The other containers of the pod have their own grants.
    spec = msgspec.structs.replace(
        workload.pod.spec, containers=(container,), init_containers=None, ephemeral_containers=None
    )
    pod = msgspec.structs.replace(workload.pod, spec=spec)
    granted = {each.id: each for each in snapshot.security.checks}
    for finding in evaluate(pod, REQUESTED):
        seen = granted.get(finding.id)
        if seen is None:
            continue
        wanted = finding.verdict
        if container.context.privileged and finding.id in _BY_PRIVILEGED:
            wanted = "fail"
        state: State = "stricter" if seen.verdict == "pass" else "different"
        if "unknown" in {wanted, seen.verdict}:
            state = "unknown"
        elif wanted == seen.verdict:
            state = "same"
        found = None if state == "unknown" else seen.verdict
        yield Difference(finding.id, state, wanted, found, seen.message)


def _values(
    workload: Workload, container: Container, snapshot: PlatformSnapshot
) -> Iterator[Difference]:
    entries = tuple(
        [
            expectation(Entry(name, 1, (value,), is_list=False))
            for name, value in _requested(workload, container)
        ]
    )
    for result in conformance(entries, snapshot).expectations:
        states: Mapping[str, State] = {"met": "same", "not met": "different"}
        yield Difference(
            result.name,
            states.get(result.state, "unknown"),
            result.expected,
            result.found,
            result.reason or "",
        )


def _requested(workload: Workload, container: Container) -> Iterator[tuple[str, str]]:
    """Yield names of expectations and the values that the manifest requests."""
    spec, context = workload.pod.spec, container.context
    yield from _resources(container.resources, spec.resources)
    if (qos := qos_class(spec)) is not None:
        yield "qos.class", qos
    for name, own, of_pod in (
        ("security.user", context.run_as_user, spec.context.run_as_user),
        ("security.group", context.run_as_group, spec.context.run_as_group),
    ):
        value = of_pod if own is None else own
        if value is not None:
            yield name, str(value)
    read_only = bool(context.read_only_root_filesystem)
    yield "security.read_only_root", "true" if read_only else "false"
    found = context.capabilities
    if found is not None and "ALL" in (found.drop or ()) and not context.privileged:
        yield "security.capabilities", " ".join(found.add or ()) or NO_LIMIT
    if spec.host_users is False:
        yield "security.userNamespace", "pass"
    if spec.automount_token is not None:
        yield "security.serviceAccountToken", "fail" if spec.automount_token else "pass"
    for name, text in (
        ("identity.namespace", workload.namespace),
        ("identity.service_account", spec.service_account_name),
        ("identity.container", container.name),
        ("identity.pod", workload.name if workload.kind == "Pod" else ""),
    ):
        if text:
            yield name, text


def _resources(own: Resources | None, of_pod: Resources | None) -> Iterator[tuple[str, str]]:
    for name in _MAIN:
        limits = [_quantity(each, "limits", name) for each in (own, of_pod)]
        given = [each for each in limits if each is not None]
        if not given:
            # Groups above the container's may have one all the same, as the node's is.
            yield f"{name}.own_limit", NO_LIMIT
        elif name == "memory":
            low = max(0, min(given) - _LARGEST_PAGE * quantity.ONE)
            yield "memory.limit", f"> {quantity.write(low)}, <= {quantity.write(min(given))}"
        else:
            yield f"{name}.limit", quantity.write(min(given))
        request = _quantity(own, "requests", name)
        # Without a request a limit is one: the API server sets it so.
        request = limits[0] if request is None else request
        if request is not None:
            yield f"{name}.request", quantity.write(request)


def qos_class(spec: PodSpec) -> str | None:
    """Return the class of service that kubelet gives a pod; None where its resources decide it."""
    if spec.resources is not None:
        return None
    guaranteed, any_set = True, False
    for container in (*(spec.init_containers or ()), *(spec.containers or ())):
        for name in _MAIN:
            limit = _quantity(container.resources, "limits", name)
            request = _quantity(container.resources, "requests", name)
            any_set |= bool(limit or request)
            guaranteed &= bool(limit) and request in {None, limit}
    return "Guaranteed" if guaranteed else "Burstable" if any_set else "BestEffort"


def _quantity(resources: Resources | None, group: str, name: str) -> int | None:
    """Return billionths.

    Raises:
        ComparisonError: the manifest has another text there.
    """
    value = (getattr(resources, group, None) or {}).get(name)
    if value is None:
        return None
    try:
        return quantity.parse(str(value))
    except ValueError as exc:
        raise ComparisonError(f"resources.{group}.{name}: {exc}") from None
