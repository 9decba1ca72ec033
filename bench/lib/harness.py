"""Shared by all measurements: the log, programs, the machine, results."""

import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parent.parent.parent
"""The repository."""

_DEBIANS_GO: Final = "/usr/lib/go-1.22/bin/go"

_LINES_OF_FAILURE: Final = 25
"""Lines of a failed program's output worth showing: a build's last step fits."""


class MeasureError(Exception):
    """A reason that stops a measurement: one line, then the output of a failed program, if any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """Where a figure was measured; without it a figure has no meaning."""

    date: str
    """RFC 3339, UTC."""
    processor: str
    cpus: int
    """CPUs this process may use, which a container or ``taskset`` can make fewer."""
    memory_bytes: int
    kernel: str
    system: str

    def __str__(self) -> str:
        """Return it as one line."""
        return (
            f"{self.date}, {self.cpus} CPUs of {self.processor}, "
            f"{self.memory_bytes / 2**30:.0f} GiB, {self.system}, Linux {self.kernel}"
        )


def machine() -> Machine:
    """Describe this machine, now."""
    return Machine(
        date=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        processor=_value(Path("/proc/cpuinfo"), "model name") or platform.machine(),
        cpus=len(os.sched_getaffinity(0)),
        memory_bytes=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        kernel=platform.release(),
        system=platform.freedesktop_os_release().get("PRETTY_NAME", "Linux"),
    )


def log(message: str) -> None:
    """Print *message* on stderr: stdout is for results."""
    print(message, file=sys.stderr, flush=True)


@contextmanager
def timed_step(what: str) -> Iterator[None]:
    """Log the beginning of *what* and, at its end, its duration."""
    log(f"{what} ...")
    began = time.monotonic()
    yield
    log(f"{what}: {time.monotonic() - began:.1f} s")


def run(
    argv: Sequence[str | Path], *, cwd: Path = ROOT, env: Mapping[str, str] | None = None
) -> str:
    """Run *argv* with *env* added to the environment and return its stdout.

    Raises:
        MeasureError: there is no such program, or it failed; with its last lines.
    """
    try:
        done = subprocess.run(
            [str(word) for word in argv],
            cwd=cwd,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        raise MeasureError(f"{argv[0]} is not on this machine") from None
    if done.returncode:
        messages = (done.stderr + done.stdout).splitlines()[-_LINES_OF_FAILURE:]
        raise MeasureError("\n".join([f"{argv[0]} failed ({done.returncode}):", *messages]))
    return done.stdout


def docker() -> str:
    """Return the path of a client that can build, with an engine behind it.

    Starts the engine, and installs it on a plain Debian, where this may be done.

    Raises:
        MeasureError: no engine responds and none can be started.
    """
    find = ROOT / ".ci/find-docker"
    try:
        client = run([find]).strip()
        run([client, "info"])
    except MeasureError:
        with timed_step("no engine responds, preparing one"):
            run([ROOT / ".ci/prepare-engine"])
        client = run([find]).strip()
    return client


def go() -> str:
    """Return the path of a Go compiler, installed where there is none.

    Raises:
        MeasureError: there is none and none can be installed.
    """
    found = shutil.which("go") or _DEBIANS_GO
    if not Path(found).exists():
        with timed_step("no Go on this machine, preparing one"):
            run([ROOT / ".ci/prepare-go"])
    return found


def write_results(file: Path, document: Mapping[str, object]) -> None:
    """Write *document* as JSON with a line for each entry, numbers with six digits."""
    parts = []
    for key, value in document.items():
        text = json.dumps(_short(value))
        if isinstance(value, list | tuple) and value:
            entries = ",\n".join(json.dumps(_short(entry)) for entry in value)
            text = f"[\n{entries}\n]"
        parts.append(f"{json.dumps(key)}: {text}")
    file.write_text("{\n" + ",\n".join(parts) + "\n}\n", "utf-8")


def environment(pins: Path, venv: Path) -> Path:
    """Return the Python of *venv* with what *pins* lists; make it if it is missing or stale."""
    python, stamp = venv / "bin/python", venv / "made-from"
    wanted = hashlib.sha256(sys.version.encode() + pins.read_bytes()).hexdigest()
    if not (python.exists() and stamp.is_file() and stamp.read_text() == wanted):
        shutil.rmtree(venv, ignore_errors=True)
        with timed_step(f"installing {pins.relative_to(ROOT)} into {venv.relative_to(ROOT)}"):
            run([sys.executable, "-m", "venv", venv])
            pip = (python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
            run([*pip, "--require-hashes", "-r", pins])
        stamp.write_text(wanted)
    return python


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Lay out a table that is read alike on a terminal and as Markdown."""
    lines = [head, *rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    lines.insert(1, ["-" * width for width in widths])
    return "\n".join(
        "| "
        + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        + " |"
        for line in lines
    )


def markdown_cell(text: str) -> str:
    """Return *text* as a cell of a table: a bar would end it, angle brackets would be HTML."""
    for sign, replacement in (("|", "\\|"), ("<", "&lt;"), (">", "&gt;"), ("\n", " ")):
        text = text.replace(sign, replacement)
    return text


def _short(value: Any) -> Any:  # noqa: ANN401  JSON
    if isinstance(value, float):
        return float(f"{value:.6g}")
    if isinstance(value, Mapping):
        return {key: _short(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_short(entry) for entry in value]
    return value


def _value(file: Path, key: str) -> str:
    """Return the text after the first *key* and colon in *file*."""
    for line in file.read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == key:
            return value.strip()
    return ""
