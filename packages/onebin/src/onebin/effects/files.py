"""Open files that a project names: regular ones, inside it, below a size."""

import codecs
import os
import re
import stat
from pathlib import Path, PurePosixPath
from typing import Final

from onebin.errors import ProjectError
from onebin.requirement import shown

MAX_TEXT_BYTES: Final = 16 << 20
"""Of a text a project brings: the largest is a profile, with half a megabyte."""

MAX_PATH: Final = 1024
"""Characters of a path in a setting: a quarter of what Linux takes."""


OUTSIDE: Final = (
    "put it into the project; a lock, a profile or a source that several share may also be in "
    "the current directory, if that contains the project"
)


NAMED: Final = "name the file yourself, with --output, if it is to be written there"
"""The way out of a place outside the project: such files are read, never written."""


SHARED: Final = re.compile(r".*\.so(?:\.\d+)*")
"""Names of shared objects; ``table.sort.js`` and ``app.solver.lib.js`` are none."""


MARKS: Final = (
    # The first mark begins with the second.
    (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF32_BE, "utf-32"), (codecs.BOM_UTF16_BE, "utf-16"),
    (codecs.BOM_UTF8, "utf-8-sig"),
)  # fmt: skip
"""Byte order marks, which editors and shells of Windows write, and pip obeys in requirements."""


def shared_objects(folder: Path) -> list[Path]:
    """Return the files below *folder* that are shared objects by their names, sorted."""
    named = (file for file in folder.rglob("*.so*") if SHARED.fullmatch(file.name))
    return sorted(file for file in named if file.is_file())


def read_text(file: Path) -> str:
    """Return the text of *file*: UTF-8, or as its byte order mark has it.

    Raises:
        OSError: it cannot be read.
        ValueError: it is not a regular file (opening a FIFO would block), too large, or not text.
    """
    data = read_bytes(file)
    encoding = next((name for mark, name in MARKS if data.startswith(mark)), "utf-8")
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as exc:
        line = data[: exc.start].count(b"\n") + 1
        raise ValueError(
            f"it is not {encoding.upper()}: byte {exc.object[exc.start]:#x}, line {line}"
        ) from exc


def read_bytes(file: Path) -> bytes:
    """Return the contents of *file*; see ``read_text``."""
    # Without O_NONBLOCK the opening of a FIFO waits for a writer.
    with open(os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as stream:  # noqa: PTH123
        if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
            raise ValueError("it is not a regular file")
        data = stream.read(MAX_TEXT_BYTES + 1)
    if len(data) > MAX_TEXT_BYTES:
        raise ValueError(f"it has more than {MAX_TEXT_BYTES} bytes")
    return data


def inside(
    root: Path, text: str, *, where: str, also: Path | None = None, way_out: str = OUTSIDE
) -> Path:
    """Return the path *text* names, relative to *root*, with its links followed.

    Args:
        root: The directory it must not leave, resolved.
        text: The value of a setting.
        where: The setting's name, for the message.
        also: Another directory it may be in.
        way_out: The hint for a path that is elsewhere.

    Raises:
        ProjectError: it is not a path, or it leaves, by itself or by a link.
    """
    if not text or not text.isprintable() or len(text) > MAX_PATH:
        raise ProjectError(f"{where}: {shown(text)} is not a path; expected one inside {root}")
    try:
        path = (root / text).resolve()
        # From Python 3.13 on a link to itself resolves to itself, and raises nothing.
        is_circle = any(step.is_symlink() for step in (path, *path.parents))
    except (OSError, RuntimeError, ValueError) as exc:
        raise ProjectError(f"{where}: {shown(text)} leads nowhere: {shown(str(exc))}") from exc
    if is_circle:
        raise ProjectError(f"{where}: {shown(text)} leads nowhere: its links form a circle")
    allowed = [root] if also is None else [root, also]
    if PurePosixPath(text).is_absolute() or not any(map(path.is_relative_to, allowed)):
        raise ProjectError(
            f"{where}: {shown(text)} leaves {root}; expected a path inside",
            hint=way_out,
        )
    return path


def to_write(root: Path, text: str, *, where: str) -> Path:
    """Return the path of the file *text* names, which is inside *root* and no directory.

    Raises:
        ProjectError: it is elsewhere, or a directory.
    """
    path = inside(root, text, where=where, way_out=NAMED)
    if path.is_dir():
        raise ProjectError(
            f"{where}: {shown(text)} is a directory; expected a file's path",
            hint="move the directory, or name another file",
        )
    return path
