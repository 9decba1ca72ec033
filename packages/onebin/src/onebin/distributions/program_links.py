"""Calls of the compiler that link a program with instructions of one processor.

The compiler builds its C library for each set of such options, a minute each. A configure script
tries ten, one by one: PyNaCl's libsodium. As a feature of the program's own code each takes half a
second, with the C library that is there. Source: clang's -target-feature.
"""

import shlex
from pathlib import Path
from typing import Final

FEATURES: Final = (
    "-mmmx | -msse* | -mssse3 | -mavx* | -maes | -mpclmul | -mvaes | -mvpclmulqdq | -mgfni | -msha "
    "| -mfma | -mf16c | -mbmi | -mbmi2 | -mlzcnt | -mpopcnt | -mrdrnd | -mrdseed | -mmovbe | -madx"
)
"""Options of x86-64 that name one set of instructions, as a pattern of the shell."""

SCRIPT: Final = """\
#!/bin/sh
case " $* " in
*" -c "* | *" -shared "* | *" -E "* | *" -S "* | *" -r "*) exec {compiler} "$@" ;;
esac
left=$#
while [ "$left" -gt 0 ]; do
    word=$1
    shift
    left=$((left - 1))
    case $word in
    -msse4) set -- "$@" -Xclang -target-feature -Xclang +sse4.2 ;;
    {features}) set -- "$@" -Xclang -target-feature -Xclang "+${word#-m}" ;;
    *) set -- "$@" "$word" ;;
    esac
done
exec {compiler} "$@"
"""


def write(folder: Path, tools: Path) -> Path:
    """Fill the new *folder* with ``cc`` and ``c++``, which call those in *tools*; return it."""
    folder.mkdir()
    for name in ("cc", "c++"):
        compiler = shlex.quote(str(tools / name))
        text = SCRIPT.replace("{features}", FEATURES).replace("{compiler}", compiler)
        (folder / name).write_text(text, "utf-8")
        (folder / name).chmod(0o755)
    return folder
