"""One snapshot for all requests of its second, and the CPUs in use between two."""

import shutil
from pathlib import Path

import pytest

from devops_info_service import snapshot_cache
from devops_info_service.facts.fact import File, Unknown, value_of
from devops_info_service.facts.linux.mounts import MOUNTINFO
from devops_info_service.facts.linux.resources import ResourceReader
from devops_info_service.facts.open_files import OpenFiles
from devops_info_service.facts.system_files import SystemFiles
from devops_info_service.snapshot_cache import (
    FRESH_SECONDS,
    PLACES_SECONDS,
    RATE_SECONDS,
    PlatformSnapshots,
)

from .recorded import DATA

CPU_STAT = "/sys/fs/cgroup/cpu.stat"


class Clock:
    """Goes when it is moved."""

    now = 100.0

    def time(self) -> float:
        return self.now

    def monotonic(self) -> float:
        return self.now


class Container(SystemFiles):
    """A container whose CPU time can be set; counts reads of its memory."""

    def __init__(self, root: str) -> None:
        super().__init__(root, {})
        # One list and one dictionary: a snapshot reads through a copy of this.
        self.memory_reads: list[str] = []
        self.counters = {"usage": 5_000_000}

    @property
    def reads(self) -> int:
        return len(self.memory_reads)

    def read(self, path: str) -> File:
        if path == "/proc/meminfo":
            self.memory_reads.append(path)
        if path == CPU_STAT:
            usage = self.counters["usage"]
            return File(path, f"usage_usec {usage}\n" if usage >= 0 else "")
        return super().read(path)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def container() -> Container:
    return Container(str(DATA / "containerd-restricted" / "root"))


@pytest.fixture
def snapshots(container: Container, clock: Clock) -> PlatformSnapshots:
    return PlatformSnapshots(container, clock, frozenset())


def test_resources_of_a_fresh_snapshot(
    snapshots: PlatformSnapshots, container: Container, clock: Clock
) -> None:
    """Resources are the snapshot's while it is fresh, and are read alone afterwards."""
    whole = snapshots.get()
    reads = container.reads
    assert snapshots.resources() is whole.resources
    assert container.reads == reads

    clock.now += FRESH_SECONDS
    alone = snapshots.resources()

    assert alone is not whole.resources
    assert snapshots.resources() is alone
    assert container.reads == reads + 1


def test_metrics_of_fresh_resources(snapshots: PlatformSnapshots, clock: Clock) -> None:
    """A scrape takes fresh resources, or reads less than all: the same values."""
    whole = snapshots.get()
    assert snapshots.metered() is whole.resources
    clock.now += FRESH_SECONDS
    resources = snapshots.resources()
    assert snapshots.metered() is resources

    clock.now += FRESH_SECONDS
    metered = snapshots.metered()

    assert metered is not resources
    assert snapshots.metered() is metered
    for field in metered.__struct_fields__:
        part, same = getattr(metered, field), getattr(resources, field)
        for name in part.__struct_fields__:
            assert getattr(part, name) == getattr(same, name), (field, name)


@pytest.mark.parametrize(
    ("readings", "in_use"),
    [
        ([(0, 5_000_000)], None),
        ([(0, 5_000_000), (2, 6_000_000)], 0.5),
        # The average of all that is not older than RATE_SECONDS.
        ([(0, 5_000_000), (2, 9_000_000), (4, 9_000_000)], 1.0),
        ([(0, 0), (2, 5_000_000), (RATE_SECONDS + 1, 5_900_000)], 0.1),
        ([(0, 5_000_000), (RATE_SECONDS + 1, 6_000_000)], None),
        # Another group, or a counter that was set back.
        ([(0, 5_000_000), (2, 4_000_000)], None),
        ([(0, 5_000_000), (2, 4_000_000), (4, 5_000_000)], 0.5),
        ([(0, 5_000_000), (2, -1), (4, 6_000_000)], None),
        ([(0, 5_000_000), (2, 5_000_000)], 0.0),
    ],
)
def test_cpus_in_use(
    snapshots: PlatformSnapshots,
    container: Container,
    clock: Clock,
    readings: list[tuple[float, int]],
    in_use: float | None,
) -> None:
    """CPU time per second between readings, whether of everything or of a part."""
    for number, (second, usage) in enumerate(readings):
        clock.now, container.counters["usage"] = 100.0 + second, usage
        read = (snapshots.get, snapshots.resources, snapshots.metered)[number % 3]
        read()

    assert snapshots.cpus_in_use == (None if in_use is None else pytest.approx(in_use))


