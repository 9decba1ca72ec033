"""What the processes of a session use, from procfs.

A server is a session of its own (``setsid``), so its workers are found however they were started,
also after their parent has ended.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_PROC: Final = Path("/proc")
_TICKS_PER_SECOND: Final = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stat:
    """What we need of ``/proc/PID/stat`` (proc_pid_stat(5))."""

    session: int
    ended: bool
    """A zombie: its parent has not read its status yet."""
    cpu_seconds: float
    """In user and kernel mode, all threads, those that ended too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """Of several processes together."""

    rss_bytes: int
    """What each has in memory, added up: shared pages count once for each."""
    pss_bytes: int
    """The same with each shared page divided among its users, other processes included."""


def parse_stat(text: str) -> Stat:
    """Read the line of one process, whatever its program is called."""
    # The name is in parentheses and may hold spaces and parentheses itself.
    fields = text.rpartition(")")[2].split()
    return Stat(
        session=int(fields[3]),
        ended=fields[0] in "ZX",
        cpu_seconds=(int(fields[11]) + int(fields[12])) / _TICKS_PER_SECOND,
    )


def parse_kibibytes(text: str, key: str) -> int:
    """Return the bytes of the line *key* in the text of ``smaps_rollup`` or ``status``."""
    for line in text.splitlines():
        name, _, value = line.partition(":")
        if name == key:
            return int(value.split()[0]) * 1024
    return 0


def session(leader: int) -> list[int]:
    """Return the living processes of the session that *leader* began."""
    found = []
    for entry in _PROC.iterdir():
        if not entry.name.isdigit():
            continue
        text = _read(entry / "stat")
        if text and (stat := parse_stat(text)).session == leader and not stat.ended:
            found.append(int(entry.name))
    return found


def cpu_seconds(pids: Iterable[int]) -> float:
    """Add up the CPU time of *pids*."""
    texts = (_read(_PROC / str(pid) / "stat") for pid in pids)
    return sum(parse_stat(text).cpu_seconds for text in texts if text)


def scheduled_seconds(pids: Iterable[int]) -> float:
    """Add up the time that living threads of *pids* ran: to the nanosecond, for idle ones."""
    tasks = (task for pid in pids for task in (_PROC / str(pid) / "task").glob("*/schedstat"))
    return sum(int(text.split()[0]) for text in map(_read, tasks) if text) / 1e9


def parse_busy(text: str) -> float:
    """Return the busy seconds of all CPUs together, from the text of ``/proc/stat``."""
    # proc_stat(5): user nice system idle iowait irq softirq steal; steal is what others got.
    values = [int(value) for value in text.split("\n", 1)[0].split()[1:9]]
    return (sum(values) - values[3] - values[4]) / _TICKS_PER_SECOND


def busy_seconds() -> float:
    """Return the seconds all CPUs together were not idle since the machine came up."""
    return parse_busy(_read(_PROC / "stat"))


def memory(pids: Iterable[int]) -> Memory:
    """Add up the memory of *pids*."""
    texts = [_read(_PROC / str(pid) / "smaps_rollup") for pid in pids]
    return Memory(
        rss_bytes=sum(parse_kibibytes(text, "Rss") for text in texts),
        pss_bytes=sum(parse_kibibytes(text, "Pss") for text in texts),
    )


def _read(file: Path) -> str:
    try:
        return file.read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
        return ""
