"""The baseline profile of the Pod Security Standards, checked by its effects.

The standard forbids requests; inside a container only their effects show. A check fails if the
process has the effect of a forbidden request, and is unknown if neither the request nor its effect
shows.

Source: k8s.io/pod-security-admission/policy; ids and versions are its own.
"""

from typing import Final

from devops_info_service.facts import parse
from devops_info_service.facts.container.confinement import masks
from devops_info_service.facts.container.user_ids import is_root_outside
from devops_info_service.facts.fact import Unknown, evidence_of, value_of
from devops_info_service.facts.linux.capabilities import NAMES, exceeding
from devops_info_service.facts.linux.sandbox import NONE, SANDBOXED

from .checks import Check, Observed, Outcome, failed, passed, unknown
from .labels import app_armor, selinux
from .mounts import host_path_volumes, proc_mount

ALLOWED: Final = frozenset(
    "AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE SETFCAP SETGID"  # noqa: SIM905
    " SETPCAP SETUID SYS_CHROOT".split()
)
"""Capabilities a pod may add."""
RUNTIMES_OWN: Final = ALLOWED | {"NET_RAW"}
"""What Docker and containerd give unasked (moby, oci/caps/defaults.go; containerd,
pkg/oci/spec.go): these fourteen."""


_GIVE_NET_RAW: Final = frozenset({"docker", "containerd"})


def host_namespaces(view: Observed) -> Outcome:
    """Check hostPID, hostIPC and hostNetwork."""
    if view.gvisor:
        return unknown(SANDBOXED, *evidence_of(view.sandbox))
    facts = {"PID": view.shared["pid"], "IPC": view.shared["ipc"], "network": view.shared["net"]}
    shared = {kind: fact for kind, fact in facts.items() if value_of(fact, default=False)}
    if shared:
        return failed(
            f"Shared with the host: {', '.join(shared)}; other workloads can be seen or reached.",
            *evidence_of(*shared.values()),
        )
    for fact in facts.values():
        if isinstance(fact, Unknown):
            return unknown(fact, *evidence_of(*facts.values()))
    return passed(
        "PID, IPC and network namespaces are not the machine's first ones.",
        *evidence_of(*facts.values()),
    )


def privileged(view: Observed) -> Outcome:
    """Check ``privileged``, by the marks it leaves together."""
    bounding = view.capabilities.bounding
    seccomp = view.status.parse_field("Seccomp", parse.count, ":")
    if isinstance(bounding, Unknown):
        return unknown(bounding)
    if isinstance(view.mounts, Unknown):
        return unknown(view.mounts)
    seen = evidence_of(bounding, seccomp)
    if not {"SYS_ADMIN", "SYS_MODULE", "SYS_RAWIO"} <= set(bounding.value):
        return passed("The capabilities a privileged container has are not there.", *seen)
    sysfs = view.mounts.at("/sys")
    marks = {
        "all capabilities": len(bounding.value) >= len(NAMES) - 1,
        "no seccomp filter": value_of(seccomp, 2) == 0,
        "no masked paths in /proc": not masks(view.mounts),
        "a writable /sys": sysfs is not None and not sysfs.read_only,
    }
    found = [mark for mark, there in marks.items() if there]
    seen = (*seen, *([sysfs.evidence()] if sysfs else []))
    is_root = is_root_outside(view.shared["user"], view.uid_map, 0)
    is_mapped = value_of(is_root, default=True) is False
    # In its user namespace LXC gives all but the lack of a filter to every container.
    if len(found) > (len(marks) - 1 if is_mapped else len(marks) // 2):
        effective = view.capabilities.effective
        own = "This process has none of them in force. " if value_of(effective, None) == () else ""
        what = (
            "Marks of a privileged container, in a user namespace"
            if is_mapped
            else "A root of this container is as good as the machine's"
        )
        return failed(
            f"{own}{what}: {', '.join(found)}.",
            *seen,
            *evidence_of(effective),
        )
    return unknown("some marks of a privileged container are there, but not most", *seen)


def capabilities(view: Observed) -> Outcome:
    """Check added capabilities by the bounding set."""
    extra = exceeding(view.capabilities.bounding, ALLOWED)
    if isinstance(extra, Unknown):
        return unknown(extra)
    if not extra.value:
        return passed("No capability beyond those a pod may add.", *extra.evidence)
    given = frozenset(value_of(view.capabilities.bounding, ()))
    if extra.value != ("NET_RAW",):
        return failed(f"Beyond those a pod may add: {', '.join(extra.value)}.", *extra.evidence)
    if given == RUNTIMES_OWN and value_of(view.engine, NONE).name in _GIVE_NET_RAW:
        return passed(
            "NET_RAW is the only one beyond, among the fourteen that a runtime gives unasked.",
            *extra.evidence,
        )
    if given == {"NET_RAW"}:
        return failed(
            "NET_RAW alone was added: given unasked it comes with thirteen others.",
            *extra.evidence,
        )
    return unknown(
        "NET_RAW may be left of those a runtime gives unasked, or may have been added",
        *extra.evidence,
    )


def seccomp(view: Observed) -> Outcome:
    """Check the seccomp filter; undefined and ``Unconfined`` have one effect."""
    if view.gvisor:
        return unknown(SANDBOXED, *evidence_of(view.sandbox))
    mode = view.status.parse_field("Seccomp", parse.count, ":")
    filters = view.status.parse_field("Seccomp_filters", parse.count, ":")
    if isinstance(mode, Unknown):
        return unknown(mode)
    if mode.value == 0:
        return failed(
            "No filter: every system call of the kernel can be made.", *evidence_of(mode, filters)
        )
    return passed(
        "A filter decides which system calls can be made; which one cannot be read.",
        *evidence_of(mode, filters),
    )


def sysctls(view: Observed) -> Outcome:
    """Show some values; the source of a value does not show."""
    return unknown(_SYSCTLS_UNOBSERVABLE, *evidence_of(*view.sysctls))


def windows(view: Observed) -> Outcome:
    """Check hostProcess, which only Windows has."""
    kind = view.kernel
    if isinstance(kind, Unknown):
        return unknown(kind)
    if kind.value != "Linux":
        return unknown(f"the kernel calls itself {kind.value[:40]}", *kind.evidence)
    return passed("Host processes exist on Windows only.", *kind.evidence)


_SYSCTLS_UNOBSERVABLE: Final = "The values can be read, but not whether the pod requested them"

BASELINE: Final = (
    Check("appArmorProfile", "baseline", "1.0", app_armor),
    Check("capabilities_baseline", "baseline", "1.0", capabilities),
    Check("hostNamespaces", "baseline", "1.0", host_namespaces),
    Check("hostPathVolumes", "baseline", "1.0", host_path_volumes),
    Check(
        "hostPorts",
        "baseline",
        "1.0",
        unobservable="A port of the host forwarded to the pod does not show inside",
    ),
    Check(
        "hostProbesAndHostLifecycle",
        "baseline",
        "1.34",
        unobservable="The target of kubelet's probes does not show inside",
    ),
    Check("privileged", "baseline", "1.0", privileged),
    Check("procMount", "baseline", "1.0", proc_mount),
    Check("seLinuxOptions", "baseline", "1.0", selinux),
    Check("seccompProfile_baseline", "baseline", "1.0", seccomp),
    Check("sysctls", "baseline", "1.0", sysctls, unobservable=_SYSCTLS_UNOBSERVABLE),
    Check("windowsHostProcess", "baseline", "1.0", windows),
)
