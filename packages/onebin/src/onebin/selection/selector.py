"""Choose the modules of an executable: those the entry point reaches, and the project's hints."""

from collections.abc import Collection, Iterable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

import msgspec

from onebin.effects import path_files
from onebin.errors import ProjectError
from onebin.model import (
    CPython,
    Deferred,
    Distribution,
    EntryPoint,
    Extension,
    Import,
    ModuleImports,
    ModuleOrigin,
    OmittedModule,
    Project,
)
from onebin.model.absent_modules import (
    BEHIND_A_CONDITION,
    NOT_IN_RUNTIME,
    OF_ANOTHER,
    OTHER_PLATFORMS,
    once_there,
)

from . import contents, cpython, named, whole
from .ahead import analyze_ahead
from .finder import Finder
from .import_graph import (
    NO_MODULE,
    Analyze,
    ImportGraph,
    build_graph,
    import_failure,
    reachable,
    startup,
)
from .importability import WhyIgnored
from .start import main_text, script_text

NAMES_OF_INTEREST: Final = tuple(sorted(cpython.ENABLED_BY_NAME))
"""Names whose mention ``analyze`` reports."""

IMPORTER: Final = "_onebin_importer"
"""``target/importer.py``: imports the modules inside as if installed."""

IMPORTER_FILE: Final = Path(__file__).parent.parent / "target" / "importer.py"

TRACER: Final = "_onebin_trace"
"""``target/trace.py``: notes the modules that a program uses."""

TRACER_FILE: Final = IMPORTER_FILE.with_name("trace.py")

EXCLUDED: Final = "tool.onebin.exclude"
TOOLING: Final = "a tool of the standard library; tool.onebin.include takes it in"
"""Why an import is not followed."""


class Selection(msgspec.Struct, frozen=True):
    """The modules an executable needs."""

    modules: dict[str, ModuleOrigin]
    """Those with code, sorted by name; a namespace package counts as an empty package."""
    builtins: tuple[str, ...]
    """C modules of CPython."""
    extensions: tuple[Extension, ...]
    """C modules of distributions."""
    omitted: tuple[OmittedModule, ...]
    startup: frozenset[str] = frozenset()
    """Modules that the interpreter imports before any other code."""
    script: str = ""
    """The console script of a whole program."""


