"""LinkInput -> Binary: one static, position-independent, stripped executable."""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import msgspec

from onebin.effects.context import Context
from onebin.effects.digests import read_sha256, sha256_of
from onebin.effects.process import RunCommand, cpus
from onebin.effects.reasons import Reason, subject, why
from onebin.errors import ProjectError, ToolError
from onebin.model import Binary, CSource, LinkInput, Machine, Toolchain

CACHE_VERSION: Final = 1
"""Raised when this module links something else from the same inputs: part of the keys."""

CFLAGS: Final = ("-O2",)

MAX_KEPT: Final = 100_000
"""Characters of a source whose object is kept: longer ones are tables of one program."""

OPTIONS: Final = (
    "-static",
    "-pie",
    "--no-dynamic-linker",
    "--strip-all",
    "--gc-sections",
    "--icf=safe",
    "-O2",
    "--build-id=none",
    # Position independence costs a table of addresses to relocate; packed, it is a twentieth.
    "--pack-dyn-relocs=relr",
    "-z", "relro",
    "-z", "now",
    "-z", "noexecstack",
)  # fmt: skip
"""Of every executable; a ``LinkInput`` adds its own."""


class CompiledSource(msgspec.Struct, frozen=True):
    """Step: the object of one C source, of which most are the same in every program."""

    source: CSource
    headers: tuple[CSource, ...]
    """Beside it."""
    include: tuple[Path, ...]
    """Folders of the cache, whose entries never change."""
    toolchain: Toolchain
    cflags: tuple[str, ...]
    kind = "object"

    def key(self) -> tuple[object, ...]:
        """Return the source, all that it may include, and the compiler."""
        folders = [str(folder) for folder in self.include]
        return (
            CACHE_VERSION, self.source, self.headers, folders, self.toolchain.key, self.cflags,
        )  # fmt: skip

    def make(self, folder: Path, ctx: Context) -> None:
        """Compile it."""
        with ctx.store.scratch() as scratch:
            for one in (self.source, *self.headers):
                (scratch / one.name).write_text(one.text, "utf-8")
            file = scratch / self.source.name
            include = [word for place in self.include for word in ("-I", place)]
            call = [*_compiler(file, self.toolchain, self.cflags), *include, "-c", file, "-o"]
            ctx.run([*call, folder / f"{file.stem}.o"], cwd=scratch)

    def load(self, folder: Path) -> Path:
        """Return it."""
        return folder / f"{Path(self.source.name).stem}.o"


class LinkedProgram(msgspec.Struct, frozen=True):
    """Step: the executable *name*."""

    name: str
    parts: LinkInput
    toolchain: Toolchain
    machine: Machine
    options: tuple[str, ...] = OPTIONS
    cflags: tuple[str, ...] = CFLAGS
    kind = "binary"

    def key(self) -> tuple[object, ...]:
        """Return all that is linked, by contents, and what links it."""
        return (
            CACHE_VERSION, self.name, contents(self.parts), self.toolchain.key,
            self.options, self.cflags,
        )  # fmt: skip

    def make(self, folder: Path, ctx: Context) -> None:
        """Compile and link.

        Raises:
            ProjectError: a C extension uses a symbol that nothing defines.
        """
        ctx.progress.report(f"linking {self.name}")
        with ctx.store.scratch() as scratch:
            # In a separate folder: a project may have the name of one of the linked files.
            output = scratch / "linked"
            output.mkdir()
            output /= self.name
            link(
                self.parts, self.toolchain, output, scratch,
                options=self.options, cflags=self.cflags, run=ctx.run,
                compiled=lambda source: self._compiled(source, ctx),
            )  # fmt: skip
            output.rename(folder / self.name)

    def _compiled(self, source: CSource, ctx: Context) -> Path | None:
        """Return the object of *source*; None for a table of this program alone."""
        is_table = source.name.endswith(".c") and len(source.text) > MAX_KEPT
        if is_table or source.is_changing:
            return None
        headers = tuple(item for item in self.parts.sources if item.name.endswith(".h"))
        step = CompiledSource(
            source, headers, tuple(self.parts.include), self.toolchain, self.cflags
        )
        return ctx.build(step)

    def load(self, folder: Path) -> Binary:
        """Return the executable, measured and hashed."""
        path = folder / self.name
        return Binary(self.name, path, path.stat().st_size, read_sha256(path), self.machine)


