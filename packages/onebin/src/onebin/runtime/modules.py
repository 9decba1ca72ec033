"""Modules of the standard library over C libraries: each compiled once, if a program reaches it."""

import json
import re
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

import msgspec

from onebin.effects import csrc
from onebin.effects.context import Context
from onebin.model import (
    BuiltLibrary,
    BuiltModule,
    CSource,
    LinkInput,
    Machine,
    Runtime,
    Source,
    Toolchain,
)
from onebin.objects import archive

from .libraries import libraries
from .library import BuildLibrary

CACHE_VERSION: Final = 1
"""Raised when this module compiles something else from the same inputs: part of the key."""

CURSES: Final = (
    "HAVE_NCURSESW", "HAVE_CURSES_H", "HAVE_PANEL_H", "HAVE_TERM_H",
    "_XOPEN_SOURCE_EXTENDED", "HAVE_CURSES_FILTER", "HAVE_CURSES_GETMOUSE", "HAVE_CURSES_HAS_KEY",
    "HAVE_CURSES_IMMEDOK", "HAVE_CURSES_IS_PAD", "HAVE_CURSES_IS_TERM_RESIZED",
    "HAVE_CURSES_RESIZETERM", "HAVE_CURSES_RESIZE_TERM", "HAVE_CURSES_SET_ESCDELAY",
    "HAVE_CURSES_SET_TABSIZE", "HAVE_CURSES_ESCDELAY", "HAVE_CURSES_TABSIZE",
    "HAVE_CURSES_SYNCOK", "HAVE_CURSES_TYPEAHEAD", "HAVE_CURSES_USE_ENV", "HAVE_CURSES_WCHGAT",
    "MVWDELCH_IS_EXPRESSION",
)  # fmt: skip

EDITLINE: Final = (
    "WITH_EDITLINE", "HAVE_RL_COMPDISP_FUNC_T", "HAVE_RL_APPEND_HISTORY", "HAVE_RL_CATCH_SIGNAL",
    "HAVE_RL_COMPLETION_APPEND_CHARACTER", "HAVE_RL_COMPLETION_DISPLAY_MATCHES_HOOK",
    "HAVE_RL_COMPLETION_MATCHES", "HAVE_RL_COMPLETION_SUPPRESS_APPEND", "HAVE_RL_PRE_INPUT_HOOK",
    "HAVE_RL_RESIZE_TERMINAL",
)  # fmt: skip


class LibraryModule(msgspec.Struct, frozen=True):
    """A C module of CPython that needs libraries."""

    name: str
    libraries: tuple[str, ...]
    """By name, in link order."""
    defines: tuple[str, ...] = ()
    """What configure would find in these libraries."""


MODULES: Final = {
    module.name: module
    for module in (
        LibraryModule("_ssl", ("OpenSSL",)),
        LibraryModule("_hashlib", ("OpenSSL",)),
        LibraryModule("_sqlite3", ("SQLite",), ("PY_SQLITE_HAVE_SERIALIZE",)),
        LibraryModule("_ctypes", ("libffi",), ("_Py_FFI_SUPPORT_C_COMPLEX",)),
        LibraryModule("_bz2", ("bzip2",)),
        LibraryModule("_lzma", ("XZ Utils",)),
        LibraryModule("_zstd", ("Zstandard",)),
        LibraryModule("_decimal", ("mpdecimal",)),
        LibraryModule("_curses", ("ncurses",), CURSES),
        LibraryModule("_curses_panel", ("ncurses",), CURSES),
        # Not GNU readline: a program with it would be under the GPL.
        LibraryModule("readline", ("libedit", "ncurses"), EDITLINE),
    )
}

SOURCE_LINE: Final = re.compile(r"^@MODULE_\w+_TRUE@(\w+) (.+)$", re.MULTILINE)
"""A line of Modules/Setup.stdlib.in: the module, its sources."""

