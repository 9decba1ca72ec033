"""Limits along the path of groups: a limit is known only with all that it rests on."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devops_info_service.facts.fact import Known, Unknown
from devops_info_service.facts.linux.disks import Traffic
from devops_info_service.facts.linux.limits import HIDDEN, NONE_SEEN, join_levels
from devops_info_service.facts.linux.resources import read_resources
from devops_info_service.facts.system_files import SystemFiles

LEVELS = st.lists(
    st.one_of(st.none().map(Known), st.integers(0, 5).map(Known), st.just(Unknown("not readable"))),
    min_size=1,
    max_size=5,
)
GROUP = "/sys/fs/cgroup"


@given(LEVELS, st.booleans())
def test_joined(levels: list[Any], top_visible: bool) -> None:  # noqa: FBT001
    """The smallest limit seen is in force; none is known only if every group was seen."""
    limit = join_levels(levels, top_visible=top_visible)
    seen = [each.value for each in levels if isinstance(each, Known) and each.value is not None]

    assert limit.complete == (top_visible and all(isinstance(each, Known) for each in levels))
    if seen:
        assert isinstance(limit.effective, Known)
        assert limit.effective.value == min(seen)
    else:
        assert isinstance(limit.effective, Known) == limit.complete
    assert limit.own == levels[0]
    if isinstance(limit.above, Known) and limit.above.value is None:
        assert top_visible
        assert all(each == Known(None) for each in levels[1:])


@given(LEVELS, st.booleans(), st.data())
def test_seeing_less_proves_less(levels: list[Any], top_visible: bool, data: Any) -> None:  # noqa: FBT001
    """To hide a group makes a limit larger or unknown, never another certainty."""
    whole = join_levels(levels, top_visible=top_visible)
    hidden = data.draw(st.integers(0, len(levels) - 1))
    less = [*levels[:hidden], Unknown("hidden"), *levels[hidden + 1 :]]
    part = join_levels(less, top_visible=data.draw(st.booleans()) and top_visible)

    assert not part.complete
    if isinstance(part.effective, Known):
        assert isinstance(whole.effective, Known)
        assert part.effective.value is not None
        assert whole.effective.value is not None
        assert part.effective.value >= whole.effective.value


def machine(
    tree_of: Callable[..., SystemFiles],
    files: dict[str, str],
    *,
    root: str = "/",
    own: str = "/a/b",
) -> Any:
    """Read the resources of a group of version 2; *files* are below the mount."""
    mount = f"1 0 0:1 {root} {GROUP} rw - cgroup2 cgroup rw\n"
    return read_resources(
        tree_of(
            {
                "/proc/version": "Linux version 6.8.0",
                "/proc/self/cgroup": "0::/a/b\n",
                "/proc/self/mountinfo": mount,
                **{f"{GROUP}/{name}": text for name, text in files.items()},
            }
        )
    )


ROOT = {"cgroup.procs": "", "cgroup.controllers": "cpu io memory pids\n"}


@pytest.mark.parametrize(
    ("files", "own", "above", "effective", "complete"),
    [
        # The pod's limit is seen, and none above it.
        ({**ROOT, "a/pids.max": "7", "a/b/pids.max": "max"}, None, 7, 7, True),
        ({**ROOT, "a/pids.max": "7", "a/b/pids.max": "9"}, 9, 7, 7, True),
        ({**ROOT, "a/pids.max": "max", "a/b/pids.max": "max"}, None, None, None, True),
        # A group between cannot be read.
        ({**ROOT, "a/b/pids.max": "max"}, None, "is not there", "is not there", False),
        ({**ROOT, "a/b/pids.max": "5"}, 5, "is not there", 5, False),
        # The container's group has no such controller, the pod's has.
        (
            {**ROOT, "a/pids.max": "7", "a/b/cgroup.controllers": "cpu memory\n"},
            None,
            7,
            7,
            True,
        ),
        (
            {**ROOT, "a/cgroup.controllers": "\n", "a/b/cgroup.controllers": "\n"},
            None,
            None,
            None,
            True,
        ),
        # The groups above are hidden.
        ({"cgroup.type": "domain", "cgroup.procs": "", "a/b/pids.max": "5", "a/pids.max": "max",
          "pids.max": "max"}, 5, HIDDEN.reason, 5, False),
        ({"cgroup.type": "domain", "cgroup.procs": "", "a/b/pids.max": "max", "a/pids.max": "max",
          "pids.max": "max"}, None, HIDDEN.reason, NONE_SEEN.reason, False),
    ],
)  # fmt: skip
def test_processes(
    tree_of: Callable[..., SystemFiles],
    files: dict[str, str],
    own: Any,
    above: Any,
    effective: Any,
    complete: bool,  # noqa: FBT001
) -> None:
    """Each group of the path counts; without a limit all of them must be seen."""
    limit = machine(tree_of, files).processes.limit

    for fact, expected in ((limit.own, own), (limit.above, above), (limit.effective, effective)):
        if isinstance(expected, str):
            assert isinstance(fact, Unknown)
            assert fact.reason.endswith(expected)
        else:
            assert isinstance(fact, Known)
            assert fact.value == expected
    assert limit.complete is complete


def test_controller_that_is_not_enabled(tree_of: Callable[..., SystemFiles]) -> None:
    """A value of a group without the controller is unknown, and why is stated."""
    found = machine(tree_of, {**ROOT, "a/b/cgroup.controllers": "cpu pids\n"})

    assert found.memory.current == Unknown(
        "/sys/fs/cgroup/a/b/cgroup.controllers does not list memory"
    )


def test_cpus_of_the_nearest_group(tree_of: Callable[..., SystemFiles]) -> None:
    """A group without cpuset has the CPUs of the nearest above."""
    files = {"a/cpuset.cpus.effective": "0-1\n", "a/b/cgroup.controllers": "memory\n"}

    assert machine(tree_of, {**ROOT, **files}).cpu.cpuset.value == (0, 1)


def test_disks(tree_of: Callable[..., SystemFiles]) -> None:
    """Of a device the smallest limit of each kind is in force, whichever group has it."""
    files = {
        "a/io.max": "8:0 rbps=10 wbps=max riops=4 wiops=max\n",
        "a/b/io.max": "8:0 rbps=max wbps=9 riops=5 wiops=max\n8:16 rbps=1 wbps=max\n",
    }

    assert machine(tree_of, {**ROOT, **files}).disks.limits.value == (
        Traffic("8:0", read_bytes=10, write_bytes=9, reads=4),
        Traffic("8:16", read_bytes=1),
    )
    none = {"a/io.max": "", "a/b/io.max": ""}
    assert machine(tree_of, {**ROOT, **files, **none}).disks.limits.value == ()


def test_mount_of_a_single_file(tree_of: Callable[..., SystemFiles]) -> None:
    """A file of the hierarchy that is bound elsewhere hides no limit."""
    mounts = (
        f"1 0 0:1 /x {GROUP} rw - cgroup2 cgroup rw\n"
        f"2 0 0:1 /x/memory.max {GROUP}/bound rw - cgroup2 cgroup rw\n"
        "3 0 0:1 / /host/cgroup rw - cgroup2 cgroup rw\n"
    )
    tree = tree_of(
        {
            "/proc/version": "Linux version 6.8.0",
            "/proc/self/cgroup": "0::/x\n",
            "/proc/self/mountinfo": mounts,
            f"{GROUP}/memory.max": "4096\n",
            f"{GROUP}/bound": "1\n",
        }
    )

    assert read_resources(tree).memory.limit.own == Known(
        4096,
        tree.read(f"{GROUP}/memory.max").parse(str).evidence,  # type: ignore[union-attr]
    )


@pytest.mark.parametrize(
    ("cgroup", "path"),
    [
        ("3:net_cls:/n\n0::/u\n", "/u"),
        ("3:memory:/m\n0::/u\n", "/m"),
        ("3:cpu,cpuacct:/c\n0::/u\n", "/c"),
        ("1:name=systemd:/s\n0::/u\n", "/u"),
        ("0::/u\n", "/u"),
    ],
)
def test_path_of_a_hybrid(tree_of: Callable[..., SystemFiles], cgroup: str, path: str) -> None:
    """Version 1's group is the process's only where it has memory or CPU time."""
    found = read_resources(tree_of({"/proc/self/cgroup": cgroup})).cgroup.path

    assert isinstance(found, Known)
    assert found.value == path
