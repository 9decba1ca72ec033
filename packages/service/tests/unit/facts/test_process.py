"""What processes use, from the kernel's files about them."""

import os
import resource
import time
from collections.abc import Callable

from devops_info_service.facts.fact import Unknown
from devops_info_service.facts.linux.process import Usage, read_boot_time, read_usage
from devops_info_service.facts.system_files import SystemFiles

STAT = "{pid} (a) b (c) S 1 {pid} {pid} 0 -1 4194560 9 8 7 6 {times} 20 0 1 0 300 {sizes} 0 0\n"


def stat(pid: int, times: str, sizes: str) -> dict[str, str]:
    return {f"/proc/{pid}/stat": STAT.format(pid=pid, times=times, sizes=sizes)}


def test_sums(tree_of: Callable[..., SystemFiles]) -> None:
    """Processes are added up; only the first one's children are counted with it."""
    tree = tree_of(
        {
            **stat(7, "100 50 30 20", "4096 3"),
            **stat(9, "10 5 999 999", "8192 2"),
            "/proc/stat": "cpu 1 2 3\nbtime 1700000000\n",
            "/proc/7/limits": "Limit  Soft  Hard  Units\nMax open files    1024  4096  files\n",
            "/proc/7/fd/0": "",
            "/proc/7/fd/1": "",
            "/proc/9/fd/0": "",
        }
    )

    usage = read_usage(tree, (7, 9, 11), page_bytes=4096, booted=read_boot_time(tree))

    assert (usage.cpu_seconds, usage.resident_bytes, usage.virtual_bytes) == (2.15, 20480, 12288)
    assert (usage.max_files, usage.started) == (1024, 1700000003.0)


def test_nothing_to_read(tree_of: Callable[..., SystemFiles]) -> None:
    """Missing or invalid values are None."""
    nothing = Usage(None, None, None, None, None, None)

    assert read_boot_time(tree_of({})) is None
    assert read_boot_time(tree_of({"/proc/stat": "btime soon"})) is None
    assert read_usage(tree_of({}), (7,), 4096, booted=1) == nothing
    assert read_usage(tree_of({"/proc/7/stat": "7 (a) S x y"}), (7,), 4096, booted=1) == nothing
    assert read_usage(tree_of({"/proc/7/stat": "7 (a) S 1 2"}), (7,), 4096, booted=1) == nothing


def test_this_process() -> None:
    """The values in /proc agree with getrusage and getrlimit."""
    before = cpu_seconds()
    tree = SystemFiles()
    usage = read_usage(tree, (os.getpid(),), os.sysconf("SC_PAGE_SIZE"), read_boot_time(tree))
    after = cpu_seconds()
    used = resource.getrusage(resource.RUSAGE_SELF)
    ticks = 4 / os.sysconf("SC_CLK_TCK")  # each of four summands is cut to one

    assert usage.cpu_seconds is not None
    assert before - ticks <= usage.cpu_seconds <= after + ticks
    assert usage.resident_bytes is not None
    assert 0 < usage.resident_bytes <= used.ru_maxrss * 1024 * 1.1
    assert usage.max_files == resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    assert usage.started is not None
    assert usage.started < time.time()


def cpu_seconds() -> float:
    """Return the CPU time of this process and of its children that have ended."""
    used = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in used)


def test_open_files() -> None:
    """Open files are counted, however many."""
    before = SystemFiles().count(f"/proc/{os.getpid()}/fd")
    pipes = [os.pipe() for _ in range(100)]
    after = SystemFiles().count(f"/proc/{os.getpid()}/fd")
    for descriptor in (end for pipe in pipes for end in pipe):
        os.close(descriptor)

    assert isinstance(before, int)
    assert isinstance(after, int)
    assert after - before == 200
    assert isinstance(SystemFiles().count("/proc/nobody/fd"), Unknown)
