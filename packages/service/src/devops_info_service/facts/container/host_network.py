"""Whether the network is the host's: by every sign there is, and unknown where two contradict.

Kubelet writes it into the file of hosts. The first network namespace of the machine has a known
number (Linux 6.18) and files in /proc/sys/net/core that no other has (``net_core_table`` in
net/core/sysctl_net_core.c is registered for the first one alone). But a node may itself be
a container, whose network is not the machine's first.
"""

from typing import Final

from devops_info_service.facts.fact import Evidence, Fact, Known, Unknown, truncate
from devops_info_service.facts.linux.interfaces import CLASS, class_names
from devops_info_service.facts.linux.variables import variable
from devops_info_service.facts.system_files import SystemFiles
from devops_info_service.http.wire.cidr import packed_address

from .volumes import HOSTS_MARK

HOSTS: Final = "/etc/hosts"
MAX_INTERFACES: Final = 256
"""Read: a node has a few for each of at most 250 pods or so."""
_BRIDGES: Final = (
    *("antrea-", "cali", "cilium_", "cni", "docker0", "flannel", "kube-", "nodelocaldns"),
    *("lxc", "veth", "weave"),
)
"""Names on a node's side of the pods' network, and beside an engine inside a container."""
_EVERYONES: Final = frozenset(map(packed_address, ("127.0.0.1", "::1", "0.0.0.0", "::")))  # noqa: S104
"""Addresses in every network: of a Compose file, for one, that has the variables of a pod."""
_NUMBERED_FROM: Final = (6, 18)
_CORE: Final = "/proc/sys/net/core"
_FIRST_ONLY: Final = "netdev_max_backlog"
_OF_ALL: Final = "somaxconn"


def uses_host_network(
    tree: SystemFiles, numbered: Fact[bool], *, is_node: bool = False
) -> Fact[bool]:
    """Return whether the network namespace is the machine's, or that of a node in a container.

    *numbered* is whether it has the number of the first one. *is_node* is whether processes of a
    node are seen here: then it may be the node's though it is not the machine's first.
    """
    hosts: list[Evidence] = []
    own: list[Evidence] = []
    for sign in (_kubelets_mark(tree), _addresses(tree)):
        if isinstance(sign, Known):
            (hosts if sign.value else own).extend(sign.evidence)
    first = _first(tree, numbered)
    if isinstance(first, Known) and first.value:
        hosts.extend(first.evidence)
    elif isinstance(first, Known) and hosts and hosts[-1].field == "NODE_IP" and not is_node:
        # Software of a cluster may call each pod a node.
        own.extend(first.evidence)
    if not own and not hosts and (cable := _cable(tree)):
        own.append(cable)
    if hosts and own:
        return Unknown(
            f"signs contradict each other: {_named(hosts[0])} is of the host's network,"
            f" {_named(own[0])} of another"
        )
    if hosts or own:
        agrees = first.evidence if isinstance(first, Known) and not first.value and own else ()
        return Known(value=bool(hosts), evidence=(*hosts, *own, *agrees))
    if isinstance(first, Known) and not is_node:
        return first
    if is_node:
        return Unknown("a node's processes are seen here, so the network may be the node's")
    return Unknown(_undecided(tree))


def _kubelets_mark(tree: SystemFiles) -> Fact[bool] | None:
    file = tree.read(HOSTS)
    line = file.text.partition("\n")[0]
    if not line.startswith(HOSTS_MARK):
        return None
    return Known(value="(host network)" in line, evidence=(file.evidence("", line),))


def _addresses(tree: SystemFiles) -> Fact[bool] | None:
    # Names of variables by custom: the manifest may call them anything.
    environ = tree.environ()
    pod = variable(environ, "POD_IP")
    host = variable(environ, "HOST_IP") or variable(environ, "NODE_IP")
    if not isinstance(pod, Known) or not isinstance(host, Known):
        return None
    address = packed_address(pod.value)
    if address in _EVERYONES:
        return None
    same = address == packed_address(host.value)
    return Known(value=same, evidence=pod.evidence + host.evidence)


def _first(tree: SystemFiles, numbered: Fact[bool]) -> Fact[bool]:
    """Return whether this is the machine's first network namespace."""
    if isinstance(numbered, Known) and numbered.value:
        return numbered
    release = tree.read("/proc/sys/kernel/osrelease")
    if isinstance(numbered, Known) and _version(release.text) >= _NUMBERED_FROM:
        seen = release.evidence("", release.text.rstrip("\n"))
        return Known(value=False, evidence=(*numbered.evidence, seen))
    names = tree.names(_CORE)
    if isinstance(names, Unknown):
        return names
    if _FIRST_ONLY in names:
        return Known(value=True, evidence=(Evidence(f"{_CORE}/{_FIRST_ONLY}", "", "is there"),))
    # Of a whole directory: one file of it alone proves no absence.
    if _OF_ALL in names and len(names) > 1:
        return Known(value=False, evidence=(Evidence(_CORE, "", f"has no {_FIRST_ONLY}"),))
    return Unknown(f"{_CORE} does not show whose network it is")


def _version(release: str) -> tuple[int, int]:
    major, _, rest = release.partition(".")
    minor = rest.partition(".")[0].partition("-")[0]
    digits = all(part.isascii() and part.isdigit() and len(part) < 6 for part in (major, minor))  # noqa: PLR2004
    return (int(major), int(minor)) if digits else (0, 0)


def _cable(tree: SystemFiles) -> Evidence | None:
    """Return a cable whose other end is nowhere here, where there are no others."""
    names = class_names(tree)
    if isinstance(names, Unknown) or len(names) > MAX_INTERFACES:
        return None
    indexes = {name: tree.read(f"{CLASS}/{name}/ifindex").text.rstrip("\n") for name in names}
    peers = {name: tree.read(f"{CLASS}/{name}/iflink").text.rstrip("\n") for name in names}
    # "0": a tunnel's template, made in every namespace.
    linked = [name for name in names if name != "lo" and peers[name] not in {"", "0"}]
    away = [name for name in linked if peers[name] not in indexes.values()]
    if not linked or linked != away or away[0].startswith(_BRIDGES):
        return None
    return Evidence(f"{CLASS}/{away[0]}/iflink", "", peers[away[0]])


def _undecided(tree: SystemFiles) -> str:
    names = class_names(tree)
    if isinstance(names, Unknown):
        return names.reason
    bridge = next((name for name in names if name.startswith(_BRIDGES)), None)
    if bridge:
        return f"{CLASS}/{bridge} is the host's, or of an engine inside the container"
    return f"{CLASS}: nothing distinguishes this network from the host's"


def _named(seen: Evidence) -> str:
    return truncate(f"{seen.file} {seen.field or seen.value}", 80)
