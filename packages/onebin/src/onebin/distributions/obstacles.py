"""Signs in the tree of a source distribution that rule out a static executable.

Each is narrow: every build needs the thing it shows, so nothing that would build is refused. No
code of the distribution runs.
"""

import glob
import re
from pathlib import Path
from typing import Final

from onebin.effects import files
from onebin.model import Obstacle, Pin
from onebin.requirement import shown

from . import cmake_downloads, missing_libraries, source
from .source import BuildSystem

ANOTHER: Final = "choose another version or package"

ALONE: Final = (
    "a build has its source distribution and its build requirements alone: choose a version that "
    "brings its sources, or another package"
)

COMPILERS: Final = {
    "maturin": "Rust", "setuptools-rust": "Rust", "setuptools-golang": "Go",
    "setuptools-golang-cgo": "Go",
}  # fmt: skip
"""Build requirements that call the compiler of a language."""

FORTRAN: Final = {
    "meson.build": re.compile(
        r"^\s*(?:project\s*\([^)]*|add_languages\s*\(\s*)'fortran'(?![^)]*required\s*:\s*false)",
        re.MULTILINE,
    ),
    "CMakeLists.txt": re.compile(
        r"^\s*(?:project\s*\([^)]*\s|enable_language\s*\(\s*)Fortran\b(?![^)]*OPTIONAL)",
        re.MULTILINE | re.IGNORECASE,
    ),
}
"""How the top file of a build demands the language."""

FETCHES: Final = {
    "setup.apsw": re.compile(
        r"^\s*fetch\s*=\s*(?:true|yes|on|1)\s*$", re.MULTILINE | re.IGNORECASE
    ),
}
"""Settings of builds that fetch their library's source: apsw, and forks of it."""

SWIG: Final = re.compile(r"\bsources\s*=\s*\[[^\]]*?[\"']([^\"'\]]+)\.i[\"']")
"""An input of SWIG among the sources of an extension: setuptools runs the program for it."""

SCANNER: Final = re.compile(rb"^void \*(tree_sitter_\w+_external_scanner_create)\(", re.MULTILINE)
"""A parser that tree-sitter made declares the scanner that is written by hand beside it."""

PARSER_H: Final = b'#include "tree_sitter/parser.h"'

LOADS: Final = re.compile(r"\b(?:dlopen|CDLL|PyDLL|LoadLibrary)\s*\(")
"""A library is loaded: by ctypes, by cffi's ABI mode."""

EXTENSION: Final = re.compile(r"\bExtension\(\s*(?:name\s*=\s*)?[\"']([\w.]+)[\"']")
"""A C extension in setup.py, by its name."""

LOADED: Final = re.compile(r"\b\w*load\w*\(\s*[\"']([\w.]+)[\"']", re.IGNORECASE)
"""A name that a function loads."""

FOUND: Final = re.compile(
    r"\bfind_spec\(\s*[\"']([\w.]+)[\"']|"
    r"\b(?:dlopen|CDLL|PyDLL|LoadLibrary)\(\s*([\w.]+)\.__file__\b"
)
"""A module whose file is found, for a loader in the same file."""


def of_source(pin: Pin, tree: Path, system: BuildSystem) -> Obstacle | None:
    """Return why the *tree* of *pin* cannot be built, if a file of it shows that."""
    if obstacle := _of_programs(pin, tree, system):
        return obstacle
    if library := missing_libraries.first(tree, system.backend_path):
        return Obstacle(
            pin,
            f"{pin}: its C code needs {library.name} ({library.header}), which onebin does not "
            "build",
            hint=library.instead or ANOTHER,
        )
    if lack := _of_absent_source(tree):
        return Obstacle(pin, f"{pin}: {lack}", hint=ALONE)
    if file := _loader(tree):
        return Obstacle(
            pin,
            f"{pin}: {file.relative_to(tree)} loads its compiled modules as shared libraries, not "
            "by import",
            hint=f"a static executable has no loader: {ANOTHER}",
        )
    return None


