"""Checks of the label that AppArmor or SELinux has put on the process."""

from collections.abc import Iterator
from typing import Final

from devops_info_service.facts.fact import Unknown, evidence_of, value_of
from devops_info_service.facts.linux.sandbox import SANDBOXED

from .checks import Observed, Outcome, failed, passed, unknown
from .inner_name_space import may_be_inner

SELINUX_TYPES: Final = frozenset({
    "container_t",
    "container_init_t",
    "container_kvm_t",
    "container_engine_t",
})  # fmt: skip
"""Those that a pod may request."""
GIVEN_TYPES: Final = frozenset({"svirt_lxc_net_t", "pod_t"})
"""Given unasked: by old releases and Flatcar, and by Talos to every pod."""


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
    inner = value_of(labels.is_namespaced, default=may_be_inner(view))
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
    if context.value.type in SELINUX_TYPES | GIVEN_TYPES:
        return passed(f"The type {context.value.type} is one for containers.", *context.evidence)
    return failed(f"The type {context.value.type} is not one for containers.", *context.evidence)
