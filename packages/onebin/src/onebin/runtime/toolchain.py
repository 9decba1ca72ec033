"""The pinned compiler as the five programs every build system knows by name."""

import hashlib
import importlib.metadata
import importlib.util
import shlex
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from onebin.effects.process import Run
from onebin.effects.progress import Tell
from onebin.effects.store import Store, key_of
from onebin.errors import ToolError
from onebin.model import Machine, Plan, Toolchain
from onebin.pgo import profile

RECIPE: Final = 1
"""Raised when this file changes what it lays out: part of the key."""

PINNED: Final[dict[tuple[str, Machine], str]] = {
    (
        "ziglang 0.17.1",
        "x86_64",
    ): "b683008adcdfeb97a1c0e697b4a1de4e96e57f15f6e0b423cf0ed23170c4ef87",
    (
        "ziglang 0.17.1",
        "aarch64",
    ): "ddf3ee37f3ea55d2ca11dadf79796eb484288660bbb42ba5be8fe64a87340eae",
}
"""What ``contents`` says of the compiler's files, by its release and the processor it runs on.

pip compares no file with anything when it installs onebin's dependencies by version. The compiler
writes every byte of an executable, and brings musl's and libc++'s sources.
"""

CPU: Final[dict[Machine, str]] = {"x86_64": "x86_64", "aarch64": "generic"}
"""The oldest processor of each kind, as Go's GOAMD64=v1 and every distribution have it."""

COMPILE: Final = (
    "-g0",
    "-fPIE",
    "-fstack-protector-strong",
    # Sections of their own let the linker drop what nothing calls.
    "-ffunction-sections",
    "-fdata-sections",
    # Lets the linker fold functions that are equal and whose address nobody compares.
    "-faddrsig",
    # No C code here is unwound: 6 % of the file for tables nothing reads. Functions of C++ that
    # may throw have theirs all the same.
    "-fno-asynchronous-unwind-tables",
    "-fno-unwind-tables",
    # zig adds traps of the undefined-behaviour sanitizer to unoptimised code.
    "-fno-sanitize=all",
    # zig refuses __DATE__; clang takes it from SOURCE_DATE_EPOCH, so it is the same every time.
    "-Wno-date-time",
)

COUNT: Final = ("-fprofile-generate", "-mllvm", "-disable-vp=true")
"""Count in the intermediate code; values of variables are not profiled."""

PROFILED: Final = (
    # Hot is what makes up 95 % of all that ran, not 99 %: the rest would cost four times the bytes
    # and give a hundredth of the speed (docs/explanation/performance.md).
    "-mllvm", "-profile-summary-cutoff-hot=950000",
    # What is hot goes into callers that are hot, too; into others only if it is as short as -Os
    # asks of all.
    "-mllvm", "-inlinehint-threshold=50",
    # What ran seldom is made small, however it is compiled else.
    "-mllvm", "-pgso-lwss-only=false",
    "-mllvm", "-pgo-cold-func-opt=minsize",
    # Said of each function whose flow another processor's source changes: it is left unprofiled.
    "-Wno-profile-instr-out-of-date",
    "-Wno-backend-plugin",
)  # fmt: skip

# On a -shared link the objects are joined into one relocatable object instead: a static
# executable can load no .so, but it can be linked with what would have been in it.
CAPTURE: Final = """\
case " $* " in
*" -shared "*) exec {python} -I -S {capture} {zig} "$@" %s;;
esac
"""

# Build systems give C++ to cc too: other compilers tell by the file's name which it is.
CXX_BY_NAME: Final = """\
case " $* " in
*".cpp "* | *".cc "* | *".cxx "* | *".C "*) exec {cxx} "$@" ;;
esac
"""


