"""Facts: a known value with its evidence, or the reason why it is unknown.

A fact is one of two values, so that "not readable" is never taken for "there is none":
``Known(None)`` is "there is no limit", ``Unknown`` is "not known here".
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Final, Generic, TypeAlias, TypeVar

import msgspec

from .lines import BLANKS, words

T = TypeVar("T")
U = TypeVar("U")
T_co = TypeVar("T_co", covariant=True)

MAX_SHOWN: Final = 200
"""Characters of a file's value that evidence repeats: a line of mountinfo fits, a list of a
thousand layers does not."""
WITHHELD: Final = "is withheld"
"""Part of the reason for a value that is there and not shown."""
AROUND: Final = "\n\t \0"
"""Around the text of a file: a line feed, the blanks that pad a column, SELinux's final NUL."""
_KERNEL: Final = ("/proc/", "/sys/")
"""File systems of the kernel; every other file was written by a user."""


class Evidence(msgspec.Struct, frozen=True):
    """The place of a value, for checking it by hand."""

    file: str
    """Path, or ``environment``."""
    field: str
    """Field of the file; empty for all of it."""
    value: str
    """The text of the field, cut at ``MAX_SHOWN`` characters."""


class Known(msgspec.Struct, Generic[T_co], frozen=True, tag="known", tag_field="state"):
    """A value and where it was seen."""

    value: T_co
    evidence: tuple[Evidence, ...] = ()


class Unknown(msgspec.Struct, frozen=True, tag="unknown", tag_field="state"):
    """No value, and why: one line that names the file."""

    reason: str


Fact: TypeAlias = Known[T] | Unknown


class File(msgspec.Struct, frozen=True):
    """The content of a path when it was read, or the reason why that is unknown."""

    path: str
    content: str | Unknown
    exact: bool = True
    """Whether it was UTF-8; a byte that was not is spelled with a backslash, so a path in it
    cannot be opened."""

    @property
    def text(self) -> str:
        """The content; empty if it is not known."""
        return "" if isinstance(self.content, Unknown) else self.content

    def parse(self, parse: Callable[[str], T]) -> Fact[T]:
        """Parse all of it; *parse* raises ``ValueError`` for an invalid text."""
        if isinstance(self.content, Unknown):
            return self.content
        return self._parsed("", self.content.strip(AROUND), parse)

    def parse_field(self, name: str, parse: Callable[[str], T], separator: str = "") -> Fact[T]:
        """Parse what follows *name* on the first line that begins with it.

        Without *separator*, a blank or a tab ends the name.
        """
        if isinstance(self.content, Unknown):
            return self.content
        found = _after(self.content, name, (separator,) if separator else _ENDS)
        if found is None:
            return Unknown(f"{self.path} has no {name}")
        return self._parsed(name, found.strip(BLANKS), parse)

    def parse_word(self, index: int, name: str, parse: Callable[[str], T]) -> Fact[T]:
        """Parse the word at *index*; *name* is its meaning."""
        if isinstance(self.content, Unknown):
            return self.content
        found = words(self.content.strip(AROUND))
        if index >= len(found):
            return Unknown(f"{self.path} has no {name}")
        return self._parsed(name, found[index], parse)

    def evidence(self, field: str, value: str) -> Evidence:
        """Point at *value* in this file."""
        return Evidence(self.path, field, truncate(value))

    def _parsed(self, field: str, value: str, parse: Callable[[str], T]) -> Fact[T]:
        # Other files may hold a secret, which does not stay in memory.
        if len(value) <= MAX_SHOWN and self.path.startswith(_KERNEL):
            return _kept(self.path, field, value, parse)
        return _parsed(self.path, field, value, parse)


def _parsed(path: str, field: str, value: str, parse: Callable[[str], T]) -> Fact[T]:
    try:
        return Known(parse(value), (Evidence(path, field, truncate(value)),))
    except ValueError:
        place = f"{field} in {path}" if field else path
        if not path.startswith(_KERNEL):
            # Anything may lie there, half a secret too: it is not repeated.
            return Unknown(f"{place} {WITHHELD}: not of the form that is expected there")
        return Unknown(f"{place} is {truncate(value, 40)!r}, which is not understood")


_kept = lru_cache(maxsize=128)(_parsed)


def _after(content: str, name: str, ends: tuple[str, ...]) -> str | None:
    """Return what follows *name* and one of *ends* on the first line that begins so.

    A line may also be *name* alone; ``None``: there is none. No list of lines is made: a scrape
    needs a dozen fields of files of fifty lines.
    """
    place = content.find(name)
    while place >= 0:
        end = place + len(name)
        if not place or content[place - 1] == "\n":
            stop = content.find("\n", end)
            rest = content[end : stop if stop >= 0 else None]
            if not rest or rest.startswith(ends):
                return rest[len(ends[0]) :]
        place = content.find(name, place + 1)
    return None


def truncate(text: str, length: int = MAX_SHOWN) -> str:
    """Shorten *text*; three dots mark the cut."""
    return text if len(text) <= length else text[: length - 3] + "..."


_ENDS: Final = tuple(BLANKS)


def value_of(fact: Fact[T], default: U) -> T | U:
    """Return the value, or *default* where it is not known."""
    return fact.value if isinstance(fact, Known) else default


def evidence_of(*facts: Known[object] | Unknown) -> tuple[Evidence, ...]:
    """Join the evidence of the known ones of *facts*."""
    return tuple([seen for fact in facts if isinstance(fact, Known) for seen in fact.evidence])


def first(*facts: Fact[T]) -> Fact[T]:
    """Return the first that is known, else the first: its reason is the best source's."""
    return next((fact for fact in facts if isinstance(fact, Known)), facts[0])


def derive(fact: Fact[T], function: Callable[[T], U]) -> Fact[U]:
    """Compute from a known value, on the same evidence."""
    return Known(function(fact.value), fact.evidence) if isinstance(fact, Known) else fact
