"""Frozen, Runtime -> Binary: one static, position-independent, stripped executable."""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from onebin.effects.process import Run
from onebin.effects.progress import Tell
from onebin.effects.store import Store, key_of
from onebin.errors import ProjectError, ToolError
from onebin.model import Binary, Extension, Frozen, Plan, Runtime, Toolchain
from onebin.runtime.toolchain import cxx_libraries

CSRC: Final = Path(__file__).parent.parent / "csrc"
SOURCES: Final = (CSRC / "main.c", CSRC / "block_cache.c", CSRC / "unpack.c")
HEADER: Final = CSRC / "block_cache.h"
COUNTERS: Final = CSRC / "counters.c"
"""Part of what is built to be trained."""

STACK_BYTES: Final = 1 << 20
"""Of each thread. musl's default of 128 KiB ends deep recursion in C with a segmentation fault."""

LINK: Final = (
    "-static",
    "-pie",
    "--no-dynamic-linker",
    "--strip-all",
    "--gc-sections",
    "--icf=safe",
    "-O2",
    "--build-id=none",
    # Position independence costs a table of addresses to mend; packed, it is a twentieth.
    "--pack-dyn-relocs=relr",
    "--wrap=PyMarshal_ReadObjectFromString",  # unpack.c
    "-z", "relro",
    "-z", "now",
    "-z", "noexecstack",
    "-z", f"stack-size={STACK_BYTES}",
)  # fmt: skip

LINK_COUNTING: Final = ("-z", "nostart-stop-gc")
"""Counters are referred to by where their section begins and ends, and by nothing else."""

CXX: Final = "c++"
"""The one library an extension may want that its distribution does not bring."""

LINK_CXX: Final = ("--eh-frame-hdr",)
"""The index by which a thrown exception finds its way."""


def link(
    plan: Plan,
    runtime: Runtime,
    frozen: Frozen,
    toolchain: Toolchain,
    *,
    run: Run,
    store: Store,
    tell: Tell,
) -> Binary:
    """Link everything into one file.

    Raises:
        ProjectError: an extension wants a system library, or a symbol nothing defines.
    """
    name = plan.project.name
    _refuse_libraries(frozen.extensions)
    objects = _contents(frozen.extensions)
    key = key_of(
        name, runtime.key, frozen.key, frozen.builtins, toolchain.key, objects, _options(toolchain),
        [extension.module for extension in frozen.extensions],
        [source.read_text("utf-8") for source in (HEADER, *_sources(toolchain))],
        _cxx_key(frozen.extensions), plan.project.options.hold_signals,
    )  # fmt: skip

    def make(folder: Path) -> None:
        with store.scratch() as scratch:
            cxx = _cxx(frozen.extensions, toolchain, run=run, store=store, tell=tell)
            tell(f"linking {name}")
            held = plan.project.options.hold_signals
            _link(name, scratch, folder, runtime, frozen, toolchain, cxx, held, run=run)

    root, _ = store.get("binary", key, make)
    path = root / name
    data = path.read_bytes()
    return Binary(
        name=name,
        path=path,
        size=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        machine=plan.machine,
    )


