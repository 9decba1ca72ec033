"""Script files of a wheel: programs that are files and not functions, in Python or not.

Source: binary distribution format (``.data/scripts``, ``#!python``). setuptools puts those there
that a project names as ``scripts``.
"""

import ast
import re
from importlib.util import decode_source
from pathlib import Path
from typing import Final

import msgspec

from onebin.effects import files
from onebin.errors import ProjectError
from onebin.requirement import shown

PYTHON: Final = re.compile(rb"#!.*python[0-9.]*w?([ \t].*)?\r?\n?")
"""The first line of a script in Python, as setuptools knows one (``build_scripts``)."""

SHELL: Final = re.compile(rb"#!.*\b(ba|da|k|z|c|tc)?sh\b")

ELF: Final = b"\x7fELF"

ENCODING: Final = re.compile(r"^([ \t\f]*#.*?coding[:=][ \t]*)[-\w.]+", re.ASCII)
"""A line that states an encoding (PEP 263), up to it; one of the first two."""


class ScriptFiles(msgspec.Struct, frozen=True):
    """The files in ``bin`` that a wheel brings."""

    python: dict[str, Path] = {}
    """Those in Python, by name: each can be the start."""
    others: dict[str, str] = {}
    """The others, each with its kind."""


def found(folder: Path | None) -> ScriptFiles:
    """Return those in *folder*, where a wheel's are unpacked."""
    python: dict[str, Path] = {}
    others: dict[str, str] = {}
    for path in sorted(folder.iterdir()) if folder and folder.is_dir() else ():
        if not path.is_file():
            continue
        with path.open("rb") as file:
            first = file.readline(1024)
        if PYTHON.fullmatch(first):
            python[path.name] = path
        else:
            is_shell, is_compiled = SHELL.match(first), first.startswith(ELF)
            other = "without a first line #!python" if path.suffix == ".py" else "not Python"
            kind = "a shell script" if is_shell else "compiled" if is_compiled else other
            others[path.name] = kind
    return ScriptFiles(python, others)


def text(path: Path) -> str:
    """Return the text of the script at *path*, whose encoding it states; as UTF-8 states it.

    Raises:
        ProjectError: it is not a program in Python 3.
    """
    try:
        data = files.read_bytes(path)
        ast.parse(data)
        lines = decode_source(data).split("\n")
    except (OSError, ValueError, SyntaxError, RecursionError, MemoryError) as exc:
        raise ProjectError(
            f"script file {shown(path.name)}: cannot be read as Python 3: {shown(str(exc))}",
            hint="choose another start: module:function, or -m module",
        ) from exc
    lines[:2] = [ENCODING.sub(r"\1utf-8", line) for line in lines[:2]]
    return "\n".join(lines)
