"""What a command writes: files beside the project, and the date they have."""

import shutil
from collections.abc import Mapping
from pathlib import Path

from onebin import terminal
from onebin.effects.atomic import replace_atomically
from onebin.errors import ProjectError, ToolError
from onebin.image.date import MAX_EPOCH


def epoch(environ: Mapping[str, str]) -> int:
    """Return ``SOURCE_DATE_EPOCH`` in seconds, 0 if it is not set.

    Raises:
        ProjectError: it is not a date.
    """
    text = environ.get("SOURCE_DATE_EPOCH") or "0"
    # Python converts no number of thousands of digits.
    is_number = text.isascii() and text.isdigit() and len(text) <= len(str(MAX_EPOCH))
    if not is_number or int(text) > MAX_EPOCH:
        raise ProjectError(
            f"SOURCE_DATE_EPOCH={terminal.truncate(text)!r}: not a date; "
            f"expected 0 to {MAX_EPOCH} seconds"
        )
    return int(text)


def require_current_directory() -> None:
    """Check that results have a place.

    Raises:
        ProjectError: the current directory was removed.
    """
    try:
        Path.cwd()
    except OSError as exc:
        raise ProjectError(
            f"current directory: {exc.strerror}; expected an existing one", hint="cd to another"
        ) from exc


def install(source: Path, target: Path) -> None:
    """Replace *target* by a copy of the executable *source*, atomically."""
    make_folder(target.parent)
    with replace_atomically(target) as new:
        shutil.copyfile(source, new)
        new.chmod(0o755)


def write(data: bytes, target: Path) -> None:
    """Replace *target* by *data*, atomically."""
    make_folder(target.parent)
    with replace_atomically(target) as new:
        new.write_bytes(data)


def make_folder(path: Path) -> None:
    """Make the directory *path*, and those above it.

    Raises:
        ToolError: it cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise ToolError(f"{path}: cannot be made: {exc.strerror}") from exc


def relative(path: Path) -> str:
    """Return *path* as a person in the current directory writes it."""
    absolute = path.absolute()
    return str(absolute.relative_to(Path.cwd()) if absolute.is_relative_to(Path.cwd()) else path)
