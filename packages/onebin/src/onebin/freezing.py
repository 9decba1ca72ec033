"""The Python part of an executable: its modules selected and compiled, and the files inside."""

import os
import re
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from onebin.distributions import time_zones
from onebin.effects.context import Context
from onebin.embed.compile import CompileOptions, compile_modules
from onebin.model import (
    CPython,
    Distribution,
    FrozenModule,
    InsideFile,
    ModuleImports,
    ModuleOrigin,
    Project,
)
from onebin.secret import without_rights
from onebin.selection import contents, own_files, whole
from onebin.selection.finder import Finder, modules_in
from onebin.selection.installed_files import InstalledFiles
from onebin.selection.named import SettingsWords
from onebin.selection.selector import NAMES_OF_INTEREST, Selection, select

Made = TypeVar("Made", bound="Frozen | Selected")

OWN: Final = b"\0"
"""In the place of the folder of own code: no path has it."""

ZONES: Final = re.compile(r"site-packages/tzdata/")
"""A file of the time zones, as a trace names it."""


class Frozen(msgspec.Struct, frozen=True):
    """What an executable has beside C."""

    selection: Selection
    modules: tuple[FrozenModule, ...]
    distributions: tuple[Distribution, ...]
    """The dependencies; with the time zones, if the program needs them."""
    files: tuple[InsideFile, ...]
    """Of a whole program, or of a pruned one with a trace."""


class FrozenProgram(msgspec.Struct, frozen=True):
    """Step: the Python part of the executable of *project*."""

    project: Project
    contents: str
    """Names those of the project's own files; see ``own_files.digest``."""
    python: CPython
    distributions: tuple[Distribution, ...]
    native_imports: dict[str, tuple[str, ...]]
    """What each C extension imports when it is loaded."""
    kind = "frozen"

    def key(self) -> tuple[object, ...]:
        """Return all inputs, and onebin itself: most of its code decides the selection."""
        return (
            own_code(),
            msgspec.to_builtins(self.project, enc_hook=_written),
            self.contents,
            *_others(self.python, self.distributions),
            self.native_imports,
        )

    def make(self, folder: Path, ctx: Context) -> Frozen:
        """Select, compile, and write down what came of it."""
        made = _without_passwords(_made(self, ctx))
        (folder / "frozen").write_bytes(written(made))
        return made

    def load(self, folder: Path) -> Frozen:
        """Return it; its code is in the cache."""
        data = (folder / "frozen").read_bytes()
        return msgspec.msgpack.decode(data, type=Frozen, dec_hook=_read)


class _Compiled:
    """The modules of one program, each compiled once."""

    def __init__(self, project: Project, python: CPython, ctx: Context) -> None:
        self._ctx = ctx
        self._options = CompileOptions(
            python.compiling or python.interpreter,
            asserts=project.options.asserts,
            docstrings=project.docstrings,
            columns=project.is_whole and project.options.sources,
            names_of_interest=NAMES_OF_INTEREST,
        )
        self._known: dict[tuple[str, ModuleOrigin], FrozenModule] = {}

    def modules(self, origins: Mapping[str, ModuleOrigin]) -> dict[str, FrozenModule]:
        """Return the modules of *origins*, which all have source."""
        known = self._known
        new = {name: origin for name, origin in origins.items() if (name, origin) not in known}
        for name, module in compile_modules(new, self._options, self._ctx).items():
            known[name, origins[name]] = module
        return {name: known[name, origin] for name, origin in origins.items()}

    def facts(self, origins: Mapping[str, ModuleOrigin]) -> dict[str, ModuleImports]:
        """Return their imports."""
        return {name: module.imports for name, module in self.modules(origins).items()}


class Selected(msgspec.Struct, frozen=True):
    """What an executable has, but for the project's own code."""

    selection: Selection
    modules: tuple[FrozenModule, ...]
    """Those of others."""
    distributions: tuple[Distribution, ...]
    """The dependencies; with the time zones, if the program needs them."""


