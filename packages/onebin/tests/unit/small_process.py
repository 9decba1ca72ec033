"""A report on a hostile archive, made in a small process.

The kernel decides: each runs in a child with 256 MiB of address space (RLIMIT_AS; beyond it
is MemoryError) and a minute of CPU time (RLIMIT_CPU; beyond it the child is killed). The error
of a rejected archive must name the limit.
"""

import json
import resource
import subprocess
import sys
from pathlib import Path

Files = dict[str, bytes]

ADDRESS_SPACE = 256 * 1024**2
CPU_SECONDS = 60


def inspect(path: Path, *options: str) -> subprocess.CompletedProcess[str]:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))

    command = [sys.executable, "-m", "onebin", "inspect", str(path), *options]
    return subprocess.run(command, capture_output=True, text=True, check=False, preexec_fn=limit)


def holds(path: Path, said: str, *forms: tuple[str, ...]) -> None:
    """Expect a report in all *forms* if *said* is empty, else that error."""
    for options in forms:
        done = inspect(path, *options)
        assert "Traceback" not in done.stderr, done.stderr[-2000:]
        assert done.returncode == bool(said), done.stderr[-2000:]
        lines = done.stderr.splitlines()
        assert len(lines) <= 2
        assert all(len(line) < 1200 and line.isprintable() for line in lines)
        if said:
            assert said in done.stderr
        elif options:
            assert json.loads(done.stdout)["kind"] == "image"
        else:
            assert all(line.isprintable() for line in done.stdout.splitlines())
            assert len(done.stdout) < 100_000
