"""How many workers ``auto`` is, from saved trees of /proc and /sys."""

from pathlib import Path

import pytest

from devops_info_service.commands.serve import usable_cpus
from devops_info_service.facts.system_files import Machine, SystemFiles

MOUNT_V2 = "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup rw\n"
MOUNT_V1 = "32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n"


class ThreeCpus(Machine):
    """A machine of three CPUs: the count if the files have none."""

    def cpus(self) -> int:
        return 3


@pytest.mark.parametrize(
    ("mounts", "group", "files", "affinity", "workers"),
    [
        (MOUNT_V2, "0::/\n", {"cpu.max": "150000 100000\n"}, "0-7", 2),
        (MOUNT_V2, "0::/\n", {"cpu.max": "10000 100000\n"}, "0-7", 1),
        (MOUNT_V2, "0::/\n", {"cpu.max": "max 100000\n"}, "0-3", 4),
        (MOUNT_V2, "0::/\n", {"cpu.max": "800000 100000\n"}, "1,3", 2),
        (MOUNT_V2, "0::/\n", {"cpu.max": "90000000 100000\n"}, "0-511", 256),
        (MOUNT_V2, "0::/a\n", {"cpu.max": "200000 100000\n", "a/cpu.max": "max 1\n"}, "0-7", 2),
        (
            MOUNT_V1,
            "1:cpu:/\n",
            {"cpu/cpu.cfs_quota_us": "250000\n", "cpu/cpu.cfs_period_us": "100000\n"},
            "0-7",
            3,
        ),
        (
            MOUNT_V1,
            "1:cpu:/\n",
            {"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"},
            "0-1",
            2,
        ),
        ("", "", {}, "", 3),
    ],
)
def test_auto(
    tmp_path: Path, mounts: str, group: str, files: dict[str, str], affinity: str, workers: int
) -> None:
    """The smaller of quota and affinity, rounded up; the affinity where nothing can be read."""
    status = f"Cpus_allowed_list:\t{affinity}\n" if affinity else ""
    tree = {"mountinfo": mounts, "cgroup": group, "status": status}
    saved = {f"proc/self/{name}": text for name, text in tree.items()}
    saved |= {f"sys/fs/cgroup/{name}": text for name, text in files.items()}
    for name, text in saved.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    assert workers == usable_cpus(SystemFiles(str(tmp_path), {}), ThreeCpus())
