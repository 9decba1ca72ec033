"""Use of the service's own processes: CPU time, memory, open files.

Source: proc_pid_stat(5), proc_stat(5), proc_pid_fd(5).
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from devops_info_service.facts import parse
from devops_info_service.facts.fact import value_of
from devops_info_service.facts.lines import words
from devops_info_service.facts.system_files import SystemFiles

TICKS: Final = 100
"""In a second, whatever the kernel's own (USER_HZ): the same on amd64 and arm64."""

# Fields of /proc/PID/stat, numbered from 0 behind the program's name, which may hold anything.
_USER, _SYSTEM, _ENDED_USER, _ENDED_SYSTEM = 11, 12, 13, 14
_STARTED, _VIRTUAL, _RESIDENT = 19, 20, 21


class Usage(msgspec.Struct, frozen=True):
    """All processes of the service together; ``None``: the kernel does not report it."""

    cpu_seconds: float | None
    """Those that have ended included, so that it never falls."""
    resident_bytes: int | None
    """Pages that processes share count for each of them."""
    virtual_bytes: int | None
    open_files: int | None
    max_files: int | None
    """Of one process."""
    started: float | None
    """When the first process was, in seconds since 1970."""


def read_boot_time(tree: SystemFiles) -> int | None:
    """Return when the machine started, in seconds since 1970; ``None``: not known.

    The kernel sums up the interrupts of every CPU for the file: it is not for each scrape.
    """
    return value_of(tree.read("/proc/stat").parse_field("btime", parse.count), None)


def read_usage(
    tree: SystemFiles, pids: Sequence[int], page_bytes: int, booted: int | None
) -> Usage:
    """Read the processes *pids*; the first of them started the others.

    *booted* is ``read_boot_time``.
    """
    stats = [stat for stat in (_stat(tree, pid) for pid in pids) if stat]
    files = [tree.count(f"/proc/{pid}/fd") for pid in pids]
    counts = [count for count in files if isinstance(count, int)]
    max_files = tree.read(f"/proc/{pids[0]}/limits").parse_field("Max open files", _soft, "  ")
    if not stats:
        return Usage(None, None, None, sum(counts) or None, value_of(max_files, None), None)
    first = stats[0]
    ticks = first[_ENDED_USER] + first[_ENDED_SYSTEM]
    ticks += sum([stat[_USER] + stat[_SYSTEM] for stat in stats])
    return Usage(
        cpu_seconds=ticks / TICKS,
        resident_bytes=sum([stat[_RESIDENT] for stat in stats]) * page_bytes,
        virtual_bytes=sum([stat[_VIRTUAL] for stat in stats]),
        open_files=sum(counts) or None,
        max_files=value_of(max_files, None),
        started=None if booted is None else booted + first[_STARTED] / TICKS,
    )


def _stat(tree: SystemFiles, pid: int) -> tuple[int, ...]:
    """Return the numbers of ``/proc/PID/stat``; none where there is no such process."""
    # The name before it may hold anything, a parenthesis and a line feed too.
    fields = words(tree.read(f"/proc/{pid}/stat").text.rpartition(")")[2].rstrip("\n"))
    try:
        # The first one is the state, a letter.
        numbers = tuple([parse.signed(word) for word in fields[1 : _RESIDENT + 1]])
    except ValueError:
        return ()
    return (0, *numbers) if len(numbers) == _RESIDENT else ()


def _soft(text: str) -> int:
    return parse.count(words(text)[0])
