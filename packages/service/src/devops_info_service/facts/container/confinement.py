"""The confinement of the process: ids, seccomp, label, capabilities, namespaces, masks.

Source: proc_pid_status(5), user_namespaces(7).
"""

from typing import Final

import msgspec

from devops_info_service.facts import parse
from devops_info_service.facts.fact import Fact, Known, Unknown, derive
from devops_info_service.facts.lines import words
from devops_info_service.facts.linux.capabilities import Capabilities
from devops_info_service.facts.linux.mounts import Mount, Mounts

from .process_view import ProcessView
from .user_ids import IdMap, id_map

SECCOMP_MODES: Final = {0: "disabled", 1: "strict", 2: "filter"}
_IDS_PER_LINE: Final = 4
"""Real, effective, saved, file system."""
_MASKED: Final = (
    *("acpi", "asound", "interrupts", "kcore", "keys", "latency_stats", "sched_debug"),
    *("scsi", "timer_list", "timer_stats", "sysrq-trigger", "sys"),
)
"""In /proc; the OCI runtime's defaults."""


class Process(msgspec.Struct, frozen=True):
    """The ids of the process and the rights it has or may gain."""

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
    """Of AppArmor, SELinux or Smack."""
    security_modules: Fact[tuple[str, ...]]
    capabilities: Capabilities


class Namespaces(msgspec.Struct, frozen=True):
    """Kind -> whether it is the machine's own; and how ids are mapped."""

    shared: dict[str, Fact[bool]]
    uid_map: Fact[tuple[IdMap, ...]]
    gid_map: Fact[tuple[IdMap, ...]]


def process_of(view: ProcessView) -> Process:
    """Return the facts of *view*."""
    status = view.status
    return Process(
        user_ids=status.parse_field("Uid", four_ids, ":"),
        group_ids=status.parse_field("Gid", four_ids, ":"),
        groups=status.parse_field("Groups", ids, ":"),
        no_new_privileges=status.parse_field("NoNewPrivs", parse.flag, ":"),
        seccomp=derive(
            status.parse_field("Seccomp", parse.count, ":"),
            lambda mode: SECCOMP_MODES.get(mode, f"mode {mode}"),
        ),
        seccomp_filters=status.parse_field("Seccomp_filters", parse.count, ":"),
        label=view.labels.label,
        security_modules=view.security_modules,
        capabilities=view.capabilities,
    )


def namespaces_of(view: ProcessView) -> Namespaces:
    """Return the namespaces of *view*."""
    return Namespaces(view.shared, view.uid_map.parse(id_map), view.gid_map.parse(id_map))


def ids(text: str) -> tuple[int, ...]:
    """Parse user or group ids."""
    return tuple([parse.count(word) for word in words(text)])


def four_ids(text: str) -> tuple[int, ...]:
    """Parse the ids of a process: real, effective, saved, file system."""
    found = ids(text)
    if len(found) != _IDS_PER_LINE:
        raise ValueError(text)
    return found


def read_only_root(view: ProcessView) -> Fact[bool]:
    """Return whether the mount at / is read-only."""
    if isinstance(view.mounts, Unknown):
        return view.mounts
    root = view.mounts.at("/")
    if root is None:
        return Unknown("no mount at / is listed")
    return Known(root.read_only, (root.evidence(),))


def masked_paths(view: ProcessView) -> Fact[tuple[str, ...]]:
    """Return the hidden parts of /proc."""
    if isinstance(view.mounts, Unknown):
        return view.mounts
    found = masks(view.mounts)
    return Known(
        tuple([mount.point for mount in found]), tuple([mount.evidence() for mount in found])
    )


def masks(mounts: Mounts) -> tuple[Mount, ...]:
    """Return the mounts that hide parts of /proc."""
    points = {f"/proc/{name}" for name in _MASKED}
    return tuple([mount for mount in mounts.entries if mount.point in points])