def contents(parts: LinkInput) -> dict[str, object]:
    """Return *parts* as part of a key: files by their bytes, wherever they are."""
    return {
        "sources": parts.sources,
        "objects": [sha256_of(file) for file in parts.objects],
        "archives": [sha256_of(file) for file in parts.archives],
        "wraps": parts.wraps,
        "options": parts.options,
        "inittab": parts.inittab,
        "stack_bytes": parts.stack_bytes,
        "key": parts.key,
    }


def link(
    parts: LinkInput,
    toolchain: Toolchain,
    output: Path,
    scratch: Path,
    *,
    run: RunCommand,
    options: Iterable[str] = OPTIONS,
    cflags: Iterable[str] = CFLAGS,
    compiled: Callable[[CSource], Path | None] = lambda _: None,
) -> None:
    """Compile the sources of *parts* in *scratch*, and link everything to *output*.

    *compiled* may have the object of one.

    Raises:
        ProjectError: a C extension uses a symbol that nothing defines.
    """
    sources = [CSource("inittab.c", inittab(parts.inittab)), *parts.sources]
    for source in sources:
        (scratch / source.name).write_text(source.text, "utf-8")
    include = [word for folder in parts.include for word in ("-I", folder)]

    def made(source: CSource) -> Path:
        file = scratch / source.name
        if kept := compiled(source):
            return kept
        call = [*_compiler(file, toolchain, cflags), *include, "-c", file, "-o"]
        run([*call, file.with_suffix(".o")], cwd=scratch)
        return file.with_suffix(".o")

    with ThreadPoolExecutor(cpus()) as pool:
        objects = [*pool.map(made, (one for one in sources if not one.name.endswith(".h")))]
    all_options = [*options, *(f"--wrap={name}" for name in parts.wraps), *parts.options]
    if parts.stack_bytes:
        all_options += ["-z", f"stack-size={parts.stack_bytes}"]
    files = [
        toolchain.crt_start, *objects, *parts.objects, *parts.archives, *toolchain.libraries
    ]  # fmt: skip
    try:
        run([toolchain.bin / "ld", *all_options, "-o", output, *files], cwd=scratch)
    except ToolError as exc:
        if why(exc.detail) is not Reason.UNDEFINED_SYMBOL:
            raise
        caller = _referring(exc.detail, parts.owners) or "a C extension"
        raise ProjectError(
            f"{caller} uses {subject(exc.detail) or 'a function'}, which nothing defines",
            hint="its source distribution brings neither the file nor the library that does: "
            "choose another version or package",
        ) from exc


def _referring(detail: str, owners: Mapping[Path, str]) -> str:
    """Return which of *owners* uses the first undefined symbol in *detail*; empty if none does."""
    first = detail.partition(Reason.UNDEFINED_SYMBOL.value)[2]
    first = first.partition(Reason.UNDEFINED_SYMBOL.value)[0]
    return next((owner for file, owner in owners.items() if f"{file}:" in first), "")


def _compiler(file: Path, toolchain: Toolchain, cflags: Iterable[str]) -> list[Path | str]:
    """Return the program that makes an object of *file*, with its options."""
    if file.suffix == ".s":
        return [toolchain.bin / "assemble"]
    return [toolchain.bin / "cc", *cflags]


def inittab(modules: Mapping[str, str]) -> str:
    """Return C source of the table of modules that are linked in (Doc/c-api/import.rst).

    A module of a package is made in the context of its whole name, as the loader of shared
    objects does: with single-phase initialization (PEP 489) it states the last part alone.
    """
    symbols = sorted({symbol for symbol in modules.values() if symbol != "NULL"})
    lines = ['#include "Python.h"', "const char *_PyImport_SwapPackageContext(const char *);"]
    lines += [f"extern PyObject *{symbol}(void);" for symbol in symbols]
    table = []
    for n, (name, symbol) in enumerate(sorted(modules.items())):
        function = symbol
        if "." in name and symbol != "NULL":
            function = f"init_{n}"
            lines += [
                f"static PyObject *{function}(void) {{",
                f'    const char *before = _PyImport_SwapPackageContext("{name}");',
                f"    PyObject *made = {symbol}();",
                "    _PyImport_SwapPackageContext(before);",
                "    return made;",
                "}",
            ]
        table.append(f'    {{"{name}", {function}}},')
    lines += ["struct _inittab _PyImport_Inittab[] = {", *table, "    {0, 0}", "};", ""]
    return "\n".join(lines)
