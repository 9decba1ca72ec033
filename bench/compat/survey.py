"""One package: under an ordinary interpreter, then planned, built and run by onebin."""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from bench.compat import contained, project
from bench.compat.catalog import Package

VERSION: Final = 2
"""Raised when a result comes about otherwise: part of the key of kept results."""

RUN_SECONDS: Final = 60

_GRACE_SECONDS: Final = 10

_COMMAND_LINE: Final = 2
"""onebin's exit status if the project must change: a refusal."""

_ERROR: Final = re.compile(r"^onebin: error: (.*)$", re.MULTILINE)
_DETAIL: Final = re.compile(r"^  \| (.*)$", re.MULTILINE)
_PIN: Final = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;]+)", re.MULTILINE)


class Outcome(StrEnum):
    """How far a package came."""

    WORKS = "works"
    REFUSED = "refused by plan"
    NOT_BUILT = "does not build"
    TIME_LIMIT = "not built in time"
    FAILS = "builds, fails when run"
    ORDINARY_FAILS = "fails under an ordinary interpreter"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The facts about one package."""

    name: str
    kind: str
    version: str = ""
    outcome: Outcome
    reason: str = ""
    """One line, as the program that failed printed it."""
    provider: str = ""
    """How the package came in, by onebin's word; empty if it was refused."""
    lacks: str = ""
    """Why the compiled code that pip would install is not inside, by onebin's words."""
    compiled_expected: int = 0
    """C extensions of the package that pip installs on this platform."""
    compiled_found: int = 0
    """Those of them that are in the executable."""
    distributions: int = 0
    """Number of distributions, dependencies included."""
    seconds: float = 0
    """Of the build, CPython being in the cache."""
    size_bytes: int = 0


class _StopError(Exception):
    def __init__(self, outcome: Outcome, reason: str) -> None:
        super().__init__(reason)
        self.outcome = outcome


class Survey:
    """Tools and limits of a run."""

    def __init__(self, python: Path, work: Path, *, build_seconds: int) -> None:
        """Use *python* as the ordinary interpreter, and folders below *work*."""
        self._python = python
        self._work = work
        self._build_seconds = build_seconds

    def examine(self, package: Package) -> Result:
        """Take *package* through all steps, to the first that fails."""
        folder = self._work / package.name
        shutil.rmtree(folder, ignore_errors=True)
        program = project.write(package, folder / "project")
        facts: dict[str, Any] = {"name": package.name, "kind": package.kind}
        try:
            self._examine(package, program, folder, facts)
        except _StopError as exc:
            return Result(**facts, outcome=exc.outcome, reason=str(exc))
        finally:
            for name in ("venv", "root", "app"):
                _remove(folder / name)
        return Result(**facts, outcome=Outcome.WORKS)

    def _examine(
        self, package: Package, program: Path, folder: Path, facts: dict[str, Any]
    ) -> None:
        source = program.parent
        # Faults of the code or the package show before onebin is blamed; versions are onebin's.
        locked = self._onebin("lock", source)
        pins = dict(_PIN.findall(_text(source / "onebin.lock")))
        wanted = [f"{name}=={version}" for name, version in pins.items()]
        python = self._install(wanted or [package.name, *package.requires], folder / "venv")
        version, extensions = _installed(python, package.name)
        facts["version"], facts["compiled_expected"] = version, len(extensions)
        facts["distributions"] = len(pins)
        expected = _ordinary(python, program)
        _require(locked, Outcome.REFUSED)
        planned = self._onebin("plan", "--json", source)
        _require(planned, Outcome.REFUSED)
        offer = _offer(json.loads(planned.stdout), package.name)
        facts["provider"], facts["lacks"] = offer.get("provider", ""), offer.get("lacks", "")
        began = time.monotonic()
        built = self._onebin("build", source, "-o", folder / "app")
        facts["seconds"] = round(time.monotonic() - began, 1)
        _require(built, Outcome.NOT_BUILT)
        facts["size_bytes"] = (folder / "app").stat().st_size
        found = _packed(folder, expected)
        facts["compiled_found"] = len(extensions & found)

    def _onebin(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "onebin", *arguments]
        try:
            return _run(command, self._build_seconds)
        except subprocess.TimeoutExpired:
            limit = f"{arguments[0]} took more than {self._build_seconds} s"
            raise _StopError(Outcome.TIME_LIMIT, limit) from None

    def _install(self, wanted: Sequence[str], venv: Path) -> Path:
        """Return the Python of a new environment with *wanted*, as pip installs them."""
        _run([self._python, "-m", "venv", "--without-pip", venv], RUN_SECONDS)
        python = venv / "bin/python"
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", str(python)]
        try:
            done = _run([*pip, "install", "--quiet", *wanted], self._build_seconds)
        except subprocess.TimeoutExpired:
            raise _StopError(Outcome.ORDINARY_FAILS, "pip took too long") from None
        if done.returncode:
            raise _StopError(Outcome.ORDINARY_FAILS, _last(done.stderr))
        return python


