"""Archives of objects: the names they define. Source: ar(5), the GNU variant."""

import os
import struct
from pathlib import Path
from typing import IO, Final

MAGIC: Final = b"!<arch>\n"
HEADER_BYTES: Final = 60
SIZE: Final = slice(48, 58)
"""Of a member's header: its size in decimal."""


class ArchiveError(ValueError):
    """The bytes are not an archive with a symbol table."""


def symbols(file: Path) -> frozenset[str]:
    """Return the global names that the members of *file* define, as its own table lists them.

    Raises:
        ArchiveError: there is no such table, or it is cut.
    """
    with file.open("rb") as stream:
        return _symbols(stream, file.name)


def _symbols(stream: IO[bytes], file: str) -> frozenset[str]:
    head = stream.read(len(MAGIC) + HEADER_BYTES)
    if not head.startswith(MAGIC) or len(head) < len(MAGIC) + HEADER_BYTES:
        raise ArchiveError(f"{file}: not an archive; expected !<arch> at its start")
    header = head[len(MAGIC) :]
    name = header[:16].rstrip(b" ")
    width = {b"/": 4, b"/SYM64/": 8}.get(name)
    size = header[SIZE].strip()
    if width is None or not size.isdigit():
        raise ArchiveError(
            f"{file}: an archive without a symbol table; expected one made by ar with s"
        )
    rest = os.fstat(stream.fileno()).st_size - len(head)
    table = stream.read(min(int(size), rest))
    if len(table) < width:
        raise ArchiveError(f"{file}: the symbol table is cut")
    (count,) = struct.unpack(">I" if width == 4 else ">Q", table[:width])  # noqa: PLR2004
    names = table[width * (count + 1) :].split(b"\0")[:count]
    if len(table) < width * (count + 1) or len(names) < count:
        raise ArchiveError(f"{file}: the symbol table is cut")
    return frozenset(item.decode("ascii", "replace") for item in names)
