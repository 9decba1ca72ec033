"""Checks of the label that AppArmor or SELinux has put on the process."""

from collections.abc import Iterator
from typing import Final

from devops_info_service.facts import parse
from devops_info_service.facts.container.user_ids import is_nested, is_owned
from devops_info_service.facts.fact import Unknown, evidence_of, value_of
from devops_info_service.facts.linux.sandbox import SANDBOXED

from .checks import Observed, Outcome, failed, passed, unknown

SELINUX_TYPES: Final = frozenset({
    "container_t",
    "container_init_t",
    "container_kvm_t",
    "container_engine_t",
})  # fmt: skip
_RUNTIMES: Final = ("/dev", "/dev/shm")  # noqa: S108 (mount points)
_PROXMOX: Final = ("vm--", "--disk--"), ("/subvol-", "-disk-")
"""In the names of a container's disk that Proxmox VE makes: LVM's and ZFS'."""


def app_armor(view: Observed) -> Outcome:
    """Check the AppArmor profile."""
    return next(_app_armor(view))


def _app_armor(view: Observed) -> Iterator[Outcome]:
    if view.gvisor:
        yield unknown(SANDBOXED, *evidence_of(view.sandbox))
    labels = view.labels
    if labels.apparmor_off:
        yield passed(
            "AppArmor is not active on this machine, so no profile was taken away.",
            *labels.apparmor_off,
        )
    label = labels.apparmor
    inner = value_of(labels.is_namespaced, default=_may_be_in_lxd(view))
    if isinstance(label, Unknown):
        yield unknown(f"no profile and no sign that AppArmor is off: {label.reason}")
        return
    match label.value.enforcement:
        case "enforces":
            yield passed(f"AppArmor confines the process: {label.value.text}.", *label.evidence)
        case "does not enforce" if inner:
            yield unknown(
                f"{label.value.text} may be the label in an inner name space of AppArmor: what"
                " confines the process further out does not show",
                *label.evidence,
            )
        case "does not enforce":
            yield failed(f"AppArmor stops nothing: {label.value.text}.", *label.evidence)
        case _:
            yield unknown(
                f"the mode in {label.value.text} does not show whether a profile enforces",
                *label.evidence,
            )


def _may_be_in_lxd(view: Observed) -> bool:
    """Return whether LXD or LXC may be around: either makes a name space for its containers.

    Then all is below "rootfs", or on a disk that Proxmox VE made for a container, or the user
    namespace is LXD's or inside it. An engine's own is not: without root it begins with a user,
    below 65536, and Docker's directory names it (userns-remap).
    """
    made = [mount for mount, maker in view.volumes.engine_mounts if maker in {"docker", "storage"}]
    roots = "".join([mount.root for mount in made])
    owner = value_of(view.uid_map.parse_word(1, "id", parse.count), 0)
    is_lxds = roots and owner >= 65536 and not view.pod and f"/{owner}." not in roots  # noqa: PLR2004
    owned = [each for each in made if is_owned(each)]
    if not owned and not isinstance(view.mounts, Unknown):
        owned = [each for each in map(view.mounts.at, _RUNTIMES) if each and is_owned(each)]
    return (
        "/rootfs/" in roots
        or bool(is_lxds)
        or any(
            first in each.origin and last in each.origin
            for each in made
            for first, last in _PROXMOX
        )
        or is_nested(view.uid_map, owned)
    )


def selinux(view: Observed) -> Outcome:
    """Check the SELinux type."""
    if view.gvisor:
        return unknown(SANDBOXED, *evidence_of(view.sandbox))
    labels = view.labels
    context = labels.selinux
    if labels.selinux_off:
        return passed(
            "SELinux is not active on this machine, so no type could be chosen.",
            *labels.selinux_off,
        )
    if isinstance(context, Unknown):
        return unknown(f"no context and no sign that SELinux is off: {context.reason}")
    # The last is that of old releases and of Flatcar, which give it unasked.
    if context.value.type in SELINUX_TYPES | {"svirt_lxc_net_t"}:
        return passed(f"The type {context.value.type} is one for containers.", *context.evidence)
    return failed(f"The type {context.value.type} is not one for containers.", *context.evidence)
