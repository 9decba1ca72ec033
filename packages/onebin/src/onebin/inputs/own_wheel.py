"""A project's own wheel, built by its back end: what the program is, and not what its folder has.

The back end runs on this machine, in a copy of the project, with the requirements it names and
no setting of the caller. Sources: PEP 517, PEP 518.
"""

import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, Final

import msgspec
from packaging.markers import default_environment

from onebin import locks
from onebin.effects import files, reuse, source_tree
from onebin.effects.context import Context
from onebin.errors import ProjectError
from onebin.locks import requirements
from onebin.model import Options, Origin, Pin, Project
from onebin.requirement import shown

from . import wheel, without_settings
from .back_end import ABOVE, SETTINGS, BuildSystem, Made, OwnWheel
from .given import Given
from .options import read_options
from .values import dynamic, table_of

BACK_END: Final = re.compile(r"[A-Za-z_][\w.]*(:[A-Za-z_][\w.]*)?", re.ASCII)

LAYOUT: Final[Mapping[str, frozenset[str]]] = {
    "setuptools": frozenset(
        {
            "packages",
            "package-dir",
            "py-modules",
            "package-data",
            "ext-modules",
            "cmdclass",
            "script-files",
        }
    ),
    "poetry": frozenset({"packages", "include", "exclude", "build"}),
    "pdm": frozenset({"build", "version"}),
    "flit": frozenset({"module", "external-data"}),
    "uv": frozenset({"build-backend"}),
}
"""Tables of ``[tool]`` with the keys that decide the contents of a wheel."""

PURE: Final = frozenset(
    {"setuptools", "hatchling", "flit_core", "poetry", "pdm", "uv_build", "flit", "whey"}
)
"""Back ends whose wheels, without such keys, have the packages that the folder shows."""


def document(root: Path) -> dict[str, Any]:
    """Return the contents of the ``pyproject.toml`` in *root*.

    Raises:
        ProjectError: there is none, or it cannot be read.
    """
    file = root / "pyproject.toml"
    try:
        return tomllib.loads(files.read_text(file))
    except FileNotFoundError as exc:
        raise without_settings.fault(root) from exc
    except NotADirectoryError as exc:
        raise ProjectError(
            f"{root}: neither a directory, nor a script (*.py), nor a wheel (*.whl)",
            hint=f"of Python code, copy it: cp {root} {root}.py",
        ) from exc
    except OSError as exc:
        raise ProjectError(f"{file}: cannot be read: {exc.strerror}") from exc
    # Brackets nested a thousand times end in the second.
    except (ValueError, RecursionError) as exc:
        raise ProjectError(f"{file}: not TOML: {shown(str(exc))}") from exc


