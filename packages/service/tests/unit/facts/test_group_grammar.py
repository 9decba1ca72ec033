"""Trees of control groups made by the kernel's rules, with the limits that they enforce.

A limit holds for all groups below it, so the smallest on the path is in force; where a part of
the path cannot be seen, there is none that is known.

Source: Linux, admin-guide/cgroup-v2.rst ("Core Interface Files", memory, pids) and
cgroup-v1/memory.rst; cgroup_namespaces(7) for the root of a mount.
"""

from typing import Final, NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from devops_info_service.facts.fact import Fact, File, Known, Unknown
from devops_info_service.facts.linux.cgroup import CGROUP, read_cgroups
from devops_info_service.facts.linux.group_table import PIDS_LIMIT
from devops_info_service.facts.linux.group_values import GroupReader
from devops_info_service.facts.linux.memory import read_memory
from devops_info_service.facts.linux.mounts import MOUNTINFO, read_mounts
from devops_info_service.facts.system_files import FileStat, SystemFiles

V1_NONE: Final = 9223372036854771712
STEPS: Final = ("kubepods.slice", "a b", "docker", "x:y", "..x", "init.scope", "\u2028", "unified")


class Files(SystemFiles):
    """Files in memory."""

    def __init__(self, files: dict[str, str]) -> None:
        super().__init__("/nonexistent", {})
        self.files = files

    def read(self, path: str) -> File:
        content = self.files.get(path)
        return File(path, Unknown(f"{path} is not there") if content is None else content)

    def node(self, path: str) -> FileStat | Unknown:
        if path in self.files:
            return FileStat("file", 0o644, uid=0, device=0)
        if any(each.startswith(f"{path}/") for each in self.files):
            return FileStat("directory", 0o755, uid=0, device=0)
        return Unknown(f"{path} is not there")

    def link(self, path: str) -> str | Unknown:
        return Unknown(f"{path} is not there")

    def names(self, path: str) -> tuple[str, ...] | Unknown:
        return Unknown(f"{path} is not there")


class Tree(NamedTuple):
    """Groups as they are mounted."""

    files: dict[str, str]
    limits: list[int | None]
    """Of each group that is mounted, the topmost first; the root of all groups has none."""
    is_whole: bool
    """Whether the topmost is the root of all groups."""


def mangled(text: str) -> str:
    return "".join(f"\\{ord(each):03o}" if each in " \t\n\\#" else each for each in text)


@st.composite
def trees(draw: st.DrawFn, version: int, controller: str) -> Tree:
    """Make a path of groups, mounted from one of them on."""
    steps = draw(st.lists(st.sampled_from(STEPS), max_size=5))
    start = draw(st.integers(0, len(steps)))
    root = "/" + "/".join(steps[:start])
    path = "/" + "/".join(steps)
    point = draw(
        st.sampled_from(
            ["/sys/fs/cgroup", "/sys/fs/cgroup/unified", f"/sys/fs/cgroup/{controller}"]
        )
    )
    is_namespace = draw(st.booleans())
    if is_namespace:
        # Paths begin at the namespace's root, which is a group like any other.
        root, path = "/", "/" + "/".join(steps[start:])
    is_whole = start == 0 and not is_namespace
    kind, options = ("cgroup2", "rw,nsdelegate") if version == 2 else ("cgroup", f"rw,{controller}")
    files = {
        MOUNTINFO: f"30 20 0:30 {mangled(root)} {point} rw - {kind} cgroup {options}\n",
        CGROUP: f"0::{path}\n" if version == 2 else f"7:{controller}:{path}\n0::/\n",
    }
    limits: list[int | None] = []
    directory = point
    # A controller that a group does not give to those below is missing in all of them.
    enabled = draw(st.integers(0, 7)) if version == 2 else 7
    for depth in range(start, len(steps) + 1):
        if depth > start:
            directory = f"{directory}/{steps[depth - 1]}"
        is_top = is_whole and depth == 0
        limit = draw(st.none() | st.integers(0, 2**40))
        if version == 2:
            files[f"{directory}/cgroup.procs"] = ""
            files[f"{directory}/cgroup.controllers"] = (
                f"cpuset {controller}\n" if depth <= enabled else "cpuset\n"
            )
            if not is_top:
                files[f"{directory}/cgroup.type"] = "domain\n"
        elif is_top:
            files[f"{directory}/release_agent"] = "\n"
        has_file = not (version == 2 and (is_top or depth > enabled))
        name = {
            2: f"{controller}.max",
            1: "memory.limit_in_bytes" if controller == "memory" else "pids.max",
        }[version]
        none = "max" if name.endswith(".max") else str(V1_NONE)
        if version == 1 and is_top:
            limit = None
            has_file = controller == "memory"
        if has_file:
            files[f"{directory}/{name}"] = f"{none if limit is None else limit}\n"
        limits.append(limit if has_file else None)
    return Tree(files, limits, is_whole)


def check(found: Fact[int | None], tree: Tree) -> None:
    """Hold a limit against the tree."""
    set_ones = [limit for limit in tree.limits if limit is not None]
    if set_ones:
        assert isinstance(found, Known), found
        assert found.value == min(set_ones)
    elif tree.is_whole:
        assert isinstance(found, Known), found
        assert found.value is None
    else:
        assert isinstance(found, Unknown), found


@given(trees(version=2, controller="memory") | trees(version=1, controller="memory"))
def test_memory(tree: Tree) -> None:
    """The smallest limit that is mounted is in force; none is known only of all groups."""
    files = Files(tree.files)

    check(read_memory(files, read_cgroups(files, read_mounts(files))).limit.effective, tree)


@given(trees(version=2, controller="pids") | trees(version=1, controller="pids"))
def test_processes(tree: Tree) -> None:
    """The same of another controller, whose files have one name in both versions."""
    files = Files(tree.files)

    check(
        GroupReader(files, read_cgroups(files, read_mounts(files))).limit(PIDS_LIMIT).effective,
        tree,
    )


@given(trees(version=2, controller="memory"), st.data())
def test_file_that_cannot_be_read(tree: Tree, data: st.DataObject) -> None:
    """Of a limit that is there and not readable nothing is known, unless a smaller one is seen."""
    paths = sorted(path for path in tree.files if path.endswith("memory.max"))
    if not paths:
        return
    path = data.draw(st.sampled_from(paths))
    files = Files({name: text for name, text in tree.files.items() if name != path})
    others = [
        int(text)
        for name, text in files.files.items()
        if name.endswith("memory.max") and text != "max\n"
    ]

    limit = read_memory(files, read_cgroups(files, read_mounts(files))).limit

    assert not limit.complete
    assert isinstance(limit.effective, Unknown) == (not others)
