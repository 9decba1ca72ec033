"""Plan -> Runtime: a static CPython, as an interpreter and as archives to link another from."""

import os
import re
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from onebin.effects import fetch, unpack
from onebin.effects.process import Run
from onebin.effects.progress import Tell
from onebin.effects.store import Store, key_of
from onebin.errors import ToolError
from onebin.model import Plan, Runtime, Source, Toolchain

RECIPE: Final = 2
"""Raised when this file changes what it builds: part of the key."""

# What configure finds out by running programs or looking at the machine: decided here, so
# that a container, a virtual machine and a laptop configure the same CPython, and a foreign
# processor needs no emulator.
ANSWERS: Final = {
    "ac_cv_file__dev_ptmx": "yes",
    "ac_cv_file__dev_ptc": "no",
    "ac_cv_buggy_getaddrinfo": "no",
    # "yes" would hash strings with FNV, which an attacker can collide, and not with SipHash.
    "ac_cv_aligned_required": "no",
    "ac_cv_working_tzset": "yes",
    "ac_cv_posix_semaphores_enabled": "yes",
    "ac_cv_broken_sem_getvalue": "no",
    "ac_cv_broken_poll": "no",
    "ac_cv_broken_nice": "no",
    "ac_cv_broken_mbstowcs": "no",
    "ac_cv_have_chflags": "no",
    "ac_cv_have_lchflags": "no",
    "ac_cv_tanh_preserves_zero_sign": "yes",
    "ac_cv_wchar_t_signed": "yes",
    "ac_cv_rshift_extends_sign": "yes",
    "ac_cv_computed_gotos": "yes",
    "ac_cv_pthread_system_supported": "yes",
    "ac_cv_little_endian_double": "yes",
    "ac_cv_big_endian_double": "no",
    "ac_cv_mixed_endian_double": "no",
}

# Modules of no use in a static executable: tests, and what needs a terminal or a display.
LEFT_OUT: Final = (
    "_testinternalcapi", "_testcapi", "_testbuffer", "_testimportmultiple", "_testmultiphase",
    "_testsinglephase", "_testexternalinspection", "_testclinic", "_testclinic_limited",
    "_testlimitedcapi", "_ctypes_test", "_xxtestfuzz", "xxsubtype", "xxlimited", "xxlimited_35",
)  # fmt: skip

NOT_NEEDED: Final = ("test", "idlelib", "tkinter", "turtledemo", "ensurepip", "venv", "__pycache__")
"""Parts of the standard library that nothing frozen may use: tests, windows, installers."""

CONFIGURE_LINES: Final = 780
COMPILE_LINES: Final = 430
"""What the two long steps print, about: for the progress bar alone."""

SYSTEM_PATH: Final = f"{os.defpath}:/usr/sbin:/sbin"
"""Where make and the file tools are; what the caller's own PATH has first shall not matter."""

OPTIMIZE: Final = {"speed": "-O2", "balanced": "-Os", "size": "-Os"}

HOT: Final = tuple(
    f"{name}.o"
    for name in (
        "Python/ceval", "Python/ceval_gil", "Python/gc", "Python/getargs", "Python/frame",
        "Python/specialize", "Python/errors",
        "Objects/abstract", "Objects/bytesobject", "Objects/call", "Objects/classobject",
        "Objects/descrobject", "Objects/dictobject", "Objects/funcobject", "Objects/genobject",
        "Objects/listobject", "Objects/longobject", "Objects/methodobject", "Objects/object",
        "Objects/obmalloc", "Objects/tupleobject", "Objects/typeobject",
    )
)  # fmt: skip
"""What a balanced build compiles with -O2: where any Python program spends its time."""

COLD: Final = tuple(
    f"{name}.o"
    for name in (
        "Parser/parser", "Python/Python-ast", "Python/ast", "Python/ast_opt",
        "Python/ast_preprocess", "Python/ast_unparse", "Python/compile", "Python/flowgraph",
        "Python/symtable", "Python/assemble", "Python/initconfig", "Python/preconfig",
        "Python/pylifecycle", "Python/sysmodule", "Modules/_decimal/_decimal",
        "Modules/_datetimemodule", "Modules/posixmodule", "Modules/arraymodule",
    )
)  # fmt: skip
"""What it compiles with -Oz: large, and run once or seldom."""


