"""Which modules a program needs: a graph of imports, walked with no file and no process in sight.

Imports are of three kinds. A *hard* one runs when its module is imported, and fails it; a
*soft* one may fail, because an ``except ImportError`` stands around it; a *late* one stands
in a function. A module whose hard import cannot succeed could never be imported itself, so
it is left out, and so is what only it needs: that is how ``ssl`` goes when OpenSSL is absent.
"""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Literal

import msgspec

from onebin.model import LeftOut

Kind = Literal["hard", "soft", "late"]


class Import(msgspec.Struct, frozen=True, array_like=True):
    """One import statement."""

    module: str
    names: tuple[str, ...]
    """What ``from module import …`` lists; each may be a submodule."""
    kind: Kind
    guard: int
    """The ``try`` around a soft import, by number."""
    fallback: int
    """The ``try`` whose failure it is there for; 0 for none."""


class Facts(msgspec.Struct, frozen=True):
    """What one module's source says."""

    imports: tuple[Import, ...] = ()
    codecs: tuple[str, ...] = ()
    """Modules of ``encodings`` it names."""
    mentions: tuple[str, ...] = ()
    """Names it has that bring idle imports back."""
    files: tuple[int, ...] = ()
    """Lines that read ``__file__``."""
    error: str = ""
    """Why it does not compile."""


class Place(msgspec.Struct, frozen=True):
    """Where a module comes from."""

    kind: Literal["source", "namespace", "builtin", "extension", "alias"]
    path: Path = Path()
    label: str = ""
    """The name of its file in tracebacks."""
    is_package: bool = False
    origin: Literal["project", "dependency", "stdlib"] = "stdlib"


class World(msgspec.Struct, frozen=True):
    """Everything that could be reached."""

    places: Mapping[str, Place]
    facts: Mapping[str, Facts]
    hidden: Mapping[str, tuple[str, ...]]
    """Imports made from C, which no source shows: module -> modules."""
    foreign: frozenset[str] = frozenset()
    """Modules of other systems, whose absence breaks nothing."""


class Reached(msgspec.Struct, frozen=True):
    """What is needed of a world."""

    names: frozenset[str]
    left_out: tuple[LeftOut, ...]


class Trouble(msgspec.Struct, frozen=True):
    """Why a module cannot be imported."""

    chain: tuple[str, ...]
    """From that module, each importing the next, to the one that fails by itself."""
    lost: str = ""
    """What that one imports and nothing provides; empty where it has an error of its own."""
    error: str = ""

    def __str__(self) -> str:
        return self.error or f"{self.chain[-1]} needs {self.lost}"


Locate = Callable[[str], Place | None]
Analyse = Callable[[Mapping[str, Place]], Mapping[str, Facts]]


def explore(
    roots: Iterable[str],
    locate: Locate,
    analyse: Analyse,
    hidden: Mapping[str, tuple[str, ...]],
    refused: Callable[[str, Import, str], bool],
    foreign: frozenset[str] = frozenset(),
) -> World:
    """Find everything the *roots* could import by any kind of import.

    Args:
        roots: Names to begin with.
        locate: Where a module is, or None.
        analyse: Facts of modules that have source, a wave at a time.
        hidden: Imports made from C.
        refused: Whether (importer, import, target) is not to be followed.
        foreign: Modules of other systems, whose absence breaks nothing.
    """
    places: dict[str, Place] = {}
    facts: dict[str, Facts] = {}
    wave = set(roots)
    while wave:
        found = {name: place for name in sorted(wave) if (place := locate(name))}
        places |= found
        new_facts = analyse({n: p for n, p in found.items() if p.kind == "source"})
        facts |= new_facts
        wave = set()
        for name in found:
            for target in hidden.get(name, ()):
                wave.update(_with_parents(target))
            for statement in new_facts.get(name, Facts()).imports:
                for target in _targets(statement):
                    if not refused(name, statement, target):
                        wave.update(_with_parents(target))
            wave.update(f"encodings.{codec}" for codec in new_facts.get(name, Facts()).codecs)
        wave -= places.keys()
        wave = {name for name in wave if locate(name) is not None}
    return World(places, facts, hidden, foreign)


