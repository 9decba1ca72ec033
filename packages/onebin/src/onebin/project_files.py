"""The files a project names: its locks and its profile, read once for a plan."""

from pathlib import Path

from onebin import locks
from onebin.effects import files
from onebin.errors import ProjectError
from onebin.model import Profile, Project


def lock_text(project: Project) -> str | None:
    """Return the lock's text; None if onebin writes it at the first build.

    Raises:
        ProjectError: a lock of another name is missing.
    """
    target = Path(project.root, project.options.lock)
    if target.is_file() or not project.dependencies:
        return read(project, project.options.lock) if target.is_file() else ""
    if project.options.lock != locks.WRITTEN:
        raise ProjectError(f"tool.onebin.lock: {target}: missing", hint="write it: onebin lock")
    return None


def profile_of(project: Project) -> Profile | None:
    """Return the project's profile, parsed; None if it names none.

    Raises:
        ProjectError: it is missing or malformed.
    """
    if not project.options.profile:
        return None
    from onebin.pgo import profile  # noqa: PLC0415  (only for projects with one)

    return profile.parse(read(project, project.options.profile), project.options.profile)


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
