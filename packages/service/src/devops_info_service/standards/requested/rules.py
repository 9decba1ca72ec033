"""The requests that each check of the Pod Security Standards forbids.

A rule yields the fields that break it. Ids, versions and exceptions are those of the standards.

Source: Kubernetes documentation, "Pod Security Standards", and the admission controller's
k8s.io/pod-security-admission/policy, v1.37.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

import msgspec

from devops_info_service.facts.fact import Evidence
from devops_info_service.standards.baseline import ALLOWED
from devops_info_service.standards.labels import SELINUX_TYPES

from .allowed import OTHER_VOLUMES, SYSCTLS, VOLUMES
from .pod import Context, Lifecycle, Requested

Violations = Iterator[Evidence]

_APPARMOR: Final = "container.apparmor.security.beta.kubernetes.io/"
_SECCOMP_POD: Final = "seccomp.security.alpha.kubernetes.io/pod"
_SECCOMP: Final = "container.seccomp.security.alpha.kubernetes.io/"
_PROFILES: Final = frozenset({"RuntimeDefault", "Localhost"})

_CONTAINER_ENGINE: Final = (1, 31)
_USER_NAMESPACES: Final = (1, 35)
_SECCOMP_FIELDS: Final = (1, 19)
_WINDOWS: Final = (1, 25)


def app_armor(pod: Requested) -> Violations:
    """``appArmorProfile`` of pod and containers, and the annotation it had before."""
    for path, context in pod.contexts():
        profile = context.app_armor_profile
        if profile is not None and profile.type not in _PROFILES:
            yield pod.seen(f"{path}.appArmorProfile.type", profile.type)
    for key, value in _annotations(pod):
        allowed = value in {"", "runtime/default"} or value.startswith("localhost/")
        if key.startswith(_APPARMOR) and not allowed:
            yield pod.seen(f"{pod.metadata_path}.annotations[{key}]", value)


def added_capabilities(pod: Requested) -> Violations:
    """``capabilities.add`` beyond the runtime's own set."""
    return _added(pod, ALLOWED)


def host_namespaces(pod: Requested) -> Violations:
    """``hostNetwork``, ``hostPID``, ``hostIPC``."""
    spec = pod.spec
    for name, value in (
        ("hostNetwork", spec.host_network),
        ("hostPID", spec.host_pid),
        ("hostIPC", spec.host_ipc),
    ):
        if value:
            yield pod.seen(f"{pod.path}.{name}", value)


def host_path_volumes(pod: Requested) -> Violations:
    """Volumes of the kind ``hostPath``."""
    for index, volume in enumerate(pod.spec.volumes or ()):
        if volume.get("hostPath") is not None:
            yield _volume(pod, index, "hostPath")


def host_ports(pod: Requested) -> Violations:
    """``hostPort``, unless it is 0."""
    for path, container in pod.containers():
        for index, port in enumerate(container.ports or ()):
            if port.host_port:
                yield pod.seen(f"{path}.ports[{index}].hostPort", port.host_port)


def probe_hosts(pod: Requested) -> Violations:
    """``host`` of probes and lifecycle handlers, which kubelet would connect to."""
    for path, container in pod.containers():
        lifecycle = container.lifecycle or Lifecycle()
        for name, action in (
            ("livenessProbe", container.liveness_probe),
            ("readinessProbe", container.readiness_probe),
            ("startupProbe", container.startup_probe),
            ("lifecycle.postStart", lifecycle.post_start),
            ("lifecycle.preStop", lifecycle.pre_stop),
        ):
            if action is None:
                continue
            for kind, target in (("httpGet", action.http_get), ("tcpSocket", action.tcp_socket)):
                if target is not None and target.host:
                    yield pod.seen(f"{path}.{name}.{kind}.host", target.host)


def privileged(pod: Requested) -> Violations:
    """``privileged``."""
    for path, context in _contexts(pod):
        if context.privileged:
            yield pod.seen(f"{path}.privileged", value=True)


def proc_mount(pod: Requested) -> Violations:
    """``procMount``, which a pod in a user namespace may choose since 1.35."""
    if pod.version >= _USER_NAMESPACES and pod.in_user_namespace:
        return
    yield from proc_mount_restricted(pod)


def proc_mount_restricted(pod: Requested) -> Violations:
    """``procMount`` of any pod."""
    for path, context in _contexts(pod):
        if context.proc_mount not in {None, "Default"}:
            yield pod.seen(f"{path}.procMount", context.proc_mount)


