"""Where facts come from: the only reader of the machine; tests hand in another."""

import os
import sys
import time
from typing import Protocol


class Source(Protocol):
    """What the facts are made from."""

    def uname(self) -> os.uname_result:
        """Return what the kernel says of itself and of the host's name."""

    def cpus(self) -> int:
        """Return the number of CPUs this process may run on."""

    def python_version(self) -> str:
        """Return the interpreter's version, such as ``3.13.5``."""

    def time(self) -> float:
        """Return the seconds since 1970, UTC."""

    def monotonic(self) -> float:
        """Return seconds that never jump."""


class Machine:
    """The machine under this process."""

    def uname(self) -> os.uname_result:
        """Ask the kernel; ``platform.uname()`` would start a process for the same."""
        return os.uname()

    def cpus(self) -> int:
        """Count the affinity mask: ``os.cpu_count()`` counts the whole host."""
        return len(os.sched_getaffinity(0))

    def python_version(self) -> str:
        """Read it from the interpreter itself: there may be no files to ask."""
        return "{}.{}.{}".format(*sys.version_info)

    def time(self) -> float:
        """Read the wall clock."""
        return time.time()

    def monotonic(self) -> float:
        """Read the clock that never jumps."""
        return time.monotonic()
