"""The baseline profile of the Pod Security Standards, checked by its effects.

The standard forbids requests; inside a container only their effects show. A check fails if the
process has the effect of a forbidden request, and is unknown if neither the request nor its effect
shows.

Source: k8s.io/pod-security-admission/policy; ids and versions are its own.
"""

from typing import Final

from devops_info_service.facts import parse
from devops_info_service.facts.container.confinement import masks
from devops_info_service.facts.container.process_view import LABEL
from devops_info_service.facts.container.volumes import ENGINE_SOCKETS, SOCKET_NAMES, classify
from devops_info_service.facts.fact import Evidence, Unknown, evidence_of, first, value_of
from devops_info_service.facts.linux.capabilities import NAMES, exceeding
from devops_info_service.facts.linux.mounts import Mount, Mounts
from devops_info_service.facts.linux.sandbox import NONE, SANDBOXED

from .checks import Check, Observed, Outcome, failed, passed, unknown

ALLOWED: Final = frozenset(
    "AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE SETFCAP SETGID"  # noqa: SIM905
    " SETPCAP SETUID SYS_CHROOT".split()
)
"""Capabilities a pod may add."""
SELINUX_TYPES: Final = frozenset({
    "container_t",
    "container_init_t",
    "container_kvm_t",
    "container_engine_t",
})  # fmt: skip


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
    if len(found) > len(marks) // 2:
        return failed(
            f"With {', '.join(found)} this container is as good as the machine's root.",
            *seen,
            *([sysfs.evidence()] if sysfs else []),
        )
    return passed("Some marks of a privileged container are there, but not most.", *seen)


def capabilities(view: Observed) -> Outcome:
    """Check added capabilities by the bounding set."""
    extra = exceeding(view.capabilities.bounding, ALLOWED)
    if isinstance(extra, Unknown):
        return unknown(extra)
    if not extra.value:
        return passed("No capability beyond those a pod may add.", *extra.evidence)
    engine = value_of(view.engine, NONE).name
    if extra.value == ("NET_RAW",) and engine in {"docker", "containerd"}:
        return passed(
            f"NET_RAW is the only one beyond, and {engine} gives it unasked.", *extra.evidence
        )
    if extra.value == ("NET_RAW",):
        return unknown(
            "NET_RAW may be the engine's default or may have been added", *extra.evidence
        )
    return failed(f"Beyond those a pod may add: {', '.join(extra.value)}.", *extra.evidence)


def host_path_volumes(view: Observed) -> Outcome:
    """Check hostPath volumes by where mounts come from."""
    if view.gvisor:
        return unknown(SANDBOXED, *evidence_of(view.sandbox))
    if isinstance(view.mounts, Unknown):
        return unknown(view.mounts)
    host, unclear = _host_mounts(view.mounts)
    if host:
        return failed(
            f"A part of the machine's own files is mounted at {host[0].point}.",
            *(mount.evidence() for mount in host[:10]),
        )
    if unclear:
        return unknown(
            f"{unclear[0].point} may be a host directory or a persistent volume: both show alike",
            *(mount.evidence() for mount in unclear[:10]),
        )
    if (unread := view.mounts.unread_lines) is not None:
        return unknown(unread)
    return passed("Every mount is the image's, the runtime's, the kernel's or a known volume's.")


def _host_mounts(mounts: Mounts) -> tuple[list[Mount], list[Mount]]:
    host, unclear = [], []
    for mount in mounts.entries:
        origin = classify(mount, mounts).origin
        if origin == "host" or mount.point in ENGINE_SOCKETS or mount.root.endswith(SOCKET_NAMES):
            host.append(mount)
        elif origin == "other":
            unclear.append(mount)
    return host, unclear


def app_armor(view: Observed) -> Outcome:
    """Check the AppArmor profile."""
    label = first(view.apparmor_label, view.label)
    if view.gvisor:
        return unknown(SANDBOXED, *evidence_of(view.sandbox))
    if not isinstance(label, Unknown) and ":" not in label.value:
        if label.value.startswith("unconfined"):
            return failed("No AppArmor profile confines the process.", *label.evidence)
        if label.value.endswith("(complain)"):
            return failed(
                "The AppArmor profile only writes a log, it stops nothing.", *label.evidence
            )
        return passed(f"AppArmor confines the process: {label.value}.", *label.evidence)
    if view.apparmor_enabled:
        return unknown("AppArmor is on, but the process's label cannot be read")
    reason = label.reason if isinstance(label, Unknown) else f"the label is {label.value}"
    return passed(
        "AppArmor is not active on this machine, so no profile was taken away.",
        Evidence(LABEL, "", reason),
    )


def selinux(view: Observed) -> Outcome:
    """Check the SELinux type."""
    if view.gvisor:
        return unknown(SANDBOXED, *evidence_of(view.sandbox))
    label = view.label
    if isinstance(label, Unknown):
        return passed(
            "SELinux is not active on this machine, so no type could be chosen.",
            Evidence(LABEL, "", label.reason),
        )
    parts = label.value.split(":")
    if len(parts) < 4:  # noqa: PLR2004 (user:role:type:level)
        return passed("The label is not SELinux's: it is not active here.", *label.evidence)
    if parts[2] in SELINUX_TYPES:
        return passed(f"The type {parts[2]} is one for containers.", *label.evidence)
    return failed(f"The type {parts[2]} is not one for containers.", *label.evidence)


def proc_mount(view: Observed) -> Outcome:
    """Check ``procMount``: the masks over /proc."""
    if view.gvisor:
        return unknown(SANDBOXED, *evidence_of(view.sandbox))
    if isinstance(view.mounts, Unknown):
        return unknown(view.mounts)
    found = masks(view.mounts)
    seen = tuple(mount.evidence() for mount in found)
    proc_sys = view.mounts.at("/proc/sys")
    if found and proc_sys is not None and proc_sys.read_only:
        return passed("Parts of /proc are masked and /proc/sys is read-only.", *seen)
    if view.user_namespace:
        return passed(
            "In its own user namespace a pod may have an unmasked /proc (since 1.34).",
            *evidence_of(view.shared["user"]),
        )
    if not found:
        return failed("Nothing in /proc is masked: kernel memory and settings are readable.")
    return unknown("Some of /proc is masked, but /proc/sys is not read-only", *seen)


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
