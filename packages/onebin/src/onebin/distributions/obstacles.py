"""What in the tree of a source distribution rules out a static executable; none of its code runs.

Each sign is narrow: what it finds is needed by every build, so nothing that would build is refused.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from onebin.effects import files
from onebin.model import Obstacle, Pin

from . import missing_libraries, source
from .source import BuildSystem

ANOTHER: Final = "choose another version or package"

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

LOADS: Final = re.compile(r"\b(?:dlopen|CDLL|LoadLibrary|load_library)\s*\(")
"""A library is loaded: by ctypes, by cffi's ABI mode."""

OWN: Final = "EXTENSION_SUFFIXES"
"""Ends of names of C extensions: whoever loads such a file loads its own."""


def of_source(pin: Pin, tree: Path, system: BuildSystem) -> Obstacle | None:
    """Return why the *tree* of *pin* cannot be built, if a file of it says so."""
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
    if library := missing_libraries.first(tree):
        return Obstacle(
            pin,
            f"{pin}: its C code needs {library.name} ({library.header}), which onebin does not "
            "build",
            hint=library.instead or ANOTHER,
        )
    if file := next(_loaders(tree), None):
        return Obstacle(
            pin,
            f"{pin}: {file.relative_to(tree)} loads its compiled modules as shared libraries, not "
            "by import",
            hint=f"a static executable has no loader: {ANOTHER}",
        )
    return None


def _loaders(tree: Path) -> Iterator[Path]:
    """Yield modules that load C extensions of their own distribution as shared libraries."""
    for file in sorted(tree.rglob("*.py")):
        text = _text(file)
        if OWN in text and LOADS.search(text) and not _is_aside(file.relative_to(tree)):
            yield file


def _is_aside(path: Path) -> bool:
    """Whether *path* is part of the build or of the tests, not of the code that is installed."""
    return len(path.parts) == 1 or missing_libraries.is_aside(path)


def _text(file: Path) -> str:
    try:
        return files.read_text(file)
    except (OSError, ValueError):
        return ""
