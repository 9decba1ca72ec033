"""Project -> Plan: everything a build will do, decided as data."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec
from packaging.utils import canonicalize_name

from onebin import locks, requirement
from onebin.errors import ProjectError, joined
from onebin.inputs import start
from onebin.model import (
    RELEASES,
    Fault,
    Machine,
    Obstacle,
    Pin,
    Plan,
    Profile,
    Project,
    Release,
    Source,
    target_environment,
)
from onebin.runtime.sources import python_source, releases, zlib_beside

TOOLCHAIN: Final = "ziglang 0.17.1"
"""One pinned compiler with its own musl: the same bytes wherever the build runs."""

UNUSED_PROFILE: Final = "not used: it is of this machine's processor, and the platform has another"


def plan(
    project: Project,
    *,
    machine: Machine,
    build_machine: Machine | None = None,
    lock: str | None,
    lock_name: str = "",
    lock_reason: str = "",
    build_lock: str = "",
    written_build_lock: str = "",
    source: str = "",
    release: Release | None = None,
    profile: Profile | None = None,
    instrumented: bool = False,
) -> Plan:
    """Decide how *project* is built for *machine*.

    Args:
        project: The project.
        machine: The target's processor.
        build_machine: The processor that the build runs on; *machine* if absent.
        lock: The text of its lock file; None while there is none.
        lock_name: Its name, which decides its kind; that of ``tool.onebin.lock`` if empty.
        lock_reason: Why that one.
        build_lock: The text of the lock of build requirements; empty without one.
        written_build_lock: Its name, if onebin writes it.
        source: Where CPython's source is, instead of ``tool.onebin.python-source``.
        release: Which release of CPython, instead of the first that fits the project.
        profile: Its profile, if it has one.
        instrumented: Whether it is built to be trained: then without a profile.

    What the project must change is an obstacle where the rest can still be decided.

    Raises:
        ProjectError: a dependency, a lock or the setting python-source is malformed.
    """
    faults: list[ProjectError] = []
    try:
        python, series = python_of(project, source, release)
    except ProjectError as exc:
        # The rest is decided for another Python: every fault is reported at once.
        python, series = python_of(msgspec.structs.replace(project, requires_python=""), source)
        faults.append(exc)
    markers = target_environment(machine, python.version or series)
    entries: tuple[Pin | Obstacle, ...] = ()
    every: frozenset[str] = frozenset()
    lock_name = lock_name or project.options.lock or locks.WRITTEN
    if lock is None:
        requirement.wanted(project.dependencies, markers, where="project.dependencies")
    else:
        found = locks.read(lock_name, lock, Path(project.root, lock_name).parent)
        entries, every = found.pins(markers, locks.wanted_by(project)), found.names()
        faults += locks.missing(project, lock_name, entries, markers)
    itself = Pin(canonicalize_name(project.name), project.version, (), project.origin)
    own = (itself,) if project.origin else ()
    return Plan(
        project=project,
        machine=machine,
        build_machine=build_machine or machine,
        python=python,
        series=series,
        zlib=zlib_beside(python),
        toolchain=TOOLCHAIN,
        distributions=(*own, *_pins(entries)),
        lock=lock_name if lock else "",
        lock_reason=lock_reason,
        not_needed=tuple(sorted(every - {_name(item) for item in entries})),
        is_locked=lock is not None,
        obstacles=(
            *(Obstacle(itself, str(fault), fault.hint) for fault in faults),
            *(item for item in entries if isinstance(item, Obstacle)),
        ),
        build_pins=locks.build_pins(
            written_build_lock or project.options.build_lock, build_lock, markers
        ),
        written_build_lock=written_build_lock,
        profile=profile,
        instrumented=instrumented,
    )


def _pins(entries: Iterable[Pin | Obstacle]) -> tuple[Pin, ...]:
    return tuple(item for item in entries if isinstance(item, Pin))


def _name(entry: Pin | Obstacle) -> str:
    return entry.name if isinstance(entry, Pin) else entry.pin.name


def python_of(
    project: Project, source: str = "", release: Release | None = None
) -> tuple[Source, str]:
    """Return CPython's source for *project*, and its series; see ``plan`` for the arguments.

    Raises:
        ProjectError: no pinned release fits, or the setting python-source is malformed.
    """
    options = project.options
    release = release or releases(options.python, project.requires_python)[0]
    python = python_source(source or options.python_source, release)
    known = next((item for item in RELEASES if item.version == python.version), release)
    return python, known.series


def series_of(project: Project, source: str = "") -> tuple[str, ...]:
    """Return the series of CPython that *project* may have, the first choice first.

    Raises:
        ProjectError: see ``python_of``.
    """
    options = project.options
    if source or options.python_source:
        return (python_of(project, source)[1],)
    return tuple(
        dict.fromkeys(each.series for each in releases(options.python, project.requires_python))
    )


def other_releases(planned: Plan, source: str = "") -> tuple[Release, ...]:
    """Return the releases *planned* may have instead.

    None where the *source* is given, and where there are other obstacles.
    """
    options = planned.project.options
    if source or options.python_source or planned.obstacles:
        return ()
    return releases(options.python, planned.project.requires_python)[1:]


def require_no_obstacle(plan: Plan) -> None:
    """Refuse *plan* for all its obstacles at once.

    Raises:
        ProjectError: there is one; ``ObstaclesError`` if there are several.
    """
    found = [*plan.obstacles, *(item for item in plan.offers if isinstance(item, Obstacle))]
    if found:
        raise joined([ProjectError(item.reason, hint=item.hint) for item in found])


def require_start(project: Project) -> Project:
    """Return *project*, which has a start.

    Raises:
        ProjectError: it has none.
    """
    if fault := project.start_fault:
        raise ProjectError(fault.reason, hint=fault.hint)
    return project


def with_start(plan: Plan) -> Plan:
    """Return *plan* with the obstacle that its start is, if it is one."""
    project = plan.project
    fault = project.start_fault
    if fault is None and (wrong := start.fault(project.code, project.entry)):
        fault = Fault(str(wrong), wrong.hint)
    if fault is None:
        return plan
    own = Pin(canonicalize_name(project.name), project.version, ())
    obstacle = Obstacle(own, fault.reason, fault.hint)
    return msgspec.structs.replace(plan, obstacles=(obstacle, *plan.obstacles))


def provenance(planned: Plan) -> str:
    """Return the provenance of a profile of *planned*: compiler, source, processor, level."""
    python = planned.python.version or planned.python.sha256[:12] or planned.python.origin
    level = planned.project.options.optimize
    return f"{planned.toolchain}, CPython {python}, {planned.machine}, {level}"
