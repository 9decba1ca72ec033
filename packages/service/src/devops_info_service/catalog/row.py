"""A fact in words, with its certainty: the one text of it on terminal and page; and its row."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final, Literal, TypeVar

import msgspec

from devops_info_service.facts.fact import Evidence, Fact, Unknown

from .formatting import shortened

if TYPE_CHECKING:
    from devops_info_service.standards.checks import Verdict

T = TypeVar("T")

Certainty = Literal["certain", "likely", "possible", "unknown"]

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
    notes = (Note(fact.reason),) if isinstance(fact, Unknown) else sources(fact.evidence)
    return Row(label, text_of(fact, form), notes)


def text_of(fact: Fact[T], form: Callable[[T], str] = str) -> str:
    """Return the value of *fact* by *form*, and its certainty if it is not certain.

    No other function puts a certainty into words, so that no view can leave it out.
    """
    level = certainty(fact)
    if isinstance(fact, Unknown) or level == "unknown":
        return "unknown"
    text = form(fact.value)
    return text if level == "certain" else f"{text} ({level})"


def certainty(fact: Fact[object]) -> Certainty:
    """Return how far to trust *fact*: a guess has its confidence in its value."""
    if isinstance(fact, Unknown):
        return "unknown"
    return getattr(fact.value, "confidence", "certain")


def proved(fact: Fact[T]) -> Fact[T]:
    """Return *fact* if it is certain, else the reason why nothing can be decided by it."""
    level = certainty(fact)
    if isinstance(fact, Unknown) or level == "certain":
        return fact
    places = "; ".join([note.text for note in sources(fact.evidence)])
    return Unknown(f"only {level}, by {places}" if places else f"only {level}")


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
