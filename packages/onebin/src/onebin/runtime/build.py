"""Source and recipe to CPython: an interpreter that runs here, and archives for the target."""

import os
import re
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

import msgspec

from onebin.effects import fetch, unpack
from onebin.effects.context import Context
from onebin.effects.process import RunCommand
from onebin.effects.progress import ReportProgress
from onebin.errors import ToolError
from onebin.model import CPython, Interpreter, LinkInput, Machine, Runtime, Source, Toolchain

from . import modules
from .recipe import Recipe

CACHE_VERSION: Final = 4
"""Raised when this module builds another result from the same inputs: part of the key."""

CONFIGURE_LINES: Final = 780
COMPILE_LINES: Final = 430
"""Lines the two long steps print, about: for the progress bar alone."""

SYSTEM_PATH: Final = f"{os.defpath}:/usr/sbin:/sbin"
"""Where make and the file tools are; the caller's own PATH must not matter."""

STACK_BYTES: Final = 1 << 20
"""Of each thread. musl's default of 128 KiB ends deep recursion in C with a segmentation fault."""


def link_input(runtime: Runtime, builtins: Iterable[str]) -> LinkInput:
    """Return CPython with the C modules *builtins*, without a ``main``."""
    return LinkInput(
        include=(runtime.include,),
        archives=runtime.archives,
        inittab={name: runtime.builtins[name] for name in builtins if name in runtime.builtins},
        stack_bytes=STACK_BYTES,
        key=(runtime.key,),
    )


class BuildCPython(msgspec.Struct, frozen=True):
    """Step: a static CPython, with zlib."""

    python: Source
    zlib: Source
    recipe: Recipe
    toolchain: Toolchain
    machine: Machine
    interpreter: Interpreter | None = None
    """Of the same release, for this machine; None where the built one runs here."""
    kind = "runtime"

    def key(self) -> tuple[object, ...]:
        """Return all that decides the archives; a source counts by its contents."""
        return (
            CACHE_VERSION,
            _source_id(self.python),
            (self.zlib.sha256, self.zlib.files_sha256),
            self.recipe,
            self.toolchain.key,
            self.machine,
            *([self.interpreter.key] if self.interpreter else []),
        )

    def make(self, folder: Path, ctx: Context) -> None:
        """Fetch, configure and compile.

        Raises:
            ToolError: make is missing; a source cannot be fetched, or does not build.
        """
        _require_make(ctx.run)
        with ctx.store.scratch() as scratch:
            source = _source(self.python, scratch, ctx)
            zlib = compile_zlib(self.zlib, self.recipe, self.toolchain, scratch, ctx)
            self._compile(source, zlib, ctx.run, ctx.progress.report)
            collect(source, zlib, folder, self.recipe)

    def load(self, folder: Path) -> CPython:
        """Describe what ``collect`` left there."""
        stdlib = next((folder / "lib").iterdir())
        builtins = (folder / "builtins.txt").read_text("utf-8")
        if self.interpreter:
            interpreter = msgspec.structs.replace(self.interpreter, stdlib=stdlib)
        else:
            interpreter = Interpreter(
                python=folder / "bin" / "python",
                home=folder,
                stdlib=stdlib,
                runs_on=self.machine,
                version=stdlib.name.removeprefix("python"),
                key=folder.name,
            )
        runtime = Runtime(
            target=self.machine,
            archives=tuple(sorted((folder / "archives").iterdir(), key=lambda path: path.name)),
            include=folder / "include" / stdlib.name,
            builtins=dict(line.split() for line in builtins.splitlines()),
            key=folder.name,
            sources=folder / "modules",
            library_modules=modules.read_sources(folder / "modules"),
        )
        return CPython(interpreter, runtime)

    def _compile(self, source: Path, zlib: Path, run: RunCommand, report: ReportProgress) -> None:
        recipe, tools = self.recipe, self.toolchain.bin
        triplet = f"{self.machine}-linux-musl"
        env = {
            "PATH": f"{tools}:{SYSTEM_PATH}",
            "SOURCE_DATE_EPOCH": "0",
            "CC": str(tools / "cc"),
            "CXX": str(tools / "c++"),
            "AR": str(tools / "ar"),
            "RANLIB": str(tools / "ranlib"),
            "READELF": "true",
            # Or configure would find the build machine's zlib, sqlite, libffi.
            "PKG_CONFIG": "false",
            "ZLIB_CFLAGS": f"-I{zlib}",
            "ZLIB_LIBS": f"-L{zlib} -lz",
            "OPT": f"-DNDEBUG {recipe.level}",
            # The build directory must not be part of the result.
            "CFLAGS": f"{recipe.level} -ffile-prefix-map={source}=.",
            "LDFLAGS": "-pie",
            "MODULE_BUILDTYPE": "static",
            "LINKFORSHARED": " ",
            "CCSHARED": "-fPIE",
            **recipe.configure_cache,
            **{f"py_cv_module_{name}": "n/a" for name in recipe.disabled_modules},
        }
        build, options = triplet, []
        if self.interpreter:
            build = f"{self.interpreter.runs_on}-linux-musl"
            options = [f"--with-build-python={self.interpreter.python}"]
            env["PYTHONHOME"] = str(self.interpreter.home)
        configure = ["./configure", f"--build={build}", f"--host={triplet}", *options]
        configure += recipe.configure
        on_line = _counter(report, "configuring", CONFIGURE_LINES)
        run(configure, cwd=source, env=env, on_line=on_line)
        make = ["make", f"-j{len(os.sched_getaffinity(0))}", *recipe.make]
        compiling = _counter(report, "compiling CPython", COMPILE_LINES, only=f"{tools}/cc ")
        for level, objects in recipe.object_levels.items():
            # The last -O on a compiler's command line counts, and this variable comes last.
            flags = f"CFLAGSFORSHARED={level}"
            run([*make, flags, *made_by(source, objects)], cwd=source, env=env, on_line=compiling)
        run([*make, "python"], cwd=source, env=env, on_line=compiling)
        run([*make, "pybuilddir.txt"], cwd=source, env=env)


