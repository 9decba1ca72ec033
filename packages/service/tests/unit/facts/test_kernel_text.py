"""Text as the kernel writes it, made by its own rules: names hold any character it lets through.

Source: Linux, lib/string_helpers.c (string_escape_mem), fs/seq_file.c (mangle_path),
fs/proc_namespace.c, fs/proc/array.c, kernel/cgroup/cgroup.c.
"""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devops_info_service.facts.fact import File, Known, Unknown
from devops_info_service.facts.lines import joined, lines, words
from devops_info_service.facts.linux.cgroup import read_cgroups
from devops_info_service.facts.linux.mounts import (
    Mounts,
    parse_mount,
    parse_mounts,
    read_mounts,
)
from devops_info_service.facts.system_files import SystemFiles

SEPARATORS = "\r\v\f\x1c\x1d\x1e\x85\xa0\u2028\u2029\u3000"
"""White space of Unicode that the kernel's formats do not know."""
NAMES = st.text(
    st.sampled_from(SEPARATORS + " \t\n\\#:,-/aZ09") | st.characters(exclude_categories=["Cs"]),
    min_size=1,
    max_size=12,
).filter(lambda name: "\0" not in name)
WORDS = st.text(st.sampled_from("abcxyz0189._-=:"), min_size=1, max_size=8)


def mangled(text: str, also: str = "") -> str:
    """Escape as mangle_path does."""
    escaped = " \t\n\\" + also
    return "".join(f"\\{ord(each):03o}" if each in escaped else each for each in text)


MOUNTS = st.tuples(
    st.integers(1, 99_999),
    st.tuples(st.integers(0, 4095), st.integers(0, 2**20)),
    NAMES.map("/".__add__) | st.just("net:[4026532296]"),
    NAMES.map("/".__add__),
    st.lists(WORDS, min_size=1, max_size=4),
    st.lists(st.sampled_from(["shared:1", "master:22", "propagate_from:3", "unbindable"])),
    WORDS,
    NAMES | st.just(""),
    st.lists(WORDS, min_size=1, max_size=4),
)


def mount_line(mount: tuple[Any, ...]) -> str:
    number, (major, minor), root, point, options, tags, kind, source, super_options = mount
    before = (str(number), "1", f"{major}:{minor}", mangled(root), mangled(point))
    after = (mangled(kind, "#"), mangled(source, "#"), ",".join(super_options))
    return " ".join([*before, ",".join(options), *tags, "-", *after])


@given(st.lists(MOUNTS, min_size=1, max_size=5))
def test_mounts(mounts: list[tuple[Any, ...]]) -> None:
    """Every mount comes back as it was made, whatever its names hold."""
    table = parse_mounts("".join(f"{mount_line(mount)}\n" for mount in mounts))

    assert isinstance(table, Mounts)
    assert table.unread == 0
    found = [
        (each.root, each.point, each.options, each.kind, each.origin, each.super_options)
        for each in table.entries
    ]
    assert found == [
        (root, point, tuple(options), kind, source, tuple(super_options))
        for _, _, root, point, options, _, kind, source, super_options in mounts
    ]


@pytest.mark.parametrize(
    "line",
    [
        "",
        "1 0 0:1 / /data rw,relatime",
        "1 0 0:1 / /data rw - ext4",
        "1 0 0:1 / /data rw - ext4 /dev/sda",
        "1 0 0:1 / /data - ext4 /dev/sda rw",
        "x 0 0:1 / /data rw - ext4 /dev/sda rw",
        "1 y 0:1 / /data rw - ext4 /dev/sda rw",
        "1 0 0:1 / data rw - ext4 /dev/sda rw",
    ],
)
def test_no_mount(line: str) -> None:
    """A line of another form is counted, so that nothing is stated of every mount."""
    table = parse_mounts(f"1 0 0:1 / / rw - ext4 /dev/sda rw\n{line}\n")

    assert parse_mount(line) is None
    assert isinstance(table, Mounts)
    assert table.unread == 1
    assert table.unread_lines == Unknown(
        "/proc/self/mountinfo: lines that are not of a mount's form: 1"
    )


@given(NAMES, st.integers(0, 2))
def test_name_of_a_process(name: str, mode: int) -> None:
    """A process's name forges no other line of /proc/self/status."""
    escaped = name.replace("\\", "\\\\").replace("\n", "\\n")
    status = File("/proc/self/status", f"Name:\t{escaped}\nUmask:\t0022\nSeccomp:\t{mode}\n")

    assert status.parse_field("Seccomp", str, ":") == Known(
        str(mode), (status.evidence("Seccomp", str(mode)),)
    )


@given(NAMES, st.sampled_from(["memory", "cpu,cpuacct", ""]))
def test_name_of_a_group(name: str, controllers: str) -> None:
    """A group's name is whole: the kernel refuses a line feed in it, and nothing else."""
    path = "/" + name.replace("\n", " ")
    tree = FakeFiles({"/proc/self/cgroup": f"1:{controllers}:{path}\n"})
    found = read_cgroups(tree, Unknown("no mounts")).path

    assert isinstance(found, Known)
    assert found.value == path


@given(st.text())
def test_lines(text: str) -> None:
    """Lines end at a line feed alone, words at blanks and tabs; nothing else is lost."""
    assert "\n".join(lines(text)) == (text.removesuffix("\n"))
    for word in words(text):
        assert word
        assert not set(word) & set(" \t")
    assert "".join(words(text)) == text.replace(" ", "").replace("\t", "")
    assert not set(joined(text)) & set("\t\n")


class FakeFiles(SystemFiles):
    """Files in memory: a generated name may be none that a directory takes."""

    def __init__(self, files: dict[str, str]) -> None:
        super().__init__("/nowhere", {})
        self.files = files

    def read(self, path: str) -> File:
        return File(path, self.files.get(path, Unknown(f"{path} is not there")))


def test_bytes_that_are_no_text(tree_of: Callable[..., SystemFiles]) -> None:
    """A group named by other bytes than UTF-8 is not opened under the name they are shown by."""
    tree = tree_of(
        {
            "/proc/self/cgroup": b"0::/a\xff\n",
            "/proc/self/mountinfo": "1 0 0:1 / /sys/fs/cgroup rw - cgroup2 cgroup rw\n",
            "/sys/fs/cgroup/a\\xff/memory.max": "1\n",
        }
    )

    assert read_cgroups(tree, read_mounts(tree)).unified == Unknown(
        "/proc/self/cgroup names a group by bytes that are not UTF-8"
    )


@given(
    st.text(st.sampled_from("ab \t:\n\r\u2028"), max_size=30),
    st.text(st.sampled_from("ab"), min_size=1, max_size=2),
    st.sampled_from(["", ":", "  "]),
)
def test_field(content: str, name: str, separator: str) -> None:
    """A field follows its name on the first line that begins with it, cut at \\n alone."""
    found = File("/proc/x", content).parse_field(name, str, separator)

    cut = [line.partition(separator) if separator else halves(line) for line in content.split("\n")]
    values = [value for key, _, value in cut if key == name]
    if values:
        assert isinstance(found, Known)
        assert found.value == values[0].strip(" \t")
    else:
        assert isinstance(found, Unknown)


def halves(line: str) -> tuple[str, str, str]:
    return line.replace("\t", " ").partition(" ")
