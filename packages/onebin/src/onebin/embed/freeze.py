"""Project, distributions, Runtime -> Frozen: every module the executable needs, compiled."""

import hashlib
import json
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final

import msgspec

from onebin.effects.process import Run
from onebin.effects.progress import Tell
from onebin.effects.store import Store, key_of
from onebin.errors import ProjectError
from onebin.model import Distribution, Frozen, FrozenModule, Plan, Runtime
from onebin.selection import cpython
from onebin.selection.import_graph import Facts, Import, Place, World, explore, reach, why_broken

from .code_packing import LEVEL, pack

WORKER: Final = Path(__file__).parent.parent / "target" / "compile_modules.py"

MAIN: Final = """\
import gc
import sys

# What imports make lives as long as the program: looking for garbage in it is wasted time.
gc.disable()
from {module} import {top}
gc.freeze()
gc.enable()

# A container's log should have each line when it is written.
if sys.stdout is not None:
    sys.stdout.reconfigure(line_buffering=True)
sys.exit({function}())
"""


def freeze(
    plan: Plan,
    runtime: Runtime,
    distributions: tuple[Distribution, ...],
    hidden: Mapping[str, tuple[str, ...]],
    *,
    run: Run,
    store: Store,
    tell: Tell,
) -> Frozen:
    """Compile what is reachable from the entry point, and the project's own hints.

    *hidden* is what each C extension was seen to import when it was loaded.

    Raises:
        ProjectError: the entry point, a hint or something they need cannot be imported.
    """
    project, options = plan.project, plan.project.options
    finder = _Finder(plan, runtime, distributions)
    compiler = _Compiler(plan, runtime, run=run, store=store, tell=tell)
    refused = _refuse(options.exclude, finder)
    named, below = _hints(options.include, finder)
    roots = [project.entry.module, *named]
    hidden = {**cpython.HIDDEN, **hidden}

    with store.scratch() as scratch:
        main = scratch / "main.py"
        entry = project.entry
        main.write_text(
            MAIN.format(
                module=entry.module, top=entry.function.partition(".")[0], function=entry.function
            ),
            "utf-8",
        )
        finder.add("__main__", Place("source", main, "<main>", origin="project"))
        build_facts = scratch / "build_facts.py"
        build_facts.write_text(cpython.BUILD_FACTS_SOURCE, "utf-8")
        facts_place = Place("source", build_facts, "<sysconfig>", origin="project")
        finder.add(cpython.BUILD_FACTS, facts_place)
        for name, file in cpython.BOOTSTRAP.items():
            finder.add(name, Place("source", runtime.stdlib / file, file))
        everything = [*roots, *below, *cpython.ALWAYS, *cpython.BOOTSTRAP, "__main__"]
        world = explore(everything, finder.locate, compiler.facts, hidden, refused, cpython.FOREIGN)
        for root in roots:
            _check(root, world)
        reached = reach(everything, world, refused)
        modules = compiler.modules(reached.names, world)

    kinds = {name: world.places[name].kind for name in reached.names}
    builtins = {name for name, kind in kinds.items() if kind == "builtin"}
    extensions = [e for d in distributions for e in d.extensions if e.module in reached.names]
    always = {name for name in cpython.BUILTINS_ALWAYS if name in runtime.builtins}
    return Frozen(
        modules=modules,
        builtins=tuple(sorted(builtins | always)),
        extensions=tuple(sorted(extensions, key=lambda extension: extension.module)),
        left_out=tuple(left for left in reached.left_out if left.importer in reached.names),
        key=key_of([(m.name, m.is_package, m.code.parent.name) for m in modules]),
    )


def _check(root: str, world: World) -> None:
    trouble = why_broken(root, world)
    if trouble is None:
        return
    chain = " -> ".join(trouble.chain)
    top = trouble.lost.partition(".")[0]
    if not trouble.lost:
        message = f"{chain}: {trouble.error}"
        hint = "is it spelled right, and does the project hold it?" if chain == root else ""
    elif top in _STDLIB_WITHOUT:
        message = f"{chain}: needs {_STDLIB_WITHOUT[top]}, which the static runtime has not"
        hint = (
            "an import inside a function or under `except ImportError` may fail; this one may not"
        )
    else:
        message = f"{chain}: needs {trouble.lost}, which is in no dependency"
        hint = f"add the distribution that has {top} to project.dependencies, and lock it"
    raise ProjectError(message, hint=hint)


