"""Run a program of Python that sees another processor than its own.

    other_machine.py MACHINE PROGRAM ARGUMENT…

By ``os.uname`` and ``platform.machine``, which calls it, a setup script chooses the instructions
that its C code may use. Standard library only.
"""

import os
import runpy
import sys


def main() -> None:
    """Replace ``os.uname``, then run the program as ``__main__``."""
    machine, *rest = sys.argv[1:]
    here = os.uname()
    there = os.uname_result((here.sysname, here.nodename, here.release, here.version, machine))
    os.uname = lambda: there
    sys.argv[:] = rest
    runpy.run_path(rest[0], run_name="__main__")


if __name__ == "__main__":
    main()
