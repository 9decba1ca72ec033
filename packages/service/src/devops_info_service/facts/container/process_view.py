"""What the security checks look at, read once for all of them."""

from typing import Final

import msgspec

from devops_info_service.facts.fact import Evidence, Fact, File, Known, Unknown, value_of
from devops_info_service.facts.linux.capabilities import Capabilities, read_capabilities
from devops_info_service.facts.linux.mounts import Mounts, read_mounts
from devops_info_service.facts.linux.sandbox import Guess, is_gvisor, read_sandbox
from devops_info_service.facts.system_files import Tree

from .engine import in_pod, read_engine

STATUS: Final = "/proc/self/status"
FIRST_NAMESPACES: Final = {
    "cgroup": 4026531835,
    "ipc": 4026531839,
    "net": 4026531833,
    "pid": 4026531836,
    "user": 4026531837,
    "uts": 4026531838,
}
"""Numbers of the machine's own namespaces, fixed in include/uapi/linux/nsfs.h; ``net`` only
from Linux 6.18 on."""


class View(msgspec.Struct, frozen=True):
    """One look at the process."""

    tree: Tree
    status: File
    mounts: Mounts | Unknown
    namespaces: dict[str, Fact[str]]
    """Kind -> such as ``pid:[4026531836]``."""
    capabilities: Capabilities
    sandbox: Fact[Guess]
    engine: Fact[Guess]
    pod: bool
    """Whether kubelet prepared this container."""

    def shared_with_machine(self, kind: str) -> Fact[bool]:
        """Say whether a namespace is the machine's own."""
        fact = self.namespaces[kind]
        if isinstance(fact, Unknown):
            return fact
        return Known(fact.value == f"{kind}:[{FIRST_NAMESPACES[kind]}]", fact.evidence)

    @property
    def user_namespace(self) -> bool:
        """Whether root here is somebody else on the machine."""
        return value_of(self.shared_with_machine("user"), default=True) is False

    @property
    def gvisor(self) -> bool:
        """Whether the files here are made by gVisor, not by Linux."""
        return is_gvisor(self.sandbox)


def look(tree: Tree) -> View:
    """Read it."""
    status = tree.read(STATUS)
    mounts = read_mounts(tree)
    return View(
        tree=tree,
        status=status,
        mounts=mounts,
        namespaces={kind: _namespace(tree, kind) for kind in FIRST_NAMESPACES},
        capabilities=read_capabilities(status),
        sandbox=read_sandbox(tree, mounts),
        engine=read_engine(tree, mounts),
        pod=in_pod(tree, mounts),
    )


def _namespace(tree: Tree, kind: str) -> Fact[str]:
    path = f"/proc/self/ns/{kind}"
    target = tree.link(path)
    if isinstance(target, Unknown):
        return target
    if not (target.startswith(f"{kind}:[") and target.endswith("]")):
        return Unknown(f"{path} is {target[:40]!r}, which is no namespace")
    return Known(target, (Evidence(path, "", target),))
