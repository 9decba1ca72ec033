"""Project -> Plan with all that is known of it before anything is compiled.

Its lock or the versions that one would have, how each distribution comes in, the release of
CPython for which all of them do, imports that nothing provides.
"""

from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec
from packaging.utils import canonicalize_name

from onebin import distributions, locks, planning, project_files, requirement
from onebin.distributions import needed_by
from onebin.distributions.modules import Modules, is_like
from onebin.effects.index import UnreachableError
from onebin.errors import ProjectError
from onebin.inputs import absent
from onebin.locks import resolving
from onebin.model import Obstacle, Pin, Plan, Project, Release, target_environment
from onebin.tools import Tools


def make_plan(
    project: Project, tools: Tools, *, instrumented: bool = False, release: Release | None = None
) -> Plan:
    """Decide how *project* is built; nothing is written but the cache.

    *release* is CPython's; without it the first that fits the project.

    Raises:
        ProjectError: a setting, a lock or the profile is malformed.
    """
    return _plan_with(project, tools, project_files.lock_of(project), instrumented, release)


def plan_whole(project: Project, tools: Tools) -> Plan:
    """Decide all of a build; without a lock for the versions that one would have now.

    Nothing is written but the cache. Where no index can be reached, less is known.

    Raises:
        ProjectError: a setting, a lock or the profile is malformed.
    """
    with tools.context.progress.stage("plan") as stage:
        plan = planning.with_start(_whole(project, tools))
        stage.summary = f"{project.name} {project.version}, {len(plan.distributions)} dependencies"
    return plan


def _whole(project: Project, tools: Tools) -> Plan:
    plan = make_plan(project, tools)
    if plan.is_locked or plan.obstacles:
        return with_offers(plan, tools)
    try:
        series = planning.series_of(project, tools.python_source)
        found = resolving.chosen(project, tools.target, series, tools.context)
        if found.faults:
            return _partial(plan, found, tools)
    except UnreachableError as exc:
        return _unknown(plan, exc)
    lock = project_files.LockFile(project.options.lock or locks.WRITTEN, found.lock)
    decided = with_offers(_plan_with(project, tools, lock), tools, lock)
    return msgspec.structs.replace(decided, is_locked=False)


def _partial(plan: Plan, found: resolving.Chosen, tools: Tools) -> Plan:
    """Return *plan* with all that is known where a dependency has no version: each at once."""
    project = plan.project
    faults = _obstacles(project, found.faults)
    lock = project_files.LockFile(project.options.lock or locks.WRITTEN, found.lock)
    left = msgspec.structs.replace(project, dependencies=found.dependencies)
    try:
        decided = _offered(_plan_with(left, tools, lock), tools, may_lack=absent.may_have)
    except ProjectError:  # of a setting for a dependency that has no version
        return msgspec.structs.replace(plan, obstacles=faults)
    obstacles = (*faults, *decided.obstacles)
    return msgspec.structs.replace(
        decided, project=project, obstacles=obstacles, is_locked=False, lock=plan.lock
    )


def _plan_with(
    project: Project,
    tools: Tools,
    lock: project_files.LockFile | None,
    instrumented: bool = False,  # noqa: FBT001, FBT002  (as make_plan has it)
    release: Release | None = None,
) -> Plan:
    ctx = tools.context
    if not project.is_whole:
        project = msgspec.structs.replace(project, trace=project_files.trace_of(project))
    profile = None if instrumented else project_files.profile_of(project)
    build_lock, options = project_files.build_lock_of(project), project.options
    is_own = bool(options.build_lock or options.allow_unpinned_build_requirements)
    plan = planning.plan(
        project,
        machine=tools.target,
        build_machine=tools.machine,
        lock=None if lock is None else lock.text,
        lock_name=lock.name if lock else "",
        lock_reason=lock.reason if lock else "",
        build_lock=build_lock.text,
        written_build_lock="" if is_own else build_lock.name,
        source=tools.python_source,
        release=release,
        profile=profile,
        instrumented=instrumented,
    )
    source = plan.python
    if not source.sha256 and not Path(source.origin).is_dir():
        raise ProjectError(
            f"tool.onebin.python-source: {source.origin}: not a directory, and without a checksum",
            hint="write it behind the file's path: #sha256=<64 hex digits>",
        )
    if profile and plan.is_cross:
        ctx.progress.warn(f"{profile.path}: {planning.UNUSED_PROFILE}")
    elif profile and profile.made_by != (now := planning.provenance(plan)):
        ctx.progress.warn(
            f"{profile.path}: made with {profile.made_by}; this is {now}: what differs is built "
            "without it. Make it again with: onebin train"
        )
    return plan


