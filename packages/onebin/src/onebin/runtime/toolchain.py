"""The pinned compiler as the five programs every build system knows by name, and an assembler."""

import hashlib
import os
import shlex
import shutil
import sys
from collections.abc import Iterable
from importlib.metadata import version as installed_version
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import msgspec

from onebin.effects.context import Context
from onebin.effects.process import RunCommand
from onebin.effects.reasons import Reason, why
from onebin.effects.store import key_of
from onebin.errors import ToolError
from onebin.model import LinkInput, Machine, NativeTools, Toolchain

from .flags import CFLAGS, CPU, PGO_GENERATE_FLAGS, PGO_USE_FLAGS, PINNED
from .sealing import arguments_script

CACHE_VERSION: Final = 1
"""Raised when this module lays out something else: part of the keys."""

CAPTURE: Final = Path(__file__).parent.parent / "target" / "capture.py"

# On a -shared link the objects are joined into one relocatable object instead: a static
# executable can load no .so, but it can be linked with what would have been in it.
CAPTURE_SCRIPT: Final = """\
case " $* " in
*" -shared "*)
    export ONEBIN_COMPILER="$0"
    exec {python} -I -S {capture} {zig} "$@" %s;;
esac
"""

# Build systems give C++ to cc too: other compilers decide by the file's name.
CXX_BY_NAME: Final = """\
case " $* " in
*".cpp "* | *".cc "* | *".cxx "* | *".C "*) exec {cxx} "$@" ;;
esac
"""


class CheckedCompiler(msgspec.Struct, frozen=True):
    """Step: whether the installed compiler's 20,000 files are the pinned ones.

    They are read once, and again if the program is no longer the file that was read.
    """

    folder: Path
    release: str
    """``ziglang 0.17.1``."""
    pinned: str
    """``contents`` of the right files."""
    kind = "compiler"

    def key(self) -> tuple[object, ...]:
        """Return the identity of the file and the expected hash."""
        facts = (self.folder / "zig").stat()
        seen = [str(self.folder), facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns]
        return CACHE_VERSION, [*seen, self.pinned]

    def make(self, _: Path, ctx: Context) -> None:
        """Compare all files with the pin.

        Raises:
            ToolError: a file was changed.
        """
        ctx.progress.report("checking the compiler's files")
        if (found := contents(self.folder)) != self.pinned:
            raise ToolError(
                f"{self.folder}: the files of {self.release} have the hash {found}, "
                f"expected {self.pinned}",
                hint="its wheel or the installed files were changed: reinstall it from a trusted "
                "index, pip install --force-reinstall --no-deps "
                f"{self.release.replace(' ', '==')}",
            )

    def load(self, _: Path) -> Path:
        """Return the compiler's program."""
        return self.folder / "zig"


