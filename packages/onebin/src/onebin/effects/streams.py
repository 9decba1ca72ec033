"""The standard streams of a command: open, in UTF-8, and with faults that are errors.

A result on stdout is UTF-8 whatever the locale: JSON is (RFC 8259, section 8.1), and a plan of
one machine is compared with that of another. Progress on stderr is for a person, so a reader
that has left, or a full disk, does not end a build.
"""

import contextlib
import io
import os
import sys
from collections.abc import Iterable
from typing import Final, TextIO

from onebin.errors import ToolError

_DESCRIPTORS: Final = (0, 1, 2)


def prepare() -> None:
    r"""Open each closed one of the descriptors 0, 1 and 2, and let stdout take every character.

    Otherwise the first file of a build would get the free number, and the output of programs
    would go into it. Without an encoding a character is written as ``\uXXXX``.
    """
    for descriptor in _DESCRIPTORS:
        try:
            os.fstat(descriptor)
        except OSError:
            with contextlib.suppress(OSError):
                # The lowest free number is this one. The programs of a build get it as well.
                os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # noqa: FBT003
    # Python sets a stream to None whose descriptor was closed.
    sys.stdout = sys.stdout or io.StringIO()
    sys.stderr = sys.stderr or io.StringIO()
    _reconfigure(sys.stdout, encoding="utf-8")
    _reconfigure(sys.stderr)


def write_result(pieces: Iterable[str]) -> None:
    """Write *pieces* to stdout, all of them.

    A closed pipe counts as written: its reader has read enough, as ``head`` has.

    Raises:
        ToolError: stdout takes no more, as a full disk.
    """
    try:
        for piece in pieces:
            sys.stdout.write(piece)
        sys.stdout.flush()
    except BrokenPipeError:
        _drop(sys.stdout)
    except OSError as exc:
        _drop(sys.stdout)
        raise ToolError(f"stdout: cannot be written: {exc.strerror}") from exc


def write_notice(stream: TextIO, text: str) -> None:
    """Write *text* to *stream* at once; drop it if that fails."""
    try:
        stream.write(text)
        stream.flush()
    except OSError:
        _drop(stream)


def _reconfigure(stream: TextIO, *, encoding: str | None = None) -> None:
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(encoding=encoding, errors="backslashreplace")


def _drop(stream: TextIO) -> None:
    """Let *stream* take and lose all that follows, and all it still holds.

    Otherwise the interpreter writes it once more at its end, and reports that as a fault.
    """
    with contextlib.suppress(OSError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())
        os.close(null)