def load_imports(
    runtime: Runtime,
    extensions: tuple[Extension, ...],
    code: tuple[Path, ...],
    toolchain: Toolchain,
    *,
    run: Run,
    store: Store,
    tell: Tell,
) -> dict[str, tuple[str, ...]]:
    """Return what each C extension imports when it is loaded, by loading it.

    No source shows these imports. They are asked of an interpreter that has the extensions
    linked in and reads everything else from files.
    """
    if not extensions:
        return {}
    _refuse_libraries(extensions)
    objects = _contents(extensions)
    folders = [folder.parent.name for folder in code]
    key = key_of(PROBE, runtime.key, toolchain.key, objects, folders, _cxx_key(extensions))

    def make(folder: Path) -> None:
        with store.scratch() as scratch:
            tell("loading the C extensions once")
            inittab = scratch / "inittab.c"
            inittab.write_text(_inittab(runtime.builtins, runtime, extensions), "utf-8")
            main = scratch / "main.c"
            main.write_text(PROBE_MAIN, "utf-8")
            probe = scratch / "probe"
            sources = [main, inittab, CSRC / "unpack.c"]
            cxx = _cxx(extensions, toolchain, run=run, store=store, tell=tell)
            _cc(toolchain, runtime, extensions, cxx, sources, probe, scratch, run=run)
            lines = []
            for extension in extensions:
                path = ":".join([*map(str, code), str(runtime.stdlib)])
                printed = run(
                    [probe, "-S", "-P", "-c", PROBE, extension.module],
                    cwd=scratch,
                    # Code of dependencies runs here: the caller's home is no business of its.
                    env={
                        "PYTHONHOME": str(runtime.root), "PYTHONPATH": path,
                        "HOME": str(scratch), "TMPDIR": str(scratch),
                    },
                )  # fmt: skip
                lines.append(f"{extension.module} {printed.decode()}".strip())
            (folder / "imports").write_text("\n".join(lines), "utf-8")

    root, _ = store.get("imports", key, make)
    result = {}
    for line in (root / "imports").read_text("utf-8").splitlines():
        module, *names = line.split()
        result[module] = tuple(names)
    return result


PROBE_MAIN: Final = """\
#include <Python.h>
int main(int argc, char **argv) { return Py_BytesMain(argc, argv); }
"""

# Its packages come with it, and what they import when they are imported: needed in any case.
PROBE: Final = """\
import importlib, sys
name = sys.argv[1]
before = set(sys.modules)
try:
    importlib.import_module(name)
except Exception as exc:
    sys.exit(f"{name} cannot be loaded: {type(exc).__name__}: {exc}")
print(*sorted(set(sys.modules) - before - {name}))
"""


def _contents(extensions: Iterable[Extension]) -> list[str]:
    """What of *extensions* goes into a key: their objects' bytes, wherever they lie."""
    return [hashlib.sha256(item.object.read_bytes()).hexdigest() for item in extensions]


def _refuse_libraries(extensions: Iterable[Extension]) -> None:
    for extension in extensions:
        for library in extension.libraries:
            if library != CXX:
                raise ProjectError(
                    f"{extension.module} needs the system library {library}",
                    hint="only what a distribution brings as source can be linked in",
                )


def _cxx_key(extensions: Iterable[Extension]) -> tuple[str, ...]:
    return LINK_CXX if any(CXX in extension.libraries for extension in extensions) else ()


def _cxx(
    extensions: Iterable[Extension], toolchain: Toolchain, *, run: Run, store: Store, tell: Tell
) -> tuple[str | Path, ...]:
    """Return what the linker is given for C++: nothing where nobody asked for it."""
    if not (options := _cxx_key(extensions)):
        return ()
    return (*options, *cxx_libraries(toolchain, run=run, store=store, tell=tell))


def _link(
    name: str,
    scratch: Path,
    folder: Path,
    runtime: Runtime,
    frozen: Frozen,
    toolchain: Toolchain,
    cxx: Iterable[str | Path],
    held_signals: Iterable[str],
    *,
    run: Run,
) -> None:
    (scratch / "inittab.c").write_text(
        _inittab(frozen.builtins, runtime, frozen.extensions) + _held_signals(held_signals), "utf-8"
    )
    table, data = _frozen_table(frozen)
    (scratch / "frozen.c").write_text(table, "utf-8")
    (scratch / "code.S").write_text(data, "utf-8")
    sources = [
        *_sources(toolchain),
        *(scratch / file for file in ("inittab.c", "frozen.c", "code.S")),
    ]
    # By itself: a project may be called as one of the files it is linked of.
    output = scratch / "linked"
    output.mkdir()
    output /= name
    _cc(toolchain, runtime, frozen.extensions, cxx, sources, output, scratch, run=run)
    output.rename(folder / name)


