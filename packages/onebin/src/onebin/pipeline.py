"""The steps of a build in order; each is a value, and its own module makes it."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from onebin import (
    assemble,
    decide,
    distributions,
    freezing,
    locks,
    native,
    notices,
    parts,
    planning,
    project_files,
    terminal,
)
from onebin.distributions.time_zones import TimeZones
from onebin.effects.cached import NotCachedError, ReadStore
from onebin.effects.context import Context
from onebin.effects.progress import Progress
from onebin.freezing import Frozen
from onebin.image.bill import Bill
from onebin.image.image import Image
from onebin.link.linker import LinkedProgram
from onebin.locks import resolving
from onebin.materials import KeptBill, Parts, bill
from onebin.model import (
    Binary,
    BuiltLibrary,
    CPython,
    FrozenModule,
    OmittedModule,
    Plan,
    Project,
    Toolchain,
)
from onebin.parts import Prepared
from onebin.pruning import Pruning, compare
from onebin.runtime import build as runtime
from onebin.runtime import intact
from onebin.runtime.recipe import recipe
from onebin.runtime.toolchain import toolchain
from onebin.tools import Tools


class BuildResult(msgspec.Struct, frozen=True):
    """A finished executable, with what led to it."""

    plan: Plan
    binary: Binary
    modules: tuple[FrozenModule, ...]
    omitted: tuple[OmittedModule, ...]
    """Modules that some import names, and that are not in the executable."""
    libraries: tuple[BuiltLibrary, ...]
    """C libraries that are linked in, each with its license and its source."""
    bill: Bill
    """All that the executable is made of."""


def ensure_lock(project: Project, tools: Tools) -> None:
    """Write the project's ``onebin.lock`` if it is needed and missing.

    Raises:
        ProjectError: the lock has another name; or see ``locks.resolving.write``.
    """
    if project_files.lock_of(project) is None:
        planning.require_start(project)
        tools.context.progress.warn(
            f"{project.options.lock or locks.WRITTEN}: missing; choosing versions and writing it"
        )
        write_lock(project, tools)


def write_lock(project: Project, tools: Tools, output: Path | None = None) -> Path:
    """Choose versions and write the lock; see ``locks.resolving.write``."""
    series = planning.series_of(project, tools.python_source)
    return resolving.write(project, tools.target, series, tools.context, output)


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
        plan = planning.with_start(decide.with_offers(plan, tools))
        planning.require_no_obstacle(plan)
        count = len(plan.distributions)
        of_lock = f" of {plan.lock}" if plan.lock else ""
        why = f" ({plan.lock_reason})" if plan.lock_reason else ""
        stage.summary = f"{project.name} {project.version}, {count} dependencies{of_lock}{why}"
    plan = resolving.pin_build_requirements(plan, plan.new_build_pins, ctx)
    return _made(plan, ctx)


def _made(plan: Plan, ctx: Context, *, may_pin: bool = True) -> Prepared:
    """Make the parts of *plan*; *may_pin* lets the build lock that onebin writes grow.

    For another processor they are made for this one first. Its interpreter compiles and runs build
    back ends, and loads the C extensions once: nothing of the target runs here.
    """
    here = None
    if plan.is_cross:
        here = _made(
            msgspec.structs.replace(plan, machine=plan.build_machine), ctx, may_pin=may_pin
        )
        # Written to a lock by now, if it has to be.
        plan = msgspec.structs.replace(plan, build_pins=here.plan.build_pins, profile=None)
    with ctx.progress.stage("toolchain") as stage:
        compiler = _toolchain(plan, ctx)
        stage.summary = plan.toolchain + (f", for {plan.machine}" if here else "")
    with intact.in_use(plan.toolchain, plan.build_machine, compiler, ctx):
        return _compiled(plan, compiler, here, ctx, may_pin=may_pin)


def _compiled(
    plan: Plan, compiler: Toolchain, here: Prepared | None, ctx: Context, *, may_pin: bool
) -> Prepared:
    project = plan.project
    with ctx.progress.stage("runtime") as stage:
        settings = recipe(project.options.optimize, has_docs=project.is_whole)
        step = runtime.BuildCPython(
            plan.python, plan.zlib, settings, compiler, plan.machine,
            here.python.interpreter if here else None,
        )  # fmt: skip
        python = ctx.build(step)
        if here:
            python = msgspec.structs.replace(python, compiling=here.python.compiling)
        else:
            python = native.compiling(python, compiler, ctx)
        version = plan.python.version or python.interpreter.version
        stage.summary = f"CPython {version}, {_size(python.runtime.archives)}"
    with ctx.progress.stage("distributions") as stage:
        offers = plan.offers
        if not offers or plan.series != python.interpreter.version:
            offers = distributions.offers(plan, python.interpreter.version, ctx)
        make = _maker(plan, python, compiler, ctx, here)
        made = distributions.distributions(plan, offers, make, ctx)
        unpinned = {pin for one in made for pin in one.unpinned}
        if plan.written_build_lock and may_pin:
            plan = resolving.pin_build_requirements(plan, unpinned, ctx)
        else:
            notices.unpinned(made, ctx.progress)
        objects = [item.object for one in made for item in one.extensions]
        stage.summary = f"{len(objects)} C modules, {_size(objects)}"
    if here:
        native_imports = here.native_imports
    else:
        native_imports = native.probe(plan, python, made, compiler, ctx)
    return Prepared(plan, compiler, python, made, native_imports)


def _maker(
    plan: Plan, python: CPython, compiler: Toolchain, ctx: Context, here: Prepared | None
) -> distributions.MakeDistribution:
    """Return what makes distributions of *plan*; *here* has the parts for this machine."""
    runs = here or Prepared(plan, compiler, python, (), {})
    tools = _maker(here.plan, here.python, here.toolchain, ctx, None) if here else None
    return distributions.maker(
        plan, python, compiler,
        lambda names: native.libraries(plan, names, compiler, ctx),
        native.build_interpreter(runs.python, runs.toolchain, ctx),
        ctx, tools,
    )  # fmt: skip


def build(project: Project, tools: Tools, *, instrumented: bool = False) -> BuildResult:
    """Make the executable of *project*.

    Raises:
        ProjectError: the project must change.
        ToolError: the machine must change.
    """
    ready = prepare(project, tools, instrumented=instrumented)
    plan, ctx = ready.plan, tools.context
    with (
        project_files.readable(project),
        intact.in_use(plan.toolchain, plan.build_machine, ready.toolchain, ctx),
    ):
        return _built(ready, ctx)


def _built(ready: Prepared, ctx: Context) -> BuildResult:
    project = ready.plan.project
    with ctx.progress.stage("freeze") as stage:
        frozen_parts = freezing.freeze(
            project, ready.python, ready.distributions, ready.native_imports, ctx
        )
        selection, modules = frozen_parts.selection, frozen_parts.modules
        size = terminal.size(sum(module.size for module in modules))
        notices.omitted(selection.omitted, ctx.progress)
        if not project.is_whole:
            notices.computed(project, selection, modules, ctx.progress)
            notices.gone(
                project.trace, selection, frozen_parts.files, ready.python.interpreter.version,
                ctx.progress,
            )  # fmt: skip
        stage.summary = f"{len(modules)} modules, {size}; {len(selection.omitted)} imports left out"
    libraries = parts.libraries(ready, selection.builtins, ctx)
    with ctx.progress.stage("link") as stage:
        linked_parts = parts.together(ready, frozen_parts, libraries, ctx)
        linked = LinkedProgram(project.name, linked_parts, ready.toolchain, ready.plan.machine)
        binary = ctx.build(linked)
        stage.summary = f"{binary.name}, {terminal.size(binary.size)}"
    of_extensions = (item for one in selection.extensions for item in one.built)
    of_modules = (item for module in libraries for item in module.libraries)
    linked_in = tuple({item.key: item for item in (*of_modules, *of_extensions)}.values())
    made_of = Parts(ready.plan, ready.python.runtime, ready.toolchain, frozen_parts, linked_in)
    found = bill(made_of, binary)
    ctx.build(KeptBill(binary.sha256, found))
    return BuildResult(ready.plan, binary, modules, selection.omitted, linked_in, found)


def frozen_of(project: Project, tools: Tools) -> Frozen:
    """Return the Python part of the executable of *project*, without linking it."""
    ready = prepare(project, tools)
    return freezing.freeze(
        ready.plan.project, ready.python, ready.distributions, ready.native_imports, tools.context
    )


def pruning(plan: Plan, tools: Tools) -> Pruning | None:
    """Return what pruning saves and risks; None until CPython and the dependencies are built.

    Modules are compiled for it, and the cache keeps them; the project is only read.

    Raises:
        ProjectError: the program cannot start.
    """
    if not plan.is_locked or plan.new_build_pins:
        return None
    ctx = tools.context
    store = ReadStore(
        ctx.store.root,
        lambda step: (
            isinstance(step, TimeZones)
            or step.kind in {"frozen", "selected", "module", "files", "settings", "installed"}
        ),
    )
    reading = Context(ctx.run, store, Progress.silent())
    with ctx.progress.stage("pruning") as stage:
        try:
            ready = _made(plan, reading, may_pin=False)
        except NotCachedError:
            stage.summary = "not known before CPython and the dependencies are built"
            return None
        with project_files.readable(plan.project):
            found = compare(
                plan.project, ready.python, ready.distributions, ready.native_imports, reading
            )
        stage.summary = f"{found.whole.modules} modules, {len(found.risks)} risks"
    return found


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


def _toolchain(plan: Plan, ctx: Context) -> Toolchain:
    profile = None
    if plan.profile:
        from onebin.pgo.training import IndexedProfile  # noqa: PLC0415  (only for projects with one)

        profile = ctx.build(IndexedProfile(plan.profile)), plan.profile.sha256
    return toolchain(
        plan.toolchain, plan.machine, ctx,
        build_machine=plan.build_machine, profile=profile, instrumented=plan.instrumented,
    )  # fmt: skip


def _size(paths: Sequence[Path]) -> str:
    return terminal.size(sum(file.stat().st_size for file in paths))
