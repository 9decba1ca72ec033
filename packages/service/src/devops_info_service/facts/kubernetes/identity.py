"""The identity of this workload, without a query to the cluster; every value has its evidence.

The surest source comes first: files of kubelet for this container, then fields that the manifest
passes on, then names that are only a custom.
"""

from typing import Final

import msgspec

from devops_info_service.facts import parse
from devops_info_service.facts.container.container_id import container_id
from devops_info_service.facts.container.process_view import ProcessView
from devops_info_service.facts.fact import WITHHELD, Evidence, Fact, Known, Unknown, first, value_of
from devops_info_service.facts.forms import LABEL, MAX_LABEL, NAME
from devops_info_service.facts.lines import lines, words
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
_GUESS: Final = "the hostname"
_RANDOM: Final = 5
"""Characters of a Deployment's pod."""
_TEMPLATE: Final = range(8, 11)
"""Characters of the hash: a number of 32 bits, spelled with those of the random part."""
_RANDOM_CHARACTERS: Final = frozenset("bcdfghjklmnpqrstvwxz2456789")
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
    downward = read_downward(tree, view.volumes, _signs(account, hostname, pod_uid))
    score = memory.oom_score_adjustment if view.pod else NOT_A_POD
    if view.gvisor:
        score = SANDBOXED
    kind = _qos(group, score) if view.pod else NOT_A_POD
    return Identity(
        engine=view.engine,
        sandbox=view.sandbox,
        hostname=hostname,
        container_id=container_id(view.volumes, group, is_pod=view.pod),
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
        qos=kind,
        memory_request=memory_request(kind, score, memory.host_total, memory.limit.own),
        cpu_request=cpu_request(cpu.weight, cpu.shares) if view.pod else NOT_A_POD,
    )


def _best(view: ProcessView, field: str, *facts: Fact[str]) -> Fact[str]:
    names = ", ".join(NAMES[field])
    missing = f"no token, no volume of the downward API and none of {names} has it"
    if facts and isinstance(facts[-1], Unknown) and facts[-1].reason.startswith(_GUESS):
        missing = f"{missing}; {facts[-1].reason}"
    # First, for its reason: an unknown one loses to any that is known.
    withheld = [each for each in facts if isinstance(each, Unknown) and WITHHELD in each.reason]
    return first(*withheld, Unknown(missing) if view.pod else NOT_A_POD, *facts)


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
    """Return the hostname as the pod's name, where its form shows that a controller made it.

    A manifest may choose another hostname, and kubelet cuts it at 63 characters.
    """
    if not view.pod:
        return NOT_A_POD
    # With the machine's network comes the machine's name.
    if value_of(view.shared["net"], default=True):
        return Unknown(f"{_GUESS} may be the machine's")
    if isinstance(hostname, Unknown):
        return hostname
    name = NAME.fact(hostname.value, HOSTNAME)
    if isinstance(name, Known) and not _is_generated(name.value):
        return Unknown(
            f"{_GUESS} is {name.value}: the pod's name, unless the manifest chose another"
        )
    return name


def _is_generated(name: str) -> bool:
    # Of a Deployment: its name, the hash of the template, and five random characters
    # (apimachinery, util/rand: no vowels and nothing similar to one).
    *_, template, random = ("", "", *name.split("-"))
    return (
        len(name) < MAX_LABEL
        and len(random) == _RANDOM
        and len(template) in _TEMPLATE
        and not set(template + random) - _RANDOM_CHARACTERS
    )


def _pod_uid(view: ProcessView) -> Fact[str]:
    if isinstance(view.volumes.pod, Unknown):
        return view.volumes.pod if view.pod else NOT_A_POD
    return Known(view.volumes.pod.value.uid, view.volumes.pod.evidence)


def _container(view: ProcessView) -> Fact[str]:
    for mount, volume in view.volumes.entries:
        # .../pods/UID/containers/NAME/HASH, for the termination log.
        steps = mount.root.split("/")
        is_log = volume.origin == "runtime" and volume.pod and steps[-3:-2] == ["containers"]
        if is_log and LABEL.holds(steps[-2]):
            return Known(steps[-2], (mount.evidence(),))
    return Unknown("no mount of a termination log names the container") if view.pod else NOT_A_POD


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
        # The last: a node may be in a container of another pod.
        own = path.value.rpartition("kubepods")[2]
        for mark, kind in _GROUPS.items():
            if mark in own:
                return Known(kind, path.evidence)
        return Known("Guaranteed", path.evidence)
    return qos(score)
