"""Everything the linker is given, as values that add up."""

from pathlib import Path
from typing import TypeVar

import msgspec

_T = TypeVar("_T")


class CSource(msgspec.Struct, frozen=True):
    """One C, assembly or header file; ``name`` ends in ``.c``, ``.s`` or ``.h``."""

    name: str
    text: str
    is_changing: bool = False
    """Whether most changes of a program change it: its object is not kept."""


class LinkInput(msgspec.Struct, frozen=True, kw_only=True):
    """One part of an executable; ``a + b`` is both, in that order.

    The order of sources, objects and archives is the linker's, and decides the layout.
    """

    sources: tuple[CSource, ...] = ()
    include: tuple[Path, ...] = ()
    """Folders of headers and of embedded data; ``key`` names their contents."""
    objects: tuple[Path, ...] = ()
    archives: tuple[Path, ...] = ()
    wraps: tuple[str, ...] = ()
    """Functions ``f`` whose callers get ``__wrap_f`` (``ld --wrap``)."""
    options: tuple[str, ...] = ()
    """Further options of the linker, in its own spelling."""
    owners: dict[Path, str] = {}
    """What an error of the linker calls some of the objects."""
    inittab: dict[str, str] = {}
    """C modules by dotted name, each with its initializer's symbol (or ``NULL``)."""
    stack_bytes: int = 0
    """Stack of each thread; the largest request wins, 0 leaves the C library's default."""
    key: tuple[str, ...] = ()
    """Cache keys of contents that the other fields only refer to."""

    def __add__(self, other: "LinkInput") -> "LinkInput":
        return LinkInput(
            sources=self.sources + other.sources,
            include=_once(self.include + other.include),
            objects=self.objects + other.objects,
            archives=self.archives + other.archives,
            wraps=_once(self.wraps + other.wraps),
            options=self.options + other.options,
            owners=self.owners | other.owners,
            inittab=self.inittab | other.inittab,
            stack_bytes=max(self.stack_bytes, other.stack_bytes),
            key=self.key + other.key,
        )


def _once(values: tuple[_T, ...]) -> tuple[_T, ...]:
    return tuple(dict.fromkeys(values))
