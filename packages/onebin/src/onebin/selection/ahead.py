"""Modules that the lines of a source name as imports: compiled in one batch with it.

The imports of a module are known once it is compiled, and theirs once those are: many small
batches, each with a process that starts. A module that a line names and nothing imports was
compiled in vain, once; the program does not contain it.
"""

import re
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Final

from onebin.model import Import, ImportKind, ModuleImports, ModuleOrigin

from .import_graph import Analyze, Locate
from .importability import WhyIgnored, targets, with_parents

LINE: Final = re.compile(
    r"""\n([ \t]*)
    (?:import[ \t]+([^#\n;]+)
    |from[ \t]+(\.*[\w.]*)[ \t]+import\b[ \t]*(\([^)]*|[^#\n;]*))""",
    re.VERBOSE,
)
"""Its indentation; the modules; or one, and its names.

The line break before it, not ``^``: a search for one character takes a third of the time.
"""

NAME: Final = re.compile(r"\w[\w.]*")


def analyze_ahead(
    analyze: Analyze,
    locate: Locate,
    why_ignored: WhyIgnored,
    native_imports: Mapping[str, tuple[str, ...]],
) -> Analyze:
    """Return *analyze*, which is also given the modules that the sources seem to import.

    *native_imports* are made from C.
    """
    known: set[str] = set()

    def analyzed(origins: Mapping[str, ModuleOrigin]) -> Mapping[str, ModuleImports]:
        every = dict(origins)
        queue = [*origins.items()]
        while queue:
            name, origin = queue.pop()
            if name in known:
                continue
            known.add(name)
            seen = seem_imported(name, origin) if origin.kind == "source" else ()
            for statement in chain(seen, map(Import, native_imports.get(name, ()))):
                for target in chain.from_iterable(map(with_parents, targets(statement))):
                    if target in known or why_ignored(name, statement, target):
                        continue
                    if found := locate(target):
                        if found.kind == "source":
                            every[target] = found
                        queue.append((target, found))
        facts = analyze(every)
        return {name: facts[name] for name in origins}

    return analyzed


def seem_imported(name: str, origin: ModuleOrigin) -> Iterator[Import]:
    """Yield the imports of the module *name*, as far as its lines show them.

    Nothing of a file that cannot be read: the compiler names the reason.
    """
    try:
        text = origin.path.read_text("utf-8", "replace") if origin.text is None else origin.text
    except OSError:
        return
    package = name if origin.is_package else name.rpartition(".")[0]
    for indented, modules, module, names in LINE.findall(f"\n{text}"):
        kind: ImportKind = "late" if indented else "hard"
        if modules:
            yield from (Import(one, kind=kind) for one in _names(modules))
        elif absolute := _absolute(module, package):
            yield Import(absolute, _names(names.lstrip("(")), kind)


def _names(text: str) -> tuple[str, ...]:
    """Return the names listed in *text*, ``a.b as c, d``: the first of two."""
    return tuple(found[0] for one in text.split(",") if (found := NAME.match(one.strip())))


def _absolute(module: str, package: str) -> str:
    """Return *module*, perhaps relative to *package*, as an absolute name; empty if it is none."""
    below = module.lstrip(".")
    dots = len(module) - len(below)
    if not dots:
        return below
    parts = package.split(".")
    if dots > len(parts):
        return ""
    return ".".join([*parts[: len(parts) - dots + 1], *([below] if below else [])])