def selinux(pod: Requested) -> Violations:
    """``seLinuxOptions``: types for containers alone, no user, no role."""
    allowed = set(SELINUX_TYPES)
    if pod.version < _CONTAINER_ENGINE:
        allowed -= {"container_engine_t"}
    for path, context in pod.contexts():
        options = context.se_linux_options
        if options is None:
            continue
        if options.type and options.type not in allowed:
            yield pod.seen(f"{path}.seLinuxOptions.type", options.type)
        for name, value in (("user", options.user), ("role", options.role)):
            if value:
                yield pod.seen(f"{path}.seLinuxOptions.{name}", value)


def seccomp(pod: Requested) -> Violations:
    """``seccompProfile`` where it is set; before 1.19 the annotations."""
    if pod.version >= _SECCOMP_FIELDS:
        yield from _seccomp_fields(pod)
        return
    keys = {_SECCOMP_POD, *(f"{_SECCOMP}{each.name or ''}" for _, each in pod.containers())}
    for key, value in _annotations(pod):
        allowed = value in {"runtime/default", "docker/default"} or value.startswith("localhost/")
        if key in keys and not allowed:
            yield pod.seen(f"{pod.metadata_path}.annotations[{key}]", value)


def sysctls(pod: Requested) -> Violations:
    """``sysctls`` beyond those that concern the pod alone."""
    allowed = {name for since, names in SYSCTLS.items() if since <= pod.version for name in names}
    for index, sysctl in enumerate(pod.spec.context.sysctls or ()):
        if (sysctl.name or "") not in allowed:
            yield pod.seen(f"{pod.path}.securityContext.sysctls[{index}].name", sysctl.name)


def windows(pod: Requested) -> Violations:
    """``windowsOptions.hostProcess``."""
    for path, context in pod.contexts():
        if context.windows_options is not None and context.windows_options.host_process:
            yield pod.seen(f"{path}.windowsOptions.hostProcess", value=True)


def escalation(pod: Requested) -> Violations:
    """``allowPrivilegeEscalation``, which is true unless it is set."""
    if _is_exempt(pod):
        return
    for path, container in pod.containers():
        value = container.context.allow_privilege_escalation
        if value is not False:
            yield pod.seen(f"{path}.securityContext.allowPrivilegeEscalation", value)


def capabilities(pod: Requested) -> Violations:
    """``capabilities``: all dropped, NET_BIND_SERVICE alone added."""
    if _is_exempt(pod):
        return
    for path, container in pod.containers():
        found = container.context.capabilities
        drop = (found and found.drop) or ()
        if "ALL" not in drop:
            listed = ", ".join(drop) or None
            yield pod.seen(f"{path}.securityContext.capabilities.drop", listed)
    yield from _added(pod, frozenset({"NET_BIND_SERVICE"}))


def volumes(pod: Requested) -> Violations:
    """Volumes of other kinds than those without rights on the node."""
    for index, volume in enumerate(pod.spec.volumes or ()):
        kinds = {key for key, value in volume.items() if value is not None}
        refused = sorted(kinds & OTHER_VOLUMES)
        if refused:
            yield _volume(pod, index, refused[0])
        elif not kinds & VOLUMES and (unknown := sorted(kinds - {"name"})):
            # Without any kind the API server makes it an emptyDir.
            yield _volume(pod, index, unknown[0])


def non_root(pod: Requested) -> Violations:
    """``runAsNonRoot``: of each container, else of the pod."""
    if pod.version >= _USER_NAMESPACES and pod.in_user_namespace:
        return
    of_pod = pod.spec.context.run_as_non_root
    if of_pod is False:
        yield pod.seen(f"{pod.path}.securityContext.runAsNonRoot", of_pod)
    for path, container in pod.containers():
        value = container.context.run_as_non_root
        # The pod's own false is refused above; it is not repeated for each container.
        if value is False or (value is None and of_pod is None):
            yield pod.seen(f"{path}.securityContext.runAsNonRoot", value)


def root_user(pod: Requested) -> Violations:
    """``runAsUser`` 0."""
    if pod.version >= _USER_NAMESPACES and pod.in_user_namespace:
        return
    for path, context in pod.contexts():
        if context.run_as_user == 0:
            yield pod.seen(f"{path}.runAsUser", 0)


