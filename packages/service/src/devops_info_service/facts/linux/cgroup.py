"""Which control groups hold this process, and how far up one can see.

A limit may sit in any group above: a pod's above the container's. The groups above the
root of the mount cannot be seen from here; the result states that and does not guess.

Source: cgroups(7), cgroup_namespaces(7).
"""

from typing import Final, Literal

import msgspec

from devops_info_service.facts.fact import Fact, File, Known, Unknown, derive
from devops_info_service.facts.lines import joined, lines
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
    is_shared_below: bool = False
    """Whether groups without protection of their memory share that of the groups above."""

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
    """By controller."""

    def group(self, controller: str) -> Group | Unknown:
        """Return where *controller* is, whatever the version."""
        return self.v1.get(controller, self.unified)


def read_cgroups(tree: SystemFiles, mounts: Mounts | Unknown) -> Cgroups:
    """Find the groups of this process."""
    file = tree.read(CGROUP)
    paths = dict(memberships(file))
    if not file.exact:
        reason = Unknown(f"{CGROUP} names a group by bytes that are not UTF-8")
        places: dict[str, Group | Unknown] = dict.fromkeys(paths, reason)
    elif isinstance(mounts, Unknown) or is_gvisor(read_sandbox(tree, mounts)):
        reason = mounts if isinstance(mounts, Unknown) else SANDBOXED
        places = dict.fromkeys(paths, reason)
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
    )


def memberships(file: File) -> list[tuple[str, str]]:
    """Return (controller, path) pairs; version 2 has one, with no controller's name."""
    pairs = []
    for line in lines(file.text):
        number, _, rest = line.partition(":")
        names, colon, path = rest.partition(":")
        if colon and number.isdigit() and path.startswith("/"):
            pairs += [(name, path) for name in names.split(",")]
    return pairs


def _group(tree: SystemFiles, controller: str, path: str, mounts: Mounts) -> Group | Unknown:
    shown = [mount for mount in mounts.kernels if _serves(mount, controller)]
    if not shown:
        return Unknown(f"{MOUNTINFO}: no cgroup file system with {controller or 'version 2'}")
    found = [(mount, below) for mount in shown if (below := _below(path, mount.root)) is not None]
    # Not a single file of the hierarchy, bound somewhere.
    found = [each for each in found if _is_directory(tree, each[0].point)]
    if not found:
        return _unplaced(path, shown)
    # The usual place, before another part of the host's own tree; then that which shows the most.
    mount, below = max(
        found, key=lambda each: (each[0].point.startswith("/sys/fs/cgroup"), len(each[1]))
    )
    levels = [mount.point]
    for part in below:
        levels.append(f"{levels[-1].rstrip('/')}/{part}")
    if len(levels) > MAX_LEVELS:
        return Unknown(f"{CGROUP}: more than {MAX_LEVELS} groups above each other")
    version: Literal[1, 2] = 2 if mount.kind == "cgroup2" else 1
    return Group(
        version,
        tuple(reversed(levels)),
        _is_top(tree, version, mount.point),
        "memory_recursiveprot" in mount.super_options,
    )


def _unplaced(path: str, shown: list[Mount]) -> Unknown:
    root = shown[-1].root
    if _is_outside(path) or all(_is_outside(mount.root) for mount in shown):
        return Unknown(f"{CGROUP}: {path} is outside the namespace's root")
    return Unknown(f"{CGROUP}: {path} is not under the mounted {root}")


def _is_outside(path: str) -> bool:
    # Moved out of its namespace's root, or a mount from another namespace: the two paths start at
    # different places and cannot be compared.
    return path == "/.." or path.startswith("/../")


def _is_directory(tree: SystemFiles, path: str) -> bool:
    node = tree.node(path)
    return isinstance(node, Unknown) or node.kind == "directory"


def _is_top(tree: SystemFiles, version: int, directory: str) -> bool:
    # The mount's root is "/" in a namespace too; some files exist only at, or below, the top.
    if version == 1:
        return not isinstance(tree.node(f"{directory}/release_agent"), Unknown)
    below = isinstance(tree.node(f"{directory}/cgroup.type"), Unknown)
    return below and not isinstance(tree.node(f"{directory}/cgroup.procs"), Unknown)


def _serves(mount: Mount, controller: str) -> bool:
    if not controller:
        return mount.kind == "cgroup2"
    return mount.kind == "cgroup" and controller in mount.super_options


def _below(path: str, root: str) -> list[str] | None:
    """Return the steps from *root* to *path*; ``None``: it is elsewhere, or cannot be compared."""
    if _is_outside(path) or _is_outside(root):
        return None
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
    # A hybrid host's version 2 group may be the root while version 1 holds the limits.
    for name in ("memory", "cpu", ""):
        if name in paths:
            return Known(paths[name], (file.evidence(name or "0", paths[name]),))
    return Unknown(f"{CGROUP} names no group")


def _no_group(file: File) -> Unknown:
    if isinstance(file.content, Unknown):
        return file.content
    return Unknown(f"{CGROUP} has no line of version 2")
