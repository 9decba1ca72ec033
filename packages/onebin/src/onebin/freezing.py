"""The Python part of an executable: its modules selected and compiled, and the files inside."""

import os
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

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
from onebin.secret import without_userinfo
from onebin.selection import contents, own_files
from onebin.selection.named import SettingsWords
from onebin.selection.selector import NAMES_OF_INTEREST, Selection, select

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
            (self.python.interpreter.key, self.python.runtime.key),
            [_named(item) for item in self.distributions],
            self.native_imports,
        )

    def make(self, folder: Path, ctx: Context) -> None:
        """Select, compile, and write down what came of it."""
        (folder / "frozen").write_bytes(written(_made(self, ctx)))

    def load(self, folder: Path) -> Frozen:
        """Return it; its code is in the cache."""
        data = (folder / "frozen").read_bytes()
        return msgspec.msgpack.decode(data, type=Frozen, dec_hook=_read)


def written(made: Frozen) -> bytes:
    """Return *made* as the cache keeps it: a distribution's address may have a password."""
    distributions = tuple(map(_without_password, made.distributions))
    kept = msgspec.structs.replace(made, distributions=distributions)
    return msgspec.msgpack.encode(kept, enc_hook=_written)


def _without_password(item: Distribution) -> Distribution:
    origin = item.pin.origin
    if origin is None:
        return item
    plain = msgspec.structs.replace(origin, address=without_userinfo(origin.address))
    pin = msgspec.structs.replace(item.pin, origin=plain)
    return msgspec.structs.replace(item, pin=pin)


def _written(path: object) -> bytes:
    """Return *path* as msgspec can write it."""
    assert isinstance(path, Path)  # noqa: S101  (msgspec writes the others)
    return os.fsencode(path)


def _read(_: type[Any], data: object) -> Path:
    assert isinstance(data, bytes)  # noqa: S101  (as written)
    return Path(os.fsdecode(data))


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
        made = _made(step, ctx)
    for zones in made.distributions[len(distributions) :]:
        ctx.progress.report(f"{zones.pin}: for zoneinfo")
    return made


def _made(step: FrozenProgram, ctx: Context) -> Frozen:
    project, python, distributions = step.project, step.python, step.distributions
    options = CompileOptions(
        python.interpreter,
        asserts=project.options.asserts,
        docstrings=project.docstrings,
        columns=project.is_whole and project.options.sources,
        names_of_interest=NAMES_OF_INTEREST,
    )

    known: dict[tuple[str, ModuleOrigin], FrozenModule] = {}

    def compiled(origins: Mapping[str, ModuleOrigin]) -> dict[str, FrozenModule]:
        new = {name: origin for name, origin in origins.items() if (name, origin) not in known}
        for name, module in compile_modules(new, options, ctx).items():
            known[name, origins[name]] = module
        return {name: known[name, origin] for name, origin in origins.items()}

    def analyze(origins: Mapping[str, ModuleOrigin]) -> Mapping[str, ModuleImports]:
        return {name: module.imports for name, module in compiled(origins).items()}

    def words_of(distribution: Distribution) -> frozenset[str]:
        return ctx.build(SettingsWords(distribution.code, distribution.key))

    def selected() -> Selection:
        return select(project, python, distributions, step.native_imports, analyze, words_of)

    selection = selected()
    wants_zones = project.is_whole or any(map(ZONES.match, project.trace.files))
    if wants_zones and time_zones.are_missing(selection.modules):
        zones = time_zones.time_zones(ctx)
        distributions = (*distributions, zones)
        selection = selected()
    inside: tuple[InsideFile, ...] = ()
    if project.has_files:
        inside = contents.files(
            project, distributions, selection.modules, python.interpreter.version, selection.script
        )
    modules = tuple(compiled(selection.modules).values())
    return Frozen(selection, modules, distributions, inside)
