"""Keep the machine's headers and libraries out of each compilation: they are of another libc."""

import shlex
from pathlib import Path
from typing import Final

MACHINE: Final = (
    "/usr/include", "/usr/local/include", "/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/local/lib",
    "/lib", "/lib32", "/lib64", "/opt", "/usr/X11",
)  # fmt: skip
"""Folders of this machine's headers and libraries, which are of another libc."""

FOLDER_FLAGS: Final = ("-I", "-L", "-isystem", "-idirafter", "-iquote")

# Setup scripts add such folders by name, whether or not they are there. Left out as well: options
# for the very processor that compiles, and for objects in the compiler's own intermediate code.
SCRIPT: Final = """\
left=$#
while [ "$left" -gt 0 ]; do
    word=$1; shift; left=$((left - 1))
    case "$word" in
    -flto | -flto=* | -march=native | -mtune=native | -mcpu=native) continue ;;
    {flags})
        if [ "$left" -gt 0 ]; then
            case "$1" in
            {root}/*) ;;
            {folders}) shift; left=$((left - 1)); continue ;;
            esac
        fi ;;
    {visible}) ;;
    {joined}) continue ;;
    esac
    set -- "$@" "$word"
done
"""


def arguments_script(root: Path) -> str:
    """Return the lines of a shell script that take the machine's folders from its arguments.

    Those below *root*, onebin's cache, stay, wherever that is.
    """
    quoted = shlex.quote(str(root))
    folders = [pattern for folder in MACHINE for pattern in (folder, f"{folder}/*")]
    values = {
        "{flags}": " | ".join(FOLDER_FLAGS),
        "{folders}": " | ".join(folders),
        "{visible}": " | ".join(f"{flag}{quoted}/*" for flag in FOLDER_FLAGS),
        "{joined}": " | ".join(f"{flag}{folder}" for flag in FOLDER_FLAGS for folder in folders),
        "{root}": quoted,
    }
    text = SCRIPT
    for name, value in values.items():
        text = text.replace(name, value)
    return text
