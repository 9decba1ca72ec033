"""Distributions from the package index, by way of pip: resolve, download, install."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from onebin.errors import ProjectError, ToolError
from onebin.model import Machine, Pin

from .process import Run

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


def pip(run: Run, arguments: Sequence[str | Path], **options: Any) -> bytes:  # noqa: ANN401
    """Run pip of this very interpreter."""
    return run(
        [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", *arguments],
        **options,
    )


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
    report = pip(
        run,
        [
            "install", "--quiet", "--dry-run", "--ignore-installed", "--report", "-",
            "--target", "unused", "--only-binary", ":all:", "--python-version", python,
            "--implementation", "cp", f"--abi={abi}", "--abi=abi3", "--abi=none",
            *platforms, "--platform=any", *dependencies,
        ],
    )  # fmt: skip
    entries = msgspec.json.decode(report)["install"]
    return tuple(
        sorted(
            Pin(
                entry["metadata"]["name"].lower().replace("_", "-"),
                entry["metadata"]["version"],
                (),
            )
            for entry in entries
        )
    )


def download_wheel(pin: Pin, folder: Path, *, python: str, run: Run) -> Path | None:
    """Fetch the pure-Python wheel of *pin*; None where there is none."""
    return _download(pin, folder, [*PURE, "--python-version", python], run=run)


def download_source(pin: Pin, folder: Path, *, run: Run) -> Path | None:
    """Fetch the source distribution of *pin*; None where there is none."""
    return _download(pin, folder, ["--no-binary", ":all:"], run=run)


def _download(pin: Pin, folder: Path, choice: Sequence[str], *, run: Run) -> Path | None:
    line = f"{pin.name}=={pin.version}" + "".join(f" --hash={item}" for item in pin.hashes)
    wanted = folder / "wanted.txt"
    wanted.write_text(line + "\n", "utf-8")
    target = folder / "files"
    try:
        pip(run, ["download", "--quiet", "--no-deps", "--dest", target, *choice, "-r", wanted])
    except ToolError as exc:
        if "No matching distribution" in exc.detail:
            return None
        if "HASHES" in exc.detail or "hashes" in exc.detail:
            raise ProjectError(
                f"{pin.name} {pin.version}: the index's file is not one the lock knows",
                hint="if the lock is right the file was tampered with; if not: onebin lock",
            ) from exc
        raise ToolError(
            f"{pin.name} {pin.version} cannot be downloaded",
            hint="is the package index reachable? pip's own settings decide which one",
            detail=exc.detail,
        ) from exc
    return next(iter(target.iterdir()))


def install_pure(
    requirements: Sequence[str],
    pins: Sequence[Pin],
    folder: Path,
    *,
    python: str,
    run: Run,
) -> None:
    """Install *requirements* as Python code alone into *folder*, at the versions of *pins*."""
    constraints = folder.parent / "constraints.txt"
    constraints.write_text("".join(f"{pin.name}=={pin.version}\n" for pin in pins), "utf-8")
    pip(
        run,
        [
            "install", "--quiet", "--no-compile", "--target", folder, "--constraint", constraints,
            *PURE, "--python-version", python, *requirements,
        ],
    )  # fmt: skip
