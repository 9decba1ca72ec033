"""A source distribution -> Project: the metadata that its files state; none of its code runs.

Its scripts are those of ``entry_points.txt``, which setuptools writes into an sdist, else those of
``pyproject.toml``: of ``[project]``, or of poetry's table. Script files are those that
``pyproject.toml``, ``setup.cfg`` or a list in ``setup.py`` names.
"""

import ast
import configparser
import contextlib
import hashlib
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from onebin.effects import files, python_source, unpack
from onebin.effects.context import Context
from onebin.errors import ProjectError
from onebin.model import Options, Project

from . import core_metadata, wheel
from .given import Given
from .values import as_table

CACHE_VERSION: Final = 2
"""Raised when this module makes something else of the same file: part of the key."""


class Described(msgspec.Struct, frozen=True):
    """Step: a ``.dist-info`` with what a source distribution states, and its script files."""

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
        info, programs = folder / "code" / "stated.dist-info", folder / "programs"
        info.mkdir(parents=True)
        programs.mkdir()
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
            for file in _script_files(tree):
                shutil.copyfile(file, programs / file.name)

    def load(self, folder: Path) -> Path:
        """Return the folder of the ``.dist-info``."""
        return folder / "code"


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
    settings, programs = given.over(Options()), code.parent / "programs"
    return wheel.of_folder(code, root, settings, of=file.name, programs=programs)


def _entry_points(tree: Path) -> str:
    for file in sorted((*tree.glob("*.egg-info/*.txt"), *tree.glob("*/*.egg-info/*.txt"))):
        if file.name == "entry_points.txt":
            return _text(file)
    document = _settings(tree)
    table = as_table(document.get("project"))
    poetry = as_table(as_table(document.get("tool")).get("poetry"))
    scripts = {
        name: target for name, target in as_table(poetry.get("scripts")).items()
        if isinstance(target, str)
    }  # fmt: skip
    return core_metadata.entry_points({"scripts": scripts, **table})


def _settings(tree: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(_text(tree / "pyproject.toml"))
    except (ValueError, RecursionError):
        return {}


def _script_files(tree: Path) -> Iterator[Path]:
    """Yield each file in *tree* that setuptools would install as a script."""
    tool = as_table(as_table(_settings(tree).get("tool")).get("setuptools"))
    listed = tool.get("script-files")
    names = [*listed] if isinstance(listed, list) else []
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(_text(tree / "setup.cfg"))
        names += parser.get("options", "scripts", fallback="").split()
    except configparser.Error:
        pass
    names += _in_setup(tree / "setup.py")
    inside = tree.resolve()
    for name in names:
        # Text of a stranger: no name at all, or none that a file can have.
        with contextlib.suppress(OSError, TypeError, ValueError):
            file = (tree / name).resolve()
            if file.is_relative_to(inside) and file.is_file():
                yield file


def _in_setup(file: Path) -> list[object]:
    """Return the ``scripts`` of a ``setup.py``, as far as a list of texts states them."""
    tree = python_source.tree_of(file)
    return [
        item.value
        for node in (ast.walk(tree) if tree else ())
        if isinstance(node, ast.keyword) and node.arg == "scripts"
        and isinstance(node.value, ast.List | ast.Tuple)
        for item in node.value.elts
        if isinstance(item, ast.Constant)
    ]  # fmt: skip


def _text(file: Path) -> str:
    try:
        return files.read_text(file)
    except (OSError, ValueError):
        return ""
