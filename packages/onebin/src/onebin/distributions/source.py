"""Facts in the tree of a source distribution about its build; none of its code runs."""

import re
import tomllib
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from onebin.effects import files
from onebin.errors import ProjectError
from onebin.requirement import shown

from . import install, setup_script

BACK_END: Final = re.compile(rf"{install.MODULE.pattern}(:{install.MODULE.pattern})?", re.ASCII)

ENVIRONMENT: Final = re.compile(
    r"""(?:environ(?:\.get)?\s*[(\[]|getenv\s*\()\s*["']([A-Z][A-Z0-9_]*)["']"""
)
"""A variable that Python code reads."""

COMPILES: Final = re.compile(
    r"(.*_)?(USE|WITH|BUILD|ENABLE|FORCE)_(MYPYC|CYTHON|C?_?EXT(ENSION)?S?|SPEEDUPS?)"
)
"""Names of variables that have C made of Python: ``TOMLI_USE_MYPYC``."""

MADE_BY: Final = {"_CYTHON": "cython", "_MYPYC": "mypy"}
"""What such a variable wants, by its end."""

TRAINS: Final = re.compile(r"(.*_)?(USE|WITH|BUILD|ENABLE)_PGO")
"""Those that have the result run and built again: a captured module cannot be run alone."""


DISTRIBUTED: Final = frozenset({"cmake", "ninja"})
"""Programs that are in the index under their own name, for every machine."""

BRING_PROGRAMS: Final = (*sorted(DISTRIBUTED), "scikit-build", "scikit-build-core")
"""Build requirements that name the right version of these themselves."""


class BuildSystem(msgspec.Struct, frozen=True, rename="kebab"):
    """``[build-system]`` of a source distribution (PEP 517, PEP 518)."""

    requires: tuple[str, ...] = ("setuptools",)
    build_backend: str = "setuptools.build_meta:__legacy__"
    backend_path: tuple[str, ...] = ()


def build_system(source: Path, *, of: str) -> BuildSystem:
    """Return the build back end of the tree *source*; *of* names the distribution in errors.

    Raises:
        ProjectError: its ``pyproject.toml`` is malformed.
    """
    try:
        table = tomllib.loads(files.read_text(source / "pyproject.toml"))
        # PEP 517 gives the default: a tree with setup.py alone.
        system = msgspec.convert(table.get("build-system", {}), BuildSystem)
    except FileNotFoundError:
        return BuildSystem()
    except (msgspec.ValidationError, ValueError, OSError, RecursionError) as exc:
        raise ProjectError(f"{of}: its pyproject.toml cannot be read: {shown(str(exc))}") from exc
    if not BACK_END.fullmatch(system.build_backend):
        raise ProjectError(
            f"{of}: build-backend {shown(system.build_backend)} is not an object's name"
        )
    for folder in system.backend_path:
        files.inside(source, folder, where=f"{of}: backend-path")
    return system


def tool_of(system: BuildSystem, known: Collection[str]) -> str:
    """Return the first of the tools *known* that *system* names; empty if it names none."""
    names = {system.build_backend.partition(".")[0]}
    for text in system.requires:
        try:
            names.add(canonicalize_name(Requirement(text).name))
        except InvalidRequirement:
            continue  # reported where it would be installed
    return next((tool for tool in known if tool in names), "")


def can_compile(source: Path, system: BuildSystem) -> bool:
    """Whether the build of the tree *source* can make compiled code.

    Back ends of pure Python make none without a hook. Some authors make the wheels that they
    publish with another back end than that of the source distribution.
    """
    table = _tool_table(source)
    match system.build_backend.partition(".")[0]:
        case "flit_core" | "flit" | "uv_build":
            return False
        case "hatchling":
            return bool(system.backend_path) or _has_key(table.get("hatch"), "hooks")
        case "poetry":
            return "build" in _table(table.get("poetry")) or (source / "build.py").exists()
        case "pdm":
            build = _table(_table(table.get("pdm")).get("build"))
            return "run-setuptools" in build or _has_key(build, "hooks") or (
                build.get("is-purelib") is False or (source / "pdm_build.py").exists()
            )  # fmt: skip
        case "setuptools":
            plain = {"setuptools", "setuptools-scm", "wheel"}
            return (
                (source / "setup.py").exists() or bool(system.backend_path)
                or not plain.issuperset(_names(system.requires))
                or _has_key(table.get("setuptools"), "ext-modules")
            )  # fmt: skip
        case _:
            return True