UNUSED_HEADERS: Final = ("cjkcodecs", "expat", "_hacl", "_testcapi", "_testinternalcapi")
"""Folders of Modules/ with large headers of other modules."""

LIBC_NAMES: Final = ("_exit", "__errno_location", "__environ")
"""Names of libc for programs although they begin with an underscore."""


class CompileModule(msgspec.Struct, frozen=True):
    """Step: the objects of one module."""

    module: LibraryModule
    libraries: tuple[BuiltLibrary, ...]
    runtime: Runtime
    level: str
    """The compiler's ``-O``."""
    toolchain: Toolchain
    kind = "cmodule"

    def key(self) -> tuple[object, ...]:
        """Return all that decides the objects."""
        libraries = [(library.key, library.source.sha256) for library in self.libraries]
        return (
            CACHE_VERSION, self.module, libraries, self.runtime.key, self.level, self.toolchain.key
        )  # fmt: skip

    def make(self, folder: Path, ctx: Context) -> None:
        """Compile its sources, each by itself."""
        sources = self.runtime.sources
        include = self.runtime.include
        folders = [sources, include, include / "internal"]
        folders += [library.include for library in self.libraries]
        flags = [f"-D{name}=1" for name in ("Py_BUILD_CORE_BUILTIN", *self.module.defines)]
        flags += [word for item in folders for word in ("-I", str(item))]
        ctx.progress.report(f"compiling {self.module.name}")
        for name in self.runtime.library_modules[self.module.name]:
            made = folder / f"{name.replace('/', '_')}.o"
            words = ["-std=c11", "-fvisibility=hidden", "-fno-strict-overflow", "-DNDEBUG", "-w"]
            ctx.run(
                [self.toolchain.bin / "cc", self.level, *words, *flags, "-c", name, "-o", made],
                cwd=sources,
            )

    def load(self, folder: Path) -> BuiltModule:
        """Return the objects, sorted by name."""
        objects = tuple(sorted(folder.iterdir(), key=lambda path: path.name))
        name = self.module.name
        return BuiltModule(name, f"PyInit_{name}", objects, self.libraries)


def build(
    names: Iterable[str],
    runtime: Runtime,
    toolchain: Toolchain,
    level: str,
    beside: Source,
    ctx: Context,
) -> tuple[BuiltModule, ...]:
    """Make the modules *names*, and before them the libraries they need, each once.

    Sources come from where *beside*, zlib's, does: its folder, its authors', Debian.
    """
    found = []
    for name in names:
        module = MODULES[name]
        needed = build_libraries(module.libraries, runtime.target, toolchain, beside, ctx)
        found.append(ctx.build(CompileModule(module, needed, runtime, level, toolchain)))
    return tuple(found)


def build_libraries(
    names: Iterable[str], machine: Machine, toolchain: Toolchain, beside: Source, ctx: Context
) -> tuple[BuiltLibrary, ...]:
    """Make the libraries *names* for *machine*; for *beside* see ``build``."""
    recipes = libraries(machine)

    def library(name: str) -> BuiltLibrary:
        made = recipes[name]
        needs = tuple(library(need) for need in made.needs)
        source = msgspec.structs.replace(made.source, origin=beside.origin, folder=beside.folder)
        made = msgspec.structs.replace(made, source=source)
        return ctx.build(BuildLibrary(made, needs, toolchain, machine))

    return tuple(library(name) for name in names)


def with_needs(names: Iterable[str], machine: Machine) -> tuple[str, ...]:
    """Return the libraries *names* and behind each those it needs, in link order, each once."""
    recipes = libraries(machine)
    found: list[str] = []
    waiting = list(names)
    while waiting:
        name = waiting.pop(0)
        # The last mention counts: a needed library is behind all that need it.
        found = [item for item in found if item != name] + [name]
        waiting = [*recipes[name].needs, *waiting]
    return tuple(found)


