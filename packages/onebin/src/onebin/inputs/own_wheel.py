"""A project's own wheel, built by its back end, where its folders alone do not show its contents.

The back end runs on this machine, in a copy of the project, with the requirements it names and
no setting of the caller. Sources: PEP 517, PEP 518.
"""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any, Final

import msgspec

from onebin.effects import files
from onebin.effects.context import Context
from onebin.errors import ProjectError
from onebin.model import Project
from onebin.requirement import shown

from . import wheel
from .back_end import BuildSystem, OwnWheel, copy_of
from .given import Given
from .options import read_options
from .values import table_of

BACK_END: Final = re.compile(r"[A-Za-z_][\w.]*(:[A-Za-z_][\w.]*)?", re.ASCII)

LAYOUT: Final[Mapping[str, frozenset[str]]] = {
    "setuptools": frozenset(
        {"packages", "package-dir", "py-modules", "package-data", "ext-modules", "cmdclass"}
    ),
    "poetry": frozenset({"packages", "include", "exclude", "build"}),
    "pdm": frozenset({"build", "version"}),
    "flit": frozenset({"module", "external-data"}),
    "uv": frozenset({"build-backend"}),
}
"""Tables of ``[tool]`` with the keys that decide the contents of a wheel."""


def document(root: Path) -> dict[str, Any]:
    """Return the contents of the ``pyproject.toml`` in *root*.

    Raises:
        ProjectError: there is none, or it cannot be read.
    """
    file = root / "pyproject.toml"
    try:
        return tomllib.loads(files.read_text(file))
    except FileNotFoundError as exc:
        raise ProjectError(
            f"{root}: no pyproject.toml there",
            hint="name the directory of a Python project, as in: onebin build packages/service",
        ) from exc
    except OSError as exc:
        raise ProjectError(f"{file}: cannot be read: {exc.strerror}") from exc
    # Brackets nested a thousand times end in the second.
    except (ValueError, RecursionError) as exc:
        raise ProjectError(f"{file}: not TOML: {shown(str(exc))}") from exc


def project(root: Path, given: Given, ctx: Context) -> Project | None:
    """Return the project in *root* as its own wheel has it; None if its folders will do.

    Raises:
        ProjectError: a setting is malformed; its wheel has compiled code.
        ToolError: its back end fails.
    """
    legacy = [name for name in ("setup.py", "setup.cfg") if (root / name).is_file()]
    is_old = bool(legacy) and not (root / "pyproject.toml").exists()
    table = {} if is_old else document(root)
    tool = table_of(table, "tool")
    resolved, file = root.resolve(), f"{root}/pyproject.toml"
    here = Path.cwd().resolve()
    workspace = here if resolved.is_relative_to(here) else None
    options = read_options(resolved, tool.get("onebin", {}), workspace, file)
    if options.source or not (reason := _reason(table, resolved, is_old=is_old)):
        return None
    system = _system(table, resolved, file)
    build_lock = (resolved / options.build_lock).resolve() if options.build_lock else None
    with ctx.progress.stage("own wheel") as stage, ctx.store.scratch() as scratch:
        top = _top(resolved)
        digest = copy_of(top, scratch / "source")
        source = scratch / "source" / resolved.relative_to(top)
        step = OwnWheel(
            source=source, digest=digest, system=system, name=resolved.name, build_lock=build_lock
        )
        made = ctx.build(step)
        stage.summary = f"{made.wheel.name} ({reason})"
        if made.unpinned:
            ctx.progress.warn(
                f"{resolved.name}: built with what no lock pins: {', '.join(made.unpinned)}"
            )
    found = wheel.of_file(made.wheel, given, ctx, options)
    return msgspec.structs.replace(found, root=resolved)


def _top(root: Path) -> Path:
    """Return the directory that the back end needs a copy of.

    It is the repository around the project if the settings name something above: a version from
    its tags, a file that several projects share.
    """
    names = ("pyproject.toml", "setup.py", "setup.cfg")
    texts = [files.read_text(root / name) for name in names if (root / name).is_file()]
    if not any(".." in text or "search_parent_directories" in text for text in texts):
        return root
    return next((folder for folder in (root, *root.parents) if (folder / ".git").exists()), root)


def _reason(table: Mapping[str, Any], root: Path, *, is_old: bool) -> str:
    """Return why the wheel is needed; empty if it is not."""
    metadata = table.get("project")
    has_setup = (root / "setup.py").is_file()
    if is_old or (has_setup and ("build-system" in table or metadata is None)):
        return "setup.py"
    if "build-system" not in table:
        return ""  # nothing builds it: its folders are the project
    if not isinstance(metadata, dict) or "name" not in metadata:
        return "metadata of its back end"
    if metadata.get("dynamic"):
        return f"dynamic {', '.join(map(str, metadata['dynamic']))}"
    return _layout(table_of(table, "tool"))


def _layout(tools: Mapping[str, Any]) -> str:
    """Return the setting that decides the contents of the wheel; empty without one."""
    for name, keys in LAYOUT.items():
        value = tools.get(name, {})
        if isinstance(value, dict) and (found := sorted(keys & set(value))):
            return f"tool.{name}.{found[0]}"
    hatch = tools.get("hatch", {})
    build = hatch.get("build", {}) if isinstance(hatch, dict) else {}
    targets = build.get("targets", {}) if isinstance(build, dict) else {}
    decides = set(build) - {"targets"} or (isinstance(targets, dict) and "wheel" in targets)
    return "tool.hatch.build" if decides else ""


def _system(table: Mapping[str, Any], root: Path, file: str) -> BuildSystem:
    try:
        # PEP 517 gives the default: a project with setup.py alone.
        system = msgspec.convert(table.get("build-system", {}), BuildSystem)
    except msgspec.ValidationError as exc:
        raise ProjectError(f"{file}: build-system: {shown(str(exc))}") from exc
    if not BACK_END.fullmatch(system.build_backend):
        raise ProjectError(
            f"{file}: build-backend {shown(system.build_backend)} is not an object's name"
        )
    for folder in system.backend_path:
        if folder != ".":
            files.inside(root, str(PurePosixPath(folder)), where="build-system.backend-path")
    return system