def select(
    project: Project,
    python: CPython,
    distributions: tuple[Distribution, ...],
    native_imports: Mapping[str, tuple[str, ...]],
    analyze: Analyze,
    words_of: named.Words,
) -> Selection:
    """Select the modules reachable from the entry point, ``tool.onebin.include`` and the trace.

    Unless the project prunes, each of its modules and of its dependencies counts as reached.

    Args:
        project: Its entry point, code and options.
        python: Where the standard library and CPython's C modules are.
        distributions: The dependencies.
        native_imports: What each C extension imports when it is loaded.
        analyze: Returns the imports of modules that have source.
        words_of: Returns what the settings files of a distribution name.

    Raises:
        ProjectError: the entry point, a hint or a module they need cannot be imported.
    """
    options = project.options
    stdlib = python.interpreter.stdlib
    is_whole, has_files = project.is_whole, project.has_files
    places = contents.places(python.interpreter.version) if has_files else {}
    given = {
        cpython.BUILD_FACTS: _text(
            cpython.BUILD_FACTS_SOURCE + (cpython.DOCUMENTED if is_whole else ""),
            f"{places['stdlib']}{cpython.BUILD_FACTS}.py" if has_files else "<sysconfig>",
        ),
        **{
            name: ModuleOrigin("source", stdlib / file, _frozen_label(file) if has_files else file)
            for name, file in cpython.BOOTSTRAP.items()
        },
    }
    start = [IMPORTER] if has_files else ["__main__"]
    if project.is_traced:
        start.append(TRACER)
        given[TRACER] = ModuleOrigin("source", TRACER_FILE, "<trace>", origin="project")
    lines = _path_lines(distributions) if is_whole else {}
    start += lines
    if has_files:
        given |= lines | _extended(stdlib, places["stdlib"])
        given[IMPORTER] = ModuleOrigin("source", IMPORTER_FILE, "<importer>", origin="project")
        given |= dict.fromkeys(("_onebin", "__main__"), ModuleOrigin("alias"))
    if not has_files or project.entry.file:
        given["__main__"] = _main(project.entry)
    builtins = {*python.runtime.builtins, *python.runtime.library_modules}
    finder = Finder(project.code, distributions, stdlib, builtins, given, places)
    why_ignored = ignore_rule(options.exclude, finder)
    hinted, below = _hints(options.include, finder)
    roots = [_start(project.entry, finder), *hinted]
    traced = project.trace.modules
    everything = [*roots, *below, *traced, *cpython.ALWAYS, *cpython.BOOTSTRAP, *start]
    native = {**cpython.NATIVE_IMPORTS, **native_imports}
    if is_whole:
        everything += [*cpython.INTERPRETER, *finder.below("encodings")]
        everything += whole.roots(project, distributions)
        native = whole.with_packages(native, project)
    analyze = analyze_ahead(_with_mentions(analyze), finder.locate, why_ignored, native)
    graph = build_graph(everything, finder.locate, analyze, native, why_ignored)
    for root in roots if has_files else (*roots, "__main__"):
        require_importable(root, graph, options.exclude)
    found = reachable(everything, graph, why_ignored)
    while is_whole:
        reached = graph.imports.keys() & found.names - given.keys()
        facts = {name: graph.imports[name] for name in reached}
        more = named.modules(facts, finder, project, distributions, words_of)
        more = {name for name in more if not why_ignored(name, Import(name), name)}
        if more <= found.names.union(everything):
            break
        everything += sorted(more)
        graph = build_graph(everything, finder.locate, analyze, native, why_ignored, graph)
        found = reachable(everything, graph, why_ignored)
    first = {maker for alias, maker in cpython.ALIASES.items() if alias in found.names}
    origins = {**graph.origins, "__main__": _main(project.entry, first)}
    kinds = {name: origins[name].kind for name in found.names}
    code_kinds = {"source"} if has_files else {"source", "namespace"}
    always = {name for name in cpython.BUILTINS_ALWAYS if name in python.runtime.builtins}
    extensions = [e for d in distributions for e in d.extensions if e.module in found.names]
    return Selection(
        modules={
            name: _text("", "<namespace>", is_package=True)
            if kinds[name] == "namespace"
            else origins[name]
            for name in sorted(found.names)
            if kinds[name] in code_kinds
        },
        builtins=tuple(sorted(always | {n for n, kind in kinds.items() if kind == "builtin"})),
        extensions=tuple(sorted(extensions, key=lambda extension: extension.module)),
        omitted=found.omitted,
        startup=startup([*cpython.ALWAYS, *cpython.BOOTSTRAP, *cpython.FROM_C, *start], graph),
        script=script_text(project.entry, first),
    )


def _path_lines(distributions: Iterable[Distribution]) -> dict[str, ModuleOrigin]:
    """Return the module of the lines of .pth files; nothing if there is no line."""
    source = path_files.source(distributions)
    return {path_files.MODULE: _text(source, "<path files>")} if source else {}


def _extended(stdlib: Path, place: str) -> dict[str, ModuleOrigin]:
    """Return the modules of the standard library that are extended for a static executable."""
    return {
        name: ModuleOrigin(
            "source", label=f"{place}{file}", text=(stdlib / file).read_text("utf-8") + more
        )
        for name, (file, more) in cpython.EXTENDED.items()
        if (stdlib / file).is_file()
    }


def _frozen_label(file: str) -> str:
    """Return the name by which tracebacks know the import system, to leave it out."""
    return f"<frozen {file.removesuffix('.py').replace('/', '.')}>"


def _main(entry: EntryPoint, first: Collection[str] = ()) -> ModuleOrigin:
    return _text(main_text(entry, first), "<main>")


def _start(entry: EntryPoint, finder: Finder) -> str:
    """Return the module that runs first: of a package without a function its ``__main__``."""
    inner = f"{entry.module}.__main__"
    return inner if not entry.function and finder.locate(inner) else entry.module


def _text(text: str, label: str, *, is_package: bool = False) -> ModuleOrigin:
    return ModuleOrigin("source", label=label, is_package=is_package, origin="project", text=text)


