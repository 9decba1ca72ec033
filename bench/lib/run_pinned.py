"""Set the CPUs of this process, write the time, and become another program.

usage: python -I -S run_pinned.py CPUS DESCRIPTOR PROGRAM [ARGUMENT]...

The moment (nanoseconds of the monotonic clock, which all processes share) goes to DESCRIPTOR: the
start of this program is not part of a cold start.
"""

import os
import sys
import time


def main() -> None:
    """Run once; there is no way back."""
    cpus, descriptor, *argv = sys.argv[1:]
    os.sched_setaffinity(0, {int(cpu) for cpu in cpus.split(",")})
    os.write(int(descriptor), b"%d" % time.monotonic_ns())
    os.close(int(descriptor))
    os.execv(argv[0], argv)  # noqa: S606  a shell is not wanted


if __name__ == "__main__":
    main()
