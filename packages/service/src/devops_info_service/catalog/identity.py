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


def _guess(guess: Detection) -> str:
    return guess.name if guess.confidence == "certain" else f"{guess.name} ({guess.confidence})"


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


IDENTITY: Final = (
    Property(
        "identity.engine",
        "engine",
        _guess,
        "identity",
        expect=Expect("identity.engine", "string", "the program that started the container"),
    ),
    Property(
        "identity.sandbox",
        "sandbox",
        _guess,
        "identity",
        expect=Expect("identity.sandbox", "string", "whose kernel it is; `none`: no mark of one"),
    ),
    Property(
        "identity.hostname",
        "hostname",
        shown="identity",
        expect=Expect("identity.hostname", "string", "the host name"),
    ),
    Property(
        "identity.pod",
        "pod",
        shown="identity",
        expect=Expect("identity.pod", "string", "the pod's name"),
    ),
    _of_pods(
        "identity.namespace",
        "namespace",
        expect=Expect("identity.namespace", "string", "the pod's namespace"),
    ),
    _of_pods(
        "identity.container",
        "container",
        expect=Expect("identity.container", "string", "the container's name in the pod"),
    ),
    _of_pods("identity.node", "node", expect=Expect("identity.node", "string", "the node's name")),
    _of_pods(
        "identity.service_account",
        "service account",
        expect=Expect("identity.service_account", "string", "the service account's name"),
    ),
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
    _of_pods(
        "identity.pod_uid", "pod uid", expect=Expect("identity.pod_uid", "string", "the pod's uid")
    ),
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
    Property(
        "identity.container_id",
        "container id",
        shown="identity",
        expect=Expect("identity.container_id", "string", "the container's long number"),
    ),
    _of_pods(
        "identity.labels",
        "labels",
        lambda labels: comma_list(f"{name}={value}" for name, value in labels.items()),
    ),
    _of_pods("identity.annotations", "annotations", comma_list),
)
