"""Whether the network is the host's: the one namespace that older kernels do not number.

Linux fixes the number of the first network namespace from 6.18 on. Before that only the
interfaces show it, and they can mislead: an undecided case stays unknown.
"""

from typing import Final

from devops_info_service.facts.fact import Evidence, Fact, Known, Unknown
from devops_info_service.facts.linux.interfaces import CLASS, class_names
from devops_info_service.facts.linux.variables import variable
from devops_info_service.facts.system_files import SystemFiles
from devops_info_service.http.wire.cidr import packed_address

MAX_INTERFACES: Final = 256
"""Read: a node has a few for each of at most 250 pods or so."""
_BRIDGES: Final = (
    *("antrea-", "cali", "cilium_", "cni", "docker0", "flannel", "kube-", "nodelocaldns"),
    *("lxc", "veth", "weave"),
)
"""Names on a node's side of the pods' network."""
_NUMBERED_FROM: Final = (6, 18)


def uses_host_network(tree: SystemFiles, numbered: Fact[bool]) -> Fact[bool]:
    """Return whether the network namespace is the machine's.

    *numbered* is whether it has the number of the first one.
    """
    if isinstance(numbered, Unknown) or numbered.value:
        return numbered
    release = tree.read("/proc/sys/kernel/osrelease")
    if _version(release.text) >= _NUMBERED_FROM:
        return Known(
            value=False,
            evidence=(*numbered.evidence, release.evidence("", release.text.rstrip("\n"))),
        )
    return _by_addresses(tree) or _by_interfaces(tree)


def _version(release: str) -> tuple[int, int]:
    major, _, rest = release.partition(".")
    minor = rest.partition(".")[0].partition("-")[0]
    digits = all(part.isascii() and part.isdigit() and len(part) < 6 for part in (major, minor))  # noqa: PLR2004
    return (int(major), int(minor)) if digits else (0, 0)


def _by_addresses(tree: SystemFiles) -> Fact[bool] | None:
    # Names of variables by custom: the manifest may call them anything.
    environ = tree.environ()
    pod = variable(environ, "POD_IP")
    host = variable(environ, "HOST_IP") or variable(environ, "NODE_IP")
    if not isinstance(pod, Known) or not isinstance(host, Known):
        return None
    same = packed_address(pod.value) == packed_address(host.value)
    return Known(value=same, evidence=pod.evidence + host.evidence)


def _by_interfaces(tree: SystemFiles) -> Fact[bool]:
    names = class_names(tree)
    if isinstance(names, Unknown):
        return names
    if len(names) > MAX_INTERFACES:
        return Unknown(f"{CLASS} has more than {MAX_INTERFACES} interfaces")
    for name in names:
        if name.startswith(_BRIDGES):
            return Known(value=True, evidence=(Evidence(CLASS, "", name),))
    return _by_peers(tree, names)


def _by_peers(tree: SystemFiles, names: tuple[str, ...]) -> Fact[bool]:
    """A cable whose other end is nowhere here leads to another namespace."""
    indexes = {name: tree.read(f"{CLASS}/{name}/ifindex").text.rstrip("\n") for name in names}
    peers = {name: tree.read(f"{CLASS}/{name}/iflink").text.rstrip("\n") for name in names}
    # "0": a tunnel's template, made in every namespace.
    linked = [name for name in names if name != "lo" and peers[name] not in {"", "0"}]
    away = [name for name in linked if peers[name] not in indexes.values()]
    if linked and linked == away:
        name = away[0]
        return Known(value=False, evidence=(Evidence(f"{CLASS}/{name}/iflink", "", peers[name]),))
    return Unknown(f"{CLASS}: nothing distinguishes this network from the host's")
