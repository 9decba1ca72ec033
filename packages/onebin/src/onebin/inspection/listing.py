"""Lists that an image may make long: what is kept of them, and how much more there is."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice, repeat
from typing import Final, overload

from .budget import Budget
from .report import FileFacts
from .tree import Entry, Tree

MAX_EVIDENCE: Final = 10
"""Lines of one finding; the report lists every file besides."""
MAX_LINE: Final = 1000
"""Characters of one line: an image's config may hold a name of four million."""


class Listing:
    """Paths of one sort: the first ones, and the count of all."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._characters = 0
        self._lines: list[str] = []
        self.paths: list[str] = []
        self.count = 0

    def add(self, path: str, line: str = "") -> None:
        """Take one more; *line* is its evidence, if that says more than the path."""
        self.count += 1
        self._characters += len(path)
        limits = self._budget.limits
        if len(self.paths) < limits.listed and self._characters <= limits.listed_characters:
            self._budget.text(path)
            self.paths.append(path)
        if len(self._lines) < MAX_EVIDENCE:
            self._lines.append(cut(line or path))

    @property
    def evidence(self) -> Iterator[str]:
        """Lines to judge by: as many as there are, of which those that are shown have a text."""
        return chain(self._lines, repeat("", self.count - len(self._lines)))

    @property
    def not_listed(self) -> int:
        """How many more there are than ``paths`` has."""
        return self.count - len(self.paths)


class FileList(Sequence[FileFacts]):
    """Every file of an image for the report, each made when it is asked for."""

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


def shortened(lines: Iterable[str]) -> tuple[str, ...]:
    """Keep the first lines and say how many more there are; no more than that is held."""
    rest = iter(lines)
    kept = tuple(cut(line) for line in islice(rest, MAX_EVIDENCE))
    more = sum(1 for _ in rest)
    return (*kept, f"and {more} more") if more else kept


def cut(line: str) -> str:
    """Keep the beginning of a line, and say how much more there is."""
    more = len(line) - MAX_LINE
    return line if more <= 0 else f"{line[:MAX_LINE]}… and {more} more characters"


def _facts(entry: Entry) -> FileFacts:
    return FileFacts(
        path=entry.path,
        kind=entry.kind,
        mode=f"{entry.mode:04o}",
        uid=entry.uid,
        gid=entry.gid,
        size=entry.size,
        link=entry.link,
    )
