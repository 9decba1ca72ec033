"""Measure a program without holding it: ELF facts by ranges, the rest in one pass."""

import hashlib
import io
import re
import zlib
from typing import BinaryIO, Final

from onebin.objects import reader as elf

from .evidence import Program

MAX_BUILD_PATHS: Final = 10_000
"""Different ones counted: a Go binary built without ``-trimpath`` has 2,000. Half a gigabyte of
paths alone has 50 million."""

_BUILD_PATH: Final = re.compile(
    rb"/(?:home|root|build|builds|workspace|github)/[\w.+-]+[\w./+-]{0,4096}"
)
_PATH_BYTES: Final = re.compile(rb"[\w.+-]")
_COMPILER_FLAGS: Final = (b"-I", b"-L", b"-B")
_SHORT_STRINGS: Final = (b"z", b"Z", b"\xfa", b"\xda")
"""Before the length of a short string in CPython's marshal format (version 4)."""
_BEFORE: Final = 2
"""Bytes before a path that show whether it is one."""
_CHUNK: Final = 1 << 20
_OVERLAP: Final = 4096 + 64
"""Bytes carried to the next piece: more than the longest path found."""


def measure(file: BinaryIO) -> Program:
    """Read the program in *file*, which must be seekable.

    Raises:
        ImageError: it is not an ELF file, is damaged, or exceeds a limit of ``objects.reader``.
    """
    facts = elf.read(file)
    size, digest = file.seek(0, io.SEEK_END), hashlib.sha256()
    deflate, packed = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16), 0
    paths = _BuildPaths()
    file.seek(0)
    while chunk := file.read(_CHUNK):
        digest.update(chunk)
        packed += len(deflate.compress(chunk))
        paths.feed(chunk)
    packed += len(deflate.flush())
    return Program(facts, size, packed, digest.hexdigest(), paths.end())


class _BuildPaths:
    """Finds in pieces of a file the paths that are in the whole."""

    def __init__(self) -> None:
        self._found: dict[bytes, None] = {}
        self._rest = b""
        self._searched = 0
        """Bytes of the rest that are kept only as those before a path."""

    def feed(self, chunk: bytes) -> None:
        """Search the next piece."""
        self._search(chunk, keep=_OVERLAP)

    def end(self) -> tuple[bytes, ...]:
        """Return each path once, in order, after the last piece."""
        self._search(b"", keep=0)
        return tuple(self._found)

    def _search(self, chunk: bytes, keep: int) -> None:
        if len(self._found) >= MAX_BUILD_PATHS:
            return
        data = self._rest + chunk
        # A path that begins after this may continue in the next piece.
        at = max(len(data) - keep, self._searched)
        done = 0
        for match in _BUILD_PATH.finditer(data, self._searched):
            if match.start() >= at or len(self._found) >= MAX_BUILD_PATHS:
                break
            if _is_absolute(data, match.start(), match.end()):
                self._found[match[0]] = None
            done = match.end()
        following = max(at, done)
        self._searched = min(following, _BEFORE)
        self._rest = data[following - self._searched :]


def _is_absolute(data: bytes, start: int, end: int) -> bool:
    """Return whether a path begins at *start*, and not within ``Tools/build/x.py``."""
    before = data[max(start - _BEFORE, 0) : start]
    if not _PATH_BYTES.match(before[-1:]) or before in _COMPILER_FLAGS:
        return True
    # The length of a string may be the number of a letter.
    return before[-1] == end - start and before[:1] in _SHORT_STRINGS
