"""The confinement of the process, read once for every fact and check that rests on it."""

from typing import Final

import msgspec

from devops_info_service.facts import parse
from devops_info_service.facts.fact import Fact, File, Unknown, value_of
from devops_info_service.facts.linux.capabilities import Capabilities, read_capabilities
from devops_info_service.facts.linux.cpu import STATUS
from devops_info_service.facts.linux.mounts import Mounts, read_mounts
from devops_info_service.facts.linux.namespaces import FIRST_NAMESPACES, is_first_namespace
from devops_info_service.facts.linux.sandbox import (
    GUEST,
    SANDBOXED,
    VERSION,
    Detection,
    is_gvisor,
    is_kata,
    read_sandbox,
)
from devops_info_service.facts.system_files import SystemFiles

from .engine import in_pod, read_engine
from .host_network import uses_host_network
from .labels import MODULES, Labels, read_labels
from .node_processes import find_node_process
from .placement import ON_MACHINE, read_placement
from .volumes import Volumes, read_volumes

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
    volumes: Volumes
    """The mounts, each with its origin."""
    shared: dict[str, Fact[bool]]
    """Kind of namespace -> whether it is the machine's own."""
    capabilities: Capabilities
    sandbox: Fact[Detection]
    engine: Fact[Detection]
    placement: Fact[Detection]
    """``container`` or ``machine``."""
    pod: bool
    """Whether kubelet prepared this container."""
    labels: Labels
    sysctls: tuple[Fact[str], ...]
    kernel: Fact[str]
    """Its name, such as ``Linux``."""
    uid_map: File
    gid_map: File
    security_modules: Fact[tuple[str, ...]]

    @property
    def gvisor(self) -> bool:
        """Whether the files here are made by gVisor, not by Linux."""
        return is_gvisor(self.sandbox)

    @property
    def kata(self) -> bool:
        """Whether the kernel is that of a guest made for this pod."""
        return is_kata(self.sandbox)

    @property
    def on_machine(self) -> bool:
        """Whether no container is around the process, by positive signs."""
        return value_of(self.placement, None) == ON_MACHINE


def read_process_view(tree: SystemFiles) -> ProcessView:
    """Read it once."""
    status = tree.read(STATUS)
    mounts = read_mounts(tree)
    sandbox = read_sandbox(tree, mounts)
    shared = _shared(tree, sandbox)
    volumes = read_volumes(tree, mounts, shared)
    engine = read_engine(tree, mounts, volumes, shared)
    return ProcessView(
        status=status,
        mounts=mounts,
        volumes=volumes,
        shared=shared,
        capabilities=read_capabilities(status),
        sandbox=sandbox,
        engine=engine,
        placement=read_placement(engine, sandbox, volumes),
        pod=in_pod(tree, volumes),
        labels=read_labels(tree),
        sysctls=tuple([tree.read(f"/proc/sys/{name}").parse(parse.word) for name in _SYSCTLS]),
        kernel=tree.read(VERSION).parse_word(0, "name", parse.word),
        uid_map=tree.read("/proc/self/uid_map"),
        gid_map=tree.read("/proc/self/gid_map"),
        security_modules=tree.read(MODULES).parse(lambda text: tuple(parse.word(text).split(","))),
    )


def _shared(tree: SystemFiles, sandbox: Fact[Detection]) -> dict[str, Fact[bool]]:
    if is_gvisor(sandbox):
        # Its numbers are its own.
        return dict.fromkeys(FIRST_NAMESPACES, SANDBOXED)
    shared = {kind: is_first_namespace(tree, kind) for kind in FIRST_NAMESPACES}
    node = None
    if value_of(shared["pid"], default=True) is False and (node := find_node_process(tree)):
        shared["pid"] = Unknown(
            f"{node.file} is {node.value}: the PID namespace is that of a node in a container, or"
            " an engine runs in this one"
        )
    shared["net"] = uses_host_network(tree, shared["net"], is_node=node is not None)
    if is_kata(sandbox):
        # Containers of one pod share them with its guest, and nothing with the machine.
        return {
            kind: GUEST if value_of(fact, default=False) else fact for kind, fact in shared.items()
        }
    return shared
