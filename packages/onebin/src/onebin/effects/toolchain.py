"""The pinned compiler as the five programs every build system knows by name."""

import importlib.metadata
import importlib.util
import shlex
import shutil
import sys
from pathlib import Path
from typing import Final

from onebin.errors import ToolError
from onebin.model import Machine, Plan, Toolchain

from .process import Run
from .store import Store, key_of
from .story import Tell

RECIPE: Final = 1
"""Raised when this file changes what it lays out: part of the key."""

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
    # No C code here is unwound: 6 % of the file for tables nothing reads. (C++ asks for its own.)
    "-fno-asynchronous-unwind-tables",
    "-fno-unwind-tables",
    # zig adds traps of the undefined-behaviour sanitizer to unoptimised code.
    "-fno-sanitize=all",
    # zig refuses __DATE__; clang takes it from SOURCE_DATE_EPOCH, so it is the same every time.
    "-Wno-date-time",
)

# On a -shared link the objects are joined into one relocatable object instead: a static
# executable can load no .so, but it can be linked with what would have been in it.
CAPTURE: Final = """\
case " $* " in
*" -shared "*) exec {python} -I -S {capture} {zig} "$@" ;;
esac
"""


def find(plan: Plan, *, run: Run, store: Store, tell: Tell) -> Toolchain:
    """Lay out the toolchain of *plan* in the store.

    Raises:
        ToolError: the pinned package is not installed beside onebin, or does not work.
    """
    package, _, version = plan.toolchain.partition(" ")
    zig = _zig(package, version)
    target = f"{plan.machine}-linux-musl"
    cache = store.root / "zig"
    python = shlex.quote(sys.executable)
    capture = shlex.quote(str(Path(__file__).parent.parent / "target" / "capture.py"))
    compiler = shlex.join(["-target", target, f"-mcpu={CPU[plan.machine]}", *COMPILE])
    quoted = shlex.quote(str(zig))
    scripts = {
        "cc": CAPTURE + f'exec {quoted} cc {compiler} "$@"\n',
        "c++": CAPTURE + f'exec {quoted} c++ {compiler} "$@"\n',
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
        + text.replace("{python}", python).replace("{capture}", capture).replace("{zig}", quoted)
        for name, text in scripts.items()
    }

    def make(folder: Path) -> None:
        (folder / "bin").mkdir()
        for name, text in texts.items():
            file = folder / "bin" / name
            file.write_text(text, "utf-8")
            file.chmod(0o755)
        tell("compiling musl")
        _take_libraries(folder, run=run)

    # The scripts' key has this machine's paths in it; the toolchain's has not, so that
    # what is built with it has the same key everywhere.
    root, _ = store.get("toolchain", key_of(RECIPE, texts), make)
    libraries = sorted((root / "lib").glob("*.a"), key=lambda path: path.name)
    return Toolchain(
        bin=root / "bin",
        start=root / "lib" / "rcrt1.o",
        libraries=tuple(libraries),
        key=key_of(plan.toolchain, target, CPU[plan.machine], COMPILE),
    )


def _take_libraries(folder: Path, *, run: Run) -> None:
    """Let the compiler link something and keep what it adds of its own.

    Its own driver passes on only some of the linker's options; with these files in hand the
    link stage calls the linker itself.
    """
    program = folder / "nothing.c"
    program.write_text("int main(void) { return 0; }\n", "utf-8")
    lines: list[str] = []
    compiled: list[str | Path] = [
        folder / "bin" / "cc",
        "-O2",
        "-pie",
        "-v",
        program,
        "-o",
        folder / "nothing",
    ]
    run(compiled, cwd=folder, on_line=lines.append)
    # The last one is ours: with an empty cache it links parts of its own before.
    words = next((line.split() for line in reversed(lines) if line.startswith("ld.lld ")), [])
    start = [folder / word for word in words if word.endswith("/rcrt1.o")]
    libraries = [folder / word for word in words if word.endswith(".a")]
    if not start or not libraries:
        raise ToolError("the compiler does not say what it links", hint="reinstall ziglang")
    (folder / "lib").mkdir()
    shutil.copy(start[0], folder / "lib" / "rcrt1.o")
    for n, library in enumerate(libraries):
        shutil.copy(library, folder / "lib" / f"{n}-{library.name}")
    program.unlink()
    (folder / "nothing").unlink()


def _zig(package: str, version: str) -> Path:
    way_out = f"pip install {package}=={version}"
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ToolError(f"the compiler {package} {version} is not installed", hint=way_out)
    found = importlib.metadata.version(package)
    if found != version:
        raise ToolError(f"{package} is {found}, pinned is {version}", hint=way_out)
    return Path(next(iter(spec.submodule_search_locations)), "zig")