def find(plan: Plan, *, run: Run, store: Store, tell: Tell) -> Toolchain:
    """Lay out the toolchain of *plan* in the store.

    Raises:
        ToolError: the pinned package is not installed beside onebin, or does not work.
    """
    zig = _zig(plan, store=store, tell=tell)
    target = f"{plan.machine}-linux-musl"
    cache = store.root / "zig"
    flags: tuple[str, ...] = COMPILE
    if plan.counting:
        flags += COUNT
    elif plan.profile:
        flags += (f"-fprofile-use={_profile(plan, store=store)}", *PROFILED)
    python = shlex.quote(sys.executable)
    capture = shlex.quote(str(Path(__file__).parent.parent / "target" / "capture.py"))
    compiler = shlex.join(["-target", target, f"-mcpu={CPU[plan.machine]}", *flags])
    quoted = shlex.quote(str(zig))
    cxx = f"{quoted} c++ {compiler}"
    scripts = {
        "cc": CAPTURE % "" + CXX_BY_NAME + f'exec {quoted} cc {compiler} "$@"\n',
        # Whoever links with c++ means its library, too.
        "c++": CAPTURE % "-lc++ " + f'exec {cxx} "$@"\n',
        "ar": f'exec {quoted} ar "$@"\n',
        "ranlib": f'exec {quoted} ranlib "$@"\n',
        "ld": f'exec {quoted} ld.lld "$@"\n',
    }
    head = (
        "#!/bin/sh\n"
        f"export ZIG_GLOBAL_CACHE_DIR={shlex.quote(str(cache))} "
        f"ZIG_LOCAL_CACHE_DIR={shlex.quote(str(cache))}\n"
    )
    texts = {
        name: head
        + text.replace("{python}", python)
        .replace("{capture}", capture)
        .replace("{cxx}", cxx)
        .replace("{zig}", quoted)
        for name, text in scripts.items()
    }

    def make(folder: Path) -> None:
        (folder / "bin").mkdir()
        for name, text in texts.items():
            file = folder / "bin" / name
            file.write_text(text, "utf-8")
            file.chmod(0o755)
        tell("compiling musl")
        words = _linked_by(folder / "bin" / "cc", folder, run=run)
        start = [word for word in words if word.name == "rcrt1.o"]
        libraries = [word for word in words if word.suffix == ".a"]
        if not start or not libraries:
            raise ToolError("the compiler does not say what it links", hint="reinstall ziglang")
        _keep(folder / "lib", libraries)
        shutil.copy(start[0], folder / "lib")

    # The scripts' key has this machine's paths in it; the toolchain's has not, so that
    # what is built with it has the same key everywhere.
    root, _ = store.get("toolchain", key_of(RECIPE, texts), make)
    return Toolchain(
        bin=root / "bin",
        start=root / "lib" / "rcrt1.o",
        libraries=_in_order(root / "lib"),
        key=key_of(
            plan.toolchain, target, CPU[plan.machine], COMPILE,
            *([COUNT] if plan.counting else [PROFILED, plan.profile] if plan.profile else []),
        ),
        counting=plan.counting,
    )  # fmt: skip


def _profile(plan: Plan, *, store: Store) -> Path:
    """Put the profile of *plan* into the store as the compiler reads it."""
    file = Path(plan.project.root, plan.project.options.profile)

    def make(folder: Path) -> None:
        functions = profile.from_text(file.read_text("utf-8"), str(file))
        (folder / "profdata").write_bytes(profile.indexed(functions))

    root, _ = store.get("profile", key_of(RECIPE, plan.profile), make)
    return root / "profdata"


def cxx_libraries(toolchain: Toolchain, *, run: Run, store: Store, tell: Tell) -> tuple[Path, ...]:
    """Return C++'s own libraries in link order: libc++, its ABI, the unwinder of exceptions."""

    def make(folder: Path) -> None:
        tell("compiling libc++")
        with store.scratch() as scratch:
            words = _linked_by(toolchain.bin / "c++", scratch, run=run)
        of_c = {library.name.partition("-")[2] for library in toolchain.libraries}
        own = [word for word in words if word.suffix == ".a" and word.name not in of_c]
        if not own:
            raise ToolError("the compiler does not say where libc++ is", hint="reinstall ziglang")
        _keep(folder / "lib", own)

    root, _ = store.get("toolchain", key_of(RECIPE, toolchain.key, "c++"), make)
    return _in_order(root / "lib")


def _linked_by(compiler: Path, folder: Path, *, run: Run) -> list[Path]:
    """Let *compiler* link something and return the words of its call of the linker.

    Its own driver passes on only some of the linker's options; with these files in hand the
    link stage calls the linker itself.
    """
    program = folder / "nothing.c"
    program.write_text("int main(void) { return 0; }\n", "utf-8")
    lines: list[str] = []
    call: list[str | Path] = [compiler, "-O2", "-pie", "-v", program, "-o", folder / "nothing"]
    try:
        run(call, cwd=folder, on_line=lines.append)
    except ToolError as exc:
        if "FdQuotaExceeded" not in exc.detail:
            raise
        raise ToolError(
            "the compiler builds musl with over a thousand open files, and may not open as many",
            hint="raise the hard limit: ulimit -Hn 4096, or run with --ulimit nofile=4096:4096",
        ) from exc
    program.unlink()
    (folder / "nothing").unlink()
    # The last one is ours: with an empty cache it links parts of its own before.
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

    Compiled Python files are left out: they are made here, and nothing here imports them.
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


def _zig(plan: Plan, *, store: Store, tell: Tell) -> Path:
    package, _, version = plan.toolchain.partition(" ")
    way_out = f"pip install {package}=={version}"
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ToolError(f"the compiler {package} {version} is not installed", hint=way_out)
    found = importlib.metadata.version(package)
    if found != version:
        raise ToolError(f"{package} is {found}, pinned is {version}", hint=way_out)
    folder = Path(next(iter(spec.submodule_search_locations)))
    pinned = PINNED[plan.toolchain, plan.machine]

    def make(_: Path) -> None:
        tell("checking the compiler's files")
        if (is_now := contents(folder)) != pinned:
            raise ToolError(
                f"{folder}: the files of {package} {version} have the hash {is_now}, "
                f"pinned is {pinned}",
                hint="its wheel or the installed files were changed: install it anew from an "
                f"index you trust, pip install --force-reinstall --no-deps {package}=={version}",
            )

    # 20,000 files: read once, and again when the program is not the file that was read.
    facts = (folder / "zig").stat()
    seen = [str(folder), facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns, pinned]
    store.get("compiler", key_of(RECIPE, seen), make)
    return folder / "zig"
