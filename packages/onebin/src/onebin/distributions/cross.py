"""Facts of the target for a build back end that runs here and compiles for another processor.

Source: CPython's Lib/sysconfig, whose variables for cross builds are these.
"""

import shlex
import shutil
from pathlib import Path
from typing import Final

from onebin.model import Interpreter, Machine, NativeTools

HOOK: Final = Path(__file__).parent.parent / "target" / "other_machine.py"
"""Runs a program of Python that sees the target's processor."""

MESON: Final = """\
[host_machine]
system = 'linux'
cpu_family = '{machine}'
cpu = '{machine}'
endian = 'little'
"""
"""Meson's description of the target, without which it runs a compiled program first."""

CONFIG_SITE: Final = """\
cross_compiling=yes
build_alias={build}-linux-musl
host_alias={machine}-linux-musl
"""
"""As ``--build`` and ``--host`` set them: a setup script gives its configure neither (Autoconf,
"Setting Site Defaults")."""

MESON_SCRIPT: Final = """\
#!/bin/sh
case "$1" in
setup) shift; exec meson setup --cross-file {file} "$@" ;;
esac
exec meson "$@"
"""
"""meson-python names no such file; it calls the program that ``MESON`` names."""

HINT: Final = (
    "it does for the build machine, so it may run compiled programs: build it on a machine of the "
    "target's kind, or "
)
"""Before other remedies of a build that failed, since the one for the build machine did not."""


def environment(
    interpreter: Interpreter, machine: Machine, native: NativeTools, folder: Path
) -> dict[str, str]:
    """Return variables by which a build with *interpreter* knows its target, *machine*.

    The new *folder* is the first that the interpreter imports from.
    """
    folder.mkdir()
    for data in interpreter.stdlib.glob("_sysconfigdata_*.py"):
        shutil.copy(data, folder)
    description, meson = folder / "target.meson", folder / "meson"
    description.write_text(MESON.format(machine=machine), "utf-8")
    meson.write_text(MESON_SCRIPT.format(file=shlex.quote(str(description))), "utf-8")
    meson.chmod(0o755)
    site = folder / "config.site"
    site.write_text(CONFIG_SITE.format(build=native.machine, machine=machine), "utf-8")
    return {
        "_PYTHON_HOST_PLATFORM": f"linux-{machine}",
        "MESON": str(meson),
        "CONFIG_SITE": str(site),
        "CC_FOR_BUILD": str(native.bin / "cc"),
        "CXX_FOR_BUILD": str(native.bin / "c++"),
    }
