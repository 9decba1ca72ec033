"""Where modules are: the project's code, the distributions', the standard library, C."""

import os
import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Final, Literal

from onebin.effects import path_files
from onebin.model import Distribution, ModuleOrigin

from . import cpython

Owner = Literal["project", "dependency", "stdlib"]


PART: Final = re.compile(r"\w[\w-]*")
"""A part of a module's name: what import_module takes, as in ``migrations.0001_initial``."""


def modules_in(folder: Path, below: str = "") -> list[str]:
    """Return the names of all modules with source in *folder*, or in its folder *below* alone."""
    found = []
    for file in sorted((folder / below).rglob("*.py")):
        parts = list(file.relative_to(folder).with_suffix("").parts)
        if parts[-1] == "__init__":
            parts.pop()
        if parts and all(map(PART.fullmatch, parts)):
            found.append(".".join(parts))
    return found


def contents_of(folder: Path) -> frozenset[str]:
    """Return the paths of all that may be a module or a package in *folder*, relative to it."""
    found: set[str] = set()
    for place, folders, files in os.walk(folder):
        start = place[len(str(folder)) + 1 :]
        prefix = f"{start}/" if start else ""
        folders[:] = [name for name in folders if PART.fullmatch(name)]
        found.update(f"{prefix}{name}" for name in folders)
        found.update(f"{prefix}{name}" for name in files if name.endswith(".py"))
    return frozenset(found)


class Finder:
    """Locate modules by their dotted names, in the order an interpreter would."""

    def __init__(
        self,
        code: Path,
        distributions: Iterable[Distribution],
        stdlib: Path,
        builtins: Collection[str],
        given: Mapping[str, ModuleOrigin] = {},
        places: Mapping[Owner, str] = {},
    ) -> None:
        """Search *code*, each of *distributions*, then *stdlib*; *given* are known already.

        *places* are the folders that modules will be in, which tracebacks show.
        """
        self._places = places
        distributions = tuple(distributions)
        self._folders: list[tuple[Path, Owner]] = [(code, "project")]
        self._folders += [(item.code, "dependency") for item in distributions]
        self._below: dict[Path, str] = {}
        """Folders that .pth files name, each with its path below that of distributions."""
        for item in distributions:
            for name in path_files.folders(item.code):
                self._folders.append((item.code / name, "dependency"))
                self._below[item.code / name] = f"{name}/"
        self._folders.append((stdlib, "stdlib"))
        # Most names are in none of the folders of dependencies, which do not change.
        self._contents = {folder: contents_of(folder) for folder, _ in self._folders[1:]}
        self._builtins = builtins
        self._extensions = {e.module for item in distributions for e in item.extensions}
        self._known: dict[str, ModuleOrigin | None] = {
            name: ModuleOrigin("alias") for name in cpython.ALIASES
        }
        for item in distributions:
            for name, place in path_files.aliases(item.code).items():
                inner = [f"{name}.{one}" for one in modules_in(item.code / place)]
                self._known |= dict.fromkeys([name, *inner], ModuleOrigin("alias"))
        self._known |= given

    def locate(self, name: str) -> ModuleOrigin | None:
        """Return where the module *name* comes from; None if it is nowhere."""
        if name not in self._known:
            self._known[name] = self._find(name)
        return self._known[name]

    def owner(self, name: str) -> str:
        """Return the owner of the module *name*; empty if it is nowhere."""
        origin = self.locate(name)
        return origin.origin if origin else ""

    def below(self, package: str) -> list[str]:
        """Return every module below *package*, read from its directories."""
        found = []
        relative = package.replace(".", "/")
        for folder, _ in self._folders:
            found += modules_in(folder, relative)
        found += sorted(name for name in self._extensions if name.startswith(f"{package}."))
        return found

    def _place(self, folder: Path, owner: Owner) -> str:
        return f"{self._places.get(owner, '')}{self._below.get(folder, '')}"

    def _find(self, name: str) -> ModuleOrigin | None:
        if name in self._builtins:
            return ModuleOrigin("builtin")
        if name in self._extensions:
            return ModuleOrigin("extension", origin="dependency")
        relative = name.replace(".", "/")
        if not all(map(PART.fullmatch, name.split("."))):
            return None
        namespace = None
        as_package, as_module = f"{relative}/__init__.py", f"{relative}.py"
        for folder, owner in self._folders:
            known = self._contents.get(folder)
            if known is not None and known.isdisjoint((relative, as_module)):
                continue
            package = folder / as_package
            if package.is_file():
                label = f"{self._place(folder, owner)}{as_package}"
                return ModuleOrigin("source", package, label, is_package=True, origin=owner)
            module = folder / as_module
            if module.is_file():
                label = f"{self._place(folder, owner)}{as_module}"
                return ModuleOrigin("source", module, label, origin=owner)
            if namespace is None and owner != "stdlib" and (folder / relative).is_dir():
                namespace = ModuleOrigin("namespace", is_package=True, origin=owner)
        return namespace