def with_offers(plan: Plan, tools: Tools, lock: project_files.LockFile | None = None) -> Plan:
    """Return *plan* with how each distribution comes in; without, if no index can be reached.

    *lock* is the one it was made with, if that is not the project's.

    Raises:
        ProjectError: ``tool.onebin.from-source`` names something that is not a dependency.
    """
    try:
        found = _offered(plan, tools)
        first = _obstacle(found)
        if first is None:
            return found
        stopped = {item.pin.name for item in found.offers if isinstance(item, Obstacle)}
        for release in planning.other_releases(plan, tools.python_source):
            project = plan.project
            again = _plan_with(
                project, tools, lock or project_files.lock_of(project), plan.instrumented, release
            )
            # Most obstacles are the same for every release: the first one decides.
            if any(
                isinstance(item, Obstacle)
                for pin in again.distributions
                if pin.name in stopped
                for item in distributions.offers_of((pin,), again, again.series, tools.context)
            ):
                continue
            other = _offered(again, tools)
            if _obstacle(other) is None:
                tools.context.progress.warn(
                    f"CPython {release.version}: chosen instead of {plan.python.version}, "
                    f"for which {first.pin} cannot be built: {first.reason}"
                )
                return other
    except UnreachableError as exc:
        return _unknown(plan, exc)
    return found


def _offered(plan: Plan, tools: Tools, may_lack: Callable[[str], bool] = lambda _: False) -> Plan:
    """Return *plan* with its offers, and with the imports that nothing of them provides.

    *may_lack*: whether a distribution that is not among them may have a module.
    """
    ctx, project = tools.context, plan.project
    environment = target_environment(plan.machine, plan.python.version or plan.series)
    direct = requirement.names_wanted(project.dependencies, environment)
    offers = distributions.offers(plan, plan.series, ctx)
    offers = needed_by.with_path(offers, direct, environment, plan.series, ctx)
    found: list[absent.Absent] = []
    starts: ProjectError | None = None
    if plan.is_locked:
        modules = Modules(offers, plan.series, ctx)
        # Of a wheel they name its extras as well, wanted or not.
        names = requirement.names_wanted(project.dependencies, environment, of_extras=False)

        def is_known(module: str) -> bool:
            # What a lock lacks is a fault of the lock alone.
            is_dependency = any(is_like(name, module) for name in names)
            return is_dependency or modules.may_have(module) or may_lack(module)

        read = (project.code, project.entry, plan.series, is_known)
        if not project.start_fault:
            found = absent.absent(*read)
            # Else a folder, which may have no code yet: prepare.
            starts = absent.start(*read) if project.code != project.root else None
    is_script = project.sources_elsewhere is not None
    beside = absent.modules_of(project.root) if found and is_script else []
    faults = [absent.fault(item, absent.modules_of(project.code), beside) for item in found]
    faults += [starts] if starts else []
    obstacles = (*plan.obstacles, *_obstacles(project, faults))
    return msgspec.structs.replace(plan, offers=offers, obstacles=obstacles)


def _unknown(plan: Plan, exc: UnreachableError) -> Plan:
    return msgspec.structs.replace(plan, unknown=str(exc), unknown_hint=exc.hint)


def _obstacles(project: Project, faults: Iterable[ProjectError]) -> tuple[Obstacle, ...]:
    """Return *faults* of the project as obstacles of its plan."""
    own = Pin(canonicalize_name(project.name), project.version, ())
    return tuple(Obstacle(own, str(item), item.hint) for item in faults)


def _obstacle(plan: Plan) -> Obstacle | None:
    return next((item for item in plan.offers if isinstance(item, Obstacle)), None)