def project(root: Path, given: Given, ctx: Context) -> Project | None:
    """Return the project in *root* as its own wheel has it; None if its folders will do.

    That is where nothing builds it, and where only the modules go in that imports reach.

    Raises:
        ProjectError: a setting is malformed; it has C code, and states no metadata.
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
    if options.source or not (reason := _reason(table, resolved, options, is_old=is_old)):
        return None
    system = _system(table, resolved, file)
    build_lock = (resolved / options.build_lock).resolve() if options.build_lock else None
    with ctx.progress.stage("own wheel") as stage:
        top, parts = needed(resolved)
        place = resolved.relative_to(top).as_posix()
        step = OwnWheel(
            source=top, parts=parts, place=place, digest=source_tree.digest(top, parts),
            system=system, name=resolved.name, build_lock=build_lock,
            build_pins=_build_pins(resolved, options),
        )  # fmt: skip
        made = reuse.build(step, ctx, lambda done: done.requires)
        what = made.wheel.name if made.wheel else f"none: it starts {made.compiler}"
        stage.summary = f"{what} ({reason})"
        unpinned = made.unpinned
        if options.allow_unpinned_build_requirements:
            unpinned += tuple(f"{pin.name}=={pin.version}" for pin in made.requires)
        if unpinned:
            ctx.progress.warn(
                f"{resolved.name}: built with what no lock pins: {', '.join(sorted(unpinned))}"
            )
    if made.wheel is None:
        # Where its C code is compiled, files that settings name above it are not there.
        origin = Origin(
            "directory", str(resolved if parts else top),
            folder="" if parts or place == "." else place,
            digest=source_tree.digest(resolved) if parts else step.digest,
        )  # fmt: skip
        found = _compiled(made, origin, resolved, options, given)
    else:
        found = wheel.of_file(made.wheel, given, ctx, options)
    return msgspec.structs.replace(found, root=resolved, build_requires=made.requires)


def _build_pins(root: Path, options: Options) -> tuple[Pin, ...]:
    """Return the pins of the build lock that onebin writes; none where it writes none."""
    file = root / requirements.WRITTEN_BUILD
    is_own = options.build_lock or options.allow_unpinned_build_requirements
    if is_own or not file.is_file():
        return ()
    try:
        text = files.read_text(file)
    except (OSError, ValueError) as exc:
        raise ProjectError(f"{file}: cannot be read: {shown(str(exc))}") from exc
    environment = {name: str(value) for name, value in default_environment().items()}
    return locks.build_pins(requirements.WRITTEN_BUILD, text, environment)


def _compiled(made: Made, origin: Origin, root: Path, options: Options, given: Given) -> Project:
    """Return a project with C code: a distribution that is built as its dependencies are."""
    if not made.metadata.is_dir() or not any(made.metadata.iterdir()):
        raise ProjectError(
            f"{root.name}: has C code, and its back end states no metadata without {made.compiler}",
            hint="make the C code a distribution that the project depends on: a folder of the "
            "workspace, locked by uv or poetry",
        )
    found = wheel.of_folder(made.metadata, root, given.over(options), of=root.name)
    return msgspec.structs.replace(found, is_distribution=True, origin=origin)


def needed(root: Path) -> tuple[Path, tuple[Path, ...]]:
    """Return the directory that the back end needs a copy of, and what of it: all, if nothing.

    It is the repository around the project if the settings or a link name something above: a
    version from its tags, a file or a package that several projects share. Without a repository
    it is the project, and what its settings name in the current directory.
    """
    top = next((folder for folder in (root, *root.parents) if (folder / ".git").exists()), root)
    texts = [files.read_bytes(root / name) for name in SETTINGS if (root / name).is_file()]
    if not (top / ".git").exists():
        named = _named_above(root, texts)
        return Path(os.path.commonpath([root, *named])), (root, *named) if named else ()
    names_above = any(b".." in text or b"search_parent_directories" in text for text in texts)
    return top if names_above or source_tree.leads_out(root, top) else root, ()


def _named_above(root: Path, texts: Iterable[bytes]) -> tuple[Path, ...]:
    """Return the files and folders beside or above the project in *root* that *texts* name.

    None that has the project, or is hidden: below the current directory may be a person's home.
    """
    here = Path.cwd().resolve()
    if not root.is_relative_to(here):
        return ()
    named = {(root / os.fsdecode(path)).resolve() for text in texts for path in ABOVE.findall(text)}
    return tuple(
        path for path in sorted(named)
        if path.is_relative_to(here) and path.exists()
        and not path.is_relative_to(root) and not root.is_relative_to(path)
        and not any(part.startswith(".") for part in path.relative_to(here).parts)
    )  # fmt: skip


def _reason(table: Mapping[str, Any], root: Path, options: Options, *, is_old: bool) -> str:
    """Return why the wheel is needed; empty if it is not."""
    metadata = table.get("project")
    has_setup = (root / "setup.py").is_file()
    if is_old or (has_setup and ("build-system" in table or metadata is None)):
        return "setup.py"
    if "build-system" not in table:
        return ""  # nothing builds it: its folders are the project
    if not isinstance(metadata, dict) or "name" not in metadata:
        return "metadata of its back end"
    if fields := dynamic(metadata):
        return f"dynamic {', '.join(fields)}"
    back_end = str(table_of(table, "build-system").get("build-backend", "setuptools"))
    if reason := _layout(table_of(table, "tool")):
        return reason
    is_known = back_end.partition(".")[0] in PURE and not table["build-system"].get("backend-path")
    return "" if options.prune == "reachable" and is_known else f"by {back_end}"


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
