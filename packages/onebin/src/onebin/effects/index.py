"""Distributions from the package index, by way of pip: resolve, download, install."""

import json
import re
import sys
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
from packaging.utils import canonicalize_name

from onebin.errors import ProjectError, ToolError
from onebin.model import Machine, Pin, target_environment

from .process import Run

PIP: Final = Path(__file__).parent.parent / "target" / "pip_for_target.py"

# What a static interpreter can import: Python code alone. Everything else is built from source.
PURE: Final = (
    "--only-binary",
    ":all:",
    "--platform",
    "any",
    "--implementation",
    "py",
    "--abi",
    "none",
)


UNREACHABLE: Final = ("Retrying (", "Could not fetch URL", "connection error")
"""What pip says before it claims that an index it cannot reach has no such distribution."""


class UnreachableError(ToolError):
    """The index does not answer."""


class NoMatchError(ToolError):
    """The index has no file that fits; ``str()`` of it is the requirement."""


def pip(
    run: Run,
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
    call = [sys.executable, "-P", PIP, json.dumps(environment or {}), *settings, *arguments]
    try:
        return run(call, **options)
    except ToolError as exc:
        if any(sign in exc.detail for sign in UNREACHABLE):
            raise UnreachableError(
                "the package index cannot be reached",
                hint="is there a network? pip's own settings decide which index it is",
                detail=exc.detail,
            ) from exc
        if found := re.search("No matching distribution found for (.+)", exc.detail):
            raise NoMatchError(found[1].strip(), detail=exc.detail) from exc
        raise


def resolve(
    dependencies: Sequence[str], *, python: str, machine: Machine, run: Run
) -> tuple[Pin, ...]:
    """Choose versions for *dependencies* and all they need, for the target and not for this Python.

    The metadata of any wheel will do for the choice, whichever libc it was built for; which
    file is used in the end is decided when it is fetched, so hashes of all are collected by
    the caller from ``hashes_of``.
    """
    if not dependencies:
        return ()
    platforms = [
        f"--platform={tag}_{machine}"
        for tag in ("manylinux_2_28", "manylinux_2_17", "manylinux2014", "musllinux_1_2")
    ]
    abi = "cp" + "".join(python.split(".")[:2])
    try:
        report = pip(
            run,
            [
                "install", "--quiet", "--dry-run", "--ignore-installed", "--report", "-",
                "--target", "unused", "--only-binary", ":all:", "--python-version", python,
                "--implementation", "cp", f"--abi={abi}", "--abi=abi3", "--abi=none",
                *platforms, "--platform=any", *dependencies,
            ],
            environment=target_environment(machine, python),
        )  # fmt: skip
    except NoMatchError as exc:
        raise ProjectError(
            f"{exc}: no version of it has a wheel for Python {python} on {machine}",
            hint="is it spelled right? choosing versions reads the metadata of wheels alone",
        ) from exc
    entries = msgspec.json.decode(report)["install"]
    return tuple(
        sorted(
            Pin(
                canonicalize_name(entry["metadata"]["name"]),
                entry["metadata"]["version"],
                (),
            )
            for entry in entries
        )
    )


def download(
    pin: Pin, folder: Path, *, python: str, run: Run, from_source: Collection[str] = ()
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
            f"{pin.name} {pin.version}: neither a pure-Python wheel nor a source distribution",
            hint="a static executable cannot load its .so files: choose another version or package",
        )
    return file


def download_wheel(pin: Pin, folder: Path, *, python: str, run: Run) -> Path | None:
    """Fetch the pure-Python wheel of *pin*; None where there is none."""
    return _download(pin, folder, [*PURE, "--python-version", python], run=run)


def download_source(pin: Pin, folder: Path, *, run: Run) -> Path | None:
    """Fetch the source distribution of *pin*; None where there is none.

    No code of it runs here.
    """
    # This Python is not the one it must support.
    choice = ["--no-binary", ":all:", "--ignore-requires-python"]
    return _download(pin, folder, choice, run=run)


def _download(pin: Pin, folder: Path, choice: Sequence[str], *, run: Run) -> Path | None:
    line = f"{pin.name}=={pin.version}" + "".join(f" --hash={item}" for item in pin.hashes)
    wanted = folder / "wanted.txt"
    wanted.write_text(line + "\n", "utf-8")
    target = folder / "files"
    try:
        pip(run, ["download", "--quiet", "--no-deps", "--dest", target, *choice, "-r", wanted])
    except NoMatchError:
        return None
    except UnreachableError:
        raise
    except ToolError as exc:
        if "HASHES" in exc.detail or "hashes" in exc.detail:
            raise ProjectError(
                f"{pin.name} {pin.version}: the index's file is not one the lock knows",
                hint="if the lock is right the file was tampered with; if not: onebin lock",
            ) from exc
        raise ToolError(
            f"{pin.name} {pin.version} cannot be downloaded",
            hint="pip's own settings decide where from",
            detail=exc.detail,
        ) from exc
    return next(iter(target.iterdir()))


def install_pure(
    requirements: Sequence[str],
    pins: Sequence[Pin],
    folder: Path,
    *,
    python: str,
    machine: Machine,
    run: Run,
) -> None:
    """Install *requirements* as Python code alone into *folder*, at the versions of *pins*.

    Raises:
        NoMatchError: one of them has no pure-Python wheel.
    """
    constraints = folder.parent / "constraints.txt"
    constraints.write_text("".join(f"{pin.name}=={pin.version}\n" for pin in pins), "utf-8")
    pip(
        run,
        [
            "install", "--quiet", "--no-compile", "--target", folder, "--constraint", constraints,
            *PURE, "--python-version", python, *requirements,
        ],
        environment=target_environment(machine, python),
    )  # fmt: skip
