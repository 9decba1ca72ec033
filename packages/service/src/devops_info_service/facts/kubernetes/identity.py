"""The identity of this workload, without a query to the cluster; every value has its evidence.

The surest source comes first: files of kubelet for this container, then fields that the manifest
passes on, then names that are only a custom.
"""

from typing import Final

import msgspec

from devops_info_service.facts import parse
from devops_info_service.facts.container.process_view import ProcessView
from devops_info_service.facts.container.volumes import classify
from devops_info_service.facts.fact import WITHHELD, Evidence, Fact, Known, Unknown, first, value_of
from devops_info_service.facts.forms import LABEL, NAME, UID
from devops_info_service.facts.lines import lines, words
from devops_info_service.facts.linux.cgroup import CGROUP
from devops_info_service.facts.linux.mounts import Mount
from devops_info_service.facts.linux.resources import Resources
from devops_info_service.facts.linux.sandbox import SANDBOXED, Detection
from devops_info_service.facts.linux.variables import variable
from devops_info_service.facts.system_files import SystemFiles

from .claims import FORMS, Claims, ServiceAccount
from .downward import Downward, Signs, read_downward
from .resource_requests import CpuRequest, Qos, Range, cpu_request, memory_request, qos

HOSTNAME: Final = "/proc/sys/kernel/hostname"
NAMES: Final = {
    "pod": ("POD_NAME", "MY_POD_NAME"),
    "uid": ("POD_UID", "MY_POD_UID"),
    "namespace": ("POD_NAMESPACE", "MY_POD_NAMESPACE"),
    "node": ("NODE_NAME", "MY_NODE_NAME", "K8S_NODE_NAME"),
    "service_account": ("POD_SERVICE_ACCOUNT", "MY_POD_SERVICE_ACCOUNT", "SERVICE_ACCOUNT"),
}
"""Names by custom, the second ones from Kubernetes' own examples; a manifest may use others."""
NOT_A_POD: Final = Unknown("nothing here was made by kubelet: this is not a pod")
_ID_LENGTH: Final = 64
_GROUPS: Final[dict[str, Qos]] = {"burstable": "Burstable", "besteffort": "BestEffort"}


class Identity(msgspec.Struct, frozen=True):
    """The container, its pod, and the pod's requests."""

    engine: Fact[Detection]
    """The program that started the container."""
    sandbox: Fact[Detection]
    """Whether the kernel is its own."""
    hostname: Fact[str]
    container_id: Fact[str]
    container: Fact[str]
    """Its name in the pod."""
    pod: Fact[str]
    pod_uid: Fact[str]
    namespace: Fact[str]
    node: Fact[str]
    service_account: Fact[str]
    labels: Fact[dict[str, str]]
    annotations: Fact[tuple[str, ...]]
    """Names only: values may be anything, passwords among them."""
    qos: Fact[Qos]
    memory_request: Fact[Range]
    """Bytes."""
    cpu_request: Fact[CpuRequest]


def read_identity(
    tree: SystemFiles, view: ProcessView, resources: Resources, account: ServiceAccount
) -> Identity:
    """Join what the other parts show with names that only *tree* has."""
    memory, cpu, group = resources.memory, resources.cpu, resources.cgroup.path
    hostname = tree.read(HOSTNAME).parse(parse.word)
    pod_uid = _pod_uid(view)
    downward = read_downward(tree, view.mounts, _signs(account, hostname, pod_uid))
    score = memory.oom_score_adjustment if view.pod else NOT_A_POD
    if view.gvisor:
        score = SANDBOXED
    return Identity(
        engine=view.engine,
        sandbox=view.sandbox,
        hostname=hostname,
        container_id=_container_id(view, group),
        container=_container(view),
        pod=_best(
            view,
            "pod",
            _claim(account, "pod"),
            *_passed_on(tree, downward, "pod"),
            _own_hostname(view, hostname),
        ),
        pod_uid=_best(
            view,
            "uid",
            pod_uid,
            _claim(account, "pod_uid"),
            *_passed_on(tree, downward, "uid"),
        ),
        namespace=_best(
            view,
            "namespace",
            _claim(account, "namespace"),
            account.namespace,
            *_passed_on(tree, downward, "namespace"),
            _search_domain(tree),
        ),
        node=_best(view, "node", _claim(account, "node"), *_passed_on(tree, downward, "node")),
        service_account=_best(
            view,
            "service_account",
            _claim(account, "service_account"),
            *_passed_on(tree, downward, "service_account"),
        ),
        labels=downward.labels,
        annotations=downward.annotations,
        qos=_qos(group, score) if view.pod else NOT_A_POD,
        memory_request=memory_request(score, memory.host_total, memory.limit.own),
        cpu_request=cpu_request(cpu.weight, cpu.shares) if view.pod else NOT_A_POD,
    )


