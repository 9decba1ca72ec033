"""Modules of the standard library that a whole program names, in a text or a file, and imports so.

Whole distributions are inside, so only the standard library can lack what a computed import names.
A text names a module for certain if it is code, or if it goes on below a package
(``logging.handlers.RotatingFileHandler``). A single word does (``csv``) where imports are computed:
in the same module, or anywhere in a project that computes one.
"""

import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

import msgspec

from onebin.model import Distribution, ModuleImports, Project

from .finder import Finder, Owner

SETTINGS: Final = frozenset({".json", ".ini", ".cfg", ".conf", ".toml", ".yaml", ".yml"})
"""Suffixes of files whose values name classes and modules, as ``logging.config`` reads them."""

MAX_FILE: Final = 256 << 10
"""Bytes of such a file; a larger one is data."""

WORD: Final = re.compile(r"(?<![\w.\-/])[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*(?![\w\-/(])")

RUN_MODULE: Final = "-m"
"""The option of an interpreter that runs a module; ``target/computed.py`` reports it."""

COMMAND_LINE: Final = ("argparse", "getopt")
"""What a module of the standard library needs when it is run so."""

OWNERS: Final = ("project", "dependency")
"""Whose texts count: what the standard library imports by name is in ``cpython``."""

NEVER: Final = frozenset({"antigravity", "this"})
"""Modules that do something when they are imported."""


class Named(msgspec.Struct, frozen=True):
    """A text that names a module of the standard library."""

    module: str
    text: str
    line: int
    importer: str = ""
    """The module that has the text; empty if a file has it."""
    file: Path = Path()
    owner: str = "project"


def modules(
    facts: Mapping[str, ModuleImports],
    finder: Finder,
    project: Project,
    distributions: Iterable[Distribution],
) -> set[str]:
    """Return the modules that *facts* and the files of *project* and *distributions* name."""
    found = {item.module for item in named(facts, finder, project, distributions)}
    computed = (item for name, imports in facts.items() if finder.owner(name) in OWNERS
                for item in imports.computed)  # fmt: skip
    if any(item.text == RUN_MODULE for item in computed):
        found.update(COMMAND_LINE)
    return found


def named(
    facts: Mapping[str, ModuleImports],
    finder: Finder,
    project: Project,
    distributions: Iterable[Distribution],
) -> Iterator[Named]:
    """Yield each text by which *facts* and files name a module; ``modules`` has the arguments."""
    facts = {name: item for name, item in facts.items() if finder.owner(name) in OWNERS}
    computes = any(item.computed for name, item in facts.items() if finder.owner(name) == "project")
    for module, imports in facts.items():
        owner = finder.owner(module)
        words = bool(imports.computed) or (computes and owner == "project")
        for text, line in imports.names.items():
            for name in _named(text, finder, words=words):
                if _counts(name):
                    yield Named(name, text, line, importer=module, owner=owner)
    for folder, owner in _folders(project, distributions):
        words = computes and owner == "project"
        for file, line, text in _in_settings(folder):
            name = _of_standard_library(text, finder)
            if _counts(name) and ("." in name or words):
                yield Named(name, text, line, file=file, owner=owner)


def _counts(name: str) -> bool:
    return name.partition(".")[0] not in {"", *NEVER}


def _named(name: str, finder: Finder, *, words: bool) -> Iterable[str]:
    """Return the modules that the text *name* of ``ModuleImports.names`` may mean."""
    if name.endswith("."):
        return finder.below(name[:-1]) if words else ()
    module = _of_standard_library(name.rstrip(":"), finder)
    if not module or not (words or name.endswith(":") or "." in module):
        return ()
    # Of a package that a table names the rest of the name may be made as well.
    return [module, *(finder.below(module) if words else ())]


def _of_standard_library(name: str, finder: Finder) -> str:
    """Return the module of the standard library that *name* begins with; empty if there is none."""
    parts = name.split(".")
    if parts[0] not in sys.stdlib_module_names:
        return ""
    heads = (".".join(parts[:length]) for length in range(len(parts), 0, -1))
    return next((module for module in heads if finder.locate(module) is not None), "")


def _folders(
    project: Project, distributions: Iterable[Distribution]
) -> Iterator[tuple[Path, Owner]]:
    packages = [item for item in project.code.iterdir() if item.is_dir()]
    if project.code == project.root:
        packages = [item for item in packages if (item / "__init__.py").is_file()]
    yield from ((package, "project") for package in packages)
    yield from ((item.code, "dependency") for item in distributions)


def _in_settings(folder: Path) -> Iterator[tuple[Path, int, str]]:
    """Yield the file, the line and the text of each word that may be a name."""
    for path in sorted(folder.rglob("*")):
        if path.suffix in SETTINGS and path.is_file() and path.stat().st_size <= MAX_FILE:
            for number, line in enumerate(path.read_text("utf-8", "replace").split("\n"), 1):
                for text in WORD.findall(line):
                    yield path, number, text
