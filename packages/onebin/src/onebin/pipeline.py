"""The steps of a build in order; each is a value, and its own module makes it."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import msgspec

from onebin import (
    assemble,
    decide,
    distributions,
    locks,
    native,
    notices,
    planning,
    project_files,
    terminal,
)
from onebin.distributions import install, time_zones
from onebin.effects.context import Context
from onebin.embed import files, frozen, program
from onebin.embed.compile import CompileOptions, compile_modules
from onebin.image.image import Image
from onebin.link.linker import LinkedProgram
from onebin.locks import resolving
from onebin.model import (
    Binary,
    BuiltLibrary,
    BuiltModule,
    CPython,
    Distribution,
    FrozenModule,
    LinkInput,
    ModuleImports,
    ModuleOrigin,
    OmittedModule,
    Plan,
    Project,
    Toolchain,
)
from onebin.runtime import build as runtime
from onebin.runtime import modules as library_modules
from onebin.runtime.recipe import recipe
from onebin.runtime.toolchain import toolchain
from onebin.selection import contents
from onebin.selection.named import SettingsWords
from onebin.selection.selector import NAMES_OF_INTEREST, Selection, select
from onebin.tools import Tools


class Prepared(msgspec.Struct, frozen=True):
    """All parts of a build that do not depend on the project's own code."""

    plan: Plan
    toolchain: Toolchain
    python: CPython
    distributions: tuple[Distribution, ...]
    native_imports: dict[str, tuple[str, ...]]
    """What each C extension imports when it is loaded."""


class BuildResult(msgspec.Struct, frozen=True):
    """A finished executable, with what led to it."""

    plan: Plan
    binary: Binary
    modules: tuple[FrozenModule, ...]
    omitted: tuple[OmittedModule, ...]
    """Modules that some import names, and that are not in the executable."""
    libraries: tuple[BuiltLibrary, ...] = ()
    """C libraries that are linked in, each with its license and its source."""


def ensure_lock(project: Project, tools: Tools) -> None:
    """Write the project's ``onebin.lock`` if it is needed and missing.

    Raises:
        ProjectError: the lock has another name; or see ``locks.resolving.write``.
    """
    if project_files.lock_of(project) is None:
        tools.context.progress.warn(
            f"{project.options.lock or locks.WRITTEN}: missing; choosing versions and writing it"
        )
        write_lock(project, tools)


def write_lock(project: Project, tools: Tools, output: Path | None = None) -> Path:
    """Choose versions and write the lock; see ``locks.resolving.write``."""
    _, series = planning.python_of(project, tools.python_source)
    return resolving.write(project, tools.machine, series, tools.context, output)


def prepare(project: Project, tools: Tools, *, instrumented: bool = False) -> Prepared:
    """Make CPython and the dependencies of *project*.

    Raises:
        ProjectError: the project must change: its settings, a lock, a dependency.
        ToolError: the machine must change: a program, the network, the disk.
    """
    ctx = tools.context
    ensure_lock(project, tools)
    with ctx.progress.stage("plan") as stage:
        plan = decide.make_plan(project, tools, instrumented=instrumented)
        plan = decide.with_offers(plan, tools)
        planning.require_no_obstacle(plan)
        count = len(plan.distributions)
        of_lock = f" of {plan.lock}" if plan.lock else ""
        why = f" ({plan.lock_reason})" if plan.lock_reason else ""
        stage.summary = f"{project.name} {project.version}, {count} dependencies{of_lock}{why}"
    plan = resolving.pin_build_requirements(plan, plan.new_build_pins, ctx)
    with ctx.progress.stage("toolchain") as stage:
        compiler = _toolchain(plan, ctx)
        stage.summary = plan.toolchain
    with ctx.progress.stage("runtime") as stage:
        settings = recipe(project.options.optimize)
        step = runtime.BuildCPython(plan.python, plan.zlib, settings, compiler, plan.machine)
        python = ctx.build(step)
        version = plan.python.version or python.interpreter.version
        stage.summary = f"CPython {version}, {_size(python.runtime.archives)}"
    with ctx.progress.stage("distributions") as stage:
        offers = plan.offers
        if not offers or plan.series != python.interpreter.version:
            offers = distributions.offers(plan, python.interpreter.version, ctx)
        decided = plan
        made = distributions.distributions(
            plan, offers, python, compiler,
            lambda names: native.libraries(decided, names, compiler, ctx),
            native.build_interpreter(python, compiler, ctx), ctx,
        )  # fmt: skip
        unpinned = {pin for one in made for pin in one.unpinned}
        if plan.written_build_lock:
            plan = resolving.pin_build_requirements(plan, unpinned, ctx)
        else:
            notices.unpinned(made, ctx.progress)
        objects = [item.object for one in made for item in one.extensions]
        stage.summary = f"{len(objects)} C modules, {_size(objects)}"
    native_imports = native.probe(plan, python, made, compiler, ctx)
    return Prepared(plan, compiler, python, made, native_imports)


def build(project: Project, tools: Tools, *, instrumented: bool = False) -> BuildResult:
    """Make the executable of *project*.

    Raises:
        ProjectError: the project must change.
        ToolError: the machine must change.
    """
    ctx = tools.context
    ready = prepare(project, tools, instrumented=instrumented)
    with ctx.progress.stage("freeze") as stage:
        ready, selection, modules = _frozen(ready, ctx)
        size = terminal.size(sum(module.size for module in modules))
        notices.omitted(selection.omitted, ctx.progress)
        if not project.is_whole:
            notices.computed(project, selection, modules, ctx.progress)
        stage.summary = f"{len(modules)} modules, {size}; {len(selection.omitted)} imports left out"
    libraries = _libraries(ready, selection.builtins, ctx)
    with ctx.progress.stage("link") as stage:
        parts = _parts(ready, selection, modules, libraries, ctx)
        linked = LinkedProgram(project.name, parts, ready.toolchain, ready.plan.machine)
        binary = ctx.build(linked)
        stage.summary = f"{binary.name}, {terminal.size(binary.size)}"
    of_extensions = (item for one in selection.extensions for item in one.built)
    of_modules = (item for module in libraries for item in module.libraries)
    parts_of = {item.key: item for item in (*of_modules, *of_extensions)}
    return BuildResult(ready.plan, binary, modules, selection.omitted, (*parts_of.values(),))


