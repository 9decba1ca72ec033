"""Namespaces, and the machine's own among them."""

from typing import Final

from devops_info_service.facts.fact import Evidence, Fact, Known, Unknown
from devops_info_service.facts.system_files import SystemFiles

FIRST_NAMESPACES: Final = {
    "cgroup": 4026531835,
    "ipc": 4026531839,
    "net": 4026531833,
    "pid": 4026531836,
    "user": 4026531837,
    "uts": 4026531838,
}
"""Inode numbers of the machine's own, fixed in include/uapi/linux/nsfs.h; ``net`` only from Linux
6.18 on."""


def is_first_namespace(tree: SystemFiles, kind: str) -> Fact[bool]:
    """Return whether this process is in the machine's own namespace of a *kind*."""
    path = f"/proc/self/ns/{kind}"
    target = tree.link(path)
    if isinstance(target, Unknown):
        return target
    if not (target.startswith(f"{kind}:[") and target.endswith("]")):
        return Unknown(f"{path} is {target[:40]!r}, which is not a namespace")
    first = f"{kind}:[{FIRST_NAMESPACES[kind]}]"
    return Known(target == first, (Evidence(path, "", target),))
