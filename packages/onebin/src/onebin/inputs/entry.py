"""Where an executable starts: a script of the project, a function, or a module run by name.

Source: entry points specification; ``python -m``.
"""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from packaging.utils import canonicalize_name

from onebin.errors import ProjectError
from onebin.model import EntryPoint, Fault
from onebin.requirement import shown

from . import runnable, script_files
from .script_files import ScriptFiles
from .values import is_dotted, table_of

SCRIPT_TABLE: Final = "[project.scripts]"

SCRIPT: Final = re.compile(r"(?![-.\[#;])[!-.0-<>-~]{1,128}")
"""A script's name: a file's, in ASCII, that ``entry_points.txt`` can hold (``smc++``, ``,cut``)."""

EXTRAS: Final = re.compile(r"\s*\[[^\[\]]*\]\s*$")
"""Extras after a start: allowed, and without a meaning (entry points specification)."""

RUN: Final = re.compile(r"-m\s+(\S+)")
"""A module that runs as ``python -m`` runs it."""


NONE: Final = EntryPoint("", "")
"""In the place of a start that has a fault."""


def scripts_of(metadata: Mapping[str, Any]) -> Mapping[str, str]:
    """Return ``[project.scripts]``, and what else of ``[project]`` an installer makes a script.

    The specification forbids ``[project.entry-points.console_scripts]``; setuptools takes it, and
    programs are published with it.

    Raises:
        ProjectError: one is not a script.
    """
    points = table_of(metadata, "entry-points", "project.")
    tables = {
        "project.scripts": table_of(metadata, "scripts", "project."),
        "project.gui-scripts": table_of(metadata, "gui-scripts", "project."),
        **{
            f"project.entry-points.{group}": table_of(points, group, "project.entry-points.")
            for group in ("console_scripts", "gui_scripts")
        },
    }
    found: dict[str, str] = {}
    for where, scripts in tables.items():
        for name, target in scripts.items():
            if not SCRIPT.fullmatch(name) or not isinstance(target, str):
                raise ProjectError(
                    f"{where}: {shown(name)} = {shown(target)} is not a script; expected "
                    "a file's name and module:function",
                    hint='as in: app = "app.cli:main"',
                )
            found.setdefault(name, target)
    return found


def fault(error: ProjectError, code: Iterable[Path], dependencies: Iterable[str]) -> Fault:
    """Return *error*, of a start, as a value; where none is named, with those there could be."""
    more = runnable.suggestion(code, dependencies) if isinstance(error, NoStartError) else ""
    return Fault(str(error), f"{error.hint}{more}")


class NoStartError(ProjectError):
    """A project names no start."""


def entry_point(
    where: str,
    name: str,
    chosen: str,
    scripts: Mapping[str, str],
    files: ScriptFiles = ScriptFiles(),  # noqa: B008
) -> EntryPoint:
    """Return the start: *chosen*, else the only script, else that with the project's name.

    Args:
        where: The place of the scripts, for messages.
        name: The project's name.
        chosen: A script's name, ``module:function``, ``-m module``; may be empty.
        scripts: Each with its ``module:function``.
        files: Scripts that are files. Of two with one name an installer writes the function.

    Raises:
        ProjectError: there is none, or it is malformed.
    """
    if run := RUN.fullmatch(chosen):
        if not is_dotted(run[1]):
            raise ProjectError(
                f"entry point -m {shown(run[1])} is not a module",
                hint="write it as python -m has it: -m app.worker",
            )
        return EntryPoint(run[1], "")
    names = [*scripts, *(one for one in files.python if one not in scripts)]
    if not chosen:
        # SCons has the script scons, and sqlite_tool may have sqlite-tool: one name for an index.
        same = [one for one in names if canonicalize_name(one) == canonicalize_name(name)]
        exact = [name] if name in names else []
        chosen = next((found[0] for found in (exact, same, names) if len(found) == 1), "")
    if not chosen:
        known = f"one of {', '.join(names)}, or" if names else f"a name of {SCRIPT_TABLE} or"
        raise NoStartError(
            f"{where}: no entry point",
            hint=f"set tool.onebin.entry-point (--entry-point) to {known} to module:function, or "
            "to -m module",
        )
    if chosen not in scripts and chosen in files.python:
        return EntryPoint("__main__", "", chosen, script_files.text(files.python[chosen]))
    if chosen not in scripts and chosen in files.others:
        raise ProjectError(
            f"entry point {shown(chosen)}: {files.others[chosen]}; expected a script in Python",
            hint=f"known are {', '.join(names)}" if names else "write module:function",
        )
    target = scripts.get(chosen, chosen)
    if target is chosen and ":" not in chosen and names:
        raise ProjectError(
            f"tool.onebin.entry-point: {chosen if is_dotted(chosen) else shown(chosen)} "
            f"is not in {SCRIPT_TABLE}",
            hint=f"known are {', '.join(names)}; or write module:function",
        )
    module, _, function = EXTRAS.sub("", target).partition(":")
    module, function = module.strip(), function.strip()
    if not all(map(is_dotted, [module, function] if function else [module])):
        raise ProjectError(
            f"entry point {shown(target)} is not module:function",
            hint="each part is a name that Python can import, with dots between: app.cli:main",
        )
    if not function:
        raise ProjectError(
            f"entry point {shown(target)} names no function",
            hint=f"write {target}:main, and let main return the exit status; or -m {target}",
        )
    return EntryPoint(module, function)
