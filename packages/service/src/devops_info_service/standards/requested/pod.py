"""The fields of a pod that the Pod Security Standards name, typed as the API has them.

Other fields are ignored; a value of another type is an error, as it is to the API server.

Source: Kubernetes API reference, v1.37, core/v1.
"""

from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from devops_info_service.facts.fact import Evidence, truncate

LATEST: Final = (1, 37)
"""The newest version of the standards that is known here."""
UNSET: Final = "unset"


class WindowsOptions(msgspec.Struct, frozen=True, rename="camel"):
    """``windowsOptions``."""

    host_process: bool | None = None


class SELinuxOptions(msgspec.Struct, frozen=True):
    """``seLinuxOptions``."""

    type: str | None = None
    user: str | None = None
    role: str | None = None


class SecurityProfile(msgspec.Struct, frozen=True):
    """``seccompProfile`` or ``appArmorProfile``."""

    type: str | None = None


class Capabilities(msgspec.Struct, frozen=True):
    """``capabilities``, by the names that a manifest has."""

    add: tuple[str, ...] | None = None
    drop: tuple[str, ...] | None = None


class Sysctl(msgspec.Struct, frozen=True):
    """A sysctl that is set for the pod."""

    name: str | None = None


class _Context(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    run_as_user: int | None = None
    run_as_group: int | None = None
    run_as_non_root: bool | None = None
    se_linux_options: SELinuxOptions | None = None
    seccomp_profile: SecurityProfile | None = None
    app_armor_profile: SecurityProfile | None = None
    windows_options: WindowsOptions | None = None


class PodContext(_Context, frozen=True, kw_only=True, rename="camel"):
    """``spec.securityContext``."""

    sysctls: tuple[Sysctl, ...] | None = None


class Context(_Context, frozen=True, kw_only=True, rename="camel"):
    """``securityContext`` of a container."""

    privileged: bool | None = None
    allow_privilege_escalation: bool | None = None
    read_only_root_filesystem: bool | None = None
    proc_mount: str | None = None
    capabilities: Capabilities | None = None


class Target(msgspec.Struct, frozen=True):
    """``httpGet`` or ``tcpSocket``."""

    host: str | None = None


class Action(msgspec.Struct, frozen=True, rename="camel"):
    """A probe or a lifecycle handler."""

    http_get: Target | None = None
    tcp_socket: Target | None = None


class Lifecycle(msgspec.Struct, frozen=True, rename="camel"):
    """``lifecycle``."""

    post_start: Action | None = None
    pre_stop: Action | None = None


class Port(msgspec.Struct, frozen=True, rename="camel"):
    """A port of a container."""

    host_port: int | None = None


Quantities = Mapping[str, str | int | float | None]
"""Name of a resource to its quantity; YAML reads 1 and 0.5 as numbers."""


class Resources(msgspec.Struct, frozen=True):
    """``resources``."""

    limits: Quantities | None = None
    requests: Quantities | None = None


class Container(msgspec.Struct, frozen=True, rename="camel"):
    """A container of any of the three lists."""

    name: str | None = None
    security_context: Context | None = None
    ports: tuple[Port, ...] | None = None
    liveness_probe: Action | None = None
    readiness_probe: Action | None = None
    startup_probe: Action | None = None
    lifecycle: Lifecycle | None = None
    resources: Resources | None = None

    @property
    def context(self) -> Context:
        """The security context; an empty one if there is none."""
        return self.security_context or Context()


class System(msgspec.Struct, frozen=True):
    """``os``."""

    name: str | None = None


class PodSpec(msgspec.Struct, frozen=True):
    """``spec`` of a pod."""

    # Named one by one: of hostPID and hostIPC no rule makes the letters.
    containers: tuple[Container, ...] | None = None
    init_containers: tuple[Container, ...] | None = msgspec.field(
        default=None, name="initContainers"
    )
    ephemeral_containers: tuple[Container, ...] | None = msgspec.field(
        default=None, name="ephemeralContainers"
    )
    security_context: PodContext | None = msgspec.field(default=None, name="securityContext")
    volumes: tuple[Mapping[str, object], ...] | None = None
    host_network: bool | None = msgspec.field(default=None, name="hostNetwork")
    host_pid: bool | None = msgspec.field(default=None, name="hostPID")
    host_ipc: bool | None = msgspec.field(default=None, name="hostIPC")
    host_users: bool | None = msgspec.field(default=None, name="hostUsers")
    os: System | None = None
    resources: Resources | None = None
    service_account_name: str | None = msgspec.field(default=None, name="serviceAccountName")
    automount_token: bool | None = msgspec.field(default=None, name="automountServiceAccountToken")

    @property
    def context(self) -> PodContext:
        """The pod's security context; an empty one if there is none."""
        return self.security_context or PodContext()


class Metadata(msgspec.Struct, frozen=True):
    """``metadata`` of a pod or of its template."""

    annotations: Mapping[str, str] | None = None


class Template(msgspec.Struct, frozen=True):
    """A pod, or the template of one."""

    spec: PodSpec
    metadata: Metadata | None = None


class Requested(msgspec.Struct, frozen=True):
    """A pod as a manifest requests it, and the version of the standards it is held against."""

    spec: PodSpec
    metadata: Metadata = Metadata()
    source: str = ""
    """Name of the file, for the evidence."""
    path: str = "spec"
    """Of the pod's spec in its object."""
    metadata_path: str = "metadata"
    version: tuple[int, int] = LATEST

    def containers(self) -> Iterator[tuple[str, Container]]:
        """Yield every container with its path: those that run before, beside and in the others."""
        for name, containers in (
            ("initContainers", self.spec.init_containers),
            ("containers", self.spec.containers),
            ("ephemeralContainers", self.spec.ephemeral_containers),
        ):
            for index, container in enumerate(containers or ()):
                yield f"{self.path}.{name}[{index}]", container

    def contexts(self) -> Iterator[tuple[str, PodContext | Context]]:
        """Yield the security contexts that are set, the pod's first, with their paths."""
        if self.spec.security_context is not None:
            yield f"{self.path}.securityContext", self.spec.security_context
        for path, container in self.containers():
            if container.security_context is not None:
                yield f"{path}.securityContext", container.security_context

    def seen(self, path: str, value: object = None) -> Evidence:
        """Point at *value* of the manifest; none is unset."""
        shown = UNSET if value is None else value
        if isinstance(shown, bool):
            shown = "true" if shown else "false"
        return Evidence(self.source, path, truncate(str(shown)))

    @property
    def in_user_namespace(self) -> bool:
        """Whether root of the pod is another user on the node."""
        return self.spec.host_users is False

    @property
    def is_windows(self) -> bool:
        """Whether the pod is for Windows, where most fields have no meaning."""
        return self.spec.os is not None and self.spec.os.name == "windows"