def requirements(source: Path, system: BuildSystem) -> tuple[str, ...]:
    """Return the build requirements of the tree *source* that its files show.

    Those of hatchling's hooks and of ``setup_requires`` as well, which back ends request while
    they run, and programs that ``setup.py`` expects on the machine, if the index has them.
    """
    found = list(system.requires)
    if system.build_backend.partition(".")[0] == "setuptools":
        found += sorted(setup_script.literals(source, "setup_requires"))
        if not tool_of(system, BRING_PROGRAMS):
            found += sorted(setup_script.programs(source) & DISTRIBUTED)
    if system.build_backend.partition(".")[0] == "hatchling":
        for hook in _hooks(_table(_tool_table(source).get("hatch")).get("build")):
            named = hook.get("dependencies")
            if isinstance(named, list):
                found += [item for item in named if isinstance(item, str)]
    return tuple(found)


def _hooks(value: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401  (TOML)
    """Yield the table of each hook inside *value*."""
    for key, inner in _table(value).items():
        if key == "hooks":
            yield from map(_table, _table(inner).values())
        else:
            yield from _hooks(inner)


def _names(requires: Iterable[str]) -> set[str]:
    names: set[str] = set()
    for text in requires:
        try:
            names.add(canonicalize_name(Requirement(text).name))
        except InvalidRequirement:
            names.add(text)
    return names


def _tool_table(source: Path) -> dict[str, Any]:
    try:
        return _table(tomllib.loads(files.read_text(source / "pyproject.toml")).get("tool"))
    except (OSError, ValueError, RecursionError):
        return {}


def _table(value: Any) -> dict[str, Any]:  # noqa: ANN401  (TOML)
    return value if isinstance(value, dict) else {}


def _has_key(value: Any, key: str) -> bool:  # noqa: ANN401  (TOML)
    """Whether a table inside *value* has *key*."""
    table = _table(value)
    return key in table or any(_has_key(inner, key) for inner in table.values())


def switches(source: Path, system: BuildSystem) -> dict[str, str]:
    """Return variables with which the build of the tree *source* compiles all it can.

    Some compile only on request, as for the authors' own wheels: setup.py or a back end
    in the tree reads a variable, scikit-build-core has overrides, hatchling a hook that is not
    enabled by default.
    """
    found: dict[str, str] = {}
    scripts = [source / "setup.py"]
    for folder in system.backend_path:
        scripts += sorted((source / folder).glob("*.py"))
    for script in scripts:
        try:
            text = files.read_text(script)
        except (OSError, ValueError):
            continue
        for name in ENVIRONMENT.findall(text):
            if COMPILES.fullmatch(name) and not _lacks_tool(name, source, system):
                found[name] = "1"
            elif TRAINS.fullmatch(name):
                found[name] = "0"
    for name in _override_variables(_tool_table(source)):
        if COMPILES.fullmatch(name):
            found[name] = "1"
    if _has_idle_hook(source):
        found["HATCH_BUILD_HOOKS_ENABLE"] = "1"
    return dict(sorted(found.items()))


def _lacks_tool(name: str, source: Path, system: BuildSystem) -> bool:
    """Whether the variable *name* wants a tool that nothing requests for the tree *source*.

    It is for the author's machine, then; the source has what the tool made there.
    """
    tool = next((tool for end, tool in MADE_BY.items() if name.endswith(end)), "")
    if not tool or system.backend_path or tool_of(system, {tool}):
        return False
    for script, sign in (("setup.py", rf"[\"']{tool}\b"), ("setup.cfg", rf"\b{tool}\b")):
        try:
            if re.search(sign, files.read_text(source / script), re.IGNORECASE):
                return False
        except (OSError, ValueError):
            continue
    return True


def _override_variables(tool: dict[str, Any]) -> Iterator[str]:
    """Yield the variables that conditions of scikit-build-core's overrides name."""
    overrides = _table(tool.get("scikit-build")).get("overrides")
    for override in overrides if isinstance(overrides, list) else ():
        condition = _table(_table(override).get("if"))
        for part in (condition, _table(condition.get("any")), _table(condition.get("all"))):
            yield from _table(part.get("env"))


def _has_idle_hook(source: Path) -> bool:
    """Whether hatchling's table has a hook with ``enable-by-default = false``."""
    build = _table(_tool_table(source).get("hatch")).get("build")
    return any(hook.get("enable-by-default") is False for hook in _hooks(build))
