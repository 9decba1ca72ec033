"""The graph of imports, and the part a program needs. No file and no process in here.

Imports are of three kinds. A *hard* one runs when its module is imported, and fails it; a
*soft* one may fail, because an ``except ImportError`` surrounds it; a *late* one is inside a
function. A module whose hard import cannot succeed can never be imported itself. It is omitted
with all that it alone needs: so ``ssl`` is, where OpenSSL is absent.
"""

from collections.abc import Callable, Iterable, Mapping

import msgspec

from onebin.model import Import, ModuleImports, ModuleOrigin, OmittedModule


class ImportGraph(msgspec.Struct, frozen=True):
    """Everything that could be reached."""

    origins: Mapping[str, ModuleOrigin]
    imports: Mapping[str, ModuleImports]
    """Of each module that has source."""
    native_imports: Mapping[str, tuple[str, ...]]
    """Imports made from C, which no source shows: module -> modules."""
    other_platforms: frozenset[str] = frozenset()
    """Modules of other operating systems: their absence breaks nothing."""


class Reachable(msgspec.Struct, frozen=True):
    """The part of a graph that a program needs."""

    names: frozenset[str]
    omitted: tuple[OmittedModule, ...]


class ImportFailure(msgspec.Struct, frozen=True):
    """Why a module cannot be imported."""

    chain: tuple[str, ...]
    """From that module, each importing the next, to the module that fails by itself."""
    missing: str = ""
    """The import of the last module that nothing provides; empty if it does not compile."""
    error: str = ""

    def __str__(self) -> str:
        return self.error or f"{self.chain[-1]} needs {self.missing}"


Locate = Callable[[str], ModuleOrigin | None]
Analyze = Callable[[Mapping[str, ModuleOrigin]], Mapping[str, ModuleImports]]
IsIgnored = Callable[[str, Import, str], bool]


def build_graph(
    roots: Iterable[str],
    locate: Locate,
    analyze: Analyze,
    native_imports: Mapping[str, tuple[str, ...]],
    is_ignored: IsIgnored,
    other_platforms: frozenset[str] = frozenset(),
) -> ImportGraph:
    """Find everything the *roots* could import by any kind of import.

    Args:
        roots: Names to begin with.
        locate: Where a module is, or None.
        analyze: Returns the imports of modules that have source, a wave at a time.
        native_imports: Imports made from C.
        is_ignored: Whether (importer, import, target) is not followed.
        other_platforms: Modules of other operating systems: their absence breaks nothing.
    """
    origins: dict[str, ModuleOrigin] = {}
    facts: dict[str, ModuleImports] = {}
    wave = set(roots)
    while wave:
        found = {name: origin for name in sorted(wave) if (origin := locate(name))}
        origins |= found
        new_facts = analyze(
            {name: origin for name, origin in found.items() if origin.kind == "source"}
        )
        facts |= new_facts
        wave = set()
        for name in found:
            for target in native_imports.get(name, ()):
                wave.update(_with_parents(target))
            for statement in new_facts.get(name, ModuleImports()).imports:
                for target in _targets(statement):
                    if not is_ignored(name, statement, target):
                        wave.update(_with_parents(target))
            wave.update(
                f"encodings.{codec}" for codec in new_facts.get(name, ModuleImports()).codecs
            )
        wave -= origins.keys()
        wave = {name for name in wave if locate(name) is not None}
    return ImportGraph(origins, facts, native_imports, other_platforms)


def reachable(
    roots: Iterable[str],
    graph: ImportGraph,
    is_ignored: IsIgnored,
) -> Reachable:
    """Return the modules of *graph* that the *roots* need."""
    broken = _failures(graph)
    needed: set[str] = set()
    omitted: dict[tuple[str, str], OmittedModule] = {}
    queue = [name for root in roots for name in _with_parents(root)]
    while queue:
        name = queue.pop()
        if name in needed or name not in graph.origins or name in broken:
            continue
        needed.add(name)
        for target in graph.native_imports.get(name, ()):
            queue += _with_parents(target)
        facts = graph.imports.get(name, ModuleImports())
        queue += [f"encodings.{codec}" for codec in facts.codecs]
        satisfied = _satisfied(facts, graph, broken)
        for statement in facts.imports:
            if statement.fallback and satisfied.get(statement.fallback, False):
                continue
            for target in _targets(statement):
                if is_ignored(name, statement, target):
                    continue
                chain = _with_parents(target)
                queue += chain
                missing = next((t for t in chain if t not in graph.origins or t in broken), None)
                if missing and (missing != target or target == statement.module):
                    omitted.setdefault((missing, name), _omitted(missing, name, graph, broken))
    return Reachable(frozenset(needed), tuple(omitted[key] for key in sorted(omitted)))