def seccomp_restricted(pod: Requested) -> Violations:
    """``seccompProfile``: of each container, else of the pod."""
    if _is_exempt(pod):
        return
    yield from _seccomp_fields(pod)
    if pod.spec.context.seccomp_profile is not None:
        return
    for path, container in pod.containers():
        if container.context.seccomp_profile is None:
            yield pod.seen(f"{path}.securityContext.seccompProfile.type")


def _is_exempt(pod: Requested) -> bool:
    """Return whether the pod is for Windows and the version lets those off."""
    return pod.version >= _WINDOWS and pod.is_windows


def _annotations(pod: Requested) -> Iterator[tuple[str, str]]:
    return iter((pod.metadata.annotations or {}).items())


def _contexts(pod: Requested) -> Iterator[tuple[str, Context]]:
    for path, container in pod.containers():
        if container.security_context is not None:
            yield f"{path}.securityContext", container.security_context


def _added(pod: Requested, allowed: frozenset[str]) -> Violations:
    for path, context in _contexts(pod):
        for name in (context.capabilities and context.capabilities.add) or ():
            if name not in allowed:
                yield pod.seen(f"{path}.capabilities.add", name)


def _seccomp_fields(pod: Requested) -> Violations:
    for path, context in pod.contexts():
        profile = context.seccomp_profile
        if profile is not None and profile.type not in _PROFILES:
            yield pod.seen(f"{path}.seccompProfile.type", profile.type)


def _volume(pod: Requested, index: int, kind: str) -> Evidence:
    name = (pod.spec.volumes or ())[index].get("name")
    return pod.seen(f"{pod.path}.volumes[{index}]", f"{name}: {kind}")


class Rule(msgspec.Struct, frozen=True):
    """The fields that break a check, and what the check allows."""

    violations: Callable[[Requested], Violations]
    subject: str
    allowed: str
    replaces: str = ""
    """Id of the baseline's check that this one includes."""


_ANY_PROFILE: Final = "RuntimeDefault or Localhost"

RULES: Final[Mapping[str, Rule]] = {
    "appArmorProfile": Rule(app_armor, "appArmorProfile.type", f"unset, {_ANY_PROFILE}"),
    "capabilities_baseline": Rule(
        added_capabilities, "capabilities.add", "among those a container has by default"
    ),
    "hostNamespaces": Rule(host_namespaces, "hostNetwork, hostPID and hostIPC", "unset or false"),
    "hostPathVolumes": Rule(host_path_volumes, "every volume", "of another kind than hostPath"),
    "hostPorts": Rule(host_ports, "hostPort", "unset or 0"),
    "hostProbesAndHostLifecycle": Rule(
        probe_hosts, "host of probes and lifecycle handlers", "unset"
    ),
    "privileged": Rule(privileged, "privileged", "unset or false"),
    "procMount": Rule(proc_mount, "procMount", "unset or Default, or hostUsers false (since 1.35)"),
    "seLinuxOptions": Rule(
        selinux, "seLinuxOptions", "without user and role, and of a type for containers"
    ),
    "seccompProfile_baseline": Rule(seccomp, "seccompProfile.type", f"unset, {_ANY_PROFILE}"),
    "sysctls": Rule(sysctls, "every sysctl", "a safe one, which concerns the pod alone"),
    "windowsHostProcess": Rule(windows, "windowsOptions.hostProcess", "unset or false"),
    "allowPrivilegeEscalation": Rule(
        escalation, "allowPrivilegeEscalation of each container", "false"
    ),
    "capabilities_restricted": Rule(
        capabilities,
        "capabilities.drop of each container",
        "ALL, and capabilities.add at most NET_BIND_SERVICE",
        "capabilities_baseline",
    ),
    "procMount_restricted": Rule(
        proc_mount_restricted, "procMount", "unset or Default", "procMount"
    ),
    "restrictedVolumes": Rule(
        volumes,
        "every volume",
        f"one of {', '.join(sorted(VOLUMES))}",
        "hostPathVolumes",
    ),
    "runAsNonRoot": Rule(
        non_root,
        "runAsNonRoot of each container, or of the pod",
        "true, or hostUsers false (since 1.35)",
    ),
    "runAsUser": Rule(root_user, "runAsUser", "unset or not 0, or hostUsers false (since 1.35)"),
    "seccompProfile_restricted": Rule(
        seccomp_restricted,
        "seccompProfile.type of each container, or of the pod",
        _ANY_PROFILE,
        "seccompProfile_baseline",
    ),
}
"""Id of a check -> its rule."""
