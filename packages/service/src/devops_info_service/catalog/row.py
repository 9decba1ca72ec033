"""A row of a report: a fact's label, its value as text, and its source."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final, TypeVar

import msgspec

from devops_info_service.facts.fact import Evidence, Fact, Unknown

from .formatting import shortened

if TYPE_CHECKING:
    from devops_info_service.standards.checks import Verdict

T = TypeVar("T")

MAX_SOURCES: Final = 3
"""Files named for one value; JSON has all."""
MAX_PATH: Final = 80
"""Characters of a path that is named in full; JSON never cuts one."""


class Note(msgspec.Struct, frozen=True):
    """One line beside a value."""

    text: str
    is_path: bool = False
    """Whether it begins with a file's path: something to copy, not a sentence."""


class Row(msgspec.Struct, frozen=True):
    """A label, a value, and where the value was read or why it is unknown."""

    label: str
    value: str
    notes: tuple[Note, ...] = ()
    verdict: "Verdict | None" = None


def row(label: str, fact: Fact[T], form: Callable[[T], str] = str) -> Row:
    """Return *fact* as a row: its value by *form* and its sources, or the reason it is unknown."""
    if isinstance(fact, Unknown):
        return Row(label, "unknown", (Note(fact.reason),))
    return Row(label, form(fact.value), sources(fact.evidence))


def format_fact(fact: Fact[T], form: Callable[[T], str] = str) -> str:
    """Return the value of *fact* by *form*, or ``unknown``."""
    return "unknown" if isinstance(fact, Unknown) else form(fact.value)


def sources(evidence: Iterable[Evidence]) -> tuple[Note, ...]:
    """Name each file once, with the fields read from it, on one line; no line without a file."""
    fields: dict[str, list[str]] = {}
    for seen in evidence:
        fields.setdefault(seen.file, []).extend([seen.field] if seen.field else [])
    named = (
        f"{_short(file)} {', '.join(shortened(dict.fromkeys(names), MAX_SOURCES))}".strip()
        for file, names in fields.items()
    )
    text = "; ".join(shortened(named, MAX_SOURCES))
    return (place(text),) if text else ()


def place(text: str) -> Note:
    """Return where evidence was found: in a file, else the environment or a system call."""
    return Note(text, is_path=text.startswith("/"))


def _short(path: str) -> str:
    # A group's directory has the long ids of pod and container in it.
    if len(path) <= MAX_PATH:
        return path
    steps = path.split("/")
    return "/".join([*steps[:4], "...", steps[-1]])
