"""Choose versions for a project's dependencies; resolving is pip's work."""

import hashlib
from collections.abc import Container, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
from packaging.utils import canonicalize_name

from onebin import requirement
from onebin.effects import files, index, versions, wheel_tags
from onebin.effects.atomic import replace_atomically
from onebin.effects.context import Context
from onebin.errors import ObstaclesError, ProjectError, joined
from onebin.model import Machine, Pin, Plan, Project, target_environment

from . import is_lock, needs, requirements, unused, uv_sources


class Resolved(NamedTuple):
    """Versions for all dependencies, and those of them that no file fits."""

    pins: tuple[Pin, ...]
    without: dict[str, ProjectError]
    """By normalized name."""


class Chosen(NamedTuple):
    """Versions, as far as there are any."""

    lock: str
    """The text of the lock with them."""
    dependencies: tuple[str, ...]
    """Those of the project that have some."""
    faults: tuple[ProjectError, ...]
    """Of the others."""


def _tell_unused(project: Project, ctx: Context) -> None:
    """Warn of settings and locks of other tools that do not count."""
    if project.sources_elsewhere is None and not project.options.lock:  # a directory
        table = uv_sources.document(project.root)
        rules = unused.rules(table, "pyproject.toml")
        for line in (rules, unused.versions(project.root, is_lock)):
            if line:
                ctx.progress.warn(line)


def resolve(project: Project, machine: Machine, pythons: Sequence[str], ctx: Context) -> Resolved:
    """Choose versions for the first of *pythons* for which there are any.

    Raises:
        ProjectError: that of the first; or see ``_resolve``.
    """
    unresolved: list[versions.UnresolvedError] = []
    for python in pythons:
        try:
            found = _resolve(project, machine, python, ctx)
        except versions.UnresolvedError as exc:
            unresolved.append(exc)
            continue
        if unresolved:
            ctx.progress.warn(f"Python {python}: versions are for it, since {unresolved[0]}")
        return found
    raise unresolved[0]


def _resolve(project: Project, machine: Machine, python: str, ctx: Context) -> Resolved:
    """Choose versions, each with the hashes of the files that may be used.

    That is the pure-Python wheel or the source; both if pip would install compiled code, which
    is built from the source where that can be.

    Args:
        project: Its dependencies and ``from-source``.
        machine: The target's processor.
        python: The target's Python, ``3.13``.
        ctx: The effects.

    Raises:
        ProjectError: a dependency is malformed, has no version that fits, or is not from an index.
        ToolError: the index cannot be reached.
    """
    uv_sources.require_none(project)
    ctx.progress.report("the index chooses versions")
    with ctx.store.scratch() as scratch:
        choices = versions.resolve(
            project.dependencies, scratch, python=python, machine=machine, run=ctx.run
        )
    options = project.options
    pure = {canonicalize_name(name) for name in options.pure}
    found: list[Pin] = []
    without: dict[str, ProjectError] = {}
    for n, (pin, chosen, _) in enumerate(choices):
        ctx.progress.report(str(pin), done=n, total=len(choices))
        is_compiled = wheel_tags.is_compiled(chosen, python, machine)
        try:
            with ctx.store.scratch() as scratch:
                file = index.download(
                    pin, scratch, python=python, run=ctx.run, from_source=options.from_source
                )
                used = [file]
                if is_compiled and file.suffix == ".whl" and pin.name not in pure:
                    source = index.download_source(pin, scratch / "source", run=ctx.run)
                    used += [source] if source else []
                hashes = sorted(hashlib.sha256(item.read_bytes()).hexdigest() for item in used)
        except ProjectError as exc:
            without[pin.name] = exc
            continue
        hashed = tuple(f"sha256:{sha256}" for sha256 in hashes)
        found.append(msgspec.structs.replace(pin, hashes=hashed))
    direct = requirement.names_wanted(project.dependencies, target_environment(machine, python))
    edges = {item.pin.name: item.needs for item in choices}
    for name, fault in without.items():
        fault.hint = needs.hint(fault.hint, needs.path(name, direct, edges))
    return Resolved(tuple(found), without)


