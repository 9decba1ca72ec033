"""The pinned compiler as the five programs every build system knows by name."""

import importlib.metadata
import importlib.util
import shlex
from pathlib import Path
from typing import Final

from onebin.errors import ToolError
from onebin.model import Machine, Plan, Toolchain
from .store import Store, key_of

CPU: Final[dict[Machine, str]] = {"x86_64": "x86_64", "aarch64": "generic"}
"""The oldest processor of each kind, as Go's GOAMD64=v1 and every distribution have it."""

COMPILE: Final = (
    "-g0",
    "-fPIE",
    "-fstack-protector-strong",
    # Sections of their own let the linker drop what nothing calls.
    "-ffunction-sections",
    "-fdata-sections",
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


def find(plan: Plan, store: Store) -> Toolchain:
    """Lay out the toolchain of *plan* in the store.

    Raises:
        ToolError: the pinned package is not installed beside onebin.
    """
    package, _, version = plan.toolchain.partition(" ")
    zig = _zig(package, version)
    target = f"{plan.machine}-linux-musl"
    cache = store.root / "zig"
    python = shlex.quote(_python())
    capture = shlex.quote(str(Path(__file__).parent.parent / "target" / "capture.py"))
    compiler = shlex.join(["-target", target, f"-mcpu={CPU[plan.machine]}", *COMPILE])
    quoted = shlex.quote(str(zig))
    scripts = {
        "cc": CAPTURE + f"exec {quoted} cc {compiler} \"$@\"\n",
        "c++": CAPTURE + f"exec {quoted} c++ {compiler} \"$@\"\n",
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
        name: head + text.replace("{python}", python).replace("{capture}", capture).replace("{zig}", quoted)
        for name, text in scripts.items()
    }

    def make(folder: Path) -> None:
        for name, text in texts.items():
            file = folder / name
            file.write_text(text, "utf-8")
            file.chmod(0o755)

    # The scripts' key has this machine's paths in it; the toolchain's has not, so that
    # what is built with it has the same key everywhere.
    bin_folder, _ = store.get("toolchain", key_of(texts), make)
    return Toolchain(bin_folder, key_of(plan.toolchain, target, CPU[plan.machine], COMPILE))


def _zig(package: str, version: str) -> Path:
    way_out = f"pip install {package}=={version}"
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ToolError(f"the compiler {package} {version} is not installed", hint=way_out)
    found = importlib.metadata.version(package)
    if found != version:
        raise ToolError(f"{package} is {found}, pinned is {version}", hint=way_out)
    return Path(next(iter(spec.submodule_search_locations)), "zig")


def _python() -> str:
    import sys  # noqa: PLC0415  (one use)

    return sys.executable
