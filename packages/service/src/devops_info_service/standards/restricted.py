"""The checks that the restricted profile of the Pod Security Standards adds to the baseline.

Source: k8s.io/pod-security-admission/policy; ids and versions are its own.
"""

from typing import Final

from devops_info_service.facts import parse
from devops_info_service.facts.container.confinement import four_ids
from devops_info_service.facts.container.volumes import classify
from devops_info_service.facts.fact import Known, Unknown, evidence_of
from devops_info_service.facts.linux.capabilities import exceeding
from devops_info_service.facts.linux.sandbox import SANDBOXED

from .baseline import host_path_volumes, seccomp
from .checks import Check, Observed, Outcome, failed, passed, unknown

ALLOWED: Final = frozenset({"NET_BIND_SERVICE"})
PLUGINS: Final = frozenset({
    "configmap",
    "csi",
    "downward-api",
    "empty-dir",
    "local-volume",
    "projected",
    "secret",
    "",  # a path inside a volume: kubelet does not name the plugin there
})  # fmt: skip


def no_escalation(view: Observed) -> Outcome:
    """Check ``allowPrivilegeEscalation``."""
    fact = view.status.parse_field("NoNewPrivs", parse.flag, ":")
    if isinstance(fact, Unknown):
        return unknown(SANDBOXED if view.gvisor else fact)
    if fact.value:
        return passed("No program started here can gain rights, set-uid or not.", *fact.evidence)
    return failed("A set-uid program can gain rights this process does not have.", *fact.evidence)


def capabilities(view: Observed) -> Outcome:
    """Check all five sets: everything dropped, at most NET_BIND_SERVICE added."""
    sets = [exceeding(fact, ALLOWED) for fact in view.capabilities.sets()]
    extra = [fact for fact in sets if isinstance(fact, Known) and fact.value]
    if extra:
        names = sorted({each for fact in extra for each in fact.value})
        return failed(f"Not dropped: {', '.join(names)}.", *evidence_of(*extra))
    bounding = sets[3]
    if isinstance(bounding, Unknown):
        return unknown(bounding)
    return passed("Everything is dropped, NET_BIND_SERVICE apart.", *evidence_of(*sets))


def volumes(view: Observed) -> Outcome:
    """Check the kinds of volumes."""
    if isinstance(view.mounts, Unknown):
        return unknown(view.mounts)
    host = host_path_volumes(view)
    if host.verdict == "fail":
        return host
    unclear = []
    for mount in view.mounts.entries:
        volume = classify(mount, view.mounts)
        strange = volume.origin == "kubelet" and volume.plugin not in PLUGINS
        if strange or volume.origin in {"network", "other"}:
            unclear.append(mount)
    if unclear:
        return unknown(
            f"{unclear[0].point} may be a persistent volume, which is allowed, or be named in"
            " the pod itself, which is not",
            *(mount.evidence() for mount in unclear[:10]),
        )
    if (unread := view.mounts.unread_lines) is not None:
        return unknown(unread)
    return passed("Every volume seen is of a kind a restricted pod may have.")


def not_root(view: Observed) -> Outcome:
    """Check the user ids in effect."""
    uids = view.status.parse_field("Uid", four_ids, ":")
    if isinstance(uids, Unknown):
        return unknown(uids)
    if 0 not in uids.value:
        return passed(f"The process runs as {uids.value[1]}, not as root.", *uids.evidence)
    if view.user_namespace:
        return passed(
            "Root here is another user on the host: in its own user namespace a pod"
            " may run as root.",
            *uids.evidence,
            *evidence_of(view.shared["user"]),
        )
    return failed("The process runs as root.", *uids.evidence)


RESTRICTED: Final = (
    Check("allowPrivilegeEscalation", "restricted", "1.8", no_escalation),
    Check("capabilities_restricted", "restricted", "1.22", capabilities),
    Check("restrictedVolumes", "restricted", "1.0", volumes),
    Check("runAsNonRoot", "restricted", "1.0", not_root),
    Check("runAsUser", "restricted", "1.23", not_root),
    Check("seccompProfile_restricted", "restricted", "1.19", seccomp),
)
