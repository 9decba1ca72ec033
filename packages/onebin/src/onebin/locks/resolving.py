"""Choose versions for a project's dependencies; resolving is pip's work."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

import msgspec

from onebin.effects import files, index
from onebin.effects.atomic import replace_atomically
from onebin.effects.context import Context
from onebin.errors import ProjectError
from onebin.model import Machine, Pin, Plan, Project

from . import requirements


def resolve(project: Project, machine: Machine, python: str, ctx: Context) -> tuple[Pin, ...]:
    """Choose versions, each with the hash of the very file that will be used.

    Args:
        project: Its dependencies and ``from-source``.
        machine: The target's processor.
        python: The target's Python, ``3.13``.
        ctx: The effects.

    Raises:
        ProjectError: a dependency is malformed, or has no version or file that fits.
        ToolError: the index cannot be reached.
    """
    with ctx.store.scratch() as scratch:
        pins = index.resolve(
            project.dependencies, scratch, python=python, machine=machine, run=ctx.run
        )
    found = []
    for n, pin in enumerate(pins):
        ctx.progress.report(str(pin), done=n, total=len(pins))
        with ctx.store.scratch() as scratch:
            from_source = project.options.from_source
            file = index.download(pin, scratch, python=python, run=ctx.run, from_source=from_source)
            sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
        found.append(msgspec.structs.replace(pin, hashes=(f"sha256:{sha256}",)))
    return tuple(found)


def _target(project: Project) -> Path:
    name = project.options.lock or requirements.WRITTEN
    if Path(name).suffix == ".toml" or Path(name).name in {"uv.lock", "poetry.lock"}:
        raise ProjectError(
            f"tool.onebin.lock: {name} is another tool's; expected a name for requirements",
            hint=f"name a file for what onebin chooses: onebin lock -o {requirements.WRITTEN}",
        )
    return files.to_write(project.root, name, where="tool.onebin.lock")


def write(
    project: Project, machine: Machine, python: str, ctx: Context, output: Path | None = None
) -> Path:
    """Choose versions and write the lock to *output*, else to the project's; return its path.

    Raises:
        ProjectError: the project names a lock outside itself, and there is no *output*.
        ToolError: the index cannot be reached, or the file cannot be written.
    """
    target = output or _target(project)
    with ctx.progress.stage("lock") as result:
        text = requirements.write(resolve(project, machine, python, ctx))
        with replace_atomically(target) as new:
            new.write_text(text, "utf-8")
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