def chosen(project: Project, machine: Machine, pythons: Sequence[str], ctx: Context) -> Chosen:
    """Return the lock that a build would write now, as far as there are versions.

    Raises:
        ToolError: the index cannot be reached.
    """
    with ctx.progress.stage("lock") as result:
        found = _chosen(project, machine, pythons, ctx)
        result.summary = "chosen for this plan; not written"
    return found


def _chosen(project: Project, machine: Machine, pythons: Sequence[str], ctx: Context) -> Chosen:
    _tell_unused(project, ctx)
    faults: list[ProjectError] = []
    pins: tuple[Pin, ...] = ()
    left = project.dependencies
    while left or not faults:
        try:
            wanted = msgspec.structs.replace(project, dependencies=left)
            pins, without = resolve(wanted, machine, pythons, ctx)
        except ProjectError as exc:
            faults += exc.faults if isinstance(exc, ObstaclesError) else (exc,)
            left = _without(exc, left)
        else:
            faults += without.values()
            left = _others(left, without)
            break
    return Chosen(requirements.write(pins), left, tuple(faults))


def _without(fault: ProjectError, dependencies: tuple[str, ...]) -> tuple[str, ...]:
    """Return *dependencies* but those at fault; none if these are not known."""
    if not isinstance(fault, versions.UnresolvedError):
        return ()
    left = _others(dependencies, fault.names)
    return left if len(left) < len(dependencies) else ()


def _others(dependencies: tuple[str, ...], names: Container[str]) -> tuple[str, ...]:
    """Return *dependencies* but those with one of *names*."""
    given = [(text, requirement.parse(text, where="project.dependencies")) for text in dependencies]
    return tuple(text for text, parsed in given if canonicalize_name(parsed.name) not in names)


def _target(project: Project) -> Path:
    name = project.options.lock or requirements.WRITTEN
    if Path(name).is_relative_to(project.root):  # as --lock gives it
        name = str(Path(name).relative_to(project.root))
    if Path(name).suffix == ".toml" or Path(name).name in {"uv.lock", "poetry.lock"}:
        raise ProjectError(
            f"tool.onebin.lock: {name} is another tool's; expected a name for requirements",
            hint=f"name a file for what onebin chooses: onebin lock -o {requirements.WRITTEN}",
        )
    return files.to_write(project.root, name, where="tool.onebin.lock")


def write(
    project: Project,
    machine: Machine,
    pythons: Sequence[str],
    ctx: Context,
    output: Path | None = None,
) -> Path:
    """Choose versions and write the lock to *output*, else to the project's; return its path.

    Raises:
        ProjectError: a dependency has no version (``ObstaclesError``: several), or the project
            names a lock outside itself, and there is no *output*.
        ToolError: the index cannot be reached, or the file cannot be written.
    """
    target = output or _target(project)
    with ctx.progress.stage("lock") as result:
        found = _chosen(project, machine, pythons, ctx)
        if found.faults:
            raise joined(found.faults)
        with replace_atomically(target) as new:
            new.write_text(found.lock, "utf-8")
        result.summary = str(target)
    return target


def pin_build_requirements(plan: Plan, new: Iterable[Pin], ctx: Context) -> Plan:
    """Add *new* pins to the build lock that onebin writes, and return the plan with them.

    Raises:
        ToolError: the file cannot be written.
    """
    name = plan.written_build_lock
    added = sorted(set(new) - set(plan.build_pins))
    if not added:
        return plan
    pins = tuple(sorted({*plan.build_pins, *added}))
    target = files.to_write(plan.project.root, name, where=name)
    listed = ", ".join(f"{pin.name} {pin.version}" for pin in added)
    ctx.progress.warn(f"{name}: choosing and writing build requirements: {listed}")
    with replace_atomically(target) as written:
        written.write_text(requirements.write_build(pins), "utf-8")
    return msgspec.structs.replace(plan, build_pins=pins)
