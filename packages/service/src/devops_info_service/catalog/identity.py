"""The container, its pod, and the requests computed back."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final

from devops_info_service.facts.fact import Unknown
from devops_info_service.facts.kubernetes.identity import NOT_A_POD
from devops_info_service.facts.kubernetes.resource_requests import CpuRequest, Range
from devops_info_service.facts.linux.sandbox import Detection

from .formatting import comma_list, size
from .property import Expect, Property, at_path
from .row import Row, row

if TYPE_CHECKING:
    from devops_info_service.snapshot import PlatformSnapshot


def _of_pods(
    path: str, label: str, form: Callable[[Any], str] = str, expect: Expect | None = None
) -> Property:
    """Return a fact that only a pod has: no row in any other container."""

    def rows(snapshot: "PlatformSnapshot") -> Iterable[Row]:
        fact = at_path(snapshot, path)
        is_absent = isinstance(fact, Unknown) and snapshot.identity.qos == NOT_A_POD
        return () if is_absent or fact == NOT_A_POD else (row(label, fact, form),)

    return Property(path, shown="identity", rows=rows, expect=expect)


def _detection(found: Detection) -> str:
    # How far to trust it is added for every view in one place: row.text_of.
    return found.name


def _memory_range(found: Range) -> str:
    if found.low == found.high:
        return size(found.low)
    return f"{size(found.low)} to {size(found.high)}"


def _cpu_request(found: CpuRequest) -> str:
    linear, quadratic = _millis(found.linear), _millis(found.quadratic)
    if linear == quadratic or not quadratic:
        return linear
    since = f"{quadratic} by runc 1.3.2, crun 1.23 or later"
    return f"{since}, {linear} by an earlier one" if linear else since


def _millis(found: Range | None) -> str:
    if found is None:
        return ""
    return f"{found.low}m" if found.low == found.high else f"{found.low}m to {found.high}m"


def _name(field: str, label: str, meaning: str, form: Callable[[Any], str] = str) -> Property:
    """Return a fact that every container has."""
    path = f"identity.{field}"
    return Property(path, label, form, "identity", expect=Expect(path, "string", meaning))


def _pod_name(field: str, label: str, meaning: str) -> Property:
    path = f"identity.{field}"
    return _of_pods(path, label, expect=Expect(path, "string", meaning))


IDENTITY: Final = (
    _name("engine", "engine", "the program that started the container", _detection),
    _name("sandbox", "sandbox", "whose kernel it is; `none`: no mark of one", _detection),
    _name("hostname", "hostname", "the host name"),
    _name("pod", "pod", "the pod's name"),
    _pod_name("namespace", "namespace", "the pod's namespace"),
    _pod_name("container", "container", "the container's name in the pod"),
    _pod_name("node", "node", "the node's name"),
    _pod_name("service_account", "service account", "the service account's name"),
    _of_pods(
        "identity.qos",
        "QoS class",
        expect=Expect(
            "qos.class",
            "string",
            "the pod's class of service",
            ("Guaranteed", "Burstable", "BestEffort"),
        ),
    ),
    _pod_name("pod_uid", "pod uid", "the pod's uid"),
    _of_pods(
        "identity.memory_request",
        "memory requested",
        _memory_range,
        Expect(
            "memory.request", "bytes", "the request, computed back from `oom_score_adj`: a range"
        ),
    ),
    _of_pods(
        "identity.cpu_request",
        "CPU requested",
        _cpu_request,
        Expect("cpu.request", "CPUs", "the request, computed back from the weight: a range"),
    ),
    _name("container_id", "container id", "the container's long number"),
    _of_pods(
        "identity.labels",
        "labels",
        lambda labels: comma_list([f"{name}={value}" for name, value in labels.items()]),
    ),
    _of_pods("identity.annotations", "annotations", comma_list),
)
