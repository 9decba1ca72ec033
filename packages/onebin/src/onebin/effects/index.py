"""Distributions from the package index, through pip: list files, download.

pip's input is written here from parsed values; no text of a project, an index or a wheel becomes
an argument. pip runs no code of a distribution (``target/pip_for_target.py``).
"""

import json
import sys
import urllib.parse
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    canonicalize_name,
    parse_sdist_filename,
    parse_wheel_filename,
)
from packaging.version import Version

from onebin.errors import ProjectError, ToolError
from onebin.model import Machine, Pin

from .pip_options import SOURCE, installable, programs, pure
from .process import PIP, RunCommand
from .reasons import UNREACHABLE, Reason, subject, why


class IndexFile(msgspec.Struct, frozen=True):
    """One file of an index."""

    name: str
    sha256: str = ""
    """In hex; empty where the index does not publish one."""


class UnreachableError(ToolError):
    """The index gives no page; ``str()`` of it is the address and the reason."""


class NoMatchError(ToolError):
    """The index has no file that fits; ``str()`` of it is the requirement."""


class ConflictError(NoMatchError):
    """Requirements exclude each other; ``str()`` of it names those that were given."""


def pip(
    run: RunCommand,
    arguments: Sequence[str | Path],
    *,
    environment: Mapping[str, str] | None = None,
    **options: Any,  # noqa: ANN401
) -> bytes:
    """Run pip of this very interpreter, with the markers of *environment* where it matters.

    Raises:
        ToolError: it failed; an index that cannot be reached is named as the reason.
    """
    settings = ["--disable-pip-version-check", "--no-input"]
    call = [sys.executable, "-P", PIP.program, json.dumps(environment or {}), *settings, *arguments]
    try:
        return run(call, fetching=True, **options)
    except ToolError as exc:
        reason, about = why(exc.detail), subject(exc.detail)
        if reason in UNREACHABLE:
            raise UnreachableError(about, hint=UNREACHABLE[reason]) from exc
        if reason is Reason.NO_MATCH:
            raise NoMatchError(about, detail=exc.detail) from exc
        if reason is Reason.CONFLICT:
            raise ConflictError(about, detail=exc.detail) from exc
        if reason is Reason.ADDRESS:
            raise ProjectError(
                f"{about} by an address; expected a version of an index",
                hint="nothing was fetched from there: choose another version or package",
            ) from exc
        raise


def files(pin: Pin, folder: Path, *, python: str, run: RunCommand) -> tuple[IndexFile, ...]:
    """Return all of the index's files of *pin*, by name, without downloads.

    Raises:
        ToolError: the index cannot be reached.
    """
    try:
        printed = pip(run, ["files", pin.name, "--python-version", python], cwd=folder)
    except NoMatchError:
        return ()
    found = _by_version(msgspec.json.decode(printed, type=list[IndexFile]))
    return found.get((pin.name, Version(pin.version)), ())


def files_of(
    pins: Sequence[Pin], folder: Path, *, python: str, run: RunCommand
) -> dict[Pin, tuple[IndexFile, ...]]:
    """Return the same of each of *pins*, by one run of pip: it takes as long as five of them.

    Raises:
        ToolError: the index cannot be reached, or has nothing of one of them.
    """
    names = sorted({pin.name for pin in pins})
    printed = pip(run, ["files", *names, "--python-version", python], cwd=folder)
    every = msgspec.json.decode(printed, type=list[IndexFile])
    by_version = _by_version(every)
    return {pin: by_version.get((pin.name, Version(pin.version)), ()) for pin in pins}


def _by_version(
    every: Iterable[IndexFile],
) -> dict[tuple[str, Version] | None, tuple[IndexFile, ...]]:
    """Return the files of each distribution and version, by name; under None what states none."""
    found: dict[tuple[str, Version] | None, list[IndexFile]] = {}
    for item in every:
        found.setdefault(_version_of(item.name), []).append(item)
    return {
        version: tuple(sorted(files, key=lambda item: item.name))
        for version, files in found.items()
    }


def locked(pin: Pin, every: Sequence[IndexFile]) -> tuple[IndexFile, ...]:
    """Return those of *every* file of *pin* that have a hash of the lock.

    Raises:
        ProjectError: there are files, and the lock knows none of them.
    """
    known = {item.removeprefix("sha256:") for item in pin.hashes}
    found = [item for item in every if not (known and item.sha256) or item.sha256 in known]
    if every and not found:
        raise ProjectError(
            f"{pin}: the index's file is not one the lock knows",
            hint="if the lock is right the file was tampered with; else lock again",
        )
    return tuple(found)


def _version_of(name: str) -> tuple[str, Version] | None:
    """Return the distribution and the version a file's *name* states."""
    try:
        if name.endswith(".whl"):
            return parse_wheel_filename(name)[:2]
        return parse_sdist_filename(name)
    except (InvalidWheelFilename, InvalidSdistFilename):
        return None


