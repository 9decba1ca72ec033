"""Mounts of the kernel's own file systems, and of devices: the runtime's own, or the host's.

Sources: OCI runtime-spec, config-linux.md (default file systems and devices);
runc, libcontainer/specconv/example.go; systemd, src/nspawn/nspawn-mount.c;
lxc.container.conf(5); LXD, security.nesting.
"""

from collections.abc import Iterator
from typing import Final

from devops_info_service.facts.linux.mounts import Mount, Mounts

from .origin import Volume

KINDS: Final = frozenset(
    "proc sysfs cgroup cgroup2 devpts mqueue securityfs debugfs tracefs bpf pstore hugetlbfs"  # noqa: SIM905
    " fusectl configfs binfmt_misc selinuxfs rpc_pipefs autofs nsfs efivarfs devtmpfs".split()
)
DEVICES: Final = frozenset(
    "console full null ptmx random tty urandom zero".split()  # noqa: SIM905
)
"""Made by every runtime (OCI runtime-spec, default devices)."""
_BOUND: Final = DEVICES - {"console", "ptmx"}
"""Bound from the machine, all of them, where mknod(2) is refused: those two are terminals."""
_PLACES: Final = {
    "proc": "/proc",
    "sysfs": "/sys",
    "devpts": "/dev/pts",
    "mqueue": "/dev/mqueue",
}
"""Where every runtime mounts them (OCI runtime-spec, default file systems)."""
_GROUPS: Final = "/sys/fs/cgroup"
_TERMINALS: Final = ("/dev/tty", "/dev/lxc/")
"""Where LXC binds them (lxc.tty.max and lxc.tty.dir)."""
_NESTING: Final = "/dev/.lxc/"
"""Where LXD mounts whole instances, which containers in the container need."""


def origin_of(mount: Mount, mounts: Mounts) -> Volume | None:
    """Return the origin of a mount of the kernel's; ``None`` for any other file system."""
    return next(_origins(mount, mounts), None)


def _origins(mount: Mount, mounts: Mounts) -> Iterator[Volume]:
    if mount.kind not in KINDS:
        return
    if mount.kind == "devtmpfs":
        yield _device(mount, mounts)
    if mount.kind in {"cgroup", "cgroup2"}:
        yield _group(mount, mounts)
    place = _PLACES.get(mount.kind, "")
    if not place:
        yield _bound(mount)
    if mount.point == place and mount.root == "/" and _is_first(mount, mounts):
        yield Volume("kernel", f"the runtime's own {mount.kind}")
    if mount.kind == "devpts":
        yield _terminal(mount, mounts.at("/dev/pts"))
    part = f"{place}{mount.root.rstrip('/')}"
    if mount.root != "/" and mount.point == part and _is_own(mount, mounts, place):
        yield Volume("kernel", f"a part of the {mount.kind} under it")
    if sign := _doubt(mount, part):
        yield Volume("other", sign)
    yield Volume("host", f"the kernel's {mount.kind}, which no runtime mounts there")


def _doubt(mount: Mount, part: str) -> str:
    """Return why proc or sysfs may be the runtime's as well; empty: no runtime mounts it so."""
    if mount.kind == "sysfs" and mount.point.startswith("/sys"):
        return "a second sysfs: of whose network, nothing shows"
    if mount.root.startswith("/driver/") and mount.point == part:
        return "a driver's part of proc: by the runtime's hook, or a hostPath"
    if mount.point.startswith(_NESTING):
        return f"a second {mount.kind}: of LXC's for nesting, or the machine's"
    return ""


def _is_first(mount: Mount, mounts: Mounts) -> bool:
    # A second one over it was requested.
    return next((each for each in mounts.entries if each.point == mount.point), mount) == mount


def _is_own(mount: Mount, mounts: Mounts, place: str) -> bool:
    # nspawn mounts sysfs part by part: then there is none at the place itself.
    around = next((each for each in mounts.entries if each.point == place), None)
    return around is None or around.kind != mount.kind or around.device == mount.device


def _group(mount: Mount, mounts: Mounts) -> Volume:
    # Seen from a group's namespace, the groups above it begin with "/..".
    if mount.root.startswith("/.."):
        # Where sysfs(5) refuses a new mount, as to a user with the machine's network, crun binds
        # all of the machine's /sys.
        kinds = {each.kind for each in mounts.entries if each.point.startswith("/sys/")}
        if mount.point == _GROUPS and kinds & {"securityfs", "pstore"}:
            return Volume("other", "groups come with all of the machine's /sys, or by hostPath")
        return Volume("host", "groups above the container's own")
    if mount.point == _GROUPS or mount.point.startswith(f"{_GROUPS}/"):
        return Volume("kernel", "the groups at their usual place")
    return Volume("host", "groups, which no runtime mounts there")


def _terminal(mount: Mount, own: Mount | None) -> Volume:
    name = mount.root.removeprefix("/")
    is_number = name.isascii() and name.isdigit()
    if mount.point == "/dev/console" and is_number:
        return Volume("runtime", "the terminal of the container")
    if mount.point == "/dev/ptmx" and name == "ptmx":
        return Volume("runtime", "the multiplexer of the container's terminals")
    if own is not None and own.root == "/" and own.device == mount.device and is_number:
        return Volume("runtime", "a terminal of the container's own")
    if is_number and mount.point.startswith(_TERMINALS):
        return Volume("other", "a terminal: LXC opens them on the machine, or a hostPath")
    return Volume("host", "terminals, which no runtime mounts there")


def _device(mount: Mount, mounts: Mounts) -> Volume:
    """A device node of the host; where mknod(2) is refused, the runtime mounts its defaults."""
    name = mount.root.removeprefix("/")
    if mount.root == "/":
        return Volume("host", "all devices of the machine")
    if name in _BOUND and mount.point == f"/dev/{name}":
        there = {each.root[1:] for each in mounts.entries if _is_node(each, mount.device)}
        if there >= _BOUND:
            return Volume("runtime", "a default device at its own place")
    if name == "null" and mount.point.startswith(("/proc/", "/sys/")):
        return Volume("runtime", "a mask: nothing is behind it")
    return Volume("other", "a device given by an engine or a plugin, or a hostPath: all show alike")


def _is_node(mount: Mount, device: str) -> bool:
    return mount.device == device and mount.point == f"/dev{mount.root}"


def _bound(mount: Mount) -> Volume:
    if mount.point.startswith(("/sys/", "/proc/")):
        return Volume("other", f"{mount.kind} comes with all of the machine's /sys, or by hostPath")
    if mount.kind == "hugetlbfs":
        return Volume("other", "huge pages: an emptyDir or the machine's /dev/hugepages")
    return Volume("host", f"{mount.kind}, which no runtime mounts")