class SelectedProgram(msgspec.Struct, frozen=True, kw_only=True):
    """Step: the selection of *project*, which most changes of its code leave as it is.

    To select takes half of the time of a build after a change.
    """

    project: Project
    code: Path
    """Where its own code is."""
    contents: str
    """Names those of the project, but of the modules of *facts*."""
    facts: dict[str, ModuleImports]
    """Of its modules: all that a selection reads of them."""
    python: CPython
    distributions: tuple[Distribution, ...]
    native_imports: dict[str, tuple[str, ...]]
    """What each C extension imports when it is loaded."""
    kind = "selected"

    def key(self) -> tuple[object, ...]:
        """Return all inputs, and onebin itself; see ``FrozenProgram``."""
        return (
            own_code(),
            msgspec.to_builtins(self.project, enc_hook=_written),
            self.contents,
            msgspec.to_builtins(self.facts),
            *_others(self.python, self.distributions),
            self.native_imports,
        )

    def make(self, folder: Path, ctx: Context) -> Selected:
        """Select, and write down what came of it; paths of own code are relative to it."""
        compiled = _Compiled(self.project, self.python, ctx)
        made = _without_passwords(_selected(self, compiled, ctx))

        def relative(path: object) -> bytes:
            found = _written(path)
            start = os.fsencode(self.code) + b"/"
            return OWN + found.removeprefix(start) if found.startswith(start) else found

        (folder / "selected").write_bytes(written(made, relative))
        return made

    def load(self, folder: Path) -> Selected:
        """Return it; its code is in the cache."""

        def read(_: type[Any], data: object) -> Path:
            assert isinstance(data, bytes)  # noqa: S101  (as written)
            if data.startswith(OWN):
                return self.code / os.fsdecode(data.removeprefix(OWN))
            return _path(data)

        data = (folder / "selected").read_bytes()
        return msgspec.msgpack.decode(data, type=Selected, dec_hook=read)


def _apart(project: Project) -> Project:
    """Return *project* without its places in the cache, which have the names of their contents."""
    return msgspec.structs.replace(project, code=Path(), data=None)


def _without_lines(facts: ModuleImports) -> ModuleImports:
    """Return *facts* for a selection, to which it does not matter in which line they are."""
    return msgspec.structs.replace(
        facts,
        names=dict.fromkeys(sorted(facts.names), 0),
        computed=tuple(msgspec.structs.replace(item, line=0) for item in facts.computed),
        uses=(),
    )


def _own_modules(project: Project, python: CPython) -> dict[str, ModuleOrigin]:
    """Return the modules that are the project's for certain.

    Beside code in a project's own folder are its tests and tools: pruned, it has none for certain.
    """
    if project.is_whole:
        names = whole.roots(project, ())
    elif project.code != project.root:
        names = modules_in(project.code)
    else:
        return {}
    places = contents.places(python.interpreter.version) if project.has_files else {}
    finder = Finder(project.code, (), Path(), (), places=places)
    found = {name: origin for name in names if (origin := finder.locate(name))}
    return {name: origin for name, origin in found.items() if origin.kind == "source"}


def _selected(step: SelectedProgram, compiled: _Compiled, ctx: Context) -> Selected:
    project = msgspec.structs.replace(step.project, code=step.code)
    distributions = step.distributions

    def words_of(distribution: Distribution) -> frozenset[str]:
        return ctx.build(SettingsWords(distribution.code, distribution.key))

    def selected() -> Selection:
        return select(
            project, step.python, distributions, step.native_imports, compiled.facts, words_of
        )

    selection = selected()
    wants_zones = project.is_whole or any(map(ZONES.match, project.trace.files))
    if wants_zones and time_zones.are_missing(selection.modules):
        distributions = (*distributions, time_zones.time_zones(ctx))
        selection = selected()
    others = {name: item for name, item in selection.modules.items() if item.origin != "project"}
    return Selected(selection, tuple(compiled.modules(others).values()), distributions)


def _written(path: object) -> bytes:
    """Return *path* as msgspec can write it."""
    assert isinstance(path, Path)  # noqa: S101  (msgspec writes the others)
    return os.fsencode(path)


def written(made: Made, path: Callable[[object], bytes] = _written) -> bytes:
    """Return *made* as the cache keeps it; *path* writes a path."""
    return msgspec.msgpack.encode(_without_passwords(made), enc_hook=path)


