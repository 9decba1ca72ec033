"""The mount table: device, root and options of each mount point.

Source: proc_pid_mountinfo(5).
"""

import functools
from typing import Any, Final

import msgspec

from devops_info_service.facts.fact import Evidence, Unknown, truncate
from devops_info_service.facts.parse import count
from devops_info_service.facts.system_files import SystemFiles

MOUNTINFO: Final = "/proc/self/mountinfo"
MAX_MOUNTS: Final = 2048
"""Lines of the table, twice those of a node with a thousand mounts. With more the
mounts are unknown: one of the lines left out might be the engine's socket."""


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

    def evidence(self) -> Evidence:
        """Point at the line."""
        options = ",".join(self.options)
        return Evidence(MOUNTINFO, self.point, truncate(f"{self.root} {options} {self.kind}"))


class Mounts(msgspec.Struct, frozen=True):
    """The table, in the order of mounting: a later entry covers an earlier one."""

    entries: tuple[Mount, ...]
    visible: dict[str, Mount]
    """Point -> the mount that is visible there."""
    memo: dict[Mount, Any] = {}
    """Results of ``volumes.classify``, which a snapshot calls some ten times a mount."""

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
    entries = tuple(mount for line in content.splitlines() if (mount := parse_mount(line)))
    if not entries:
        return Unknown(f"{MOUNTINFO} has no line that is a mount")
    return Mounts(entries, {mount.point: mount for mount in entries})


def parse_mount(line: str) -> Mount | None:
    """Parse one line; ``None`` if it is not a mount."""
    # The number of optional fields before the lone dash varies.
    before, dash, after = line.partition(" - ")
    fields, rest = before.split(" "), after.split(" ")
    if not dash or len(fields) < 6 or len(rest) < 3 or not _is_number(fields[0]):  # noqa: PLR2004
        return None
    return Mount(
        device=fields[2],
        root=_unescape(fields[3]),
        point=_unescape(fields[4]),
        options=tuple(fields[5].split(",")),
        kind=rest[0],
        origin=_unescape(rest[1]),
        super_options=tuple(rest[2].split(",")),
    )


def _is_number(text: str) -> bool:
    try:
        count(text)
    except ValueError:
        return False
    return True


def _unescape(text: str) -> str:
    # The four characters the kernel writes in octal.
    for code, character in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        text = text.replace(code, character)
    return text