def download(
    pin: Pin, folder: Path, *, python: str, run: RunCommand, from_source: Collection[str] = ()
) -> Path:
    """Fetch the file of *pin* that is used: its pure-Python wheel, else its source distribution.

    Of the distributions named in *from_source* always the latter.

    Raises:
        ProjectError: there is no such file.
    """
    only_source = pin.name in {canonicalize_name(name) for name in from_source}
    file = None if only_source else download_wheel(pin, folder, python=python, run=run)
    file = file or download_source(pin, folder, run=run)
    if file is None and only_source:
        raise ProjectError(
            f"tool.onebin.from-source: {pin.name} {pin.version} has no source distribution"
        )
    if file is None:
        raise ProjectError(
            f"{pin}: neither a pure-Python wheel nor a source distribution",
            hint="a static executable cannot load its .so files: choose another version or package",
        )
    return file


def download_wheel(pin: Pin, folder: Path, *, python: str, run: RunCommand) -> Path | None:
    """Fetch the pure-Python wheel of *pin*; None where there is none."""
    return _download(pin, folder, pure(python), run=run)


def download_wheels(
    pins: Sequence[Pin], folder: Path, *, python: str, run: RunCommand
) -> dict[Pin, Path]:
    """Fetch the pure-Python wheels of *pins*, which have hashes, by one run of pip.

    Raises:
        ToolError: one of them cannot be fetched, or has no such wheel; or is another file.
    """
    files = _fetched(map(_line, pins), folder, pure(python), must=True, run=run)
    found = {stated: file for file in files if (stated := _version_of(file.name))}
    names = {pin: (pin.name, Version(pin.version)) for pin in pins}
    return {pin: found[name] for pin, name in names.items() if name in found}


def download_tool(pin: Pin, folder: Path, *, python: str, run: RunCommand) -> Path | None:
    """Fetch the wheel of *pin* that works in a build on this machine; None where there is none."""
    return _download(pin, folder, programs(python), run=run)


def download_for_platform(
    pin: Pin, folder: Path, *, python: str, machine: Machine, run: RunCommand
) -> Path | None:
    """Fetch the wheel of *pin* that pip would install on Linux, of any Python or of *python*."""
    return _download(pin, folder, installable(python, machine), run=run)


def download_source(pin: Pin, folder: Path, *, run: RunCommand) -> Path | None:
    """Fetch the source distribution of *pin*; None where there is none.

    No code of it runs here.
    """
    return _download(pin, folder, SOURCE, run=run)


def download_url(pin: Pin, address: str, folder: Path, *, python: str, run: RunCommand) -> Path:
    """Fetch the file at *address*, a pure-Python wheel or a source distribution, for *pin*.

    Raises:
        ProjectError: it is another file than the pin's.
        ToolError: it cannot be fetched.
    """
    is_wheel = urllib.parse.urlsplit(address).path.endswith(".whl")
    choice = pure(python) if is_wheel else SOURCE
    line = f"{pin.name} @ {address}"
    found = _download(pin, folder, choice, run=run, line=line)
    if found is None:
        raise ToolError(f"{pin}: no file that fits at its address")
    return found


def _download(
    pin: Pin, folder: Path, choice: Sequence[str], *, run: RunCommand, line: str = ""
) -> Path | None:
    try:
        # Without hashes only where a lock is written or the project allows it.
        found = _fetched([_line(pin, line)], folder, choice, must=bool(pin.hashes), run=run)
    except NoMatchError:
        return None
    except UnreachableError as exc:
        raise UnreachableError(f"{pin}: {exc}", hint=exc.hint) from exc
    except ToolError as exc:
        if why(exc.detail) is Reason.HASH_MISMATCH:
            raise ProjectError(
                f"{pin}: the index's file is not one the lock knows",
                hint="if the lock is right the file was tampered with; else lock again",
            ) from exc
        raise ToolError(
            f"{pin} cannot be downloaded",
            hint="pip's own settings decide where from",
            detail=exc.detail,
        ) from exc
    return found[0]


def _line(pin: Pin, start: str = "") -> str:
    """Return the line of a requirement of *pin*, with its hashes."""
    start = start or f"{pin.name}=={pin.version}"
    return start + "".join(f" --hash={item}" for item in pin.hashes)


def _fetched(
    lines: Iterable[str], folder: Path, choice: Sequence[str], *, must: bool, run: RunCommand
) -> list[Path]:
    folder.mkdir(exist_ok=True)
    wanted = folder / "wanted.txt"
    wanted.write_text("".join(f"{line}\n" for line in lines), "ascii")
    target = folder / "files"
    hashed = ["--require-hashes"] if must else []
    pip(
        run,
        ["download", "--quiet", "--no-deps", "--dest", target, *hashed, *choice, "-r", wanted],
    )  # fmt: skip
    return [*target.iterdir()]
