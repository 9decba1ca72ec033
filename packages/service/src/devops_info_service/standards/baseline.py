"""The baseline profile of the Pod Security Standards, judged by what came of it.

The standard forbids asking for things; from inside one sees what was given. A check fails
where the process has what the standard forbids asking for, and is unknown where neither the
request nor its effect shows.

Source: k8s.io/pod-security-admission/policy; ids and versions are its own.
"""

from typing import Final

from devops_info_service.facts import parse
from devops_info_service.facts.container.host_network import shares_network
from devops_info_service.facts.container.process_view import View
from devops_info_service.facts.container.volumes import ENGINE_SOCKETS, SOCKET_NAMES, classify
from devops_info_service.facts.fact import Evidence, Unknown, evidence_of, first, value_of
from devops_info_service.facts.linux.capabilities import NAMES, beyond
from devops_info_service.facts.linux.mounts import Mount, Mounts
from devops_info_service.facts.linux.sandbox import NONE, SANDBOXED

from .checks import Finding, Rule, failed, passed, unknown

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
_MASKED: Final = (
    *("acpi", "asound", "interrupts", "kcore", "keys", "latency_stats", "sched_debug"),
    *("scsi", "timer_list", "timer_stats"),
)
_LABELS: Final = ("/proc/self/attr/apparmor/current", "/proc/self/attr/current")
_SYSCTLS: Final = (
    "kernel/shm_rmid_forced",
    "net/core/somaxconn",
    "net/ipv4/ip_local_port_range",
    "net/ipv4/ip_unprivileged_port_start",
    "net/ipv4/tcp_syncookies",
)


def host_namespaces(view: View) -> Finding:
    """Judge hostPID, hostIPC and hostNetwork."""
    if view.gvisor:
        return unknown(SANDBOXED, *evidence_of(view.sandbox))
    facts = {
        "PID": view.shared_with_machine("pid"),
        "IPC": view.shared_with_machine("ipc"),
        "network": shares_network(view),
    }
    shared = {kind: fact for kind, fact in facts.items() if value_of(fact, default=False)}
    if shared:
        return failed(
            f"Shared with the machine: {', '.join(shared)}; what belongs to other workloads can"
            " be seen or reached.",
            *evidence_of(*shared.values()),
        )
    for fact in facts.values():
        if isinstance(fact, Unknown):
            return unknown(fact, *evidence_of(*facts.values()))
    return passed(
        "PID, IPC and network namespaces are not the machine's first ones.",
        *evidence_of(*facts.values()),
    )


def privileged(view: View) -> Finding:
    """Judge ``privileged``, by the marks it leaves together."""
    bounding = view.capabilities.bounding
    seccomp = view.status.field("Seccomp", parse.count, ":")
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


def capabilities(view: View) -> Finding:
    """Judge added capabilities by the bounding set: what nobody dropped or added."""
    extra = beyond(view.capabilities.bounding, ALLOWED)
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
    return failed(f"Beyond what a pod may add: {', '.join(extra.value)}.", *extra.evidence)


def host_path_volumes(view: View) -> Finding:
    """Judge hostPath volumes by where mounts come from."""
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
            f"{unclear[0].point} may be a host directory or a persistent volume: they look alike",
            *(mount.evidence() for mount in unclear[:10]),
        )
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


def app_armor(view: View) -> Finding:
    """Judge the AppArmor profile."""
    files = [view.tree.read(path) for path in _LABELS]
    label = first(*(file.whole(parse.word) for file in files))
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
    enabled = view.tree.read("/sys/module/apparmor/parameters/enabled")
    if enabled.text.strip() == "Y":
        return unknown("AppArmor is on, but the process's label cannot be read")
    reason = label.reason if isinstance(label, Unknown) else f"the label is {label.value}"
    return passed(
        "AppArmor is not active on this machine, so no profile was taken away.",
        Evidence(_LABELS[1], "", reason),
    )