def _without_passwords(made: Made) -> Made:
    """Return *made* without the password that a distribution's address may have."""
    distributions = tuple(map(_without_password, made.distributions))
    return msgspec.structs.replace(made, distributions=distributions)


def _without_password(item: Distribution) -> Distribution:
    origin = item.pin.origin
    if origin is None:
        return item
    plain = msgspec.structs.replace(origin, address=without_rights(origin.address))
    pin = msgspec.structs.replace(item.pin, origin=plain)
    return msgspec.structs.replace(item, pin=pin)


def _read(_: type[Any], data: object) -> Path:
    assert isinstance(data, bytes)  # noqa: S101  (as written)
    return _path(data)


@lru_cache(maxsize=50_000)
def _path(written: bytes) -> Path:
    """Return one path, which is read several times: of a module, of its file, of a selection."""
    return Path(os.fsdecode(written))


def _others(
    python: CPython, distributions: tuple[Distribution, ...]
) -> tuple[tuple[object, ...], ...]:
    """Return what names *python* and *distributions*."""
    keys = (python.interpreter.key, python.runtime.key)
    compiling = python.compiling.key if python.compiling else ""
    return (*keys, compiling), tuple(_named(item) for item in distributions)


def _named(item: Distribution) -> tuple[object, ...]:
    extensions = [
        (one.module, str(one.object), one.symbol, one.libraries,
         [(library.key, library.source.sha256) for library in one.built])
        for one in item.extensions
    ]  # fmt: skip
    pins = (item.pin, item.unpinned, item.requires)
    return pins, item.key, str(item.code), str(item.data), item.lost, extensions


@cache
def own_code() -> str:
    """Return a digest of onebin's own files."""
    return own_files.digest_of(Path(__file__).parent)


def freeze(
    project: Project,
    python: CPython,
    distributions: tuple[Distribution, ...],
    native_imports: Mapping[str, tuple[str, ...]],
    ctx: Context,
) -> Frozen:
    """Select the modules of *project*'s executable, which takes compiling them, and its files.

    Raises:
        ProjectError: the program cannot start; see ``selection.selector.select``.
    """
    own = own_files.digest(project)
    step = FrozenProgram(project, own, python, distributions, dict(native_imports))
    made = ctx.build(step)
    needed = [module.code for module in made.modules]
    needed += [zones.code for zones in made.distributions[len(distributions) :]]
    if not all(map(Path.exists, needed)):  # a part of the cache is gone
        made = _made(step, ctx, again=True)
    for zones in made.distributions[len(distributions) :]:
        ctx.progress.report(f"{zones.pin}: for zoneinfo")
    return made


def _made(step: FrozenProgram, ctx: Context, *, again: bool = False) -> Frozen:
    """Select, compile and list; *again* passes over an earlier selection."""
    project, python = step.project, step.python
    compiled = _Compiled(project, python, ctx)
    own = _own_modules(project, python)
    chosen = SelectedProgram(
        project=project if project.code == project.root else _apart(project),
        code=project.code,
        contents=own_files.digest(project, but={origin.path for origin in own.values()}),
        facts={name: _without_lines(item) for name, item in compiled.facts(own).items()},
        python=python,
        distributions=step.distributions,
        native_imports=step.native_imports,
    )
    selected = _selected(chosen, compiled, ctx) if again else ctx.build(chosen)
    selection, distributions = selected.selection, selected.distributions
    inside: tuple[InsideFile, ...] = ()
    if project.has_files:
        inside = contents.files(
            project, distributions, selection.modules, python.interpreter.version,
            selection.script, lambda item: ctx.build(InstalledFiles(item.code, item.key)),
            selection.extensions,
            ctx.build(InstalledFiles(python.interpreter.stdlib, python.runtime.key)),
        )  # fmt: skip
    kept = {module.name: module for module in selected.modules}
    changing = {name: item for name, item in selection.modules.items() if name not in kept}
    kept |= compiled.modules(changing)
    # What a change of the project changes comes last: the code before it is linked as it is.
    is_own = {name: origin.origin == "project" for name, origin in selection.modules.items()}
    modules = tuple(kept[name] for name in sorted(is_own, key=lambda name: (is_own[name], name)))
    return Frozen(selection, modules, distributions, inside)