ZLIB: Final = (
    "adler32.c", "compress.c", "crc32.c", "deflate.c", "infback.c", "inffast.c", "inflate.c",
    "inftrees.c", "trees.c", "uncompr.c", "zutil.c",
)  # fmt: skip
"""All of zlib but its functions for files: CPython has its own."""

WITHOUT_ZLIB: Final = "MODULE_BINASCII_CFLAGS="
"""configure lets binascii have its CRC from zlib, which would link zlib into every program."""


def runtime(plan: Plan, toolchain: Toolchain, *, run: Run, store: Store, tell: Tell) -> Runtime:
    """Build the CPython of *plan*, or take it from the store.

    Raises:
        ToolError: the source cannot be had, or does not build.
    """
    level = OPTIMIZE[plan.project.options.optimize]
    source_id = _source_id(plan)
    balanced = plan.project.options.optimize == "balanced"
    special = {"-O2": HOT, "-Oz": COLD} if balanced else {}
    key = key_of(
        RECIPE, source_id, plan.zlib.sha256, toolchain.key,
        level, special, ANSWERS, LEFT_OUT, NOT_NEEDED,
    )  # fmt: skip

    def make(folder: Path) -> None:
        _require_make(run)
        with store.scratch() as scratch:
            source = _source(plan, scratch, run=run, tell=tell)
            zlib = _zlib(plan, toolchain, scratch, run=run, tell=tell)
            _build(
                source, zlib, folder, toolchain, (level, special), plan.machine, run=run, tell=tell
            )

    root, _ = store.get("runtime", key, make)
    return _describe(root, key)


def _source_id(plan: Plan) -> str:
    """Name the source by its contents, before it is fetched where that is possible."""
    python = plan.python
    if python.sha256:
        return python.sha256
    folder = Path(plan.project.root, python.origin)
    if python.origin != "apt" and folder.is_dir():
        # A working tree: its newest change stands for its contents.
        newest = max(file.stat().st_mtime_ns for file in folder.rglob("*") if file.is_file())
        return f"{folder}@{newest}"
    return python.origin


def _require_make(run: Run) -> None:
    """Say before minutes of downloading and configuring what would be missing after them."""
    try:
        run(["make", "--version"], env={"PATH": SYSTEM_PATH})
    except ToolError as exc:
        raise ToolError(
            "make is not installed, and CPython is built with it",
            hint="install it: apt-get install make, or as your system has it",
        ) from exc


def _source(plan: Plan, scratch: Path, *, run: Run, tell: Tell) -> Path:
    folder = Path(plan.project.root, plan.python.origin)
    if not plan.python.sha256 and folder.is_dir():
        return Path(shutil.copytree(folder, scratch / "source", symlinks=True))
    return unpack.tree(_fetch(plan.python, scratch, run=run, tell=tell), scratch / "CPython")


def _fetch(source: Source, scratch: Path, *, run: Run, tell: Tell) -> Path:
    downloads = scratch / "downloads"
    downloads.mkdir(exist_ok=True)
    return fetch.tarball(source, downloads, run=run, say=tell)


def _zlib(plan: Plan, toolchain: Toolchain, scratch: Path, *, run: Run, tell: Tell) -> Path:
    """Compile zlib and return the directory that holds its headers and ``libz.a``."""
    tarball = _fetch(plan.zlib, scratch, run=run, tell=tell)
    source = unpack.tree(tarball, scratch / "zlib")
    files = [source / name for name in ZLIB]
    missing = [file.name for file in files if not file.is_file()]
    if missing or fetch.digest([*files, *source.glob("*.h")]) != plan.zlib.contents:
        raise ToolError(f"{tarball.name}: its C files are not zlib {plan.zlib.version}'s")
    tell("compiling zlib")
    # Whoever compresses waits for it: fast, unless size is all that counts.
    level = "-Os" if plan.project.options.optimize == "size" else "-O2"
    for name in ZLIB:  # given several at once, zig keeps only the first one's object
        run([toolchain.bin / "cc", level, "-DNDEBUG", "-c", name], cwd=source)
    objects = [file.with_suffix(".o").name for file in files]
    run([toolchain.bin / "ar", "rcsD", "libz.a", *objects], cwd=source)
    return source