def _source_id(python: Source) -> str:
    """Return the name of the source by its contents, before it is fetched if possible."""
    if python.sha256:
        return python.sha256
    folder = Path(python.origin)
    if python.origin != "apt" and folder.is_dir():
        # A working tree: identified by its newest change, not by a digest of thousands of files.
        newest = max(file.stat().st_mtime_ns for file in folder.rglob("*") if file.is_file())
        return f"{folder}@{newest}"
    return python.origin


def _require_make(run: RunCommand) -> None:
    """Report a missing make now, before minutes of downloading and configuring."""
    try:
        run(["make", "--version"], env={"PATH": SYSTEM_PATH})
    except ToolError as exc:
        raise ToolError(
            "make: not installed; CPython is built with it",
            hint="install it: apt-get install make, or as your system has it",
        ) from exc


def _source(python: Source, scratch: Path, ctx: Context) -> Path:
    folder = Path(python.origin)
    if not python.sha256 and folder.is_dir():
        return Path(shutil.copytree(folder, scratch / "source", symlinks=True))
    return unpack.tree(_fetch(python, scratch, ctx), scratch / "CPython")


def _fetch(source: Source, scratch: Path, ctx: Context) -> Path:
    downloads = scratch / "downloads"
    downloads.mkdir(exist_ok=True)
    return fetch.tarball(
        source, downloads, run=ctx.run, report=ctx.progress.report, is_offline=ctx.is_offline
    )


def compile_zlib(
    zlib: Source, recipe: Recipe, toolchain: Toolchain, scratch: Path, ctx: Context
) -> Path:
    """Compile zlib and return the directory that holds its headers and ``libz.a``."""
    tarball = _fetch(zlib, scratch, ctx)
    source = unpack.tree(tarball, scratch / "zlib")
    files = [source / name for name in recipe.zlib_files]
    missing = [file.name for file in files if not file.is_file()]
    if missing or fetch.digest([*files, *source.glob("*.h")]) != zlib.files_sha256:
        raise ToolError(f"{tarball.name}: its C files are not zlib {zlib.version}'s")
    ctx.progress.report("compiling zlib")
    for name in recipe.zlib_files:  # given several at once, zig keeps only the first one's object
        cc = str(toolchain.bin / "cc")
        ctx.run([cc, recipe.zlib_level, "-DNDEBUG", "-c", name], cwd=source)
    objects = [file.with_suffix(".o").name for file in files]
    ctx.run([toolchain.bin / "ar", "rcsD", "libz.a", *objects], cwd=source)
    return source


def made_by(source: Path, objects: Iterable[str]) -> list[str]:
    """Return which of *objects* the configured *source* makes.

    Lines of CPython differ: 3.14 renamed ``ast_opt``, 3.15 has no libmpdec for ``_decimal``.
    """
    words = set((source / "Makefile").read_text("utf-8").split())
    return [name for name in objects if name in words]


def collect(source: Path, zlib: Path, folder: Path, recipe: Recipe) -> None:
    """Copy what later steps need of the built *source* and of *zlib* into *folder*."""
    library = folder / "lib" / _python_dir(source)
    shutil.copytree(source / "Lib", library, ignore=shutil.ignore_patterns(*recipe.pruned_stdlib))
    build_dir = Path(source, (source / "pybuilddir.txt").read_text("utf-8").strip())
    for data in build_dir.glob("_sysconfigdata_*.py"):
        shutil.copy(data, library)
    include = folder / "include" / _python_dir(source)
    shutil.copytree(source / "Include", include)
    shutil.copy(source / "pyconfig.h", include)
    (folder / "bin").mkdir()
    shutil.copy(source / "python", folder / "bin" / "python")
    archives = folder / "archives"
    archives.mkdir()
    found = [*source.glob("libpython*.a"), *sorted(source.glob("Modules/**/*.a")), zlib / "libz.a"]
    for n, archive in enumerate(found):
        shutil.copy(archive, archives / f"{n}-{archive.name}")
    table = (source / "Modules" / "config.c").read_text("utf-8")
    pairs = re.findall(r'^\s*\{"([\w.]+)", (\w+)\},', table, re.MULTILINE)
    lines = [f"{name} {symbol}\n" for name, symbol in sorted(pairs)]
    (folder / "builtins.txt").write_text("".join(lines), "utf-8")
    modules.copy_sources(source / "Modules", folder / "modules", [name for name, _ in pairs])


def _python_dir(source: Path) -> str:
    header = (source / "Include" / "patchlevel.h").read_text("utf-8")
    numbers = [
        re.search(rf"#define\s+PY_{part}_VERSION\s+(\d+)", header) for part in ("MAJOR", "MINOR")
    ]
    if None in numbers:
        raise ToolError(f"{source}: Include/patchlevel.h names no version")
    return "python" + ".".join(found[1] for found in numbers if found)


def _counter(
    report: ReportProgress, text: str, total: int, *, only: str = ""
) -> Callable[[str], None]:
    done = 0

    def on_line(line: str) -> None:
        nonlocal done
        if only in line:
            done += 1
            report(text, done=min(done, total), total=total)

    return on_line