def reach(
    roots: Iterable[str],
    world: World,
    refused: Callable[[str, Import, str], bool],
) -> Reached:
    """Choose what of *world* the *roots* need."""
    broken = _broken(world)
    needed: set[str] = set()
    left_out: dict[tuple[str, str], LeftOut] = {}
    queue = [name for root in roots for name in _with_parents(root)]
    while queue:
        name = queue.pop()
        if name in needed or name not in world.places or name in broken:
            continue
        needed.add(name)
        for target in world.hidden.get(name, ()):
            queue += _with_parents(target)
        facts = world.facts.get(name, Facts())
        queue += [f"encodings.{codec}" for codec in facts.codecs]
        satisfied = _satisfied(facts, world, broken)
        for statement in facts.imports:
            if statement.fallback and satisfied.get(statement.fallback, False):
                continue
            for target in _targets(statement):
                if refused(name, statement, target):
                    continue
                chain = _with_parents(target)
                queue += chain
                lost = next((t for t in chain if t not in world.places or t in broken), None)
                if lost and (lost != target or target == statement.module):
                    reason = str(broken.get(lost, "no such module"))
                    left_out.setdefault((lost, name), LeftOut(lost, name, reason))
    return Reached(frozenset(needed), tuple(left_out[key] for key in sorted(left_out)))


def why_broken(name: str, world: World) -> Trouble | None:
    """Say why *name* cannot be imported; None where it can."""
    if name not in world.places:
        return Trouble((name,), error="no such module")
    return _broken(world).get(name)


def _broken(world: World) -> dict[str, Trouble]:
    """Return the modules whose import must fail, with the reason, to a fixed point.

    Monotone: a module found broken can only make more of them fail, so it ends.
    """
    broken = {
        name: Trouble((name,), error=facts.error)
        for name, facts in world.facts.items()
        if facts.error
    }
    changed = True
    while changed:
        changed = False
        for name, facts in world.facts.items():
            if name in broken:
                continue
            trouble = _trouble(name, facts, world, broken)
            if trouble:
                broken[name] = trouble
                changed = True
        # A submodule cannot be imported without its parents.
        for name in world.places:
            parent = name.rpartition(".")[0]
            if parent in broken and name not in broken:
                broken[name] = _by_way_of(name, broken[parent])
                changed = True
    return broken


def _trouble(
    name: str, facts: Facts, world: World, broken: Mapping[str, Trouble]
) -> Trouble | None:
    satisfied: dict[int, bool] | None = None
    for statement in facts.imports:
        if statement.kind != "hard":
            continue
        if statement.fallback:
            satisfied = satisfied or _satisfied(facts, world, broken)
            if satisfied.get(statement.fallback, False):
                continue
        for target in _with_parents(statement.module):
            if target in broken and not name.startswith(f"{target}."):
                return _by_way_of(name, broken[target])
            known = target in world.places or target.partition(".")[0] in world.foreign
            if not known and not _may_appear(target, world):
                return Trouble((name,), target)
    return None


def _by_way_of(name: str, trouble: Trouble) -> Trouble:
    return Trouble((name, *trouble.chain), trouble.lost, trouble.error)


def _may_appear(target: str, world: World) -> bool:
    """Whether a package outside the standard library may make *target* itself, as six does."""
    parent = target.rpartition(".")[0]
    place = world.places.get(parent)
    if place is None:
        return bool(parent) and _may_appear(parent, world)
    return place.origin != "stdlib"


def _satisfied(facts: Facts, world: World, broken: Mapping[str, Trouble]) -> dict[int, bool]:
    """For each numbered ``try``: whether all imports it guards succeed."""
    result: dict[int, bool] = {}
    for statement in facts.imports:
        if statement.guard and statement.kind == "soft":
            good = all(
                target in world.places and target not in broken
                for target in _with_parents(statement.module)
            )
            result[statement.guard] = result.get(statement.guard, True) and good
    return result


def _targets(statement: Import) -> list[str]:
    below = [f"{statement.module}.{name}" for name in statement.names if name != "*"]
    return [statement.module, *below] if statement.module else [n.lstrip(".") for n in below]


def _with_parents(name: str) -> list[str]:
    parts = name.split(".")
    return [".".join(parts[: n + 1]) for n in range(len(parts))]
