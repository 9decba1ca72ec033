"""Threads that import at once, before anything else is imported: prints what failed."""

import _thread
import sys
import time

NAMES = (
    "functools", "typing", "collections.abc", "dataclasses", "random", "collections.abc",
    "inspect", "collections", "os.path", "importlib.util", "importlib._bootstrap_external", "os",
)  # fmt: skip


def main():
    """Import all of NAMES, each in another thread."""
    failed, left = [], [len(NAMES)]

    def load(name):
        try:
            __import__(name)
        except BaseException as exc:
            failed.append(f"{name}: {exc!r}")
        left[0] -= 1

    for name in NAMES:
        _thread.start_new_thread(load, (name,))
    while left[0]:
        time.sleep(0.001)
    if failed:
        sys.exit("\n".join(failed))

