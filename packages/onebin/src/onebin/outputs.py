"""What a command writes: files beside the project, and the date they have."""

from collections.abc import Mapping
from pathlib import Path
from typing import TextIO

import msgspec

from onebin import terminal
from onebin.effects.atomic import make_folder, replace_atomically
from onebin.errors import ProjectError
from onebin.image.date import MAX_EPOCH
from onebin.model import Project


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


def write(data: bytes, target: Path) -> None:
    """Replace *target* by *data*, atomically."""
    make_folder(target.parent)
    with replace_atomically(target) as new:
        new.write_bytes(data)


def relative(path: Path) -> str:
    """Return *path* as a person in the current directory writes it."""
    absolute = path.absolute()
    return str(absolute.relative_to(Path.cwd()) if absolute.is_relative_to(Path.cwd()) else path)


def beside(project: Project, *results: Path) -> Project:
    """Return *project* with the places of its *results*, which are no part of it."""
    return msgspec.structs.replace(project, results=tuple(path.resolve() for path in results))


def uses_color(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Whether *stream* is a terminal, and ``NO_COLOR`` is not set."""
    return stream.isatty() and not environ.get("NO_COLOR")
