"""Granted resources, over the saved trees."""

from collections.abc import Callable
from typing import Any

import pytest

from devops_info_service.facts.fact import Known, Unknown
from devops_info_service.facts.linux.cgroup import read_cgroups
from devops_info_service.facts.linux.disks import Traffic
from devops_info_service.facts.linux.group_values import ONLY_V2
from devops_info_service.facts.linux.limits import HIDDEN, NONE_SEEN
from devops_info_service.facts.linux.mounts import read_mounts
from devops_info_service.facts.linux.resources import Resources, read_resources
from devops_info_service.facts.linux.sandbox import SANDBOXED
from devops_info_service.facts.system_files import SystemFiles

MIB = 2**20
V1_HAS_NONE = "cgroup v1 has no such thing"


def look_up(value: Any, path: str) -> Any:
    """Follow a dotted path to a fact; return its value, or its reason."""
    for name in path.split("."):
        value = getattr(value, name)
    return value.value if isinstance(value, Known) else value


FACTS: dict[str, dict[str, Any]] = {
    "docker-default": {
        "cgroup.version": "hybrid",
        "cgroup.namespaced": False,
        "cpu.limit.own": None,
        "cpu.limit.effective": NONE_SEEN,
        "cpu.effective": Unknown(f"no more than 2, but {NONE_SEEN.reason}"),
        "cpu.usable": Unknown(f"no more than 2, but {NONE_SEEN.reason}"),
        "cpu.python": 2,
        "cpu.shares": 1024,
        "memory.limit.own": None,
        "memory.limit.effective": None,
        "memory.high.effective": Unknown(V1_HAS_NONE),
        "memory.oom_kills": 0,
        "processes.limit.own": None,
    },
    "docker-limited": {
        "cpu.limit.own": 0.5,
        "cpu.quota_microseconds": 50_000,
        "cpu.period_microseconds": 100_000,
        "cpu.effective": 0.5,
        "cpu.usable": 1,
        "cpu.python": 2,
        "memory.limit.own": 64 * MIB,
        "memory.limit.effective": 64 * MIB,
        "memory.swap_limit.effective": 128 * MIB,
        "processes.limit.own": 50,
        "processes.current": 1,
    },
    "docker-privileged": {
        "cpu.limit.own": None,
        "cpu.limit.above": None,
        "memory.limit.above": None,
    },
    "docker-host": {"cgroup.version": "hybrid", "memory.limit.own": None},
    "containerd-restricted": {
        "cgroup.version": "v2",
        "cgroup.path": "/",
        "cgroup.namespaced": True,
        "cpu.limit.own": 0.5,
        "cpu.limit.above": HIDDEN,
        "cpu.weight": 35,
        "cpu.shares": Unknown("cgroup v2 has a weight instead"),
        "cpu.effective": 0.5,
        "cpu.usable": 1,
        "cpu.python": 4,
        "cpu.affinity": (0, 1, 2, 3),
        "cpu.usage_microseconds": 183_214,
        "cpu.waiting_nanoseconds": 9_120_033,
        "cpu.throttling.periods": 120,
        "cpu.throttling.throttled_periods": 17,
        "cpu.throttling.throttled_microseconds": 834_221,
        "memory.limit.own": 256 * MIB,
        "memory.high.own": None,
        "memory.high.effective": NONE_SEEN,
        "memory.current": 40 * MIB,
        "memory.peak": 48 * MIB,
        "memory.working_set": 32 * MIB,
        "memory.swap_limit.effective": 0,
        "memory.oom_kills": 0,
        "memory.oom_group": True,
        "memory.host_total": 16_384_000 * 1024,
        "memory.oom_score_adjustment": 992,
        "processes.limit.own": 2048,
        "processes.peak": 5,
        "processes.refused": 0,
        "disks.limits": NONE_SEEN,
        "disks.usage": (Traffic("259:0", 1_269_760, 0, 58, 0),),
    },
    "crio-pod": {
        "cpu.limit.own": 2.0,
        "cpu.usable": 2,
        "cpu.python": 8,
        "memory.limit.own": 2048 * MIB,
    },
    "gvisor": {
        "cgroup.version": "v1",
        "cpu.limit.own": SANDBOXED,
        "memory.limit.own": SANDBOXED,
        "memory.host_total": Unknown("/proc/meminfo is made by gVisor, not by the kernel"),
        "cpu.affinity": Unknown("/proc/self/status has no Cpus_allowed_list"),
        "host_pressure.cpu": Unknown("/proc/pressure/cpu is made by gVisor, not by the kernel"),
    },
    "cgroup-v1-pod": {
        "cgroup.version": "v1",
        "cpu.limit.own": 1.5,
        "cpu.usable": 2,
        "cpu.usage_microseconds": 812_345_678,
        "cpu.throttling.throttled_microseconds": 31_000_000,
        "memory.limit.own": 512 * MIB,
        "memory.limit.above": 384 * MIB,
        "memory.limit.effective": 384 * MIB,
        "memory.limit.complete": True,
        "memory.events": {"max": 1302},
        "memory.oom_kills": 2,
        "memory.working_set": 498_073_600 - 83_886_080,
        "processes.limit.own": None,
        "processes.limit.effective": NONE_SEEN,
        "disks.limits": (Traffic("8:0", write_bytes=10_485_760),),
        "disks.usage": (Traffic("8:0", 4_194_304, 1_048_576, 128, 32),),
        "pressure.cpu": Unknown("/proc/self/cgroup has no line of version 2"),
    },
    "hybrid": {
        "cgroup.version": "hybrid",
        "memory.limit.own": None,
        "memory.working_set": 22 * MIB,
        "cpu.limit.own": None,
    },
    "podman-rootless": {
        "cgroup.version": "v2",
        "cpu.limit.own": None,
        "cpu.effective": Unknown(f"no more than 8, but {NONE_SEEN.reason}"),
        "memory.limit.own": None,
        "processes.limit.own": 2048,
        "cpu.throttling.periods": Unknown("/sys/fs/cgroup/cgroup.controllers does not list cpu"),
    },
    "privileged-pod": {
        "cgroup.namespaced": False,
        "memory.limit.own": None,
        "memory.limit.above": 200 * MIB,
        "memory.limit.effective": 200 * MIB,
        "memory.limit.complete": True,
        "processes.limit.above": 9000,
    },
}