_STDLIB_WITHOUT: Final = {
    "_ssl": "OpenSSL",
    "_hashlib": "OpenSSL",
    "_ctypes": "libffi and a dynamic loader",
    "_bz2": "bzip2",
    "_lzma": "xz",
    "_sqlite3": "SQLite",
    "_curses": "ncurses",
    "readline": "readline",
    "_dbm": "a dbm library",
    "_gdbm": "gdbm",
    "_tkinter": "Tk",
    "_uuid": "libuuid",
}


def _refuse(exclude: tuple[str, ...], finder: "_Finder") -> Callable[[str, Import, str], bool]:
    def refused(importer: str, statement: Import, target: str) -> bool:
        if any(_matches(target, pattern) for pattern in exclude):
            return True
        if statement.kind == "hard" or finder.origin(importer) != "stdlib":
            return False
        top = target.partition(".")[0]
        own = importer.partition(".")[0]
        if statement.kind == "late" and top in cpython.IDLE and top != own:
            return True
        edges = cpython.IDLE_EDGES.get(importer, ())
        return any(target == edge or target.startswith(f"{edge}.") for edge in edges)

    return refused


def _matches(name: str, pattern: str) -> bool:
    return fnmatchcase(name, pattern) or name.startswith(f"{pattern}.")


def _hints(include: tuple[str, ...], finder: "_Finder") -> tuple[list[str], list[str]]:
    """Return the modules named, and those found below a ``pkg.*``.

    What is named must be there; of what a pattern finds, some may not fit this platform.
    """
    named, below = [], []
    for pattern in include:
        name = pattern.removesuffix(".*")
        named.append(name)
        if name != pattern:
            below += finder.below(name)
    return named, below


class _Finder:
    """Where modules are: the project's code, the distributions', the standard library, C."""

    def __init__(
        self, plan: Plan, runtime: Runtime, distributions: tuple[Distribution, ...]
    ) -> None:
        self._folders: list[tuple[Path, Any]] = [(plan.project.code, "project")]
        self._folders += [(item.code, "dependency") for item in distributions]
        self._folders.append((runtime.stdlib, "stdlib"))
        self._builtins = runtime.builtins
        self._extensions = {e.module for item in distributions for e in item.extensions}
        self._known: dict[str, Place | None] = {name: Place("alias") for name in cpython.ALIASES}

    def add(self, name: str, place: Place) -> None:
        self._known[name] = place

    def locate(self, name: str) -> Place | None:
        if name not in self._known:
            self._known[name] = self._find(name)
        return self._known[name]

    def origin(self, name: str) -> str:
        place = self.locate(name)
        return place.origin if place else ""

    def below(self, package: str) -> list[str]:
        """Every module below *package*, by looking into its directories."""
        found = []
        relative = package.replace(".", "/")
        for folder, _ in self._folders:
            for file in sorted((folder / relative).rglob("*.py")):
                parts = list(file.relative_to(folder).with_suffix("").parts)
                if parts[-1] == "__init__":
                    parts.pop()
                if all(part.isidentifier() for part in parts):
                    found.append(".".join(parts))
        found += sorted(name for name in self._extensions if name.startswith(f"{package}."))
        return found

    def _find(self, name: str) -> Place | None:
        if name in self._builtins:
            return Place("builtin")
        if name in self._extensions:
            return Place("extension", origin="dependency")
        relative = name.replace(".", "/")
        if not all(part.isidentifier() for part in name.split(".")):
            return None
        namespace = None
        for folder, origin in self._folders:
            package = folder / relative / "__init__.py"
            if package.is_file():
                label = f"{relative}/__init__.py"
                return Place("source", package, label, is_package=True, origin=origin)
            module = folder / f"{relative}.py"
            if module.is_file():
                return Place("source", module, f"{relative}.py", origin=origin)
            if namespace is None and origin != "stdlib" and (folder / relative).is_dir():
                namespace = Place("namespace", is_package=True, origin=origin)
        return namespace


