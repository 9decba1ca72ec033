"""Whether the label of AppArmor may be one of a name space inside another.

LXD and Incus make a name space for each of their containers, and so does LXC for Proxmox VE. An
engine in one of them, kubelet's too, shows in the mounts that it makes where it keeps its files and
the owner of each.
"""

from collections.abc import Sequence
from typing import Final

from devops_info_service.facts import parse
from devops_info_service.facts.fact import Known, value_of
from devops_info_service.facts.linux.mounts import Mount
from devops_info_service.facts.linux.provenance import is_lxcfs

from .checks import Observed

FIRST_SHIFTED: Final = 65536
"""Uids from here on belong to user namespaces (login.defs, SUB_UID_MIN); users are below. A pod's
own user namespace begins at a multiple of it (pkg/kubelet/userns), LXC's and LXD's at 100000 and
1000000."""
_ENGINES: Final = frozenset({"docker", "storage", "containerd", "nerdctl", "buildkit"})


def may_be_inner(view: Observed) -> bool:
    """Whether this is a container of LXC, or an engine's mounts show that it runs in one."""
    mounts = [mount for mount, maker in view.volumes.engine_mounts if maker in _ENGINES]
    first = value_of(view.uid_map.parse_word(1, "id", parse.count), 0)
    return (
        (not mounts and _is_lxc(view))
        or any("/rootfs/" in mount.root or "-disk-" in mount.origin for mount in mounts)
        or _has_another_owner(mounts, first)
        or (bool(mounts) and _is_shifted_by_lxd(view, mounts, first))
    )


def _is_lxc(view: Observed) -> bool:
    engine = view.engine
    if isinstance(engine, Known):
        # Any user may set the variable.
        return engine.value.name == "lxc" and engine.evidence[0].file != "environment"
    # LXD leaves nothing but the views of lxcfs, which pods may have as well.
    return not view.pod and any(is_lxcfs(mount) for mount, _ in view.volumes.entries)


def _has_another_owner(mounts: Sequence[Mount], first: int) -> bool:
    """Whether files in memory are owned by another uid than *first*, the map's.

    They show their owner as the machine has it (shmem_show_options in mm/shmem.c), the map as the
    namespace around: where both differ, one namespace is inside another.
    """
    options = (option for mount in mounts for option in mount.super_options)
    owner = next((option[4:] for option in options if option.startswith("uid=")), "")
    try:
        number = parse.count(owner)
    except ValueError:
        return False
    return number >= FIRST_SHIFTED and number != first


def _is_shifted_by_lxd(view: Observed, mounts: Sequence[Mount], first: int) -> bool:
    """Whether the map is LXD's, and neither the engine's own nor the pod's.

    An engine without root begins with a user; Docker's directory names the uid that it begins
    with (userns-remap).
    """
    return (
        first >= FIRST_SHIFTED
        and not (view.pod and first % FIRST_SHIFTED == 0)
        and not any(f"/{first}." in mount.root for mount in mounts)
    )
