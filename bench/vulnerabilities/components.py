"""The pinned parts of executables: CPython, the C libraries, those that CPython brings."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.lib.harness import MeasureError
from onebin.model import RELEASES, Release, Source
from onebin.runtime.libraries import libraries
from onebin.runtime.modules import MODULES
from onebin.runtime.sources import ZLIB

MUSL_VERSION: Final = "lib/libc/musl/src/internal/version.h"
"""Of the installed compiler, which brings the C library."""

REPOSITORIES: Final = {
    "CPython": "https://github.com/python/cpython",
    "OpenSSL": "https://github.com/openssl/openssl",
    "SQLite": "https://github.com/sqlite/sqlite",
    "libffi": "https://github.com/libffi/libffi",
    "XZ Utils": "https://github.com/tukaani-project/xz",
    "bzip2": "https://gitlab.com/bzip2/bzip2",
    "Zstandard": "https://github.com/facebook/zstd",
    "zlib": "https://github.com/madler/zlib",
    "LibYAML": "https://github.com/yaml/libyaml",
    "libxml2": "https://gitlab.gnome.org/GNOME/libxml2",
    "libxslt": "https://gitlab.gnome.org/GNOME/libxslt",
    "expat": "https://github.com/libexpat/libexpat",
    "musl": "https://git.musl-libc.org/git/musl",
}
"""By which OSV knows C projects (its ecosystem ``GIT``)."""

ALIASES: Final = {
    "CPython": ("python", "cpython3", "python3-libraries"),
    "SQLite": ("sqlite3",),
    "XZ Utils": ("xz", "liblzma"),
    "Zstandard": ("zstd",),
    "expat": ("libexpat",),
    "musl": ("musl libc",),
}
"""Other names of products and projects in records, in small letters."""


@dataclass(frozen=True, slots=True)
class Bundled:
    """A library in CPython's own tree."""

    module: str
    mark: str
    """A variable of Makefile.pre.in, where the tree's own copy is compiled."""


BUNDLED: Final = {
    "expat": Bundled("pyexpat", "LIBEXPAT_OBJS"),
    "mpdecimal": Bundled("_decimal", "LIBMPDEC_OBJS"),
}
"""By their names in the bill of materials (Misc/sbom.spdx.json)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """One thing that executables are linked with."""

    name: str
    version: str
    linked: str
    """Which programs have it."""
    debian: str = ""
    """Debian's source package, for libraries without a repository in OSV."""

    @property
    def repository(self) -> str:
        """Where OSV expects its records; nothing if it knows none."""
        return REPOSITORIES.get(self.name, "")

    @property
    def names(self) -> frozenset[str]:
        """Its names in records, in small letters."""
        return frozenset({self.name.lower(), *ALIASES.get(self.name, ())})


def every(sources: dict[str, Path], compiler: Path) -> tuple[Component, ...]:
    """Return all components.

    Args:
        sources: The source tree of each release of CPython, by its version.
        compiler: The folder of the installed compiler.

    Raises:
        MeasureError: a file that names a version is missing or has none.
    """
    found = [_cpython(release) for release in RELEASES]
    found += [
        Component(name=library.name, version=library.source.version, linked=_linked(library.name),
                  debian=_debian(library.source))
        for library in libraries("x86_64").values()
    ]  # fmt: skip
    brought = [item for version, tree in sources.items() for item in _bundled(version, tree)]
    for name, version in sorted({(item.name, item.version) for item in brought}):
        linked = [item.linked for item in brought if (item.name, item.version) == (name, version)]
        found.append(Component(name=name, version=version, linked="; ".join(linked)))
    found.append(Component(name="musl", version=_musl(compiler), linked="every program"))
    return tuple(found)


def _cpython(release: Release) -> Component:
    return Component(name="CPython", version=release.version, linked="every program of it")


def _debian(source: Source) -> str:
    return source.debian_file.partition("_")[0]


def _linked(library: str) -> str:
    """Return which modules link *library*; without one, extensions that include its headers do."""
    names = [module.name for module in MODULES.values() if library in module.libraries]
    if library == ZLIB.name:
        names.append("zlib")
    text = ", ".join(f"`{name}`" for name in sorted(names))
    return f"programs with {text}" if names else "programs with an extension that uses it"


def _bundled(version: str, tree: Path) -> Iterable[Component]:
    """Yield what CPython's own bill of materials (Misc/sbom.spdx.json) names and we link."""
    file = tree / "Misc" / "sbom.spdx.json"
    if not file.is_file():
        raise MeasureError(f"{file}: missing; expected CPython's bill of materials")
    makefile = (tree / "Makefile.pre.in").read_text("utf-8")
    for package in json.loads(file.read_text("utf-8"))["packages"]:
        name = package["name"]
        # The bill of materials still has what the build no longer compiles.
        if name in BUNDLED and BUNDLED[name].mark in makefile:
            linked = f"programs of CPython {version} with `{BUNDLED[name].module}`"
            yield Component(name=name, version=package["versionInfo"], linked=linked)


def _musl(compiler: Path) -> str:
    file = compiler / MUSL_VERSION
    found = re.search(r'"([\d.]+)"', file.read_text("utf-8")) if file.is_file() else None
    if found is None:
        raise MeasureError(f"{file}: names no version of musl; expected ziglang beside onebin")
    return found[1]
