"""Rows of the table of group values: which files they name, how far up they reach."""

from pathlib import Path
from typing import Any

import pytest

from devops_info_service.facts.fact import Known, Unknown
from devops_info_service.facts.linux import disks
from devops_info_service.facts.linux import group_table as table
from devops_info_service.facts.linux.cgroup import Cgroups, Group
from devops_info_service.facts.linux.group_values import GroupValue, Source
from devops_info_service.facts.linux.limit_watch import WATCHED

REFERENCE = Path(__file__).parents[5] / "docs/reference/control-groups.md"
NEW = Group(2, ("/c/pod/own", "/c/pod"), top_visible=False)
OLD = Group(1, ("/old/own", "/old"), top_visible=True)
MISSING = Unknown("no group")


def cgroups(unified: Group | Unknown, **v1: Group | Unknown) -> Cgroups:
    """Return groups of either version."""
    return Cgroups(Known("hybrid"), Known("/"), Known(value=True), unified, dict(v1))


@pytest.mark.parametrize(
    ("row", "new", "old"),
    [
        (table.MEMORY_HIGH, ["/c/pod/own/memory.high", "/c/pod/memory.high"], []),
        (
            table.MEMORY_LIMIT,
            ["/c/pod/own/memory.max", "/c/pod/memory.max"],
            ["/old/own/memory.limit_in_bytes", "/old/memory.limit_in_bytes"],
        ),
        (table.CPU_SHARES, [], ["/old/own/cpu.shares"]),
        (table.CPU_THROTTLED, ["/c/pod/own/cpu.stat"], ["/old/own/cpu.stat"]),
        (table.CPU_USAGE, ["/c/pod/own/cpu.stat"], ["/old/own/cpuacct.usage"]),
        (
            disks.USAGE,
            ["/c/pod/own/io.stat"],
            [
                "/old/own/blkio.throttle.io_service_bytes",
                "/old/own/blkio.throttle.io_serviced",
            ],
        ),
    ],
)
def test_paths(row: GroupValue[Any], new: list[str], old: list[str]) -> None:
    """A value is in the own group, a limit in those above as well; some have one version only."""
    names = ("cpu", "cpuacct", "blkio", "memory")

    assert list(dict.fromkeys(row.paths(cgroups(NEW)))) == new
    assert list(dict.fromkeys(row.paths(cgroups(MISSING, **dict.fromkeys(names, OLD))))) == old


def test_watched() -> None:
    """Without a group no file is watched."""
    assert not [path for row in WATCHED.values() for path in row.paths(cgroups(MISSING))]


def listed(name: str, row: GroupValue[Any]) -> str:
    """Return *row* as a line of the reference."""

    def files(source: Any) -> str:
        if isinstance(source, Unknown):
            return ""
        return ", ".join(f"`{file}`" for file in dict.fromkeys(source.files))

    first = next(each for each in (row.v2, row.v1) if isinstance(each, Source))
    scope = {"own": "own", "path": "smallest on the path", "nearest": "nearest that has it"}
    new, old = files(row.v2), files(row.v2 if row.v1 is None else row.v1)
    label = name.lower().replace("_", " ")
    return f"| {label} | {new} | {old} | {row.unit} | {scope[first.scope]} |"


def test_reference_lists_every_file() -> None:
    """The reference has a line for each row of the table and no other, in its order."""
    rows = {name: row for name, row in vars(table).items() if isinstance(row, GroupValue)}
    rows |= {"DISK_LIMITS": disks.LIMITS, "DISK_USAGE": disks.USAGE}
    rows |= {"HUGE_PAGES": table.huge_pages("SIZE")}
    _, _, text = REFERENCE.read_text().partition("| value |")

    assert [listed(name, row) for name, row in rows.items()] == text.splitlines()[2:]
