"""Calls of the compiler, as build systems make them, in words that the pinned compiler takes.

It states every instruction set of x86-64 as on or off, so it lacks what GCC's and clang's own
options and attributes imply: SSE4.2 that the instructions of POPCNT and CRC32 are there, AVX that
those of XSAVE are (ziglang/zig issue 17572, llvm/llvm-project issue 194125). And it builds its C
library for each set of such options that a program is linked with, a minute each; a configure
script tries ten, one by one: PyNaCl's libsodium. As a feature of the program's own code each takes
half a second, with the C library that is there. Source: clang's -target-feature; GCC's manual,
"x86 Options" and "Preprocessor Options".
"""

import shlex
from pathlib import Path
from typing import Final

from onebin.model import Machine

FEATURES: Final = (
    "-mmmx | -msse* | -mssse3 | -mavx* | -maes | -mpclmul | -mvaes | -mvpclmulqdq | -mgfni | -msha "
    "| -mfma | -mf16c | -mbmi | -mbmi2 | -mlzcnt | -mpopcnt | -mrdrnd | -mrdseed | -mmovbe | -madx"
)
"""Options of x86-64 that name one set of instructions, as a pattern of the shell."""

EXPLICIT: Final = "_mm_crc32_u|__builtin_ia32_crc32|_xgetbv"
"""Functions of an implied set: the compiler makes its instructions of nothing else."""

SCRIPT: Final = """\
#!/bin/sh
case " $* " in
*" -shared "* | *" -r "*) exec {compiler} "$@" ;;
*" -c "* | *" -E "* | *" -S "*) call=compile ;;
*".c "* | *".cc "* | *".cpp "* | *".cxx "* | *".s "* | *".S "* | *" -x"*) call=link ;;
*) call=objects ;; # linked: no instruction is chosen any more
esac
case " $* " in
*" -x"*) language= ;;
*) language="-x {language}" ;;
esac
implied=
left=$#
while [ "$left" -gt 0 ]; do
    word=$1
    shift
    left=$((left - 1))
    case $call$word in
    link-mtune=* | objects-mtune=* | objects-march=* | {dropped}) ;;
    link-msse4) set -- "$@" -Xclang -target-feature -Xclang +sse4.2 ;;
    {features}) set -- "$@" -Xclang -target-feature -Xclang "+${word#-m}" ;;
    compile-msse4 | compile-msse4.2) set -- "$@" -mpopcnt "$word" ;;
    compile-mavx*) set -- "$@" -mpopcnt -mxsave "$word" ;;
    compile-) set -- "$@" $language "$word" ;;
    *.c | *.cc | *.cpp | *.cxx)
        # One of its functions has the set, by an attribute or a pragma: the others call none.
        if grep -Eqs '{explicit}' "$word" && grep -iqs target "$word"; then
            implied="{implied}"
        fi
        set -- "$@" "$word" ;;
    *) set -- "$@" "$word" ;;
    esac
done
exec {compiler} "$@" $implied
"""

IMPLIED: Final[dict[Machine, str]] = {"x86_64": "-mcrc32 -U__CRC32__ -mxsave -U__XSAVE__"}
"""For a whole file; macros do not change, so neither does code under their conditions."""


def write(folder: Path, tools: Path, machine: Machine) -> Path:
    """Fill the new *folder* with ``cc`` and ``c++``, which call those in *tools*; return it.

    They compile for *machine*.
    """
    folder.mkdir()
    for name, language in (("cc", "c"), ("c++", "c++")):
        words = {
            "compiler": shlex.quote(str(tools / name)),
            "language": language,
            "features": FEATURES.replace("-m", "link-m"),
            "dropped": FEATURES.replace("-m", "objects-m"),
            "explicit": EXPLICIT,
            "implied": IMPLIED.get(machine, ""),
        }
        text = SCRIPT
        for key, value in words.items():
            text = text.replace(f"{{{key}}}", value)
        (folder / name).write_text(text, "utf-8")
        (folder / name).chmod(0o755)
    return folder
