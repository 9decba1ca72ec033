"""Limits that change while the service runs: noticed once, remembered, never made up."""

from collections.abc import Callable
from pathlib import Path

import pytest

from devops_info_service.facts.fact import Fact, Known, Unknown
from devops_info_service.facts.linux.limit_watch import (
    MAX_CHANGES,
    Change,
    LimitWatch,
    Value,
    limits_of,
)
from devops_info_service.facts.system_files import SystemFiles

from ..recorded import FrozenClock, RecordedFiles

NOON = "2025-11-24T16:00:00Z"

MIB = 2**20


class Limits:
    """The limits to read; a test sets them."""

    def __init__(self, **facts: Value) -> None:
        self.now: dict[str, Fact[Value]] = {}
        self.set(**facts)

    def set(self, **facts: Value) -> None:
        self.now |= {name: Known(value) for name, value in facts.items()}

    def __call__(self) -> dict[str, Fact[Value]]:
        return self.now


def test_change(clock: FrozenClock) -> None:
    """A change is reported once, with its time, old and new value."""
    limits = Limits(memory=None, cpu=0.5)
    watch = LimitWatch(limits, clock)
    assert watch.poll() == watch.poll() == ()

    limits.set(memory=64 * MIB)

    told = Change(NOON, "memory", None, 64 * MIB)
    assert watch.poll() == (told,)
    assert watch.poll() == ()
    assert (watch.history, watch.changes) == ((told,), 1)
    assert told.facts() == {"limit": "memory", "from": None, "to": 64 * MIB}


def test_unreadable(clock: FrozenClock) -> None:
    """A limit unreadable for a while has changed only if its value differs afterwards."""
    limits = Limits(memory=64, cpu=1.0)
    watch = LimitWatch(limits, clock)
    watch.poll()
    limits.now["memory"] = limits.now["cpu"] = Unknown("it is gone")
    assert watch.poll() == ()

    limits.set(memory=64, cpu=2.0)

    assert [(change.limit, change.from_, change.to) for change in watch.poll()] == [
        ("cpu", 1.0, 2.0)
    ]


def test_known_later(clock: FrozenClock) -> None:
    """The first reading of a limit is not a change."""
    limits = Limits()
    watch = LimitWatch(limits, clock)
    watch.poll()

    limits.set(memory=64)

    assert watch.poll() == ()


def test_bounded(clock: FrozenClock) -> None:
    """The last changes are remembered, oldest first; all are counted."""
    limits = Limits(memory=0)
    watch = LimitWatch(limits, clock)
    for size in range(MAX_CHANGES + 10):
        limits.set(memory=size)
        watch.poll()

    assert [change.to for change in watch.history] == list(range(10, MAX_CHANGES + 10))
    assert watch.changes == MAX_CHANGES + 9


V1 = "sys/fs/cgroup/memory/memory.limit_in_bytes"


@pytest.mark.parametrize(
    ("name", "limits"),
    [
        (
            "docker-limited",
            {"cpu.limit": 0.5, "memory.limit": 64 * MIB, "processes.limit": 50},
        ),
        ("docker-default", {"cpu.limit": None, "memory.limit": None, "processes.limit": None}),
        ("containerd-restricted", {"memory.high": None}),
    ],
)
def test_saved_trees(
    saved: Callable[[str], RecordedFiles], name: str, limits: dict[str, Value]
) -> None:
    """Limits of either version of cgroups are found, by the names of the report."""
    found = limits_of(saved(name))()

    assert set(found) >= {"cpu.limit", "cpu.cpuset", "memory.limit", "processes.limit"}
    assert {
        name: fact.value for name, fact in found.items() if isinstance(fact, Known)
    } | limits == {name: fact.value for name, fact in found.items() if isinstance(fact, Known)}


MOUNT = "22 1 0:20 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"
VERSION_2 = {
    "/proc/self/cgroup": "0::/\n",
    "/proc/self/mountinfo": MOUNT,
    "/sys/fs/cgroup/cgroup.controllers": "cpuset cpu io memory pids\n",
    "/sys/fs/cgroup/cpu.max": "50000 100000\n",
    "/sys/fs/cgroup/cpuset.cpus.effective": "0-1\n",
    "/sys/fs/cgroup/memory.max": "67108864\n",
    "/sys/fs/cgroup/memory.high": "max\n",
    "/sys/fs/cgroup/pids.max": "50\n",
}


@pytest.mark.parametrize(
    ("file", "text", "change"),
    [
        ("cpu.max", "100000 100000\n", ("cpu.limit", 0.5, 1.0)),
        ("cpu.max", "25000 50000\n", None),
        ("cpu.max", "max 100000\n", ("cpu.limit", 0.5, None)),
        ("cpuset.cpus.effective", "0\n", ("cpu.cpuset", "0-1", "0")),
        ("memory.max", "134217728\n", ("memory.limit", 64 * MIB, 128 * MIB)),
        ("memory.max", "nonsense\n", None),
        ("memory.max", "", None),
        ("memory.high", "1048576\n", ("memory.high", None, MIB)),
        ("pids.max", "max\n", ("processes.limit", 50, None)),
    ],
)
def test_resize(
    tree_of: Callable[..., SystemFiles],
    tmp_path: Path,
    clock: FrozenClock,
    file: str,
    text: str,
    change: tuple[str, Value, Value] | None,
) -> None:
    """A new value in a group's file is a change; another spelling of the same is not."""
    watch = LimitWatch(limits_of(tree_of(VERSION_2)), clock)
    assert watch.poll() == ()

    (tmp_path / "sys/fs/cgroup" / file).write_text(text)

    found = [(told.limit, told.from_, told.to) for told in watch.poll()]
    assert found == ([] if change is None else [change])


def test_nothing_to_read(tree_of: Callable[..., SystemFiles], clock: FrozenClock) -> None:
    """Where there are no groups nothing is found, and nothing fails."""
    watch = LimitWatch(limits_of(tree_of({})), clock)

    assert watch.poll() == watch.poll() == ()
