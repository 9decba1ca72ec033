"""A wheel as a folder of the cache: importable code, and objects of C extensions.

code/         modules
data/         files below sys.prefix
objects/      one relocatable object per C extension, named by its module
native.json   system libraries the objects want; build requirements no lock pins
"""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec

from onebin.effects import csrc, files, unpack
from onebin.errors import ImageError, ProjectError
from onebin.model import CSource, Distribution, Extension, LinkInput, Pin
from onebin.objects.relocatable import is_relocatable, localize_symbols
from onebin.requirement import shown

from . import system_libraries

MODULE: Final = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*", re.ASCII)

EXTENSION: Final = re.compile(r"\w+(\.\w+)*", re.ASCII)
"""A C extension's name: mypyc's begin with a hash, so with a digit."""

CXX: Final = "c++"
"""C++'s own library, as an extension names it."""


class Native(msgspec.Struct, frozen=True):
    """Facts about a built distribution that are not files."""

    libraries: tuple[str, ...] = ()
    unpinned: tuple[Pin, ...] = ()
    requires: tuple[Pin, ...] = ()
    """All build requirements that were used."""
    lost: tuple[str, ...] = ()
    """C extensions that the build left out since they do not compile."""


def wheel(pin: Pin, file: Path, folder: Path, native: Native = Native()) -> None:  # noqa: B008
    """Unpack the wheel *file* of *pin* into *folder*.

    Raises:
        ProjectError: it has a shared object, or a captured object is not a C extension.
    """
    code, objects = folder / "code", folder / "objects"
    objects.mkdir()
    unpack.wheel(file, code, data=folder / "data")
    for shared in files.shared_objects(code):
        data = shared.read_bytes()
        if not is_relocatable(data):
            raise ProjectError(
                f"{pin}: contains the shared object {shared.relative_to(code)}",
                hint="a static executable cannot load it: choose another version or package",
            )
        parts = [*shared.relative_to(code).parent.parts, shared.name.partition(".")[0]]
        module = ".".join(parts)
        if parts[-1] == "__init__" and shared.with_name("__init__.py").is_file():
            shared.unlink()  # a package that is C has no place in the table of modules
            continue
        # It becomes a name in C.
        if not EXTENSION.fullmatch(module):
            raise ProjectError(f"{pin}: {shown(module)} is not a module's name")
        try:
            isolated = localize_symbols(data, f"PyInit_{parts[-1]}", symbol(module))
        except ImageError as exc:
            raise ProjectError(f"{pin}, {module}: {exc}") from exc
        (objects / f"{module}.o").write_bytes(isolated)
        shared.unlink()
    (folder / "native.json").write_bytes(msgspec.json.encode(native))


def load(pin: Pin, folder: Path) -> Distribution:
    """Return the distribution that ``wheel`` put into *folder*."""
    native = msgspec.json.decode((folder / "native.json").read_bytes(), type=Native)
    extensions = tuple(
        Extension(file.stem, file, symbol(file.stem), native.libraries, distribution=str(pin))
        for file in sorted((folder / "objects").iterdir())
    )
    return Distribution(
        pin, folder / "code", folder.name, extensions, native.unpinned, folder / "data",
        native.lost, native.requires,
    )  # fmt: skip


def symbol(module: str) -> str:
    """Return the name of *module*'s initializer in executables."""
    return "PyInit_" + module.replace(".", "__")


def needs_cxx(extensions: Iterable[Extension]) -> bool:
    """Whether one of *extensions* is C++."""
    return any(CXX in extension.libraries for extension in extensions)


def link_input(extensions: Iterable[Extension]) -> LinkInput:
    """Return the objects of *extensions* and their libraries, without C++'s own.

    Raises:
        ProjectError: one of them wants a system library that is not there.
    """
    extensions = tuple(extensions)
    for extension in extensions:
        names = [library.name for library in extension.built]
        if absent := system_libraries.unknown(extension, names):
            raise ProjectError(
                f"{extension} needs the system library {absent}",
                hint="only what a distribution brings as source can be linked in, and the "
                "libraries that docs/reference/onebin.md lists",
            )
    if not extensions:
        return LinkInput()
    built = {library.key: library for item in extensions for library in item.built}
    return LinkInput(
        sources=(csrc.source("module_file.c"), CSource("extension_names.c", _names(extensions))),
        wraps=("PyModule_Create2",),  # module_file.c
        objects=tuple(extension.object for extension in extensions),
        owners={extension.object: str(extension) for extension in extensions},
        archives=tuple(file for library in built.values() for file in library.archives),
        inittab={extension.module: extension.symbol for extension in extensions},
    )


def _names(extensions: Iterable[Extension]) -> str:
    """Return C source of the table that module_file.c reads."""
    names = "".join(f'    "{extension.module}",\n' for extension in extensions)
    return f"const char *const extension_names[] = {{\n{names}    (void *)0\n}};\n"
