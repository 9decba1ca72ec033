"""What confines the process: the standard's checks, ours, and the facts they rest on."""

from typing import Final

import msgspec

from devops_info_service.facts import parse
from devops_info_service.facts.container.exposure import Device, read_exposure
from devops_info_service.facts.container.host_network import shares_network
from devops_info_service.facts.container.process_view import View, look
from devops_info_service.facts.fact import Fact, Known, Unknown, derive, first
from devops_info_service.facts.kubernetes.claims import ServiceAccount, read_service_account
from devops_info_service.facts.linux.capabilities import Capabilities
from devops_info_service.facts.linux.setid_files import SetIdFiles, known, walk
from devops_info_service.facts.system_files import Clock, Tree

from .baseline import BASELINE, INVISIBLE, masks
from .checks import Check, Verdict, judge, worst
from .hardening import harden
from .restricted import RESTRICTED

SECCOMP_MODES: Final = {0: "disabled", 1: "strict", 2: "filter"}


class PodSecurity(msgspec.Struct, frozen=True):
    """The standard, summed up: one failure fails, else one unknown leaves it open."""

    baseline: Verdict
    restricted: Verdict
    """With all of the baseline, as the standard has it."""
    invisible: tuple[str, ...]
    """Checks left out of the two: nothing inside a container ever shows them."""


class Process(msgspec.Struct, frozen=True):
    """Who the process is and what it may become."""

    user_ids: Fact[tuple[int, ...]]
    """Real, effective, saved, file system."""
    group_ids: Fact[tuple[int, ...]]
    groups: Fact[tuple[int, ...]]
    no_new_privileges: Fact[bool]
    seccomp: Fact[str]
    """``disabled``, ``strict`` or ``filter``."""
    seccomp_filters: Fact[int]
    """Filters on top of each other; all must allow a call."""
    label: Fact[str]
    """Of AppArmor or SELinux."""
    security_modules: Fact[tuple[str, ...]]
    capabilities: Capabilities


class IdMap(msgspec.Struct, frozen=True):
    """One range of a user namespace."""

    inside: int
    outside: int
    length: int


class Namespaces(msgspec.Struct, frozen=True):
    """Kind -> whether it is the machine's own; and how ids are mapped."""

    shared: dict[str, Fact[bool]]
    uid_map: Fact[tuple[IdMap, ...]]
    gid_map: Fact[tuple[IdMap, ...]]


class Security(msgspec.Struct, frozen=True):
    """All of it."""

    pod_security: PodSecurity
    checks: tuple[Check, ...]
    process: Process
    namespaces: Namespaces
    read_only_root: Fact[bool]
    masked_paths: Fact[tuple[str, ...]]
    devices: Fact[tuple[Device, ...]]
    engine_sockets: Fact[tuple[str, ...]]
    writable: Fact[tuple[str, ...]]
    set_id_files: Fact[SetIdFiles]
    service_account: ServiceAccount


def read_security(tree: Tree, clock: Clock) -> Security:
    """Look and judge."""
    view = look(tree)
    exposure = read_exposure(tree, view.mounts)
    account = read_service_account(tree, clock)
    set_id = walk(tree, clock)
    baseline = judge(BASELINE, "baseline", view)
    restricted = judge(RESTRICTED, "restricted", view)
    return Security(
        pod_security=PodSecurity(
            baseline=_sum(baseline),
            restricted=_sum(baseline + restricted),
            invisible=tuple(sorted(INVISIBLE)),
        ),
        checks=baseline + restricted + harden(view, exposure, set_id, account),
        process=_process(view),
        namespaces=Namespaces(
            shared={
                kind: shares_network(view) if kind == "net" else view.shared_with_machine(kind)
                for kind in view.namespaces
            },
            uid_map=tree.read("/proc/self/uid_map").whole(id_map),
            gid_map=tree.read("/proc/self/gid_map").whole(id_map),
        ),
        read_only_root=_read_only_root(view),
        masked_paths=_masked_paths(view),
        devices=exposure.devices,
        engine_sockets=exposure.engine_sockets,
        writable=exposure.writable,
        set_id_files=known(set_id),
        service_account=account,
    )


def _sum(checks: tuple[Check, ...]) -> Verdict:
    return worst(tuple(check for check in checks if check.id not in INVISIBLE))


def _process(view: View) -> Process:
    status, tree = view.status, view.tree
    return Process(
        user_ids=status.field("Uid", ids, ":"),
        group_ids=status.field("Gid", ids, ":"),
        groups=status.field("Groups", ids, ":"),
        no_new_privileges=status.field("NoNewPrivs", parse.flag, ":"),
        seccomp=derive(
            status.field("Seccomp", parse.count, ":"),
            lambda mode: SECCOMP_MODES.get(mode, f"mode {mode}"),
        ),
        seccomp_filters=status.field("Seccomp_filters", parse.count, ":"),
        label=first(
            tree.read("/proc/self/attr/current").whole(parse.word),
            tree.read("/proc/self/attr/apparmor/current").whole(parse.word),
        ),
        security_modules=tree.read("/sys/kernel/security/lsm").whole(
            lambda text: tuple(parse.word(text).split(","))
        ),
        capabilities=view.capabilities,
    )


def ids(text: str) -> tuple[int, ...]:
    """Parse user or group ids."""
    return tuple(parse.count(word) for word in text.split())


def id_map(text: str) -> tuple[IdMap, ...]:
    """Parse the lines of ``uid_map``."""
    found = []
    for line in text.splitlines():
        inside, outside, length = (parse.count(word) for word in line.split())
        found.append(IdMap(inside, outside, length))
    return tuple(found)


def _read_only_root(view: View) -> Fact[bool]:
    if isinstance(view.mounts, Unknown):
        return view.mounts
    root = view.mounts.at("/")
    if root is None:
        return Unknown("no mount at / is listed")
    return Known(root.read_only, (root.evidence(),))


def _masked_paths(view: View) -> Fact[tuple[str, ...]]:
    if isinstance(view.mounts, Unknown):
        return view.mounts
    found = masks(view.mounts)
    return Known(tuple(mount.point for mount in found), tuple(mount.evidence() for mount in found))