def train(project: Project, tools: Tools, command: Sequence[str]) -> str:
    """Build *project* with counters, let *command* use it, and return the profile's text.

    Raises:
        ToolError: the command failed, or no process of the executable ended by itself.
    """
    from onebin.pgo import profile, training  # noqa: PLC0415  (only for training)

    built = build(project, tools, instrumented=True)
    with tools.context.progress.stage("train") as stage:
        kept, runs, count = training.run(built.binary, command, tools.context)
        stage.summary = f"{runs} runs, {len(kept)} of {count} functions matter"
    return profile.to_text(kept, planning.provenance(built.plan))


def image(built: BuildResult, tools: Tools, *, epoch: int) -> Image:
    """Make the image of a built executable, dated *epoch* (seconds, ``SOURCE_DATE_EPOCH``)."""
    with tools.context.progress.stage("assemble") as stage:
        project = built.plan.project
        made = assemble.assemble(
            built.binary,
            tools.context,
            metadata=assemble.metadata_of(project),
            settings=project.options.image,
            epoch=epoch,
        )
        compressed = sum(layer.descriptor.size for layer in made.layers)
        stage.summary = f"{made.digest[:19]}…, {terminal.size(compressed)} compressed"
    return made


def _libraries(ready: Prepared, builtins: Iterable[str], ctx: Context) -> tuple[BuiltModule, ...]:
    """Make those C modules of *builtins* that need a library, and the libraries."""
    python = ready.python.runtime
    names = [name for name in builtins if name in python.library_modules]
    if not names:
        return ()
    with ctx.progress.stage("libraries") as stage:
        made = native.library_modules(ready.plan, python, names, ctx)
        found = {library.name: library for module in made for library in module.libraries}
        versions = ", ".join(f"{item.name} {item.source.version}" for item in found.values())
        stage.summary = f"{versions} for {', '.join(names)}"
    return made


def _toolchain(plan: Plan, ctx: Context) -> Toolchain:
    profile = None
    if plan.profile:
        from onebin.pgo.training import IndexedProfile  # noqa: PLC0415  (only for projects with one)

        profile = ctx.build(IndexedProfile(plan.profile)), plan.profile.sha256
    return toolchain(
        plan.toolchain, plan.machine, ctx, profile=profile, instrumented=plan.instrumented
    )


def _frozen(ready: Prepared, ctx: Context) -> tuple[Prepared, Selection, tuple[FrozenModule, ...]]:
    """Select the modules of the executable, which takes compiling them, and return both.

    If they need the time zones, these are among the distributions returned.
    """
    project = ready.plan.project
    options = CompileOptions(
        ready.python.interpreter,
        asserts=project.options.asserts,
        docstrings=project.docstrings,
        columns=project.is_whole and project.options.sources,
        names_of_interest=NAMES_OF_INTEREST,
    )

    def analyze(origins: Mapping[str, ModuleOrigin]) -> Mapping[str, ModuleImports]:
        compiled = compile_modules(origins, options, ctx)
        return {name: module.imports for name, module in compiled.items()}

    def words_of(distribution: Distribution) -> frozenset[str]:
        return ctx.build(SettingsWords(distribution.code, distribution.key))

    def selected() -> Selection:
        return select(
            project, ready.python, ready.distributions, ready.native_imports, analyze, words_of
        )

    selection = selected()
    if project.is_whole and time_zones.are_missing(selection.modules):
        zones = time_zones.time_zones(ctx)
        ctx.progress.report(f"{zones.pin}: for zoneinfo")
        ready = msgspec.structs.replace(ready, distributions=(*ready.distributions, zones))
        selection = selected()
    return ready, selection, tuple(compile_modules(selection.modules, options, ctx).values())


def _parts(
    ready: Prepared,
    selection: Selection,
    modules: Sequence[FrozenModule],
    libraries: Sequence[BuiltModule],
    ctx: Context,
) -> LinkInput:
    """Return all parts of the executable; their order decides its layout."""
    counters = LinkInput()
    if ready.plan.instrumented:
        from onebin.pgo import training  # noqa: PLC0415  (only for training)

        counters = training.counters()
    project = ready.plan.project
    main, startup = program.main(), None
    if project.is_whole:
        startup = selection.startup
        inside = contents.files(
            project, ready.distributions, selection.modules, ready.python.interpreter.version,
            selection.script,
        )  # fmt: skip
        main = files.link_input(inside, modules, contents.script_path(project), ctx)
    return (
        main
        + program.allocator()
        + counters
        + program.held_signals(project.options.hold_signals)
        + program.environment(project.options.environment)
        + frozen.link_input(modules, startup)
        + install.link_input(selection.extensions)
        + runtime.link_input(ready.python.runtime, selection.builtins)
        + library_modules.link_input(libraries, ready.python.runtime, ready.toolchain)
        + native.cxx(selection.extensions, ready.toolchain, ctx)
    )


def _size(paths: Sequence[Path]) -> str:
    return terminal.size(sum(file.stat().st_size for file in paths))