class _Compiler:
    """The compiler of modules, behind a cache by contents."""

    def __init__(self, plan: Plan, runtime: Runtime, *, run: Run, store: Store, tell: Tell) -> None:
        self._options = plan.project.options
        self._runtime, self._run, self._store, self._tell = runtime, run, store, tell
        self._key = key_of(runtime.key, WORKER.read_text("utf-8"), sorted(cpython.MENTIONS), LEVEL)
        self._folders: dict[str, Path] = {}

    def facts(self, places: Mapping[str, Place]) -> Mapping[str, Facts]:
        """Compile *places* where the store has them not, and return what each imports."""
        keys = {name: self._module_key(name, place) for name, place in places.items()}
        missing = {
            name: place
            for name, place in places.items()
            if self._store.find("module", keys[name]) is None
        }
        if missing:
            self._compile(missing, keys)
        result = {}
        for name in places:
            folder = self._store.root / "module" / keys[name]
            self._folders[name] = folder
            facts = msgspec.json.decode((folder / "facts.json").read_bytes(), type=Facts)
            result[name] = self._with_mentions(facts, places[name])
        return result

    @staticmethod
    def _with_mentions(facts: Facts, place: Place) -> Facts:
        """Add the imports that names of the project's or a dependency's stand for."""
        if place.origin == "stdlib" or not facts.mentions:
            return facts
        more = tuple(
            Import(module, (), "late", 0, 0)
            for name in facts.mentions
            for module in cpython.MENTIONS[name]
        )
        return msgspec.structs.replace(facts, imports=facts.imports + more)

    def modules(self, names: frozenset[str], world: World) -> tuple[FrozenModule, ...]:
        """Return the compiled modules among *names*, sorted by name."""
        empty = self._empty()
        found = []
        for name in sorted(names):
            place = world.places[name]
            if place.kind in {"source", "namespace"}:
                folder = self._folders.get(name, empty)
                code = folder / "code"
                found.append(FrozenModule(name, place.is_package, code, code.stat().st_size))
        return tuple(found)

    def _empty(self) -> Path:
        """A namespace package, which the frozen importer knows not, is an empty package."""
        with self._store.scratch() as scratch:
            file = scratch / "empty.py"
            file.write_text("", "utf-8")
            place = Place("source", file, "<namespace>", is_package=True, origin="dependency")
            self.facts({"<namespace>": place})
        return self._folders["<namespace>"]

    def _module_key(self, name: str, place: Place) -> str:
        stands_for = (
            # The runtime's own files change only with its key.
            place.label
            if place.origin == "stdlib"
            else hashlib.sha256(place.path.read_bytes()).hexdigest()
        )
        options = self._options
        return key_of(
            self._key, name, place.label, place.is_package, stands_for,
            options.asserts, options.docstrings,
        )  # fmt: skip

    def _compile(self, places: Mapping[str, Place], keys: Mapping[str, str]) -> None:
        self._tell(f"compiling {len(places)} modules")
        with self._store.scratch() as out:
            request = {
                "asserts": self._options.asserts,
                "docstrings": self._options.docstrings,
                "out": str(out),
                "watch": sorted(cpython.MENTIONS),
                "modules": [
                    {
                        "name": name,
                        "path": str(place.path),
                        "label": place.label,
                        "package": place.is_package,
                    }
                    for name, place in places.items()
                ],
            }
            printed = self._run(
                # Columns would cost a tenth of the code, and there is no source to point at.
                [self._runtime.python, "-P", "-S", "-X", "no_debug_ranges", WORKER],
                env={"PYTHONHOME": str(self._runtime.root), "PYTHONHASHSEED": "0"},
                stdin=json.dumps(request).encode(),
            )
            for n, (name, facts) in enumerate(zip(places, json.loads(printed), strict=True)):
                self._keep(keys[name], out / str(n), facts)

    def _keep(self, key: str, code: Path, facts: object) -> None:
        def make(folder: Path) -> None:
            (folder / "facts.json").write_text(json.dumps(facts), "utf-8")
            raw = code.read_bytes() if code.exists() else b""
            (folder / "code").write_bytes(pack(raw))

        self._store.get("module", key, make)
