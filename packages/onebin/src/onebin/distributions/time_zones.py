"""The time zone database, for programs with ``zoneinfo``: an empty image has none.

It is the distribution ``tzdata`` that onebin itself is installed with, and is put in as if the
program depended on it: ``zoneinfo`` takes the machine's database first (``zoneinfo.TZPATH``).
"""

import hashlib
import importlib.metadata
import shutil
from collections.abc import Container
from pathlib import Path
from typing import Final

import msgspec

from onebin.effects.context import Context
from onebin.errors import ToolError
from onebin.model import Distribution, Pin

NAME: Final = "tzdata"

KEPT: Final = ("METADATA", "LICENSE")
"""Of its metadata: other files describe this installation."""


class TimeZones(msgspec.Struct, frozen=True):
    """Step: the installed database, without what its installation wrote."""

    version: str
    files: tuple[tuple[str, Path], ...]
    """Each with its path in a folder of distributions."""
    kind = "distribution"

    def key(self) -> tuple[object, ...]:
        """Return the contents, by their hashes."""
        hashes = [
            (name, hashlib.sha256(path.read_bytes()).hexdigest()) for name, path in self.files
        ]
        return NAME, self.version, hashes

    def make(self, folder: Path, _: Context) -> None:
        """Copy them."""
        for name, path in self.files:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, folder / name)

    def load(self, folder: Path) -> Distribution:
        """Return the distribution."""
        return Distribution(Pin(NAME, self.version, ()), folder, folder.name)


def are_missing(modules: Container[str]) -> bool:
    """Whether a program of *modules* has ``zoneinfo`` and no database."""
    return "zoneinfo" in modules and NAME not in modules


def time_zones(ctx: Context) -> Distribution:
    """Return the database as a distribution.

    Raises:
        ToolError: it is not installed beside onebin.
    """
    try:
        installed = importlib.metadata.distribution(NAME)
    except importlib.metadata.PackageNotFoundError as exc:
        raise ToolError(
            f"{NAME}: not installed; a program with zoneinfo needs the time zones",
            hint=f"install onebin again with its dependencies, or add {NAME} to the project's",
        ) from exc
    entries = sorted(installed.files or (), key=str)
    files = tuple((str(entry), Path(str(entry.locate()))) for entry in entries if _is_kept(entry))
    return ctx.build(TimeZones(installed.version, files))


def _is_kept(entry: importlib.metadata.PackagePath) -> bool:
    if entry.parts[0] == NAME:
        return entry.suffix != ".pyc"
    return entry.name in KEPT
