"""Platforms that are started again on another kernel: which, and with what arguments."""

from typing import Final

from .truths import Truths

_SECOND: Final = frozenset({
    *("process-bare", "process-user", "unit-limited", "unit-hardened"),
    *("docker-default", "docker-limited", "docker-host-net", "docker-host-pid"),
    *("docker-privileged", "podman-default", "podman-limited", "podman-userns"),
    *("podman-rootless-default", "nspawn-default", "nspawn-users", "lxc-privileged"),
    *("bubblewrap-unshared", "nested-docker-limited"),
})  # fmt: skip
"""Started with the kernel and the programs of another release as well."""

_HYBRID: Final = frozenset({
    *("process-bare", "unit-limited", "unit-plain", "docker-default", "docker-limited"),
    *("docker-host-cgroupns", "docker-memory", "podman-limited", "nspawn-default"),
    "lxc-privileged",
})  # fmt: skip
"""Started where version 1 has the controllers and version 2 systemd's names."""
_NO_CONTROLLER: Final[Truths] = {"memory": None, "pids": None}
"""Whatever is requested, nothing limits them."""
_BARE: Final = frozenset({
    *("process-bare", "unit-limited", "docker-default", "docker-cpuset"),
    "nspawn-default",
})  # fmt: skip
"""Started where the kernel has no AppArmor and lacks controllers."""
VARIANTS: Final[tuple[tuple[str, frozenset[str], str, Truths], ...]] = (
    ("bookworm", _SECOND, "", {}),
    ("hybrid", _HYBRID, "systemd.unified_cgroup_hierarchy=0", {}),
    ("bare-kernel", _BARE, "apparmor=0 cgroup_disable=memory,pids", _NO_CONTROLLER),
)
"""Prefix of the name, platforms, arguments of the kernel, truths that differ."""
