"""Lists that may be long: their first items, and the count of the rest."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice, repeat
from typing import Final, overload

from onebin.terminal import truncate

from .budget import Budget
from .record import FileEntry
from .report import FileFacts
from .tree import Tree

MAX_EVIDENCE: Final = 10
"""Lines of one finding; the report also lists every file."""


class Listing:
    """Paths of one sort: the first ones, and the count of all."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._characters = 0
        self._lines: list[str] = []
        self.paths: list[str] = []
        self.count = 0

    def add(self, path: str, line: str = "") -> None:
        """Add *path*; *line* is its evidence, if that is more than the path."""
        self.count += 1
        self._characters += len(path)
        limits = self._budget.limits
        if len(self.paths) < limits.listed and self._characters <= limits.listed_characters:
            self._budget.text(path)
            self.paths.append(path)
        if len(self._lines) < MAX_EVIDENCE:
            self._lines.append(truncate(line or path))

    @property
    def evidence(self) -> Iterator[str]:
        """One line an item; those beyond ``MAX_EVIDENCE`` are empty."""
        return chain(self._lines, repeat("", self.count - len(self._lines)))

    @property
    def not_listed(self) -> int:
        """The count of items that ``paths`` does not have."""
        return self.count - len(self.paths)


class FileList(Sequence[FileFacts]):
    """Every file of an image for the report, each made on access."""

    def __init__(self, entries: Tree) -> None:
        self._entries = entries

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[FileFacts]:
        return map(_facts, self._entries.walk())

    @overload
    def __getitem__(self, index: int) -> FileFacts: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[FileFacts]: ...
    def __getitem__(self, index: int | slice) -> FileFacts | Sequence[FileFacts]:
        return tuple(self)[index]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    __hash__ = None  # type: ignore[assignment]


def first_lines(lines: Iterable[str]) -> tuple[str, ...]:
    """Return the first lines and the count of the rest, holding no more than that."""
    rest = iter(lines)
    kept = tuple(truncate(line) for line in islice(rest, MAX_EVIDENCE))
    more = sum(1 for _ in rest)
    return (*kept, f"and {more} more") if more else kept


def _facts(entry: FileEntry) -> FileFacts:
    return FileFacts(
        path=entry.path,
        kind=entry.kind,
        mode=f"{entry.mode:04o}",
        uid=entry.uid,
        gid=entry.gid,
        size=0 if entry.kind == "hardlink" else entry.size,
        link=entry.link,
    )
