"""The files beside a project: its locks, its profile and its trace, read once for a plan."""

import json
import os
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from onebin import locks
from onebin.effects import files
from onebin.errors import ProjectError
from onebin.locks import requirements
from onebin.model import Profile, Project, Trace

TRACE: Final = "onebin-trace.toml"


class LockFile(msgspec.Struct, frozen=True):
    """The lock a project is built with."""

    name: str
    """Its path, relative to the project, or absolute outside it."""
    text: str
    reason: str = ""
    """Why this one, where there are others."""


def lock_of(project: Project) -> LockFile | None:
    """Return the project's lock; None if onebin writes it at the first build.

    Raises:
        ProjectError: the lock it names is missing; one cannot be read.
    """
    name = project.options.lock
    if not name:
        return _found(project) or (None if project.dependencies else LockFile("", ""))
    target = Path(project.root, name)
    if target.is_file():
        return LockFile(name, read(project, name))
    if target.exists() or not target.name.endswith(locks.WRITTEN):
        fault = "not a file" if target.exists() else "missing"
        raise ProjectError(
            f"tool.onebin.lock: {target}: {fault}",
            hint=f"write it: {locks.read(name, '').rewrite}",
        )
    return None if project.dependencies else LockFile("", "")


def _found(project: Project) -> LockFile | None:
    """Return the first lock in the project, or in a directory above it up to the current one.

    A workspace of uv has one lock, at its top, wherever the current directory is.
    """
    here = Path.cwd().resolve()
    is_below = project.root.is_relative_to(here)
    folders = [project.root, *(
        folder for folder in project.root.parents
        if (is_below and folder.is_relative_to(here)) or _is_workspace(folder)
    )]  # fmt: skip
    for folder in folders:
        found: list[LockFile] = []
        for name in locks.NAMES:
            path = folder / name
            if not path.is_file():
                continue
            shown = name if folder == project.root else str(path)
            # Above the project only a workspace's lock is its own.
            if folder != project.root and name != "uv.lock":
                continue
            text = read(project, shown)
            if locks.is_lock(name, text):
                found.append(LockFile(shown, text))
        if found:
            others = ", ".join(lock.name for lock in found[1:])
            reason = f"before {others}; tool.onebin.lock chooses another" if others else ""
            return msgspec.structs.replace(found[0], reason=reason)
    return None


def _is_workspace(folder: Path) -> bool:
    """Whether *folder* is the top of a workspace of uv, with its lock."""
    if not (folder / "uv.lock").is_file():
        return False
    try:
        table: object = tomllib.loads(files.read_text(folder / "pyproject.toml"))
    except (OSError, ValueError, RecursionError):
        return False
    for key in ("tool", "uv", "workspace"):
        table = table.get(key) if isinstance(table, dict) else None
    return isinstance(table, dict)


def build_lock_of(project: Project) -> LockFile:
    """Return the lock of build requirements; its text is empty while there is none.

    Raises:
        ProjectError: the lock it names is missing or cannot be read.
    """
    options = project.options
    if options.build_lock:
        return LockFile(options.build_lock, read(project, options.build_lock))
    # A script's locks have its name before theirs.
    script = Path(options.lock).name.partition(".py.")
    name = f"{''.join(script[:2]) if script[1] else ''}{requirements.WRITTEN_BUILD}"
    text = read(project, name) if Path(project.root, name).is_file() else ""
    return LockFile(name, text)


def profile_of(project: Project) -> Profile | None:
    """Return the project's profile, parsed; None if it names none.

    Raises:
        ProjectError: it is missing or malformed.
    """
    if not project.options.profile:
        return None
    from onebin.pgo import profile  # noqa: PLC0415  (only for projects with one)

    return profile.parse(read(project, project.options.profile), project.options.profile)


def trace_name(project: Project) -> str:
    """Return the name of the project's trace; a script's has its name before it."""
    script = Path(project.options.lock).name.partition(".py.")
    return f"{''.join(script[:2]) if script[1] else ''}{TRACE}"


def trace_of(project: Project) -> Trace:
    """Return the trace beside the project; an empty one if there is none.

    Raises:
        ProjectError: it is malformed.
    """
    name = trace_name(project)
    if not Path(project.root, name).is_file():
        return Trace()
    try:
        found = tomllib.loads(read(project, name))
        return msgspec.convert(found, Trace)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as exc:
        raise ProjectError(
            f"{Path(project.root, name)}: {exc}; expected lists named modules and files",
            hint="remove it, and make it again with: onebin build --trace",
        ) from exc


def trace_text(trace: Trace) -> str:
    """Return the text of the file of *trace*."""
    lines = [
        "# Written by onebin build --trace, which adds to it: what runs of the program used beyond",
        '# its visible imports. A build with prune = "reachable" takes it in: commit this file.',
    ]
    for name, values in (("modules", trace.modules), ("files", trace.files)):
        lines += [f"{name} = [", *(f"    {_quoted(value)}," for value in values), "]"]
    return "\n".join([*lines, ""])


def _quoted(text: str) -> str:
    """Return *text* as a basic string of TOML, which is JSON's but for DEL."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


@contextmanager
def readable(project: Project) -> Iterator[None]:
    """Read files of *project* here.

    Raises:
        ProjectError: one cannot be read: another user's, or gone meanwhile.
    """
    try:
        yield
    except OSError as exc:
        file = Path(os.fsdecode(exc.filename)) if isinstance(exc.filename, str | bytes) else None
        if file is None or not any(map(file.is_relative_to, (project.root, project.code))):
            raise
        raise ProjectError(
            f"{file}: cannot be read: {exc.strerror}; expected a file of the program",
            hint="make it readable, or move it out of the program's folders",
        ) from exc


def read(project: Project, name: str) -> str:
    """Return the text of the file *name* of *project*; empty if the name is.

    Raises:
        ProjectError: it cannot be read.
    """
    if not name:
        return ""
    where = Path(project.root, name)
    try:
        return files.read_text(where)
    except (OSError, ValueError) as exc:
        hint = "make it with: onebin train" if name == project.options.profile else ""
        raise ProjectError(f"{where}: cannot be read: {exc}", hint=hint) from exc
