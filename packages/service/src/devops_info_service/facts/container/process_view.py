"""The confinement of the process, read once for every fact and check that rests on it."""

from typing import Final

import msgspec

from devops_info_service.facts import parse
from devops_info_service.facts.fact import Fact, File, Unknown, value_of
from devops_info_service.facts.linux.capabilities import Capabilities, read_capabilities
from devops_info_service.facts.linux.cpu import STATUS
from devops_info_service.facts.linux.mounts import Mounts, read_mounts
from devops_info_service.facts.linux.namespaces import FIRST_NAMESPACES, is_first_namespace
from devops_info_service.facts.linux.sandbox import Detection, is_gvisor, read_sandbox
from devops_info_service.facts.system_files import SystemFiles

from .engine import in_pod, read_engine
from .host_network import uses_host_network

LABEL: Final = "/proc/self/attr/current"
APPARMOR_LABEL: Final = "/proc/self/attr/apparmor/current"
_SYSCTLS: Final = (
    "kernel/shm_rmid_forced",
    "net/core/somaxconn",
    "net/ipv4/ip_local_port_range",
    "net/ipv4/ip_unprivileged_port_start",
    "net/ipv4/tcp_syncookies",
)
"""Those that a pod of the baseline may set."""


class ProcessView(msgspec.Struct, frozen=True):
    """One reading of the process."""

    status: File
    mounts: Mounts | Unknown
    shared: dict[str, Fact[bool]]
    """Kind of namespace -> whether it is the machine's own."""
    capabilities: Capabilities
    sandbox: Fact[Detection]
    engine: Fact[Detection]
    pod: bool
    """Whether kubelet prepared this container."""
    label: Fact[str]
    """Of AppArmor or SELinux, whichever of them comes first in the kernel's list."""
    apparmor_label: Fact[str]
    apparmor_enabled: bool
    sysctls: tuple[Fact[str], ...]
    kernel: Fact[str]
    """Its name, such as ``Linux``."""
    uid_map: File
    gid_map: File
    security_modules: Fact[tuple[str, ...]]

    @property
    def user_namespace(self) -> bool:
        """Whether root here is another user on the machine."""
        return value_of(self.shared["user"], default=True) is False

    @property
    def gvisor(self) -> bool:
        """Whether the files here are made by gVisor, not by Linux."""
        return is_gvisor(self.sandbox)


def read_process_view(tree: SystemFiles) -> ProcessView:
    """Read it once."""
    status = tree.read(STATUS)
    mounts = read_mounts(tree)
    shared = {kind: is_first_namespace(tree, kind) for kind in FIRST_NAMESPACES}
    shared["net"] = uses_host_network(tree, shared["net"])
    apparmor = tree.read("/sys/module/apparmor/parameters/enabled")
    return ProcessView(
        status=status,
        mounts=mounts,
        shared=shared,
        capabilities=read_capabilities(status),
        sandbox=read_sandbox(tree, mounts),
        engine=read_engine(tree, mounts),
        pod=in_pod(tree, mounts),
        label=tree.read(LABEL).parse(parse.word),
        apparmor_label=tree.read(APPARMOR_LABEL).parse(parse.word),
        apparmor_enabled=apparmor.text.rstrip("\n") == "Y",
        sysctls=tuple(tree.read(f"/proc/sys/{name}").parse(parse.word) for name in _SYSCTLS),
        kernel=tree.read("/proc/sys/kernel/ostype").parse(parse.word),
        uid_map=tree.read("/proc/self/uid_map"),
        gid_map=tree.read("/proc/self/gid_map"),
        security_modules=tree.read("/sys/kernel/security/lsm").parse(
            lambda text: tuple(parse.word(text).split(","))
        ),
    )