@pytest.mark.parametrize(
    ("name", "path", "expected"),
    [(name, path, value) for name, facts in FACTS.items() for path, value in facts.items()],
)
def test_facts(saved: Callable[[str], SystemFiles], name: str, path: str, expected: Any) -> None:
    """Each tree gives what its container was given."""
    assert look_up(read_resources(saved(name)), path) == expected


def test_where_the_pods_limit_was_seen(saved: Callable[[str], SystemFiles]) -> None:
    """A limit above the container's has its file as evidence."""
    above = read_resources(saved("privileged-pod")).memory.limit.above

    assert isinstance(above, Known)
    assert above.evidence[0].file.endswith(
        "kubepods-burstable-pod8a7b6c5d_4e3f_2a1b_0c9d_8e7f6a5b4c3d.slice/memory.max"
    )


def test_pressure(saved: Callable[[str], SystemFiles]) -> None:
    """The group's pressure and the machine's are separate."""
    resources = read_resources(saved("containerd-restricted"))

    assert look_up(resources, "pressure.cpu").some.avg10 == 0.35
    assert look_up(resources, "host_pressure.cpu").some.avg10 == 1.25


def test_pressure_of_a_hybrid(saved: Callable[[str], SystemFiles]) -> None:
    """On a hybrid the limits are version 1's and the pressure is version 2's."""
    assert look_up(read_resources(saved("hybrid")), "pressure.cpu").some.total_microseconds == 77


def test_rlimits(saved: Callable[[str], SystemFiles]) -> None:
    """The process's own limits are all there."""
    limits = look_up(read_resources(saved("docker-default")), "rlimits")

    assert {"open_files", "processes", "core_file_size"} <= {each.name for each in limits}


@pytest.mark.parametrize(
    ("own", "root", "levels"),
    [
        ("/", "/", ["/sys/fs/cgroup"]),
        ("/a/b", "/", ["/sys/fs/cgroup/a/b", "/sys/fs/cgroup/a", "/sys/fs/cgroup"]),
        ("/docker/x", "/docker/x", ["/sys/fs/cgroup"]),
        ("/docker/x/y", "/docker/x", ["/sys/fs/cgroup/y", "/sys/fs/cgroup"]),
    ],
)
def test_levels(
    tree_of: Callable[..., SystemFiles], own: str, root: str, levels: list[str]
) -> None:
    """A group is found below its mount, whichever part of the hierarchy that shows."""
    tree = tree_of(
        {
            "/proc/version": "Linux version 6.8.0",
            "/proc/self/cgroup": f"0::{own}\n",
            "/proc/self/mountinfo": f"1 0 0:1 {root} /sys/fs/cgroup rw - cgroup2 cgroup rw\n",
        }
    )
    group = read_cgroups(tree, read_mounts(tree)).group("memory")

    assert not isinstance(group, Unknown)
    assert list(group.levels) == levels


@pytest.mark.parametrize(
    ("own", "root", "reason"),
    [
        ("/../other", "/", "/../other is outside the namespace's root"),
        ("/", "/../../..", "/ is outside the namespace's root"),
        ("/a", "/b", "/a is not under the mounted /b"),
        ("/a" * 40, "/", "more than 32 groups above each other"),
    ],
)
def test_no_group(tree_of: Callable[..., SystemFiles], own: str, root: str, reason: str) -> None:
    """A path that cannot be placed is unknown, never a wrong directory."""
    tree = tree_of(
        {
            "/proc/self/cgroup": f"0::{own}\n",
            "/proc/self/mountinfo": f"1 0 0:1 {root} /sys/fs/cgroup rw - cgroup2 cgroup rw\n",
        }
    )

    assert read_cgroups(tree, read_mounts(tree)).group("memory") == Unknown(
        f"/proc/self/cgroup: {reason}"
    )


