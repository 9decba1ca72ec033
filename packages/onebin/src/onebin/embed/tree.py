"""The tree of the files inside an executable, as the rows of its table. No file is read here."""

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from onebin.model import InsideFile

ROOT: Final = 0
"""The row of the prefix itself."""


class Row(msgspec.Struct, frozen=True):
    """One row: a directory, or a file by its path."""

    name: str
    parent: int
    """A row; the root is its own parent."""
    first: int = 0
    """Of a directory: the row of its first child. The others follow, sorted by name as bytes."""
    children: int = 0
    file: InsideFile | None = None
    """None of a directory."""


def rows(files: Iterable[InsideFile]) -> tuple[Row, ...]:
    """Return the table of *files*: the root, its children, then theirs, level by level.

    Raises:
        ValueError: a path is there twice, or is a file and a folder at once.
    """
    root: dict[str, object] = {}
    for file in files:
        folder = root
        *above, name = file.path.split("/")
        for part in above:
            below = folder.setdefault(part, {})
            if not isinstance(below, dict):
                raise ValueError(f"{file.path}: {part} is a file there")  # noqa: TRY004
            folder = below
        if name in folder:
            raise ValueError(f"{file.path}: there twice")
        folder[name] = file
    made: list[Row] = []
    level: list[tuple[str, int, object]] = [("", ROOT, root)]
    while level:
        start = len(made)
        # Children of this level begin after it.
        place = start + len(level)
        below_level: list[tuple[str, int, object]] = []
        for n, (name, parent, found) in enumerate(level):
            if isinstance(found, InsideFile):
                made.append(Row(name, parent, file=found))
                continue
            assert isinstance(found, Mapping)  # noqa: S101  (for mypy)
            children = sorted(found, key=_bytes)
            made.append(Row(name, parent, first=place, children=len(children)))
            place += len(children)
            below_level += [(child, start + n, found[child]) for child in children]
        level = below_level
    return tuple(made)


class Names:
    """Strings in one run of bytes, each once, each ended by a zero byte."""

    def __init__(self) -> None:
        self._places: dict[str, int] = {}
        self._bytes = bytearray()

    def place(self, name: str) -> int:
        """Return where *name* is, in bytes from the start."""
        if name not in self._places:
            self._places[name] = len(self._bytes)
            self._bytes += _bytes(name) + b"\0"
        return self._places[name]

    def data(self) -> bytes:
        """Return all of them."""
        return bytes(self._bytes)


def _bytes(name: str) -> bytes:
    """Return *name* as the kernel has it; os.fsencode, in whatever locale."""
    return name.encode("utf-8", "surrogateescape")