def _best(view: ProcessView, field: str, *facts: Fact[str]) -> Fact[str]:
    names = ", ".join(NAMES[field])
    missing = Unknown(f"no token, no volume of the downward API and none of {names} has it")
    # First, for its reason: an unknown one loses to any that is known.
    withheld = [each for each in facts if isinstance(each, Unknown) and WITHHELD in each.reason]
    return first(*withheld, missing if view.pod else NOT_A_POD, *facts)


def _claim(account: ServiceAccount, field: str) -> Fact[str]:
    if isinstance(account.token, Unknown):
        return account.token
    claims: Claims = account.token.value
    value: str = getattr(claims, field)
    path = account.token.evidence[0].file
    if field in claims.withheld:
        return Unknown(f"{field} claimed in {path} {WITHHELD}: not {FORMS[field].name}")
    if not value:
        return Unknown(f"{path} does not claim a {field.replace('_', ' ')}")
    return Known(value, (Evidence(path, f"claim: {field}", value),))


def _passed_on(tree: SystemFiles, downward: Downward, field: str) -> tuple[Fact[str], ...]:
    environ = tree.environ()
    found = (variable(environ, name) for name in NAMES[field])
    fields = [downward.fields[field]] if field in downward.fields else []
    return (*fields, *(fact for fact in found if fact is not None))


def _signs(account: ServiceAccount, hostname: Fact[str], uid: Fact[str]) -> Signs:
    claims = value_of(account.token, None)
    pods = {value_of(hostname, ""), claims.pod if claims else ""} - {""}
    return Signs(frozenset(pods), value_of(uid, claims.pod_uid if claims else ""))


def _own_hostname(view: ProcessView, hostname: Fact[str]) -> Fact[str]:
    if not view.pod:
        return NOT_A_POD
    # With the machine's network comes the machine's name.
    if value_of(view.shared["net"], default=True):
        return Unknown("the hostname may be the machine's")
    return NAME.fact(hostname.value, HOSTNAME) if isinstance(hostname, Known) else hostname


def _mounted_by_kubelet(view: ProcessView) -> tuple[Mount, ...]:
    if isinstance(view.mounts, Unknown):
        return ()
    mounts = view.mounts
    return tuple(mount for mount in mounts.entries if classify(mount, mounts).pod)


def _pod_uid(view: ProcessView) -> Fact[str]:
    for mount in _mounted_by_kubelet(view):
        uid = mount.root.rpartition("/pods/")[2].partition("/")[0]
        if UID.holds(uid):
            return Known(uid, (mount.evidence(),))
    return Unknown("no mount shows kubelet's directory") if view.pod else NOT_A_POD


def _container(view: ProcessView) -> Fact[str]:
    for mount in _mounted_by_kubelet(view):
        # .../pods/UID/containers/NAME/HASH, for the termination log.
        steps = mount.root.rpartition("/pods/")[2].split("/")
        if len(steps) > 2 and steps[1] == "containers" and LABEL.holds(steps[2]):  # noqa: PLR2004
            return Known(steps[2], (mount.evidence(),))
    return Unknown("no mount of a termination log names the container") if view.pod else NOT_A_POD


def _container_id(view: ProcessView, path: Fact[str]) -> Fact[str]:
    """Take the long number out of the group's path or of the engine's mounts."""
    if isinstance(path, Known) and (number := _hex(path.value.rpartition("/")[2])):
        return Known(number, path.evidence)
    if view.pod or isinstance(view.mounts, Unknown):
        # In a pod those mounts are the sandbox's, shared by its containers.
        return Unknown(f"{CGROUP} does not name the container: a cgroup namespace hides it")
    for point in ("/etc/hostname", "/etc/resolv.conf"):
        mount = view.mounts.at(point)
        for step in mount.root.split("/") if mount else ():
            if mount and (number := _hex(step)):
                return Known(number, (mount.evidence(),))
    return Unknown("neither group nor mounts name the container")


def _hex(step: str) -> str:
    """Return the number in such as ``cri-containerd-NUMBER.scope``; empty if there is none."""
    number = step.removesuffix(".scope").rpartition("-")[2]
    known = len(number) == _ID_LENGTH and not set(number) - set("0123456789abcdef")
    return number if known else ""


def _search_domain(tree: SystemFiles) -> Fact[str]:
    file = tree.read("/etc/resolv.conf")
    for line in lines(file.text):
        for domain in words(line)[1:] if line.startswith(("search ", "search\t")) else ():
            namespace, service, _ = domain.partition(".svc.")
            if service and LABEL.holds(namespace):
                return Known(namespace, (file.evidence("search", f"{namespace}.svc."),))
    return Unknown(f"{file.path} has no search domain of a namespace")


def _qos(path: Fact[str], score: Fact[int]) -> Fact[Qos]:
    # Where a namespace does not hide them, the names of kubelet's groups state it.
    if isinstance(path, Known) and "kubepods" in path.value:
        for mark, kind in _GROUPS.items():
            if mark in path.value:
                return Known(kind, path.evidence)
        return Known("Guaranteed", path.evidence)
    return qos(score)