def _cc(
    toolchain: Toolchain,
    runtime: Runtime,
    extensions: Iterable[Extension],
    cxx: Iterable[str | Path],
    sources: Iterable[Path],
    output: Path,
    scratch: Path,
    *,
    run: Run,
) -> None:
    objects = []
    for source in sources:
        made = scratch / f"{source.stem}.o"
        run(
            [toolchain.bin / "cc", "-O2", "-I", runtime.include, "-c", source, "-o", made],
            cwd=scratch,
        )
        objects.append(made)
    parts = [toolchain.start, *objects, *(extension.object for extension in extensions)]
    libraries = [*runtime.archives, *cxx, *toolchain.libraries]
    try:
        run(
            [toolchain.bin / "ld", *_options(toolchain), "-o", output, *parts, *libraries],
            cwd=scratch,
        )
    except ToolError as exc:
        if "undefined symbol" in exc.detail:
            symbol = exc.detail.partition("undefined symbol:")[2].split("\n")[0].strip()
            raise ProjectError(
                f"a C extension calls {symbol or 'a function'}, which nothing defines",
                hint="it wants a library that is not part of its source distribution",
            ) from exc
        raise


def _sources(toolchain: Toolchain) -> tuple[Path, ...]:
    return (*SOURCES, COUNTERS) if toolchain.counting else SOURCES


def _options(toolchain: Toolchain) -> tuple[str, ...]:
    return LINK + LINK_COUNTING if toolchain.counting else LINK


def _inittab(builtins: Iterable[str], runtime: Runtime, extensions: Iterable[Extension]) -> str:
    """C source of the table of modules that are linked in (Doc/c-api/import.rst)."""
    entries = {name: runtime.builtins[name] for name in builtins}
    entries |= {extension.module: extension.symbol for extension in extensions}
    symbols = sorted({symbol for symbol in entries.values() if symbol != "NULL"})
    lines = ['#include "Python.h"']
    lines += [f"extern PyObject *{symbol}(void);" for symbol in symbols]
    lines.append("struct _inittab _PyImport_Inittab[] = {")
    lines += [f'    {{"{name}", {symbol}}},' for name, symbol in sorted(entries.items())]
    lines += ["    {0, 0}", "};", ""]
    return "\n".join(lines)


def _held_signals(names: Iterable[str]) -> str:
    """C source of the table that main.c blocks."""
    return f"#include <signal.h>\nconst int held_signals[] = {{{', '.join([*names, '0'])}}};\n"


def _frozen_table(frozen: Frozen) -> tuple[str, str]:
    """C source of the table of frozen modules, and assembly with their code.

    It replaces CPython's own Python/frozen.c, whose modules would come twice.
    """
    externs: list[str] = []
    rows: list[str] = []
    bootstrap: list[str] = []
    data = ['.section .rodata.frozen,"a",@progbits']
    for n, module in enumerate(frozen.modules):
        externs.append(f"extern const unsigned char frozen_{n}[];")
        row = (
            f'    {{"{module.name}", frozen_{n}, {module.size}, '
            f"{'true' if module.is_package else 'false'}}},"
        )
        (bootstrap if module.name.startswith("_frozen_importlib") else rows).append(row)
        data += [f".globl frozen_{n}", f"frozen_{n}:", f'.incbin "{module.code}"']
    data.append('.section .note.GNU-stack,"",@progbits')
    table = "\n".join(
        [
            "#include <stdbool.h>",
            '#include "Python.h"',
            "struct _module_alias { const char *name; const char *orig; };",
            *externs,
            "static const struct _frozen bootstrap[] = {", *bootstrap, "    {0, 0, 0}", "};",
            "static const struct _frozen modules[] = {", *rows, "    {0, 0, 0}", "};",
            "static const struct _frozen none[] = {", "    {0, 0, 0}", "};",
            "static const struct _module_alias aliases[] = {",
            '    {"_frozen_importlib", "importlib._bootstrap"},',
            '    {"_frozen_importlib_external", "importlib._bootstrap_external"},',
            "    {0, 0}", "};",
            "const struct _frozen *_PyImport_FrozenBootstrap = bootstrap;",
            "const struct _frozen *_PyImport_FrozenStdlib = none;",
            "const struct _frozen *_PyImport_FrozenTest = none;",
            "const struct _module_alias *_PyImport_FrozenAliases = aliases;",
            "const struct _frozen *PyImport_FrozenModules = modules;",
            "",
        ]
    )  # fmt: skip
    return table, "\n".join(data) + "\n"
