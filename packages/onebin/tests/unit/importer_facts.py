"""Print as JSON how CPython's search and the importer describe the same modules.

A program of test_importer: the importer changes the interpreter that imports it. The argument
is a folder with modules, searched first; ``_onebin`` is a table of the standard library and of
these, as the linker's is of all modules inside.
"""

import builtins
import importlib
import importlib.util
import json
import sys
import sysconfig
import tempfile
import types
from importlib.machinery import (
    EXTENSION_SUFFIXES,
    BuiltinImporter,
    ExtensionFileLoader,
    ModuleSpec,
    PathFinder,
)
from importlib.util import spec_from_file_location
from pathlib import Path
from typing import Any

NAMES = ("json", "json.decoder", "this", "email.mime", "package", "package.module", "missing")


def search(name: str, finder: Any = PathFinder) -> ModuleSpec | None:
    """Return what *finder* finds, by default CPython's own search."""
    parent = name.rpartition(".")[0]
    path = importlib.import_module(parent).__path__ if parent else None
    spec: ModuleSpec | None = finder.find_spec(name, path)
    return spec


def from_folder_before(finder: Any) -> str:
    """Return the file that *finder* takes for a module of a folder before its own."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "this.py").write_text("")
        sys.path.insert(0, folder)
        try:
            return Path(str(finder.find_spec("this").origin)).relative_to(folder).as_posix()
        finally:
            sys.path.remove(folder)


def with_other_hook(finder: Any) -> bool:
    """Return whether *finder* leaves a module to a hook that a program has put first."""
    sys.path_hooks.insert(0, type("Hook", (), {}))
    try:
        return finder.find_spec("this") is None
    finally:
        del sys.path_hooks[0]


def facts(spec: ModuleSpec | None) -> list[Any] | None:
    """Return what a program can learn from *spec* and its loader."""
    if spec is None or spec.origin is None:
        return None
    loader: Any = spec.loader
    places = spec.submodule_search_locations
    return [
        spec.name,
        spec.origin,
        spec.has_location,
        spec.parent,
        None if places is None else list(places),
        loader.is_package(spec.name),
        loader.get_filename(spec.name),
        loader.get_source(spec.name),
        loader.get_code(spec.name).co_filename,
        len(loader.get_data(spec.origin)),
        loader.get_resource_reader(spec.name) is not None,
    ]


def facts_in_c(spec: ModuleSpec) -> list[Any]:
    """Return the same of a C module."""
    loader: Any = spec.loader
    return [
        spec.name,
        spec.origin,
        spec.has_location,
        spec.cached,
        spec.submodule_search_locations,
        isinstance(loader, ExtensionFileLoader),
        loader.is_package(spec.name),
        loader.get_filename(spec.name),
        loader.get_source(spec.name),
    ]


sys.path.insert(0, sys.argv[1])
STARTED = ("os", "abc", "codecs", "posixpath")
specs: dict[str, Any] = {name: search(name) for name in NAMES + STARTED}
table: Any = types.ModuleType("_onebin")
table.find = {
    name: (spec.origin, spec.submodule_search_locations is not None)
    for name, spec in specs.items()
    if spec
}.get
IN_C = "_symtable"
"""Built in everywhere (Modules/Setup.bootstrap.in), and imported by nothing here."""
in_c = ExtensionFileLoader(IN_C, f"/site-packages/{IN_C}{EXTENSION_SUFFIXES[-1]}")
of_python = table.find
table.find = lambda name: (in_c.path, False) if name == IN_C else of_python(name)
table.code = lambda name: specs[name].loader.get_code(name)
sys.modules["_onebin"] = table
for added in ("exit", "quit", "copyright", "credits", "license"):
    delattr(builtins, added)

from onebin.target import importer  # noqa: E402

finder = importer.Finder
sys.modules.pop(IN_C, None)
made: Any = importlib.import_module(IN_C)
expected = spec_from_file_location(IN_C, in_c.path, loader=in_c)
assert expected is not None
json.dump(
    {
        "expected": [facts(specs[name]) for name in NAMES],
        "found": [facts(search(name, finder)) for name in NAMES],
        "files": [sys.modules[name].__file__ for name in STARTED],
        "files expected": [specs[name].origin for name in STARTED],
        "before": from_folder_before(finder),
        "in C": [facts_in_c(made.__spec__), made.__file__, made.__package__],
        "in C expected": [facts_in_c(expected), in_c.path, ""],
        "of CPython": str(sys.__spec__.loader) == str(BuiltinImporter),
        "hooked": with_other_hook(finder),
        "elsewhere": finder.find_spec("json", ["/elsewhere"]) is None,
        "in its folder": finder.find_spec("json", [sysconfig.get_path("stdlib")]) is not None,
        "first": sys.meta_path.index(finder) < sys.meta_path.index(PathFinder),
        "builtins": [repr(builtins.exit), builtins.credits is not None],
    },
    sys.stdout,
)
