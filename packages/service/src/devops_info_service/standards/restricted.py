"""The checks that the restricted profile of the Pod Security Standards adds to the baseline.

Source: k8s.io/pod-security-admission/policy; ids and versions are its own.
"""

from collections.abc import Iterator
from typing import Final

from devops_info_service.facts import parse
from devops_info_service.facts.container.confinement import four_ids
from devops_info_service.facts.container.user_ids import is_root_outside
from devops_info_service.facts.fact import Known, Unknown, evidence_of, value_of
from devops_info_service.facts.linux.capabilities import exceeding
from devops_info_service.facts.linux.sandbox import SANDBOXED

from .baseline import seccomp
from .checks import Check, Observed, Outcome, failed, passed, unknown
from .mounts import proc_mount_restricted, volumes

ALLOWED: Final = frozenset({"NET_BIND_SERVICE"})


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


def not_root(view: Observed) -> Outcome:
    """Check the user ids in effect, as they are outside the user namespace."""
    return next(_not_root(view))


def _not_root(view: Observed) -> Iterator[Outcome]:
    uids = view.status.parse_field("Uid", four_ids, ":")
    if isinstance(uids, Unknown):
        yield unknown(uids)
        return
    own = passed(f"The process runs as {uids.value[1]}, not as root.", *uids.evidence)
    # gVisor's own kernel has the id that was requested.
    if view.gvisor and 0 in uids.value:
        yield failed("The process runs as root.", *uids.evidence)
    if view.gvisor:
        yield own
    outside = [is_root_outside(view.shared["user"], view.uid_map, user) for user in set(uids.value)]
    if any(value_of(fact, default=False) for fact in outside):
        yield failed("The process runs as root.", *uids.evidence)
    if 0 not in uids.value and isinstance(view.shared["user"], Unknown):
        yield own
    for fact in outside:
        if isinstance(fact, Unknown):
            yield unknown(fact, *uids.evidence)
    if 0 not in uids.value:
        yield own
    yield passed(
        "Root here is another user on the host: in its own user namespace a pod may run as root.",
        *uids.evidence,
        *evidence_of(*outside),
    )


RESTRICTED: Final = (
    Check("allowPrivilegeEscalation", "restricted", "1.8", no_escalation),
    Check("capabilities_restricted", "restricted", "1.22", capabilities),
    Check("procMount_restricted", "restricted", "1.35", proc_mount_restricted),
    Check("restrictedVolumes", "restricted", "1.0", volumes),
    Check("runAsNonRoot", "restricted", "1.0", not_root),
    Check("runAsUser", "restricted", "1.23", not_root),
    Check("seccompProfile_restricted", "restricted", "1.19", seccomp),
)
