"""Which control groups hold this process, and how far up one can see.

A limit may sit in any group above: a pod's above the container's. The groups above the
root of the mount cannot be seen from here; the result states that and does not guess.

Source: cgroups(7), cgroup_namespaces(7).
"""

from typing import Final, Literal

import msgspec

from devops_info_service.facts.fact import Evidence, Fact, File, Known, Unknown, derive
from devops_info_service.facts.lines import joined, lines, words
from devops_info_service.facts.system_files import SystemFiles

from .mounts import MOUNTINFO, Mount, Mounts
from .namespaces import is_first_namespace
from .sandbox import SANDBOXED, is_gvisor, read_sandbox

CGROUP: Final = "/proc/self/cgroup"
MAX_LEVELS: Final = 32
"""Groups above each other: systemd and kubelet make about six, nested containers double it."""

Version = Literal["v1", "v2", "hybrid"]


class Group(msgspec.Struct, frozen=True):
    """Where one controller's files are."""

    version: Literal[1, 2]
    levels: tuple[str, ...]
    """Directories: the process's own, then those above it as far as the mount shows."""
    top_visible: bool
    """Whether the last of ``levels`` is the root of all groups, so nothing is hidden above."""
    disabled: Evidence | None = None
    """Evidence that the group lacks this controller, which then limits nothing."""

    @property
    def own(self) -> str:
        """The directory of the group the process is in."""
        return self.levels[0]


class Cgroups(msgspec.Struct, frozen=True):
    """All controllers of this process."""

    version: Fact[Version]
    path: Fact[str]
    """As the process sees it: ``/`` inside a cgroup namespace."""
    namespaced: Fact[bool]
    """Whether a cgroup namespace hides the groups above."""
    unified: Group | Unknown
    v1: dict[str, Group | Unknown]
    controllers: tuple[str, ...]
    """Those that version 2 serves here."""

    def group(self, controller: str) -> Group | Unknown:
        """Return where *controller* is, whatever the version."""
        if controller in self.v1:
            return self.v1[controller]
        group, controllers = self.unified, self.controllers
        if isinstance(group, Unknown) or not controllers or controller in controllers:
            return group
        list_of_them = Evidence(f"{group.own}/cgroup.controllers", "", " ".join(controllers))
        return Group(group.version, group.levels, group.top_visible, disabled=list_of_them)


def read_cgroups(tree: SystemFiles, mounts: Mounts | Unknown) -> Cgroups:
    """Find the groups of this process."""
    file = tree.read(CGROUP)
    paths = dict(_memberships(file))
    if isinstance(mounts, Unknown) or is_gvisor(read_sandbox(tree, mounts)):
        reason = mounts if isinstance(mounts, Unknown) else SANDBOXED
        places: dict[str, Group | Unknown] = dict.fromkeys(paths, reason)
    else:
        places = {name: _group(tree, name, path, mounts) for name, path in paths.items()}
    unified = places.pop("", None) or _no_group(file)
    v1 = {name: group for name, group in places.items() if not name.startswith("name=")}
    return Cgroups(
        version=_version(file, paths),
        path=_path(file, paths),
        namespaced=derive(is_first_namespace(tree, "cgroup"), lambda is_first: not is_first),
        unified=unified,
        v1=v1,
        controllers=_controllers(tree, unified),
    )


def _memberships(file: File) -> list[tuple[str, str]]:
    """Return (controller, path) pairs; version 2 has one, with no controller's name."""
    pairs = []
    for line in lines(file.text):
        number, _, rest = line.partition(":")
        names, colon, path = rest.partition(":")
        if colon and number.isdigit() and path.startswith("/"):
            pairs += [(name, path) for name in names.split(",")]
    return pairs


def _group(tree: SystemFiles, controller: str, path: str, mounts: Mounts) -> Group | Unknown:
    mount = _mount(controller, mounts)
    if mount is None:
        return Unknown(f"{MOUNTINFO}: no cgroup file system with {controller or 'version 2'}")
    if path.startswith("/..") or mount.root.startswith("/.."):
        # Moved out of its namespace's root, or a mount from another namespace: the two
        # paths start at different places and cannot be compared.
        return Unknown(f"{CGROUP}: {path} is outside the namespace's root")
    below = _below(path, mount.root)
    if below is None:
        return Unknown(f"{CGROUP}: {path} is not under the mounted {mount.root}")
    levels = [mount.point]
    for part in below:
        levels.append(f"{levels[-1].rstrip('/')}/{part}")
    if len(levels) > MAX_LEVELS:
        return Unknown(f"{CGROUP}: more than {MAX_LEVELS} groups above each other")
    version: Literal[1, 2] = 2 if mount.kind == "cgroup2" else 1
    return Group(version, tuple(reversed(levels)), _is_top(tree, version, mount.point))


def _is_top(tree: SystemFiles, version: int, directory: str) -> bool:
    # The mount's root is "/" in a namespace too; some files exist only at, or below, the top.
    if version == 1:
        return not isinstance(tree.node(f"{directory}/release_agent"), Unknown)
    below = isinstance(tree.node(f"{directory}/cgroup.type"), Unknown)
    return below and not isinstance(tree.node(f"{directory}/cgroup.procs"), Unknown)


def _mount(controller: str, mounts: Mounts) -> Mount | None:
    found = [mount for mount in mounts.entries if _serves(mount, controller)]
    # The last one covers the others, unless it is the host's own tree, shown elsewhere.
    usual = [mount for mount in found if mount.point.startswith("/sys/fs/cgroup")]
    best = usual or found
    return best[-1] if best else None


def _serves(mount: Mount, controller: str) -> bool:
    if not controller:
        return mount.kind == "cgroup2"
    return mount.kind == "cgroup" and controller in mount.super_options


def _below(path: str, root: str) -> list[str] | None:
    steps = [step for step in path.split("/") if step]
    start = [step for step in root.split("/") if step]
    return steps[len(start) :] if steps[: len(start)] == start else None


def _version(file: File, paths: dict[str, str]) -> Fact[Version]:
    if isinstance(file.content, Unknown):
        return file.content
    if not paths:
        return Unknown(f"{CGROUP} names no group")
    old = {name for name in paths if name}
    version: Version = "v2" if not old else "hybrid" if "" in paths else "v1"
    return Known(version, (file.evidence("", joined(file.text)),))


def _path(file: File, paths: dict[str, str]) -> Fact[str]:
    if isinstance(file.content, Unknown):
        return file.content
    for name in ("", "memory", "cpu"):
        # A hybrid host's version 2 group may be the root while version 1 holds the limits.
        if name in paths and (name or len(paths) == 1):
            return Known(paths[name], (file.evidence(name or "0", paths[name]),))
    return Unknown(f"{CGROUP} names no group")


def _controllers(tree: SystemFiles, unified: Group | Unknown) -> tuple[str, ...]:
    if isinstance(unified, Unknown):
        return ()
    return tuple(words(tree.read(f"{unified.own}/cgroup.controllers").text.rstrip("\n")))


def _no_group(file: File) -> Unknown:
    if isinstance(file.content, Unknown):
        return file.content
    return Unknown(f"{CGROUP} has no line of version 2")
