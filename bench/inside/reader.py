"""The program that is measured: reader start, or reader read, which prints JSON.

Packed by onebin; the measurement never runs it itself. Its files are the standard library's.
"""

import json
import sys
import time
from pathlib import Path


def main() -> None:
    """Do what the first argument names."""
    if sys.argv[1] == "read":
        read()


def read() -> None:
    """Open, read and close each source file inside, three times; print the times and memory."""
    paths = sorted(Path(sys.prefix).rglob("*.py"))
    before = memory()
    passes = []
    size = 0
    for _ in range(3):
        times = []
        for path in paths:
            began = time.perf_counter_ns()
            with path.open("rb") as file:
                data = file.read()
            times.append(time.perf_counter_ns() - began)
            size += len(data)
        passes.append(times)
    found = {
        "files": len(paths), "bytes": size // 3, "times": passes, "before": before,
        "after": memory(),
    }  # fmt: skip
    print(json.dumps(found))


def memory() -> dict[str, int]:
    """Return the bytes of this process by kind (proc_pid_status(5))."""
    lines = Path("/proc/self/status").read_text("ascii").split("\n")
    values = [line.split() for line in lines if line.startswith("Rss")]
    return {name.rstrip(":"): int(number) * 1024 for name, number, _ in values}
