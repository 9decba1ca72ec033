"""Modules of the standard library that a whole program names, in a text or a file, and imports so.

Whole distributions are inside, so only the standard library can lack what a computed import names.
A text names a module for certain if it is code, or if it goes on below a package
(``logging.handlers.RotatingFileHandler``). A single word does (``csv``) where imports are computed:
in the same module, or anywhere in a project that computes one.
"""

import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

import msgspec

from onebin.effects.context import Context
from onebin.model import Distribution, ModuleImports, Project

from . import own_files
from .finder import Finder

SETTINGS: Final = frozenset({".json", ".ini", ".cfg", ".conf", ".toml", ".yaml", ".yml"})
"""Suffixes of files whose values name classes and modules, as ``logging.config`` reads them."""

MAX_FILE: Final = 256 << 10
"""Bytes of such a file; a larger one is data."""

WORD: Final = re.compile(r"(?<![\w.\-/])[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*(?![\w\-/(])")

RUN_MODULE: Final = "-m"
"""The option of an interpreter that runs a module; ``target/computed.py`` reports it."""

COMMAND_LINE: Final = ("argparse", "getopt", "optparse")
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


CACHE_VERSION: Final = 1
"""Raised when other words of the same files count: part of the key."""

Words = Callable[[Distribution], frozenset[str]]
"""Returns the names in a distribution's settings that may be the standard library's."""


class SettingsWords(msgspec.Struct, frozen=True):
    """Step: those names, which take the reading of every file of a distribution."""

    code: Path
    contents: str
    """The key of the distribution."""
    kind = "settings"

    def key(self) -> tuple[object, ...]:
        """Return the contents, and the names that count."""
        return CACHE_VERSION, self.contents, sys.version

    def make(self, folder: Path, _: Context) -> None:
        """Read the files."""
        words = sorted(words_in(self.code))
        (folder / "words").write_text("".join(f"{word}\n" for word in words), "utf-8")

    def load(self, folder: Path) -> frozenset[str]:
        """Return the names."""
        return frozenset((folder / "words").read_text("utf-8").split())


def modules(
    facts: Mapping[str, ModuleImports],
    finder: Finder,
    project: Project,
    distributions: Iterable[Distribution],
    words_of: Words,
) -> set[str]:
    """Return the modules that *facts* and the files of *project* and *distributions* name."""
    facts, computes = _own(facts, finder)
    found = {item.module for item in _in_texts(facts, finder, computes=computes)}
    if any(item.text == RUN_MODULE for imports in facts.values() for item in imports.computed):
        found.update(COMMAND_LINE)
    of_project = {word for folder in _packages(project) for word in words_in(folder)}
    of_others = {word for distribution in distributions for word in words_of(distribution)}
    for every, words in ((of_project, computes), (of_others, False)):
        names = {_of_standard_library(name, finder) for name in every}
        found.update(name for name in names if _counts(name) and ("." in name or words))
    return found


def named(
    facts: Mapping[str, ModuleImports],
    finder: Finder,
    project: Project,
    distributions: Iterable[Distribution],
) -> Iterator[Named]:
    """Yield each text by which *facts* and files name a module, with its place."""
    facts, computes = _own(facts, finder)
    yield from _in_texts(facts, finder, computes=computes)
    folders = [(folder, computes) for folder in _packages(project)]
    folders += [(item.code, False) for item in distributions]
    for folder, words in folders:
        for file, line, text in _in_settings(folder):
            name = _of_standard_library(text, finder)
            if _counts(name) and ("." in name or words):
                yield Named(name, text, line, file=file)


def _own(
    facts: Mapping[str, ModuleImports], finder: Finder
) -> tuple[Mapping[str, ModuleImports], bool]:
    """Return the *facts* whose texts count, and whether the project computes an import."""
    own = {name: item for name, item in facts.items() if finder.owner(name) in OWNERS}
    return own, any(item.computed for name, item in own.items() if finder.owner(name) == "project")


def _in_texts(
    facts: Mapping[str, ModuleImports], finder: Finder, *, computes: bool
) -> Iterator[Named]:
    for module, imports in facts.items():
        words = bool(imports.computed) or (computes and finder.owner(module) == "project")
        for text, line in imports.names.items():
            for name in _named(text, finder, words=words):
                if _counts(name):
                    yield Named(name, text, line, importer=module)


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


def _packages(project: Project) -> list[Path]:
    if project.code == project.root:
        return own_files.packages(project.code)
    return [item for item in project.code.iterdir() if item.is_dir()]


def words_in(folder: Path) -> set[str]:
    """Return the names in the settings files of *folder* that may be the standard library's."""
    return {text for _, _, text in _in_settings(folder)}


def _in_settings(folder: Path) -> Iterator[tuple[Path, int, str]]:
    """Yield the file, the line and the text of each such name."""
    for path in sorted(folder.rglob("*")):
        if path.suffix in SETTINGS and path.is_file() and path.stat().st_size <= MAX_FILE:
            for number, line in enumerate(path.read_text("utf-8", "replace").split("\n"), 1):
                for text in WORD.findall(line):
                    if text.partition(".")[0] in sys.stdlib_module_names:
                        yield path, number, text
