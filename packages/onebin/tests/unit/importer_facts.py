"""Print as JSON how CPython's search and the importer describe the same modules.

A program of test_importer: the importer changes the interpreter that imports it. The argument
is a folder with modules, searched first; ``_onebin`` is a table of the standard library and of
these, as the linker's is of all modules inside.
"""

import builtins
import importlib
import json
import sys
import sysconfig
import tempfile
import types
from importlib.machinery import ModuleSpec, PathFinder
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


sys.path.insert(0, sys.argv[1])
STARTED = ("os", "abc", "codecs", "posixpath")
specs: dict[str, Any] = {name: search(name) for name in NAMES + STARTED}
table: Any = types.ModuleType("_onebin")
table.find = {
    name: (spec.origin, spec.submodule_search_locations is not None)
    for name, spec in specs.items()
    if spec
}.get
table.code = lambda name: specs[name].loader.get_code(name)
sys.modules["_onebin"] = table
for added in ("exit", "quit", "copyright", "credits", "license"):
    delattr(builtins, added)

from onebin.target import importer  # noqa: E402

finder = importer.Finder
json.dump(
    {
        "expected": [facts(specs[name]) for name in NAMES],
        "found": [facts(search(name, finder)) for name in NAMES],
        "files": [sys.modules[name].__file__ for name in STARTED],
        "files expected": [specs[name].origin for name in STARTED],
        "before": from_folder_before(finder),
        "hooked": with_other_hook(finder),
        "elsewhere": finder.find_spec("json", ["/elsewhere"]) is None,
        "in its folder": finder.find_spec("json", [sysconfig.get_path("stdlib")]) is not None,
        "first": sys.meta_path.index(finder) < sys.meta_path.index(PathFinder),
        "builtins": [repr(builtins.exit), builtins.credits is not None],
    },
    sys.stdout,
)
