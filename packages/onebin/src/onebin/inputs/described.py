"""A source distribution -> Project: the metadata that its files state; none of its code runs.

Its scripts are those of ``entry_points.txt``, which setuptools writes into an sdist, else those of
``pyproject.toml``: of ``[project]``, or of poetry's table.
"""

import hashlib
import tomllib
from pathlib import Path
from typing import Final

import msgspec

from onebin.effects import files, unpack
from onebin.effects.context import Context
from onebin.errors import ProjectError
from onebin.model import Options, Project

from . import core_metadata, wheel
from .given import Given
from .values import as_table

CACHE_VERSION: Final = 1
"""Raised when this module makes something else of the same file: part of the key."""


class Described(msgspec.Struct, frozen=True):
    """Step: a ``.dist-info`` with what a source distribution states."""

    file: Path
    sha256: str
    kind = "project"

    def key(self) -> tuple[object, ...]:
        """Return the hash of the file."""
        return CACHE_VERSION, "described", self.sha256

    def make(self, folder: Path, ctx: Context) -> None:
        """Read it.

        Raises:
            ProjectError: it states no metadata.
        """
        info = folder / "stated.dist-info"
        info.mkdir()
        with ctx.store.scratch() as scratch:
            tree = unpack.tree(self.file, scratch / "tree")
            metadata = _text(tree / "PKG-INFO")
            if not metadata:
                raise ProjectError(
                    f"{self.file.name}: a source distribution without metadata (PKG-INFO)",
                    hint="make a project that depends on it, and set tool.onebin.entry-point",
                )
            (info / "METADATA").write_text(metadata, "utf-8")
            (info / "entry_points.txt").write_text(_entry_points(tree), "utf-8")

    def load(self, folder: Path) -> Path:
        """Return the folder of the ``.dist-info``."""
        return folder


def of_file(file: Path, given: Given, ctx: Context) -> Project:
    """Return the project that the source distribution *file* describes; its code is left out.

    Raises:
        ProjectError: it states no metadata, or malformed ones.
        ToolError: it cannot be unpacked.
    """
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    code = ctx.build(Described(file, sha256))
    root = ctx.store.shared("inputs") / f"{sha256[:24]}-program"
    root.mkdir(exist_ok=True)
    return wheel.of_folder(code, root, given.over(Options()), of=file.name)


def _entry_points(tree: Path) -> str:
    for file in sorted((*tree.glob("*.egg-info/*.txt"), *tree.glob("*/*.egg-info/*.txt"))):
        if file.name == "entry_points.txt":
            return _text(file)
    try:
        document = tomllib.loads(_text(tree / "pyproject.toml"))
    except (ValueError, RecursionError):
        return ""
    table = as_table(document.get("project"))
    poetry = as_table(as_table(document.get("tool")).get("poetry"))
    scripts = {
        name: target for name, target in as_table(poetry.get("scripts")).items()
        if isinstance(target, str)
    }  # fmt: skip
    return core_metadata.entry_points({"scripts": scripts, **table})


def _text(file: Path) -> str:
    try:
        return files.read_text(file)
    except (OSError, ValueError):
        return ""