def _omitted(
    name: str, importer: str, graph: ImportGraph, broken: Mapping[str, ImportFailure]
) -> OmittedModule:
    failure = broken.get(name)
    if failure is None:
        return OmittedModule(name, importer, "no such module")
    origin = graph.origins.get(name)
    is_project = origin is not None and origin.origin == "project"
    return OmittedModule(name, importer, str(failure), failure.chain, is_project)


def import_failure(name: str, graph: ImportGraph) -> ImportFailure | None:
    """Return why *name* cannot be imported; None if it can."""
    if name not in graph.origins:
        return ImportFailure((name,), error="no such module")
    return _failures(graph).get(name)


def _failures(graph: ImportGraph) -> dict[str, ImportFailure]:
    """Return the modules whose import must fail, with the reason, to a fixed point.

    Monotone: a module found broken can only make more of them fail, so it ends.
    """
    broken = {
        name: ImportFailure((name,), error=facts.error)
        for name, facts in graph.imports.items()
        if facts.error
    }
    changed = True
    while changed:
        changed = False
        for name, facts in graph.imports.items():
            if name in broken:
                continue
            failure = _failure_of(name, facts, graph, broken)
            if failure:
                broken[name] = failure
                changed = True
        # A submodule cannot be imported without its parents.
        for name in graph.origins:
            parent = name.rpartition(".")[0]
            if parent in broken and name not in broken:
                broken[name] = _through(name, broken[parent])
                changed = True
    return broken


def _failure_of(
    name: str, facts: ModuleImports, graph: ImportGraph, broken: Mapping[str, ImportFailure]
) -> ImportFailure | None:
    satisfied: dict[int, bool] | None = None
    for statement in facts.imports:
        if statement.kind != "hard":
            continue
        if statement.fallback:
            satisfied = satisfied or _satisfied(facts, graph, broken)
            if satisfied.get(statement.fallback, False):
                continue
        for target in _with_parents(statement.module):
            if target in broken and not name.startswith(f"{target}."):
                return _through(name, broken[target])
            known = target in graph.origins or target.partition(".")[0] in graph.other_platforms
            if not known and not _may_appear(target, graph):
                return ImportFailure((name,), target)
    return None


def _through(name: str, failure: ImportFailure) -> ImportFailure:
    return ImportFailure((name, *failure.chain), failure.missing, failure.error)


def _may_appear(target: str, graph: ImportGraph) -> bool:
    """Whether a package outside the standard library may make *target* itself, as six does."""
    parent = target.rpartition(".")[0]
    origin = graph.origins.get(parent)
    if origin is None:
        return bool(parent) and _may_appear(parent, graph)
    return origin.origin != "stdlib"


def _satisfied(
    facts: ModuleImports, graph: ImportGraph, broken: Mapping[str, ImportFailure]
) -> dict[int, bool]:
    """For each numbered ``try``: whether all imports it guards succeed."""
    result: dict[int, bool] = {}
    for statement in facts.imports:
        if statement.guard and statement.kind == "soft":
            good = all(
                target in graph.origins and target not in broken
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


def startup(names: Iterable[str], graph: ImportGraph) -> frozenset[str]:
    """Return what importing *names* imports at once: their hard and soft imports, and theirs."""
    found: set[str] = set()
    queue = list(names)
    while queue:
        name = queue.pop()
        if name in found or name not in graph.origins:
            continue
        found.add(name)
        for statement in graph.imports.get(name, ModuleImports()).imports:
            if statement.kind != "late":
                for target in _targets(statement):
                    queue += _with_parents(target)
    return frozenset(found)