def _build(
    source: Path,
    zlib: Path,
    folder: Path,
    toolchain: Toolchain,
    levels: tuple[str, dict[str, tuple[str, ...]]],
    machine: str,
    *,
    run: Run,
    tell: Tell,
) -> None:
    level, special = levels
    triplet = f"{machine}-linux-musl"
    tools = {name: str(toolchain.bin / name) for name in ("ar", "ranlib")}
    env = {
        "PATH": f"{toolchain.bin}:{SYSTEM_PATH}",
        "SOURCE_DATE_EPOCH": "0",
        "CC": str(toolchain.bin / "cc"),
        "CXX": str(toolchain.bin / "c++"),
        "AR": tools["ar"],
        "RANLIB": tools["ranlib"],
        "READELF": "true",
        # Or configure would find the build machine's zlib, sqlite, libffi.
        "PKG_CONFIG": "false",
        "ZLIB_CFLAGS": f"-I{zlib}",
        "ZLIB_LIBS": f"-L{zlib} -lz",
        "OPT": f"-DNDEBUG {level}",
        # The build directory must not be part of the result.
        "CFLAGS": f"{level} -ffile-prefix-map={source}=.",
        "LDFLAGS": "-pie",
        "MODULE_BUILDTYPE": "static",
        "LINKFORSHARED": " ",
        "CCSHARED": "-fPIE",
        **ANSWERS,
        **{f"py_cv_module_{name}": "n/a" for name in LEFT_OUT},
    }
    configure = [
        "./configure", "--prefix=/usr", f"--build={triplet}", f"--host={triplet}",
        "--disable-shared", "--disable-test-modules", "--without-ensurepip",
        "--without-doc-strings", "--with-computed-gotos",
        # An allocator of its own for builds without the GIL: never called in this one.
        "--without-mimalloc",
    ]  # fmt: skip
    run(configure, cwd=source, env=env, on_line=_counter(tell, "configuring", CONFIGURE_LINES))
    make = ["make", f"-j{len(os.sched_getaffinity(0))}", WITHOUT_ZLIB]
    compiling = _counter(tell, "compiling CPython", COMPILE_LINES, only=f"{toolchain.bin}/cc ")
    for own_level, objects in special.items():
        # The last -O on a compiler's command line counts, and this variable comes last.
        flags = f"CFLAGSFORSHARED={own_level}"
        run([*make, flags, *made_by(source, objects)], cwd=source, env=env, on_line=compiling)
    run([*make, "python"], cwd=source, env=env, on_line=compiling)
    run([*make, "pybuilddir.txt"], cwd=source, env=env)
    _collect(source, zlib, folder)


def made_by(source: Path, objects: Iterable[str]) -> list[str]:
    """Return which of *objects* the configured *source* makes.

    Lines of CPython differ: 3.14 renamed ``ast_opt``, 3.15 has no libmpdec for ``_decimal``.
    """
    words = set((source / "Makefile").read_text("utf-8").split())
    return [name for name in objects if name in words]


def _collect(source: Path, zlib: Path, folder: Path) -> None:
    library = folder / "lib" / _python_dir(source)
    shutil.copytree(source / "Lib", library, ignore=shutil.ignore_patterns(*NOT_NEEDED))
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


def _python_dir(source: Path) -> str:
    header = (source / "Include" / "patchlevel.h").read_text("utf-8")
    numbers = [
        re.search(rf"#define\s+PY_{part}_VERSION\s+(\d+)", header) for part in ("MAJOR", "MINOR")
    ]
    if None in numbers:
        raise ToolError(f"{source}: its Include/patchlevel.h names no version")
    return "python" + ".".join(found[1] for found in numbers if found)


def _describe(root: Path, key: str) -> Runtime:
    stdlib = next((root / "lib").iterdir())
    builtins = (root / "builtins.txt").read_text("utf-8")
    return Runtime(
        root=root,
        python=root / "bin" / "python",
        stdlib=stdlib,
        include=root / "include" / stdlib.name,
        archives=tuple(sorted((root / "archives").iterdir(), key=lambda path: path.name)),
        builtins=dict(line.split() for line in builtins.splitlines()),
        version=stdlib.name.removeprefix("python"),
        key=key,
    )


def _counter(tell: Tell, text: str, total: int, *, only: str = "") -> Callable[[str], None]:
    done = 0

    def on_line(line: str) -> None:
        nonlocal done
        if only in line:
            done += 1
            tell(text, done=min(done, total), total=total)

    return on_line