def copy_sources(modules: Path, folder: Path, builtins: Iterable[str]) -> None:
    """Copy of CPython's *modules* what later steps compile into *folder*; not of *builtins*."""
    setup = (modules / "Setup.stdlib.in").read_text("utf-8")
    built = set(builtins)
    files = {
        name: [word for word in words.split() if word.endswith(".c")]
        for name, words in SOURCE_LINE.findall(setup)
        if name in MODULES and name not in built
    }
    for header in sorted(modules.rglob("*.h")):
        place = header.relative_to(modules)
        if place.parts[0] not in UNUSED_HEADERS and "libmpdec" not in place.parts:
            _copy(header, folder / place)
    for name in (name for names in files.values() for name in names):
        _copy(modules / name, folder / name)
        # _ssl.c includes others.
        for beside in sorted((modules / name).with_suffix("").glob("*.c")):
            _copy(beside, folder / beside.relative_to(modules))
    (folder / "modules.json").write_text(json.dumps(files, indent=1), "utf-8")


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, target)


def read_sources(folder: Path) -> dict[str, tuple[str, ...]]:
    """Return what ``copy_sources`` left there: each module's sources, relative to *folder*."""
    return msgspec.json.decode(
        (folder / "modules.json").read_bytes(), type=dict[str, tuple[str, ...]]
    )


def link_input(built: Iterable[BuiltModule], runtime: Runtime, toolchain: Toolchain) -> LinkInput:
    """Return the modules *built* with their libraries, and what a static executable lacks for them.

    Code of ``_ctypes`` finds the functions of Python's API and of libc by name; the names are read
    from the archives of *runtime* and *toolchain*.
    """
    built = tuple(built)
    names = {module.name for module in built}
    libraries = {library.name: library for module in built for library in module.libraries}
    found = LinkInput(
        objects=tuple(file for module in built for file in module.objects),
        archives=tuple(file for library in libraries.values() for file in library.archives),
        inittab={module.name: module.symbol for module in built},
    )
    if "OpenSSL" in libraries:
        found += LinkInput(sources=(csrc.source("trust.c"),), wraps=("X509_get_default_cert_file",))
    if "_ctypes" in names:
        python = _public(runtime.archives, _is_api)
        libc = _public(toolchain.libraries, _is_libc)
        found += LinkInput(
            sources=(csrc.source("dl.c"), CSource("symbols.s", symbol_table(python | libc)))
        )
    return found


def _is_api(name: str) -> bool:
    """Whether *name* is of Python's API: not an initializer, which would bring its module."""
    return name.startswith("Py") and not name.startswith("PyInit_")


def _is_libc(name: str) -> bool:
    return not name.startswith("_") or name in LIBC_NAMES


def _public(archives: Iterable[Path], wanted: Callable[[str], bool]) -> set[str]:
    return {name for file in archives for name in archive.symbols(file) if wanted(name)}


def symbol_table(names: Iterable[str]) -> str:
    """Return assembly of the tables that ``csrc/dl.c`` searches: names, offsets, addresses."""
    names = sorted(names)
    lines = ['.section .rodata.symbols,"a",@progbits']
    lines += _labelled("onebin_symbol_names", [f'.L{n}: .asciz "{x}"' for n, x in enumerate(names)])
    lines += _labelled("onebin_symbol_count", [f".long {len(names)}"])
    offsets = [f".long .L{n} - onebin_symbol_names" for n in range(len(names))]
    lines += _labelled("onebin_symbol_offsets", offsets)
    lines.append('.section .data.rel.ro.symbols,"aw",@progbits')
    lines += _labelled("onebin_symbol_addresses", [f".quad {name}" for name in names])
    return "\n".join([*lines, '.section .note.GNU-stack,"",@progbits', ""])


def _labelled(label: str, lines: Iterable[str]) -> list[str]:
    return [".balign 8", f".globl {label}", f"{label}:", *lines]