def test_the_hosts_own_tree_elsewhere(tree_of: Callable[..., SystemFiles]) -> None:
    """The host's hierarchy under another name is not taken for the container's."""
    tree = tree_of(
        {
            "/proc/self/cgroup": "0::/\n",
            "/proc/self/mountinfo": "1 0 0:1 / /sys/fs/cgroup rw - cgroup2 cgroup rw\n"
            "2 0 0:1 /../.. /host/cgroup rw - cgroup2 cgroup rw\n",
            "/sys/fs/cgroup/memory.max": "1048576\n",
        }
    )

    assert look_up(read_resources(tree), "memory.limit.own") == MIB


@pytest.mark.parametrize(
    ("quota", "affinity", "effective", "usable"),
    [
        ("400000 100000", "0-1", 2.0, 2),
        ("150000 100000", "0-3", 1.5, 2),
        ("1000 100000", "0-3", 0.01, 1),
        ("100000 100000", "0", 1.0, 1),
    ],
)
def test_usable(
    tree_of: Callable[..., SystemFiles], quota: str, affinity: str, effective: float, usable: int
) -> None:
    """The smaller of quota and affinity counts; workers are rounded up, and one is least."""
    resources = read_resources(v2_tree(tree_of, {"cpu.max": quota}, affinity))

    assert look_up(resources, "cpu.effective") == effective
    assert look_up(resources, "cpu.usable") == usable


@pytest.mark.parametrize("quota", ["100000 0", "x y", "100000", "-1 100000", ""])
def test_absurd_quotas(tree_of: Callable[..., SystemFiles], quota: str) -> None:
    """A quota that makes no sense is unknown, and so is what follows from it."""
    resources = read_resources(v2_tree(tree_of, {"cpu.max": quota}, "0-3"))

    assert isinstance(resources.cpu.limit.own, Unknown)
    assert isinstance(resources.cpu.usable, Unknown)


def test_cpu_count_of_python(tree_of: Callable[..., SystemFiles]) -> None:
    """PYTHON_CPU_COUNT is the number that Python uses."""
    tree = v2_tree(tree_of, {"cpu.max": "max 100000"}, "0-3", {"PYTHON_CPU_COUNT": "2"})

    assert look_up(read_resources(tree), "cpu.python") == 2


def test_more_cache_than_memory(tree_of: Callable[..., SystemFiles]) -> None:
    """Two files are read at two moments; a working set never falls below nothing."""
    tree = v2_tree(tree_of, {"memory.current": "10", "memory.stat": "inactive_file 20"}, "0")

    assert look_up(read_resources(tree), "memory.working_set") == 0


def test_swap_peak(
    tree_of: Callable[..., SystemFiles], saved: Callable[[str], SystemFiles]
) -> None:
    """The most swap there was: version 1 does not count it apart."""
    tree = v2_tree(tree_of, {"memory.swap.peak": "4096\n"}, "0")

    assert look_up(read_resources(tree), "memory.swap_peak") == 4096
    assert look_up(read_resources(saved("cgroup-v1-pod")), "memory.swap_peak") == ONLY_V2


@pytest.mark.parametrize(("together", "effective"), [("1\n", 10), ("0\n", 20)])
def test_hierarchy_switched_off(
    tree_of: Callable[..., SystemFiles], together: str, effective: int
) -> None:
    """A group of version 1 without use_hierarchy has only its own limit."""
    tree = tree_of(
        {
            "/proc/self/cgroup": "1:memory:/a\n",
            "/proc/self/mountinfo": "1 0 0:1 /a /sys/fs/cgroup/memory rw - cgroup c rw,memory\n",
            "/sys/fs/cgroup/memory/memory.limit_in_bytes": "20",
            "/sys/fs/cgroup/memory/memory.stat": "hierarchical_memory_limit 10",
            "/sys/fs/cgroup/memory/memory.use_hierarchy": together,
        }
    )

    assert look_up(read_resources(tree), "memory.limit.effective") == effective


def v2_tree(
    tree_of: Callable[..., SystemFiles],
    files: dict[str, str],
    affinity: str,
    environ: dict[str, str] | None = None,
) -> SystemFiles:
    """Make a group of version 2 with *files*."""
    tree: SystemFiles = tree_of(
        {
            "/proc/self/status": f"Cpus_allowed_list:\t{affinity}\n",
            "/proc/self/cgroup": "0::/\n",
            "/proc/self/mountinfo": "1 0 0:1 / /sys/fs/cgroup rw - cgroup2 cgroup rw\n",
            **{f"/sys/fs/cgroup/{name}": text for name, text in files.items()},
        },
        environ,
    )
    return tree


def test_nothing_at_all(tree_of: Callable[..., SystemFiles]) -> None:
    """Without any file everything is unknown."""
    resources: Resources = read_resources(tree_of({}))

    assert isinstance(resources.memory.limit.own, Unknown)
    assert isinstance(resources.cgroup.version, Unknown)
    assert resources.cgroup.levels == ()
