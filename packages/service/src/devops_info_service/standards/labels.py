"""Checks of the label that AppArmor or SELinux has put on the process."""

from collections.abc import Iterator
from typing import Final

from devops_info_service.facts import parse
from devops_info_service.facts.fact import Unknown, evidence_of, value_of
from devops_info_service.facts.linux.sandbox import SANDBOXED

from .checks import Observed, Outcome, failed, passed, unknown

SELINUX_TYPES: Final = frozenset({
    "container_t",
    "container_init_t",
    "container_kvm_t",
    "container_engine_t",
})  # fmt: skip
_OLD_TYPE: Final = "svirt_lxc_net_t"
"""For containers, before container_t: policies of old releases and of Flatcar give it unasked."""
_USERS: Final = 2**16
"""Ids of users are below, and those that are mapped are above."""


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
    if isinstance(label, Unknown):
        yield unknown(f"no profile and no sign that AppArmor is off: {label.reason}")
        return
    match label.value.enforcement:
        case "enforces":
            yield passed(f"AppArmor confines the process: {label.value.text}.", *label.evidence)
        case "does not enforce" if _may_be_inner(view):
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


def _may_be_inner(view: Observed) -> bool:
    # In LXD all is below "rootfs", or the user namespace is LXD's. An engine's own is not: without
    # root it begins with a user, and Docker's directory names it (userns-remap).
    made = view.volumes.engine_mounts
    roots = "".join([mount.root for mount, maker in made if maker in {"docker", "storage"}])
    owner = value_of(view.uid_map.parse_word(1, "id", parse.count), 0)
    is_lxds = roots and owner >= _USERS and not view.pod and f"/{owner}." not in roots
    return value_of(view.labels.is_namespaced, default="/rootfs/" in roots or bool(is_lxds))


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
    if context.value.type in {*SELINUX_TYPES, _OLD_TYPE}:
        return passed(f"The type {context.value.type} is one for containers.", *context.evidence)
    return failed(f"The type {context.value.type} is not one for containers.", *context.evidence)