def test_nothing_readable(tmp_path: Path, clock: Clock) -> None:
    """Without a counter of CPU time no CPUs are in use that are known."""
    snapshots = PlatformSnapshots(SystemFiles(str(tmp_path), {}), clock, frozenset())
    snapshots.get()
    clock.now += 2
    snapshots.resources()

    assert snapshots.cpus_in_use is None


class Moved(Container):
    """Its process can be moved into another group, as systemd does; counts searches for groups."""

    def __init__(self, root: str) -> None:
        super().__init__(root)
        self.moves: list[str] = []
        self.searches: list[str] = []

    def read(self, path: str) -> File:
        if path == "/proc/self/mountinfo":
            self.searches.append(path)
        if path == "/proc/self/cgroup" and self.moves:
            return File(path, f"0::{self.moves[-1]}\n")
        return super().read(path)


@pytest.mark.parametrize(
    ("seconds", "path", "is_searched"),
    [
        (FRESH_SECONDS, "", False),
        (PLACES_SECONDS - 1, "", False),
        (PLACES_SECONDS + 1, "", True),
        (FRESH_SECONDS, "/other", True),
    ],
)
def test_groups_are_found_once(seconds: float, path: str, *, is_searched: bool) -> None:
    """A scrape searches the mounts again after a minute, or when the process was moved."""
    clock = Clock()
    tree = Moved(str(DATA / "containerd-restricted" / "root"))
    snapshots = PlatformSnapshots(tree, clock, frozenset())
    before = snapshots.resources()
    searches = len(tree.searches)
    clock.now += seconds
    tree.moves += [path] if path else []

    after = snapshots.resources()

    assert after is not before
    assert searches > 0
    assert (len(tree.searches) > searches) == is_searched
    assert (after.cgroup.path != before.cgroup.path) == bool(path)


@pytest.mark.parametrize(("mounts", "found"), [([], 1), (["/data"], 2), (["/sys/fs/cgroup"], 2)])
def test_groups_are_found_again_where_mounts_have_changed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, mounts: list[str], found: int
) -> None:
    """A minute later: with the same mounts the groups are the same, and absent files are tried."""
    readers: list[ResourceReader] = []

    def reader(tree: SystemFiles, kept: OpenFiles) -> ResourceReader:
        readers.append(ResourceReader(tree, kept))
        return readers[-1]

    monkeypatch.setattr(snapshot_cache, "ResourceReader", reader)
    clock = Clock()
    root = tmp_path / "root"
    shutil.copytree(DATA / "containerd-restricted" / "root", root, symlinks=True)
    snapshots = PlatformSnapshots(SystemFiles(str(root), {}), clock, frozenset())

    before = snapshots.resources().memory.swap_peak
    (root / "sys/fs/cgroup/memory.swap.peak").write_text("4096\n")
    with (root / MOUNTINFO.lstrip("/")).open("a") as table:
        table.writelines(f"999 1 0:999 / {place} rw - tmpfs tmpfs rw\n" for place in mounts)
    clock.now += PLACES_SECONDS - 1
    kept = snapshots.resources().memory.swap_peak
    clock.now += 2
    after = snapshots.resources().memory.swap_peak

    assert isinstance(before, Unknown)
    assert before == kept
    assert found == len(readers)
    assert value_of(after, 0) == (0 if mounts == ["/sys/fs/cgroup"] else 4096)