def _of_absent_source(tree: Path) -> str:
    """Return which source the build of *tree* needs and neither it nor a lock has."""
    for name, sign in FETCHES.items():
        if sign.search(_text(tree / name)):
            return f"its build fetches sources while it runs ({name}), which no lock pins"
    if download := cmake_downloads.first(tree):
        at = f"{download.file.relative_to(tree)}:{download.line}"
        return (
            f"its build fetches {download.name} from {shown(download.address)} while it "
            f"runs ({at}), which no lock pins"
        )
    return _of_grammar(tree)


def _of_programs(pin: Pin, tree: Path, system: BuildSystem) -> Obstacle | None:
    """Return which compiler or other program that no build has the *tree* of *pin* needs."""
    if tool := source.tool_of(system, COMPILERS):
        language = COMPILERS[tool]
        return Obstacle(
            pin,
            f"{pin}: its build needs a {language} compiler ({tool}); expected C, C++ or Cython",
            hint=f"onebin has no {language} for a static executable: choose a version or package "
            f"without {language} code",
        )
    for name, sign in FORTRAN.items():
        if sign.search(_text(tree / name)):
            return Obstacle(
                pin,
                f"{pin}: its build needs a Fortran compiler ({name}); expected C, C++ or Cython",
                hint=f"onebin has no Fortran for a static executable: {ANOTHER}",
            )
    if (wraps := _swig(tree)) and not source.tool_of(system, {"swig"}):
        return Obstacle(
            pin,
            f"{pin}: its build runs SWIG (setup.py: {wraps}), which is not among its build "
            "requirements",
            hint=f"programs of this machine are not used: {ANOTHER}",
        )
    return None


def _swig(tree: Path) -> str:
    """Return the first input of SWIG in setup.py whose output the *tree* does not bring."""
    for name in SWIG.findall(_text(tree / "setup.py")):
        if not any(tree.rglob(f"{glob.escape(name.rpartition('/')[2])}_wrap.c*")):
            return f"{name}.i"
    return ""


def _of_grammar(tree: Path) -> str:
    """Return what a parser that tree-sitter made uses and the *tree* does not bring.

    Several distributions leave such a file out (tree-sitter/tree-sitter-python issue 347): without
    the scanner they build, and fail where they are loaded.
    """
    parsers = {
        file: file.read_bytes() for file in sorted(tree.rglob("parser.c")) if _is_plain(file)
    }
    if any(PARSER_H in code for code in parsers.values()) and not any(tree.rglob("parser.h")):
        return "its parser.c includes tree_sitter/parser.h, which its source distribution lacks"
    if not parsers or any(tree.rglob("scanner.*")):
        return ""
    others = [file for file in tree.rglob("*.c*") if file not in parsers and _is_plain(file)]
    for code in parsers.values():
        found = SCANNER.search(code)
        if found and not any(found[1] in file.read_bytes() for file in others):
            function = found[1].decode("ascii", "replace")
            return (
                f"its parser.c calls {function}, which no file of its source distribution defines"
            )
    return ""


def _is_plain(file: Path) -> bool:
    return file.is_file() and not file.is_symlink()


def _loader(tree: Path) -> Path | None:
    """Return a module that loads a C extension of its distribution as a shared library.

    A build may give its extensions another top package than setup.py names them by.
    """
    if not (names := set(map(_below_top, EXTENSION.findall(_text(tree / "setup.py"))))):
        return None
    found, has_loader = None, False
    for file in sorted(tree.rglob("*.py")):
        path = file.relative_to(tree)
        if len(path.parts) == 1 or missing_libraries.is_aside(path):
            continue
        text = _text(file)
        has_loader = has_loader or bool(LOADS.search(text))
        if LOADS.search(text):
            by_file = ("".join(pair).rpartition(".")[2] for pair in FOUND.findall(text))
            if {name.rpartition(".")[2] for name in names}.intersection(by_file):
                return file
        if names.intersection(map(_below_top, LOADED.findall(text))):
            found = found or file
    return found if has_loader else None


def _below_top(name: str) -> str:
    """Return a module's dotted *name* from its first dot on; all of it if it has none."""
    at = name.find(".")
    return name[max(at, 0) :]


def _text(file: Path) -> str:
    try:
        return files.read_text(file)
    except (OSError, ValueError):
        return ""
