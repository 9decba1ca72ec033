"""The ``.pth`` files of distributions, which an interpreter reads at each start (``site``).

A line names a folder beside the file, whose modules can be imported, or is code that begins with
``import``: of ``setuptools`` it makes ``distutils`` importable. Source: Doc/library/site.rst.
"""

import ast
import posixpath
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec

from onebin.model import Distribution

MODULE: Final = "_onebin_path_files"
"""The generated module that ``target/importer.py`` reads."""

_TEMPLATE: Final = '''\
"""The lines of .pth files, in the order of site: file, number, text."""

LINES = {lines}


def reached():
    """Never called: shows what the lines import."""
{imports}
'''

_SETUPTOOLS: Final = "distutils-precedence.pth"
_DISTUTILS: Final = "setuptools/_distutils"
_VENDORED: Final = "setuptools/_vendor"
"""Code that no line shows: setuptools makes ``distutils`` of the one folder, and puts the other,
which the first needs, on ``sys.path``."""


class PathLine(msgspec.Struct, frozen=True, order=True):
    """One line that counts."""

    file: str
    number: int
    text: str
    """Code, or the path of a folder, relative to that of the file."""

    @property
    def is_code(self) -> bool:
        """Whether it is run."""
        return self.text.startswith(("import ", "import\t"))


def read(folder: Path) -> list[PathLine]:
    """Return the lines of the files in *folder*, the code of a distribution."""
    found = []
    for file in sorted(folder.glob("*.pth")):
        if file.name.startswith("."):  # hidden: site does not read it either
            continue
        for number, line in enumerate(file.read_text("utf-8-sig", "replace").splitlines(), 1):
            if not line.strip() or line.startswith("#"):
                continue
            item = PathLine(file.name, number, line.rstrip())
            if not item.is_code:
                item = PathLine(file.name, number, posixpath.normpath(item.text))
            found.append(item)
    return found


def folders(folder: Path) -> list[str]:
    """Return the folders inside *folder* that its files name, relative to it."""
    inside = [line.text for line in read(folder) if not line.is_code]
    if (folder / _SETUPTOOLS).is_file():
        inside.append(_VENDORED)
    return [
        name for name in dict.fromkeys(inside)
        if not name.startswith(("/", "..")) and name != "." and (folder / name).is_dir()
    ]  # fmt: skip


def aliases(folder: Path) -> dict[str, str]:
    """Return the packages that code of *folder*'s files makes, each with its modules' folder."""
    is_there = (folder / _SETUPTOOLS).is_file() and (folder / _DISTUTILS).is_dir()
    return {"distutils": _DISTUTILS} if is_there else {}


def source(distributions: Iterable[Distribution]) -> str:
    """Return the source of ``MODULE``; empty if there is no line."""
    lines = sorted({line for item in distributions for line in read(item.code)})
    if not lines:
        return ""
    code = [line.text for line in lines if line.is_code and _compiles(line.text)]
    rows = "".join(f"    {(line.file, line.number, line.text)!r},\n" for line in lines)
    imports = "\n".join(f"    {text}" for text in (*code, "return"))
    return _TEMPLATE.format(lines=f"(\n{rows})", imports=imports)


def _compiles(text: str) -> bool:
    """Whether *text* can be a line of a function; if not, the start of the program reports it."""
    try:
        ast.parse(f"def function():\n    {text}\n")
    except (SyntaxError, ValueError):
        return False
    return True
