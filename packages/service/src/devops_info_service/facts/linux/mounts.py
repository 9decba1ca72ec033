"""The mount table: device, root and options of each mount point.

Source: proc_pid_mountinfo(5).
"""

import functools
from typing import Final

import msgspec

from devops_info_service.facts.fact import Evidence, Unknown, truncate
from devops_info_service.facts.lines import lines
from devops_info_service.facts.parse import MAX_DIGITS
from devops_info_service.facts.system_files import SystemFiles

MOUNTINFO: Final = "/proc/self/mountinfo"
MAX_MOUNTS: Final = 100_000
"""Lines of the table: the most that the kernel allows (fs.mount-max). With more the mounts are
unknown: one of the lines left out might be the engine's socket."""
NETWORK_KINDS: Final = frozenset(
    "nfs nfs4 cifs smb3 smbfs ceph glusterfs lustre afs 9p virtiofs fuse".split()  # noqa: SIM905
)
"""Those that may wait for another machine, or for a process that died; ``fuse.*`` too."""


class Mount(msgspec.Struct, frozen=True):
    """One line of the table."""

    device: str
    """``major:minor``."""
    root: str
    """Which part of the file system is mounted: a path on the disk, often the host's."""
    point: str
    """Where it is mounted, as this process sees it."""
    options: tuple[str, ...]
    """Of this mount, such as ``ro``."""
    kind: str
    """The file system's type."""
    origin: str
    """The mounted source: a device, a server, or only a name."""
    super_options: tuple[str, ...]
    """Of the file system, shared by all its mounts."""

    @property
    def read_only(self) -> bool:
        """Whether nothing can be written through this mount."""
        return "ro" in self.options or "ro" in self.super_options

    @property
    def may_hang(self) -> bool:
        """Whether a call to this file system may wait for ever."""
        return self.kind in NETWORK_KINDS or self.kind.startswith("fuse.")

    def evidence(self) -> Evidence:
        """Point at the line."""
        options = ",".join(self.options)
        return Evidence(MOUNTINFO, self.point, truncate(f"{self.root} {options} {self.kind}"))


class Mounts(msgspec.Struct, frozen=True):
    """The table, in the order of mounting: a later entry covers an earlier one."""

    entries: tuple[Mount, ...]
    visible: dict[str, Mount]
    """Point -> the mount that is visible there."""
    kernels: tuple[Mount, ...] = ()
    """The visible ones below /proc and /sys, and those of control groups anywhere: a few, whatever
    the length of the table."""
    unread: int = 0
    """Lines that are not of the form: mounts of which nothing is known, so nothing can be stated
    of every mount."""

    @property
    def unread_lines(self) -> Unknown | None:
        """Why nothing can be stated of every mount; ``None``: all were read."""
        if not self.unread:
            return None
        return Unknown(f"{MOUNTINFO}: lines that are not of a mount's form: {self.unread}")

    def at(self, point: str) -> Mount | None:
        """Return the visible mount at exactly *point*, if there is one."""
        return self.visible.get(point)

    def around(self, point: str) -> tuple[Mount, ...]:
        """Return the mounts that contain *point*, the nearest first, the root left out."""
        found = []
        while point := point.rpartition("/")[0]:
            if (mount := self.at(point)) is not None:
                found.append(mount)
        return tuple(found)


def read_mounts(tree: SystemFiles) -> Mounts | Unknown:
    """Read the table of this process."""
    content = tree.read(MOUNTINFO).content
    return content if isinstance(content, Unknown) else parse_mounts(content)


@functools.lru_cache(maxsize=1)
def parse_mounts(content: str) -> Mounts | Unknown:
    """Parse the table; the last one is kept, as a snapshot needs it several times."""
    if content.count("\n") > MAX_MOUNTS:
        return Unknown(f"{MOUNTINFO} has more than {MAX_MOUNTS} mounts")
    parsed = [parse_mount(line) for line in lines(content)]
    entries = tuple([mount for mount in parsed if mount is not None])
    if not entries:
        return Unknown(f"{MOUNTINFO} has no line that is a mount")
    visible = {mount.point: mount for mount in entries}
    kernels = [
        mount
        for mount in visible.values()
        if mount.point.startswith(("/proc", "/sys")) or mount.kind.startswith("cgroup")
    ]
    return Mounts(entries, visible, tuple(kernels), len(parsed) - len(entries))


def parse_mount(line: str) -> Mount | None:
    """Parse one line; ``None`` if it is not a mount."""
    # Optional fields follow the six, up to the first lone dash. A file system writes its options
    # itself: not every one escapes blanks in them.
    fields = line.split(" ")
    try:
        dash = fields.index("-", 6)
    except ValueError:
        return None
    rest = " ".join(fields[dash + 1 :]).split(" ", 2)
    if len(rest) < 3:  # noqa: PLR2004 (type, source, options)
        return None
    number, parent, device, root, point, options = fields[:6]
    if not (_is_number(number) and _is_number(parent) and point[:1] == "/"):
        return None
    return Mount(
        device=device,
        # What follows does not belong to the path: no path has two slashes (d_path in fs/d_path.c).
        root=_unescape(root).removesuffix("//deleted"),
        point=_unescape(point),
        options=_options(options),
        kind=_unescape(rest[0]),
        origin=_unescape(rest[1]),
        super_options=_options(rest[2]),
    )


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS


@functools.lru_cache(maxsize=256)
def _options(text: str) -> tuple[str, ...]:
    # A node has thousands of mounts and a few dozen such lists.
    return tuple(text.split(","))


def _unescape(text: str) -> str:
    """Undo the kernel's escapes: a backslash and three octal digits (mangle_path)."""
    start, *rest = text.split("\\")
    if not rest:
        return text
    return start + "".join([_character(part) for part in rest])


def _character(part: str) -> str:
    code = part[:3]
    if len(code) < 3 or set(code) - set("01234567") or code > "177":  # noqa: PLR2004
        return "\\" + part
    return chr(int(code, 8)) + part[3:]
