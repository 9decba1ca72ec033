"""Run one module of the tests: unprivileged, in a PID namespace, with limits.

The machine's files are there, since tests start shells and compilers; CPython and its standard
library come from the executable alone. The program is not PID 1, which is spared signals.
"""

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_USER: Final = "65534:65534"
"""nobody: tests read its entry in the password database, and few processes count with these."""
PROCESSES: Final = 300
_PROCESSES_UNPRIVILEGED: Final = 3000
"""Without root the limit counts all processes of the user, those outside as well."""
_MEMORY_BYTES: Final = 8 << 30
"""Of address space: a test that allocates without end ends itself and not the machine."""

_RESOURCES: Final = "all,-largefile,-network,-urlfetch,-audio,-gui,-walltime,-cpu"
"""What tests may use (regrtest's -u): no gigabytes, other machines, minutes of waiting."""

_GRACE_SECONDS: Final = 15
"""Between the runner's own limit, which prints where each thread is, and the end."""


@dataclass(frozen=True, slots=True)
class Run:
    """What a run has left."""

    lines: str
    output: str
    status: int | None
    """None: its time was over."""


def run(program: Path, module: str, folder: Path, *, limit_seconds: int) -> Run:
    """Run *module* in the executable *program*, with *folder*, made new, as its working place.

    Without root the user inside is the caller, mapped to root of a user namespace: Linux maps no
    other one for an unprivileged caller.
    """
    _remove(folder)
    folder.mkdir(parents=True)
    folder.chmod(0o1777)
    results = folder / "results"
    arguments = [
        str(program), str(results), "-u", _RESOURCES, "--timeout", str(limit_seconds),
        "--tempdir", str(folder), module,
    ]  # fmt: skip
    with subprocess.Popen(
        _isolated(arguments, folder),
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        process_group=0,
    ) as process:
        try:
            output, _ = process.communicate(timeout=limit_seconds + _GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            output, _ = process.communicate()
            status = None
        else:
            status = process.returncode
    text = output.decode("utf-8", "replace")
    if "Timeout (" in text:  # the runner's own limit
        status = None
    lines = results.read_text("ascii") if results.is_file() else ""
    _remove(folder)
    return Run(lines, text, status)


def _isolated(arguments: Sequence[str], folder: Path) -> list[str]:
    is_root = os.geteuid() == 0
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    chroot = str(shutil.which("chroot", path=path))
    user = [chroot, f"--userspec={_USER}", "/"] if is_root else []
    environment = [
        f"HOME={folder}", f"TMPDIR={folder}", "PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8",
    ]  # fmt: skip
    processes = PROCESSES if is_root else _PROCESSES_UNPRIVILEGED
    return [
        "unshare", *([] if is_root else ["-Ur"]), "-m", "-p", "-f", "--kill-child", "--mount-proc",
        "prlimit", f"--nproc={processes}", f"--as={_MEMORY_BYTES}", "--core=0",
        *user, "env", "-i", *environment,
        # A shell that stays: it is PID 1.
        "sh", "-c", 'cd "$HOME" && "$@"; exit $?', "sh", *arguments,
    ]  # fmt: skip


def _remove(folder: Path) -> None:
    """Remove *folder* although tests leave folders without permissions there."""
    if folder.is_dir():
        for path, _, _ in os.walk(folder):
            with contextlib.suppress(OSError):
                Path(path).chmod(0o700)
        shutil.rmtree(folder, ignore_errors=True)
