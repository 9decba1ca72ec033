"""What wrote a file of /proc or /sys: the kernel, or something mounted over it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devops_info_service.facts.fact import Unknown
from devops_info_service.facts.linux.mounts import parse_mounts
from devops_info_service.facts.linux.provenance import overlays, sourced
from devops_info_service.facts.linux.resources import read_resources
from devops_info_service.facts.system_files import SystemFiles
from devops_info_service.snapshot import read_platform

from ..recorded import FrozenClock

BASE = (
    "1 0 0:1 / / rw - overlay overlay rw\n"
    "2 1 0:2 / /proc rw - proc proc rw\n"
    "3 1 0:3 / /sys ro - sysfs sysfs rw\n"
)
FILES = {"/proc/version": "Linux version 6.8.0", "/proc/meminfo": "MemTotal: 1 kB\n"}


class Process42(SystemFiles):
    """Files of the process of that number."""

    def link(self, path: str) -> str | Unknown:
        return "42" if path == "/proc/self" else super().link(path)


@pytest.mark.parametrize(
    ("mount", "path", "maker"),
    [
        ("/proc/meminfo /proc/meminfo rw - fuse.lxcfs lxcfs rw", "/proc/meminfo", "lxcfs"),
        ("/ /proc/meminfo rw - fuse lxcfs rw", "/proc/meminfo", "lxcfs"),
        ("/x /proc/meminfo rw - ext4 /dev/sda rw", "/proc/meminfo", "the ext4 at /proc/meminfo"),
        ("/version /proc/meminfo rw - proc proc rw", "/proc/meminfo", "the proc at /proc/meminfo"),
        ("/meminfo /proc/meminfo ro - proc proc rw", "/proc/meminfo", None),
        ("/sys /proc/sys ro - proc proc rw", "/proc/sys/kernel/ostype", None),
        ("/ /proc/sys ro - tmpfs tmpfs rw", "/proc/sys/kernel/ostype", "the tmpfs at /proc/sys"),
        ("/ /proc rw - tmpfs tmpfs rw", "/proc/meminfo", "the tmpfs at /proc"),
        ("/a /sys/fs/cgroup rw - cgroup2 cgroup rw", "/sys/fs/cgroup/memory.max", None),
        ("/ /sys/fs/cgroup rw - tmpfs t rw", "/sys/fs/cgroup/memory.max", "the tmpfs at"),
        ("/ /sys/devices rw - fuse.lxcfs lxcfs rw", "/sys/devices/system/cpu/online", "lxcfs"),
        ("/x /procedure rw - ext4 /dev/sda rw", "/proc/meminfo", None),
        ("/x /proc/42/status rw - ext4 /dev/sda rw", "/proc/self/status", "the ext4 at"),
        ("/x /proc/43/status rw - ext4 /dev/sda rw", "/proc/self/status", None),
        ("/x /proc/42/net/route rw - ext4 /dev/sda rw", "/proc/net/route", "the ext4 at"),
    ],
)  # fmt: skip
def test_makers(
    tree_of: Callable[..., SystemFiles], mount: str, path: str, maker: str | None
) -> None:
    """A mount over a file is not the kernel's word; the kernel's own parts are."""
    tree = tree_of({**FILES, path: "x\n", "/proc/self/mountinfo": f"{BASE}4 2 0:4 {mount}\n"})
    tree.__class__ = Process42
    found = sourced(tree).read(path).content

    if maker is None:
        assert found == "x\n"
    else:
        assert isinstance(found, Unknown)
        assert found.reason.startswith(f"{path} is made by {maker}")


def test_groups_over_a_tmpfs(tree_of: Callable[..., SystemFiles]) -> None:
    """Version 1 has its hierarchies in a tmpfs: they are the kernel's, it is not."""
    over = (
        "4 3 0:4 / /sys/fs/cgroup ro - tmpfs tmpfs rw\n"
        "5 4 0:5 /a /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n"
    )
    files = {"/sys/fs/cgroup/memory/x": "1", "/sys/fs/cgroup/y": "1"}
    tree = sourced(tree_of({**FILES, **files, "/proc/self/mountinfo": BASE + over}))

    assert tree.read("/sys/fs/cgroup/memory/x").content == "1"
    assert isinstance(tree.read("/sys/fs/cgroup/y").content, Unknown)
    assert isinstance(tree.names("/sys/fs/cgroup"), Unknown)


def test_sourced_once(tree_of: Callable[..., SystemFiles]) -> None:
    """A tree that leaves such files out is not read for them again."""
    tree = sourced(tree_of({**FILES, "/proc/self/mountinfo": BASE}))

    assert sourced(tree) is tree


@given(st.text(st.sampled_from("/procsyabc."), min_size=1, max_size=14).map("/".__add__))
def test_only_under_the_two(point: str) -> None:
    """Mounts elsewhere make nothing unknown."""
    table = parse_mounts(f"{BASE}4 1 0:4 /x {point} rw - ext4 /dev/sda rw\n")
    assert not isinstance(table, Unknown)
    made = {place for place, maker in overlays(table) if maker}

    assert made <= {point}
    assert bool(made) == f"{point}/".startswith(("/proc/", "/sys/"))


class Counted(SystemFiles):
    """Files that count the readings of the mount table."""

    readings = 0

    def load(self, path: str, limit: int) -> bytes | Unknown:
        Counted.readings += path == "/proc/self/mountinfo"
        return super().load(path, limit)


def test_table_is_read_once(tree_of: Callable[..., SystemFiles], tmp_path: Path) -> None:
    """All of a report, and of a scrape, rests on the mounts of one moment."""
    tree_of({**FILES, "/proc/self/mountinfo": BASE})
    tree = Counted(str(tmp_path), {})

    read_resources(tree)
    assert Counted.readings == 1
    read_platform(tree, FrozenClock())
    assert Counted.readings == 2