_INSTALLED: Final = """\
import importlib.machinery, importlib.metadata, json, sys
found = importlib.metadata.distribution(sys.argv[1])
names = []
for file in found.files or ():
    for suffix in importlib.machinery.EXTENSION_SUFFIXES:
        if file.name.endswith(suffix):
            names.append(".".join([*file.parent.parts, file.name.removesuffix(suffix)]))
            break
print(json.dumps([found.version, names]))
"""


def _installed(python: Path, name: str) -> tuple[str, frozenset[str]]:
    """Return the version of *name* that pip installed, and its C extensions."""
    done = _run([python, "-c", _INSTALLED, name], RUN_SECONDS)
    version, names = json.loads(done.stdout)
    return version, frozenset(names)


def _ordinary(python: Path, program: Path) -> str:
    """Return what *program* prints under an ordinary interpreter."""
    try:
        done = _run([python, "-I", "-X", "utf8", program], RUN_SECONDS)
    except subprocess.TimeoutExpired:
        raise _StopError(Outcome.ORDINARY_FAILS, f"runs for over {RUN_SECONDS} s") from None
    if done.returncode:
        raise _StopError(Outcome.ORDINARY_FAILS, _last(done.stderr))
    if not done.stdout.strip():
        raise _StopError(Outcome.ORDINARY_FAILS, "prints nothing, which proves nothing")
    return done.stdout


def _packed(folder: Path, expected: str) -> frozenset[str]:
    """Run the executable in an empty root and return its built-in modules."""
    try:
        done = contained.run(folder / "app", folder / "root", timeout_seconds=RUN_SECONDS)
    except subprocess.TimeoutExpired:
        raise _StopError(Outcome.FAILS, f"runs for over {RUN_SECONDS} s") from None
    output, errors = done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")
    if done.returncode:
        raise _StopError(Outcome.FAILS, f"status {done.returncode}: {_last(errors)}")
    if output != expected:
        raise _StopError(Outcome.FAILS, f"printed {output[:80]!r}, expected {expected[:80]!r}")
    return frozenset(errors.rpartition(project.MODULES)[2].split())


def _require(done: subprocess.CompletedProcess[str], refusal: Outcome) -> None:
    """Raise *refusal* if onebin refused or failed, or if its plan has an obstacle."""
    if done.returncode:
        # A fault of the machine is none of the package's: it shows as such in the reason.
        found = _ERROR.findall(done.stderr)
        outcome = refusal if done.returncode == _COMMAND_LINE else Outcome.NOT_BUILT
        reason = f"{found[-1]}{_detail(done.stderr)}" if found else _last(done.stderr)
        raise _StopError(outcome, reason)
    if not done.stdout.startswith("{"):
        return
    plan = json.loads(done.stdout)
    obstacles = [item for item in (*plan["offers"], *plan["obstacles"]) if "reason" in item]
    if obstacles:
        raise _StopError(refusal, "; ".join(item["reason"] for item in obstacles))


def _detail(errors: str) -> str:
    """Return the first line with an error that onebin shows of another program, after a colon."""
    lines = _DETAIL.findall(errors)
    errors_found = filter(re.compile(r"\berror\b|\w+(Error|Exception)\b").search, lines)
    found = next(errors_found, lines[-1] if lines else "")
    return f": {found.strip()}" if found else ""


def _offer(plan: dict[str, Any], name: str) -> dict[str, Any]:
    found = (item for item in plan.get("offers", ()) if item["pin"]["name"] == name)
    return next(found, {})


def _run(command: Sequence[str | Path], seconds: float) -> subprocess.CompletedProcess[str]:
    """Run *command*; after *seconds* end it and what it started.

    Raises:
        subprocess.TimeoutExpired: it was ended.
    """
    with subprocess.Popen(
        [*map(str, command)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
        process_group=0,
    ) as process:
        try:
            output, errors = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            # onebin ends its compilers and removes what is half done; then all the rest goes.
            process.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.communicate(timeout=_GRACE_SECONDS)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            raise
    return subprocess.CompletedProcess(command, process.returncode, output, errors)


def _last(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1].strip() if lines else "nothing on stderr"


def _text(file: Path) -> str:
    return file.read_text("utf-8") if file.is_file() else ""


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