def _with_mentions(analyze: Analyze) -> Analyze:
    """Add the imports that follow from a mention of a name of interest."""

    def analyzed(origins: Mapping[str, ModuleOrigin]) -> Mapping[str, ModuleImports]:
        return {
            name: _enabled(found) if origins[name].origin != "stdlib" else found
            for name, found in analyze(origins).items()
        }

    return analyzed


def _enabled(found: ModuleImports) -> ModuleImports:
    more = tuple(
        Deferred((Import(module, kind="late"),))
        for name in found.mentions
        for module in cpython.ENABLED_BY_NAME[name]
    )
    return msgspec.structs.replace(found, imports=found.imports + more)


def require_importable(root: str, graph: ImportGraph, exclude: Iterable[str]) -> None:
    """Reject a program whose module *root* cannot be imported.

    Raises:
        ProjectError: naming the chain of imports that fails.
    """
    failure = import_failure(root, graph)
    if failure is None:
        return
    chain = " -> ".join(failure.chain)
    missing = failure.missing
    top = missing.partition(".")[0]
    if not missing:
        message = f"{chain}: {failure.error}"
        hint = "the program needs it to start: correct it, or catch what its import raises"
        if failure.error == NO_MODULE:
            hint = "is it spelled right, and is it in the project?" if chain == root else ""
    elif pattern := next((p for p in exclude if _matches(missing, p)), ""):
        message = f"{chain}: requires {missing}, which tool.onebin.exclude leaves out"
        hint = f"take {pattern} out of tool.onebin.exclude"
    elif top in NOT_IN_RUNTIME:
        library, hint = NOT_IN_RUNTIME[top]
        message = (
            f"{chain}: imports {missing}, which requires {library}: the static runtime does not "
            "include it"
        )
        importer = graph.origins.get(failure.chain[-1])
        if importer is not None and importer.origin == "dependency":
            hint = "its code needs it to start: choose a version, or a package, that does not"
    elif top in OTHER_PLATFORMS:
        message, hint = f"{chain}: requires {missing}, {OF_ANOTHER}", BEHIND_A_CONDITION
    elif top in graph.origins:
        module, _, name = missing.rpartition(".")
        message = f"{chain}: requires {name} of {module}, which has nothing of that name"
        hint = "is it spelled right, and in the version that is used?"
        if root == "__main__":
            message = f"entry point {module}:{name}: {module} has nothing of that name"
            hint = "name a function in project.scripts or tool.onebin.entry-point"
    else:
        message, hint = _in_no_dependency(chain, missing, top)
    raise ProjectError(message, hint=hint)


def _in_no_dependency(chain: str, missing: str, top: str) -> tuple[str, str]:
    """Return the message about *missing*, whose first part is *top*, and the hint."""
    if found := once_there(top):
        which, hint = found
        return f"{chain}: imports {missing}, which {which}", hint
    hint = f"add the distribution that has {top} to project.dependencies, and lock it"
    return f"{chain}: requires {missing}, which is in no dependency", hint


def ignore_rule(exclude: Iterable[str], finder: Finder) -> WhyIgnored:
    """Return the rule of which imports are not followed: excluded ones, and CPython's tooling."""

    def why_ignored(importer: str, statement: Import, target: str) -> str:
        if any(_matches(target, pattern) for pattern in exclude):
            return EXCLUDED
        if statement.kind == "hard" or finder.owner(importer) != "stdlib":
            return ""
        top = target.partition(".")[0]
        own = importer.partition(".")[0]
        if statement.kind == "late" and top in cpython.TOOLING and top != own:
            return TOOLING
        edges = cpython.TOOLING_EDGES.get(importer, ())
        is_tooling = any(target == edge or target.startswith(f"{edge}.") for edge in edges)
        return TOOLING if is_tooling else ""

    return why_ignored


def _matches(name: str, pattern: str) -> bool:
    return fnmatchcase(name, pattern) or name.startswith(f"{pattern}.")


def _hints(include: Iterable[str], finder: Finder) -> tuple[list[str], list[str]]:
    """Return the modules named, and those found below a ``pkg.*``.

    A named module must exist; of those a pattern finds, some may not fit this platform.
    """
    named, below = [], []
    for pattern in include:
        name = pattern.removesuffix(".*")
        named.append(name)
        if name != pattern:
            below += finder.below(name)
    return named, below
