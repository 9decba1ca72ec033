"""The C libraries of a build as a prefix: headers, archives, and pkg-config.

Each kind of build has its search: setup scripts and Meson run ``pkg-config``, CMake searches
prefixes. None of them sees a library of this machine.
"""

import shlex
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec

from onebin.model import BuiltLibrary, Machine

PROGRAM: Final = Path(__file__).parent.parent / "target" / "pkg_config.py"

CMAKE: Final = """\
# Neither /usr nor /usr/local is searched for libraries and headers.
set(CMAKE_FIND_USE_CMAKE_SYSTEM_PATH FALSE)
set(CMAKE_FIND_USE_PACKAGE_REGISTRY FALSE)
set(CMAKE_FIND_USE_SYSTEM_PACKAGE_REGISTRY FALSE)
# Tests of a library in a source are its authors' work; zlib-ng's fetch their framework.
set(BUILD_TESTING OFF CACHE BOOL "")
"""
"""A toolchain file (cmake-toolchains(7)), which a variable of the environment can name."""

CMAKE_CROSS: Final = """\
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR {machine})
# FindPython runs an interpreter only by a launcher (CMP0190): this one's runs here.
set(CMAKE_CROSSCOMPILING_EMULATOR /usr/bin/env)
"""
"""Its lines for another processor."""


def write(
    folder: Path, libraries: Iterable[BuiltLibrary], *, python: Path, target: Machine | None = None
) -> Path:
    """Fill the new *folder* with *libraries*, and return it; *python* runs its programs.

    *target* is the processor, where the libraries do not run here.
    """
    libraries = tuple(libraries)
    for name in ("bin", "include", "lib"):
        (folder / name).mkdir(parents=True)
    for library in libraries:
        shutil.copytree(library.include, folder / "include", dirs_exist_ok=True)
        for archive in library.archives:
            (folder / "lib" / archive.name).symlink_to(archive)
    packages = {
        package.name: {
            "version": library.source.version,
            "include": [str(folder / "include" / package.include)],
            "folders": [str(folder / "lib")],
            "libraries": package.libraries,
        }
        for library in libraries
        for package in library.packages
    }
    (folder / "packages.json").write_bytes(msgspec.json.encode(packages))
    other = CMAKE_CROSS.format(machine=target) if target else ""
    (folder / "cmake").write_text(CMAKE + other, "utf-8")
    call = shlex.join([str(python), "-I", "-S", str(PROGRAM), str(folder / "packages.json")])
    for name in ("pkg-config", "pkgconf"):
        script = folder / "bin" / name
        script.write_text(f'#!/bin/sh\nexec {call} "$@"\n', "utf-8")
        script.chmod(0o755)
    return folder