class LaidOutToolchain(msgspec.Struct, frozen=True):
    """Step: scripts for the programs, musl, and the code that runs before ``main``."""

    zig: Path
    release: str
    machine: Machine
    flags: tuple[str, ...]
    """Of every compilation."""
    flags_key: tuple[object, ...]
    """Names ``flags`` without paths of this machine."""
    cache: Path
    """The compiler's own cache."""
    instrumented: bool = False
    python: Path = Path(sys.executable)
    capture: Path = CAPTURE
    kind = "toolchain"

    @property
    def target(self) -> str:
        """The compiled code's triple."""
        return f"{self.machine}-linux-musl"

    def key(self) -> tuple[object, ...]:
        """Return the release, whose musl is copied, and the scripts, with paths of this machine."""
        return CACHE_VERSION, self.release, self._scripts()

    def make(self, folder: Path, ctx: Context) -> None:
        """Write the scripts, and let the compiler build musl.

        Raises:
            ToolError: the compiler does not work.
        """
        (folder / "bin").mkdir()
        for name, text in self._scripts().items():
            file = folder / "bin" / name
            file.write_text(text, "utf-8")
            file.chmod(0o755)
        ctx.progress.report("compiling musl")
        words = _linked_by(folder / "bin" / "cc", folder, run=ctx.run)
        start = [word for word in words if word.name == "rcrt1.o"]
        libraries = [word for word in words if word.suffix == ".a"]
        if not start or not libraries:
            raise ToolError("zig: its output names no linked files", hint="reinstall ziglang")
        _keep(folder / "lib", libraries)
        shutil.copy(start[0], folder / "lib")

    def load(self, folder: Path) -> Toolchain:
        """Return the toolchain; its key has no path, so results have the same key everywhere."""
        return Toolchain(
            bin=folder / "bin",
            crt_start=folder / "lib" / "rcrt1.o",
            libraries=_in_order(folder / "lib"),
            key=key_of(self.release, self.target, CPU[self.machine], *self.flags_key),
            instrumented=self.instrumented,
        )

    def _scripts(self) -> dict[str, str]:
        zig = shlex.quote(str(self.zig))
        compiler = shlex.join(["-target", self.target, f"-mcpu={CPU[self.machine]}", *self.flags])
        cxx = f"{zig} c++ {compiler}"
        seal = arguments_script(self.cache.parent)
        scripts = {
            "cc": seal + CAPTURE_SCRIPT % "" + CXX_BY_NAME + f'exec {zig} cc {compiler} "$@"\n',
            # Linking with c++ includes its library.
            "c++": seal + CAPTURE_SCRIPT % "-lc++ " + f'exec {cxx} "$@"\n',
            "ar": f'exec {zig} ar "$@"\n',
            "ranlib": f'exec {zig} ranlib "$@"\n',
            "ld": f'exec {zig} ld.lld "$@"\n',
            # cc takes three processes to assemble.
            "assemble": f'exec {zig} clang --no-default-config -target {self.target} "$@"\n',
        }
        cache = shlex.quote(str(self.cache))
        head = f"#!/bin/sh\nexport ZIG_GLOBAL_CACHE_DIR={cache} ZIG_LOCAL_CACHE_DIR={cache}\n"
        return {
            name: head
            + text.replace("{python}", shlex.quote(str(self.python)))
            .replace("{capture}", shlex.quote(str(self.capture)))
            .replace("{cxx}", cxx)
            .replace("{zig}", zig)
            for name, text in scripts.items()
        }


class CxxLibraries(msgspec.Struct, frozen=True):
    """Step: C++'s own libraries: libc++, its ABI, the unwinder of exceptions."""

    toolchain: Toolchain
    kind = "toolchain"

    def key(self) -> tuple[object, ...]:
        """Return the toolchain's key: they come with the compiler."""
        return CACHE_VERSION, self.toolchain.key, "c++"

    def make(self, folder: Path, ctx: Context) -> None:
        """Let the compiler build them, and copy the linked archives."""
        ctx.progress.report("compiling libc++")
        with ctx.store.scratch() as scratch:
            words = _linked_by(self.toolchain.bin / "c++", scratch, run=ctx.run)
            of_c = {library.name.partition("-")[2] for library in self.toolchain.libraries}
            found = [word for word in words if word.suffix == ".a" and word.name not in of_c]
            if not found:
                raise ToolError("zig: its output does not name libc++", hint="reinstall ziglang")
            _keep(folder / "lib", found)

    def load(self, folder: Path) -> LinkInput:
        """Return the archives, with the index that unwinds the stack for a thrown exception."""
        key = (self.toolchain.key, "c++")
        return LinkInput(archives=_in_order(folder / "lib"), options=("--eh-frame-hdr",), key=key)


