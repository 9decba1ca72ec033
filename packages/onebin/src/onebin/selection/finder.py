"""Where modules are: the project's code, the distributions', the standard library, C."""

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Literal

from onebin.model import Distribution, ModuleOrigin

from . import cpython

Owner = Literal["project", "dependency", "stdlib"]


class Finder:
    """Locate modules by their dotted names, in the order an interpreter would."""

    def __init__(
        self,
        code: Path,
        distributions: Iterable[Distribution],
        stdlib: Path,
        builtins: Collection[str],
        given: Mapping[str, ModuleOrigin] = {},
    ) -> None:
        """Search *code*, each of *distributions*, then *stdlib*; *given* are known already."""
        distributions = tuple(distributions)
        self._folders: list[tuple[Path, Owner]] = [(code, "project")]
        self._folders += [(item.code, "dependency") for item in distributions]
        self._folders.append((stdlib, "stdlib"))
        self._builtins = builtins
        self._extensions = {e.module for item in distributions for e in item.extensions}
        self._known: dict[str, ModuleOrigin | None] = {
            name: ModuleOrigin("alias") for name in cpython.ALIASES
        }
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
            for file in sorted((folder / relative).rglob("*.py")):
                parts = list(file.relative_to(folder).with_suffix("").parts)
                if parts[-1] == "__init__":
                    parts.pop()
                if all(part.isidentifier() for part in parts):
                    found.append(".".join(parts))
        found += sorted(name for name in self._extensions if name.startswith(f"{package}."))
        return found

    def _find(self, name: str) -> ModuleOrigin | None:
        if name in self._builtins:
            return ModuleOrigin("builtin")
        if name in self._extensions:
            return ModuleOrigin("extension", origin="dependency")
        relative = name.replace(".", "/")
        if not all(part.isidentifier() for part in name.split(".")):
            return None
        namespace = None
        for folder, owner in self._folders:
            package = folder / relative / "__init__.py"
            if package.is_file():
                label = f"{relative}/__init__.py"
                return ModuleOrigin("source", package, label, is_package=True, origin=owner)
            module = folder / f"{relative}.py"
            if module.is_file():
                return ModuleOrigin("source", module, f"{relative}.py", origin=owner)
            if namespace is None and owner != "stdlib" and (folder / relative).is_dir():
                namespace = ModuleOrigin("namespace", is_package=True, origin=owner)
        return namespace
