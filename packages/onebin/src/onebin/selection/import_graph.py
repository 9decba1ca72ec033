"""The graph of imports, and the part a program needs. No file and no process in here.

Whether an import runs and what its failure means is Python's: ``control_flow`` follows ``try``
with its handlers, conditions and functions. A module that must fail when it is imported is never
in an executable, nor modules that it alone needs: so ``ssl`` is omitted where OpenSSL is absent.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

import msgspec

from onebin.model import Deferred, Import, ModuleImports, ModuleOrigin, OmittedModule

from .control_flow import imports, run
from .importability import Importability, ImportFailure, WhyIgnored, targets, with_parents


class ImportGraph(msgspec.Struct, frozen=True):
    """Everything that could be reached, and whether it can be imported."""

    origins: Mapping[str, ModuleOrigin]
    imports: Mapping[str, ModuleImports]
    """Of each module that has source."""
    native_imports: Mapping[str, tuple[str, ...]]
    """Imports made from C, which no source shows: module -> modules."""
    importability: Importability


class Reachable(msgspec.Struct, frozen=True):
    """The part of a graph that a program needs."""

    names: frozenset[str]
    omitted: tuple[OmittedModule, ...]


NO_MODULE: Final = "no such module"
"""Why a module cannot be imported that is nowhere."""

Locate = Callable[[str], ModuleOrigin | None]
Analyze = Callable[[Mapping[str, ModuleOrigin]], Mapping[str, ModuleImports]]


def build_graph(
    roots: Iterable[str],
    locate: Locate,
    analyze: Analyze,
    native_imports: Mapping[str, tuple[str, ...]],
    why_ignored: WhyIgnored,
    known: ImportGraph | None = None,
) -> ImportGraph:
    """Find everything the *roots* could import by any kind of import.

    Args:
        roots: Names to begin with.
        locate: Where a module is, or None.
        analyze: Returns the imports of modules that have source, a wave at a time.
        native_imports: Imports made from C.
        why_ignored: Why an import is not followed.
        known: The graph of some of the roots, found by the same functions.
    """
    origins: dict[str, ModuleOrigin] = dict(known.origins) if known else {}
    facts: dict[str, ModuleImports] = dict(known.imports) if known else {}
    wave = set(roots) - origins.keys()
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
                if not why_ignored(name, Import(target), target):
                    wave.update(with_parents(target))
            analyzed = new_facts.get(name, ModuleImports())
            for statement in imports(analyzed.imports):
                for target in targets(statement):
                    if not why_ignored(name, statement, target):
                        wave.update(with_parents(target))
            wave.update(f"encodings.{codec}" for codec in analyzed.codecs)
        wave -= origins.keys()
        wave = {name for name in wave if locate(name) is not None}
    return ImportGraph(origins, facts, native_imports, Importability(origins, facts, why_ignored))


def reachable(roots: Iterable[str], graph: ImportGraph, why_ignored: WhyIgnored) -> Reachable:
    """Return the modules of *graph* that the *roots* need, and those they do not get."""
    # A module that raises another exception is needed to raise it.
    absent = {
        name for name, failure in graph.importability.failures.items() if failure.is_import_error
    }
    needed: set[str] = set()
    omitted: dict[tuple[str, str], OmittedModule] = {}
    queue = [name for root in roots for name in with_parents(root)]
    while queue:
        name = queue.pop()
        if name in needed or name not in graph.origins or name in absent:
            continue
        needed.add(name)
        for target in graph.native_imports.get(name, ()):
            if reason := why_ignored(name, Import(target), target):
                omitted[target, name] = OmittedModule(target, name, reason)
            else:
                queue += with_parents(target)
        facts = graph.imports.get(name, ModuleImports())
        queue += [f"encodings.{codec}" for codec in facts.codecs]
        taken: list[Import] = []
        run(facts.imports, graph.importability.outcomes(name), taken.append)
        for statement in taken:
            for target in targets(statement):
                is_module = target == statement.module
                if reason := why_ignored(name, statement, target):
                    if is_module:
                        omitted[target, name] = OmittedModule(target, name, reason)
                    continue
                chain = with_parents(target)
                queue += chain
                missing = next((t for t in chain if t not in graph.origins or t in absent), None)
                if missing and (missing != target or is_module or target in absent):
                    omitted.setdefault((missing, name), _omitted(missing, name, graph))
    keys = sorted(key for key in omitted if key[0] not in needed)
    return Reachable(frozenset(needed), tuple(omitted[key] for key in keys))


def import_failure(name: str, graph: ImportGraph) -> ImportFailure | None:
    """Return why *name* cannot be imported; None if it can."""
    if name not in graph.origins:
        return ImportFailure((name,), error=NO_MODULE)
    return graph.importability.failures.get(name)


def _omitted(name: str, importer: str, graph: ImportGraph) -> OmittedModule:
    failure = graph.importability.failures.get(name)
    if failure is None:
        return OmittedModule(name, importer, NO_MODULE)
    is_project = graph.origins[name].origin == "project"
    return OmittedModule(name, importer, str(failure), failure.chain, is_project)


def startup(names: Iterable[str], graph: ImportGraph) -> frozenset[str]:
    """Return what importing *names* may import at once, not when a function is called."""
    found: set[str] = set()
    queue = list(names)
    while queue:
        name = queue.pop()
        if name in found or name not in graph.origins:
            continue
        found.add(name)
        block = graph.imports.get(name, ModuleImports()).imports
        for statement in imports(node for node in block if not isinstance(node, Deferred)):
            for target in targets(statement):
                queue += with_parents(target)
    return frozenset(found)