def toolchain(
    release: str,
    machine: Machine,
    ctx: Context,
    *,
    build_machine: Machine | None = None,
    profile: tuple[Path, str] | None = None,
    instrumented: bool = False,
) -> Toolchain:
    """Return the compiler *release* for *machine*, checked and laid out.

    Args:
        release: ``ziglang 0.17.1``.
        machine: The processor it compiles for.
        ctx: The effects.
        build_machine: The processor it runs on; *machine* if absent.
        profile: The file clang reads, and the sha256 of the profile it was made from.
        instrumented: Whether the compiled code counts how often it runs.

    Raises:
        ToolError: the pinned package is not installed beside onebin, or does not work.
    """
    build_machine = build_machine or machine
    pinned = PINNED[release, build_machine]
    zig = ctx.build(CheckedCompiler(installed(release), release, pinned))
    flags: tuple[str, ...] = CFLAGS
    flags_key: tuple[object, ...] = (CFLAGS,)
    if instrumented:
        flags, flags_key = CFLAGS + PGO_GENERATE_FLAGS, (CFLAGS, PGO_GENERATE_FLAGS)
    elif profile:
        file, sha256 = profile
        flags = (*CFLAGS, f"-fprofile-use={file}", *PGO_USE_FLAGS)
        flags_key = (CFLAGS, PGO_USE_FLAGS, sha256)
    made = ctx.build(
        LaidOutToolchain(
            zig, release, machine, flags, flags_key, ctx.store.shared("zig"),
            instrumented=instrumented,
        )
    )  # fmt: skip
    if machine == build_machine:
        return made
    here = toolchain(release, build_machine, ctx)
    native = NativeTools(build_machine, here.bin)
    return msgspec.structs.replace(made, native=native)


def installed(release: str) -> Path:
    """Return the folder of the installed package, which must have the pinned version."""
    package, _, version = release.partition(" ")
    hint = f"pip install {package}=={version}"
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ToolError(f"{release}: not installed; it is the compiler", hint=hint)
    found = installed_version(package)
    if found != version:
        raise ToolError(f"{package}: version {found}; expected {version}", hint=hint)
    folder = Path(next(iter(spec.submodule_search_locations)))
    if not os.access(folder / "zig", os.X_OK):
        fault = "cannot be run" if (folder / "zig").exists() else "missing"
        raise ToolError(
            f"{folder}/zig: {fault}; it is the compiler, {release}",
            hint=f"pip install --force-reinstall --no-deps {package}=={version}",
        )
    return folder


def _linked_by(compiler: Path, folder: Path, *, run: RunCommand) -> list[Path]:
    """Let *compiler* link a program and return the words of its call of the linker.

    Its driver passes on only some of the linker's options, so onebin calls the linker itself,
    with these files.
    """
    program = folder / "nothing.c"
    program.write_text("int main(void) { return 0; }\n", "utf-8")
    lines: list[str] = []
    call: list[str | Path] = [compiler, "-O2", "-pie", "-v", program, "-o", folder / "nothing"]
    try:
        run(call, cwd=folder, on_line=lines.append)
    except ToolError as exc:
        if why(exc.detail) is not Reason.TOO_MANY_FILES:
            raise
        raise ToolError(
            "zig: too many open files; it builds musl with over a thousand",
            hint="raise the hard limit: ulimit -Hn 4096, or run with --ulimit nofile=4096:4096",
        ) from exc
    program.unlink()
    (folder / "nothing").unlink()
    # The last one is this program's: with an empty cache zig links its own parts before.
    words = next((line.split() for line in reversed(lines) if line.startswith("ld.lld ")), [])
    return [folder / word for word in words]


def _keep(folder: Path, libraries: Iterable[Path]) -> None:
    folder.mkdir()
    for n, library in enumerate(libraries):
        shutil.copy(library, folder / f"{n}-{library.name}")


def _in_order(folder: Path) -> tuple[Path, ...]:
    return tuple(sorted(folder.glob("*.a"), key=lambda path: path.name))


def contents(folder: Path) -> str:
    """Return one hash of all files below *folder*: their hashes and names, sorted by name.

    Compiled Python files do not count: importing the package makes them, and nothing runs them.
    """
    names = sorted(
        file.relative_to(folder).as_posix()
        for file in folder.rglob("*")
        if "__pycache__" not in file.parts and not file.is_dir()
    )
    every = hashlib.sha256()
    for name in names:
        with (folder / name).open("rb") as stream:
            sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
        every.update(f"{sha256}  {name}\n".encode())
    return every.hexdigest()