def selinux(view: View) -> Finding:
    """Judge the SELinux type."""
    if view.gvisor:
        return unknown(SANDBOXED, *evidence_of(view.sandbox))
    label = view.tree.read(_LABELS[1]).whole(parse.word)
    if isinstance(label, Unknown):
        return passed(
            "SELinux is not active on this machine, so no type could be chosen.",
            Evidence(_LABELS[1], "", label.reason),
        )
    parts = label.value.split(":")
    if len(parts) < 4:  # noqa: PLR2004 (user:role:type:level)
        return passed("The label is not SELinux's: it is not active here.", *label.evidence)
    if parts[2] in SELINUX_TYPES:
        return passed(f"The type {parts[2]} is one for containers.", *label.evidence)
    return failed(f"The type {parts[2]} is not one for containers.", *label.evidence)


def proc_mount(view: View) -> Finding:
    """Judge ``procMount``: the masks over /proc."""
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
            "In a user namespace of its own a pod may have an unmasked /proc (since 1.34).",
            *evidence_of(view.namespaces["user"]),
        )
    if not found:
        return failed("Nothing in /proc is masked: kernel memory and settings lie open.")
    return unknown("Some of /proc is masked, but /proc/sys is not read-only", *seen)


def masks(mounts: Mounts) -> tuple[Mount, ...]:
    """Return the mounts that hide parts of /proc."""
    points = {f"/proc/{name}" for name in _MASKED} | {"/proc/sysrq-trigger", "/proc/sys"}
    return tuple(mount for mount in mounts.entries if mount.point in points)


def seccomp(view: View) -> Finding:
    """Judge the seccomp filter; undefined and ``Unconfined`` have one effect."""
    if view.gvisor:
        return unknown(SANDBOXED, *evidence_of(view.sandbox))
    mode = view.status.field("Seccomp", parse.count, ":")
    filters = view.status.field("Seccomp_filters", parse.count, ":")
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


def sysctls(view: View) -> Finding:
    """Show some; who set them does not show."""
    files = [view.tree.read(f"/proc/sys/{name}") for name in _SYSCTLS]
    return unknown(
        "The values can be read, but not whether the pod asked for them",
        *evidence_of(*(file.whole(parse.word) for file in files)),
    )


def host_ports(_: View) -> Finding:
    """Nothing shows inside."""
    return unknown("A port of the host forwarded to the pod does not show inside")


def host_probes(_: View) -> Finding:
    """Nothing shows inside."""
    return unknown("Whom kubelet asks for the pod's health does not show inside")


def windows(view: View) -> Finding:
    """Judge hostProcess, which only Windows has."""
    kind = view.tree.read("/proc/sys/kernel/ostype").whole(parse.word)
    if isinstance(kind, Unknown):
        return unknown(kind)
    if kind.value != "Linux":
        return unknown(f"the kernel calls itself {kind.value[:40]}", *kind.evidence)
    return passed("Host processes exist on Windows only.", *kind.evidence)


INVISIBLE: Final = frozenset({"hostPorts", "hostProbesAndHostLifecycle", "sysctls"})
"""What no container can ever show; left out when the rest is summed up."""
BASELINE: Final = (
    Rule("appArmorProfile", "1.0", app_armor),
    Rule("capabilities_baseline", "1.0", capabilities),
    Rule("hostNamespaces", "1.0", host_namespaces),
    Rule("hostPathVolumes", "1.0", host_path_volumes),
    Rule("hostPorts", "1.0", host_ports),
    Rule("hostProbesAndHostLifecycle", "1.34", host_probes),
    Rule("privileged", "1.0", privileged),
    Rule("procMount", "1.0", proc_mount),
    Rule("seLinuxOptions", "1.0", selinux),
    Rule("seccompProfile_baseline", "1.0", seccomp),
    Rule("sysctls", "1.0", sysctls),
    Rule("windowsHostProcess", "1.0", windows),
)
