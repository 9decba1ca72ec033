"""Facts of a source distribution about its build, at plan time; none of its code runs."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from onebin.effects import index, unpack
from onebin.effects.context import Context
from onebin.errors import ProjectError
from onebin.model import Machine, Obstacle, Offer, Pin

from . import (
    compile_time,
    located,
    missing_libraries,
    modules,
    obstacles,
    source,
    system_libraries,
)
from .build_tools import BuildTools

PROVIDER: Final = "captured"
"""Builds such sources."""


TREE_VERSION: Final = 8
"""Raised when the facts of the same files change: part of the key."""


class SourceFacts(msgspec.Struct, frozen=True):
    """What a source distribution needs, and what its build can make."""

    build_requires: tuple[Pin, ...] = ()
    """As far as its ``pyproject.toml`` names them."""
    libraries: tuple[str, ...] = ()
    """C libraries whose headers it includes."""
    environment: dict[str, str] = {}
    """Variables that make its build compile more."""
    names: tuple[str, ...] = ()
    """Of all its files and folders, as far as they can be modules'."""
    obstacle: Obstacle | None = None
    """Why it can never be built here."""
    build_sources: tuple[Offer, ...] = ()
    """Build requirements that are built from source in turn."""
    compiles: bool = True
    """Whether its build can make compiled code, as far as its back end shows."""
    seconds: int = 0
    """Of one core for its C code and that of ``build_sources``, as a rough estimate."""
    own_seconds: int = 0
    """Of these for its own code."""
    unbuilt: str = ""
    """A library that setup.py links with and nothing has, with its header; empty for none."""

    def with_source(self, tool: Pin, facts: "SourceFacts") -> "SourceFacts":
        """Return these facts with the build requirement *tool*, of whose source *facts* are."""
        offer = Offer(
            tool, PROVIDER, tool.name, libraries=facts.libraries, environment=facts.environment,
            build_requires=facts.build_requires, build_sources=facts.build_sources,
        )  # fmt: skip
        return msgspec.structs.replace(
            self,
            build_requires=tuple(sorted({*self.build_requires, *facts.build_requires})),
            build_sources=(*self.build_sources, offer),
            seconds=self.seconds + facts.seconds,
        )


class Tree(msgspec.Struct, frozen=True):
    """The facts that the files of a source show by themselves, for any Python."""

    requirements: tuple[str, ...]
    """That its ``pyproject.toml`` names."""
    libraries: tuple[str, ...]
    environment: dict[str, str]
    names: tuple[str, ...]
    obstacle: Obstacle | None
    compiles: bool
    seconds: int
    unbuilt: str = ""
    """The last seven are as in ``SourceFacts``."""


class ReadSource(msgspec.Struct, frozen=True):
    """Step: the facts of the files in the source distribution *archive* of *pin*.

    A large source is unpacked in half a minute, and several packages, Pythons and locks lead to it.
    """

    pin: Pin
    archive: Path
    sha256: str
    kind = "source"

    def key(self) -> tuple[object, ...]:
        """Return the contents, and the name in messages."""
        return TREE_VERSION, self.pin, self.sha256

    def make(self, folder: Path, ctx: Context) -> None:
        """Unpack it and read it; none of its code runs."""
        ctx.progress.report(f"{self.pin}: reading its source")
        with ctx.store.scratch() as scratch:
            found = _facts_of(unpack.tree(self.archive, scratch / "unpacked"), self.pin)
        (folder / "tree.json").write_bytes(msgspec.json.encode(found))

    def load(self, folder: Path) -> Tree:
        """Return them."""
        return msgspec.json.decode((folder / "tree.json").read_bytes(), type=Tree)


def _read(pin: Pin, scratch: Path, python: str, ctx: Context) -> Tree | None:
    """Return the facts of the source of *pin*; None where the index has none."""
    if pin.origin:
        return _facts_of(located.source(pin, scratch, python, ctx), pin)
    archive = index.download_source(pin, scratch, run=ctx.run)
    if archive is None:
        return None
    sha256 = hashlib.sha256(archive.read_bytes()).hexdigest()
    # Locks have it by different hashes: those of all files, or of this one.
    return ctx.build(ReadSource(Pin(pin.name, pin.version, ()), archive, sha256))


def _facts_of(tree: Path, pin: Pin) -> Tree:
    system = source.build_system(tree, of=str(pin))
    if obstacle := obstacles.of_source(pin, tree, system):
        return Tree((), (), {}, (), obstacle, compiles=True, seconds=0)
    library = missing_libraries.linked(tree)
    return Tree(
        source.requirements(tree, system), system_libraries.wanted(tree),
        source.switches(tree, system), modules.names_in(tree), None,
        compiles=source.can_compile(tree, system), seconds=compile_time.seconds(tree),
        unbuilt=f"{library.name} ({library.header})" if library else "",
    )  # fmt: skip


def source_facts(
    pin: Pin,
    build_pins: Sequence[Pin],
    *,
    may_be_unpinned: bool,
    python: str,
    machine: Machine,
    ctx: Context,
    within: Sequence[str] = (),
) -> SourceFacts | Obstacle:
    """Return the facts of *pin*'s source about its build, or why it cannot be built for now.

    Both as far as its files show. Fetches it and its static build requirements; none
    of their code runs. Further requirements that its back end names are known in the build alone.
    *within* names the distributions whose build needs this one.

    Raises:
        ToolError: one of them cannot be downloaded.
    """
    with ctx.store.scratch() as scratch:
        try:
            found = _read(pin, scratch, python, ctx)
            if found is None:
                return SourceFacts()  # the build names the missing file
            if found.obstacle:
                return SourceFacts(obstacle=msgspec.structs.replace(found.obstacle, pin=pin))
            tools = BuildTools(
                build_pins, scratch / "site", scratch / "tools", of=str(pin), python=python,
                machine=machine, may_be_unpinned=may_be_unpinned, run=ctx.run,
            )  # fmt: skip
            tools.install(found.requirements)
        except ProjectError as exc:
            return Obstacle(pin, str(exc), hint=exc.hint)
        facts = SourceFacts(
            tools.used, found.libraries, found.environment, found.names,
            compiles=found.compiles, seconds=found.seconds, own_seconds=found.seconds,
            unbuilt=found.unbuilt,
        )  # fmt: skip
    chain = (*within, pin.name)
    for tool in tools.from_source:
        if tool.name in chain:
            through = " -> ".join((*chain, tool.name))
            return Obstacle(
                pin,
                f"{pin}: its build needs itself ({through})",
                hint="choose a version or package with a pure-Python wheel",
            )
        needed = source_facts(
            tool, build_pins, may_be_unpinned=may_be_unpinned, python=python,
            machine=machine, ctx=ctx, within=chain,
        )  # fmt: skip
        reason = needed if isinstance(needed, Obstacle) else needed.obstacle
        if reason:
            return Obstacle(pin, f"{pin}: its build needs {reason.reason}", hint=reason.hint)
        assert isinstance(needed, SourceFacts)  # noqa: S101  (the other of the two)
        facts = facts.with_source(tool, needed)
    return facts


def tree_of(pin: Pin, scratch: Path, python: str, ctx: Context) -> Path | None:
    """Return the tree of the source of *pin* in *scratch*; None where the index has none."""
    if pin.origin:
        return located.source(pin, scratch, python, ctx)
    archive = index.download_source(pin, scratch, run=ctx.run)
    return None if archive is None else unpack.tree(archive, scratch / "unpacked")
