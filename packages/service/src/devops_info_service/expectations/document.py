"""A YAML or JSON text as names and values: a mapping, nested names joined by dots.

PyYAML reads it, as events: every value is its text, whatever YAML would guess of it, and every
bound holds before anything is built. Constructs that give a text two meanings are refused:
aliases, tags, several documents, texts of several lines, names that come twice.

Source: YAML 1.1, as PyYAML has it; JSON is a part of it.
"""

from collections.abc import Iterator
from typing import Any, Final, NoReturn

import yaml

from .entry import DocumentError, Entry, short

MAX_BYTES: Final = 64 * 1024
"""Bytes of all expectations: every name there is, each with a line of comment, takes a tenth."""
MAX_DEPTH: Final = 8
"""Mappings within each other; a name has two parts."""

EXAMPLE: Final = "such as memory.limit: 256Mi"
_NULLS: Final = frozenset({"", "~", "null", "Null", "NULL"})
_QUOTE: Final = "; put the value between quotes"


def read(text: str) -> tuple[Entry, ...]:
    """Return the entries of *text*, in its order.

    Raises:
        DocumentError: it is not a mapping of names to values, or has a rejected construct.
    """
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise DocumentError(1, f"more than {MAX_BYTES} bytes")
    if text.lstrip().startswith("{"):
        # JSON may be indented by tabs, YAML may not; between quotes neither takes one.
        text = text.replace("\t", " ")
    try:
        return _Reader(yaml.parse(text, Loader=yaml.BaseLoader)).document()
    except yaml.reader.ReaderError as exc:
        line = text.count("\n", 0, exc.position) + 1
        raise DocumentError(line, f"the character U+{exc.character:04X}") from None
    except yaml.MarkedYAMLError as exc:
        mark = exc.problem_mark or exc.context_mark
        raise DocumentError(mark.line + 1, _reason(exc)) from None


def _reason(exc: yaml.MarkedYAMLError) -> str:
    if "tag" in f"{exc.context} {exc.problem}":
        # Of a tag the message repeats the text.
        return f"a tag{_QUOTE}"
    if r"'\t'" in exc.problem:
        return "a tab; indent by blanks"
    hint = "scalar" in str(exc.context) or "cannot start any token" in exc.problem
    return f"{exc.problem}{_QUOTE if hint else ''}"


class _Reader:
    """Goes through the events once."""

    def __init__(self, events: Iterator[Any]) -> None:
        self._events = events
        self._entries: dict[str, Entry] = {}
        self._lines: dict[str, int] = {}
        """Names of mappings and of values -> where."""

    def document(self) -> tuple[Entry, ...]:
        next(self._events)
        if not isinstance(next(self._events), yaml.DocumentStartEvent):
            _reject(None, "nothing is expected; leave the setting away instead")
        first = self._next()
        if isinstance(first, yaml.ScalarEvent) and not first.value:
            _reject(first, "nothing is expected; leave the setting away instead")
        if not isinstance(first, yaml.MappingStartEvent):
            _reject(first, f"not a mapping of names to values, {EXAMPLE}")
        self._mapping("", 1)
        next(self._events)
        after = next(self._events)
        if not isinstance(after, yaml.StreamEndEvent):
            _reject(after, "a second document; only one is taken")
        return tuple(self._entries.values())

    def _next(self) -> Any:  # noqa: ANN401  an event
        event = next(self._events)
        if isinstance(event, yaml.AliasEvent):
            _reject(event, f"an alias{_QUOTE}")
        if getattr(event, "anchor", None):
            _reject(event, f"an anchor{_QUOTE}")
        if getattr(event, "tag", None):
            _reject(event, f"a tag{_QUOTE}")
        return event

    def _mapping(self, prefix: str, depth: int) -> None:
        is_empty = True
        while not isinstance(key := self._next(), yaml.MappingEndEvent):
            is_empty = False
            name = self._name(prefix, key)
            value = self._next()
            if isinstance(value, yaml.MappingStartEvent):
                if depth == MAX_DEPTH:
                    _reject(value, f"more than {MAX_DEPTH} mappings within each other")
                self._mapping(name, depth + 1)
            elif isinstance(value, yaml.SequenceStartEvent):
                self._add(name, key, tuple(self._members(name)), is_list=True)
            else:
                self._add(name, key, (_text(name, value),), is_list=False)
        if is_empty:
            _reject(key, f"{short(prefix) if prefix else 'the text'} expects nothing")

    def _name(self, prefix: str, key: Any) -> str:  # noqa: ANN401  an event
        if not isinstance(key, yaml.ScalarEvent):
            _reject(key, "a name may not be a list or a mapping")
        if not key.value:
            _reject(key, "a name is missing")
        name = f"{prefix}.{key.value}" if prefix else key.value
        if name in self._lines:
            _reject(key, f"{short(name)} is repeated; it is in line {self._lines[name]}")
        self._lines[name] = _line(key)
        return name

    def _members(self, name: str) -> Iterator[str]:
        while not isinstance(member := self._next(), yaml.SequenceEndEvent):
            if not isinstance(member, yaml.ScalarEvent):
                _reject(member, "a list or a mapping within a list")
            yield _text(name, member)

    def _add(self, name: str, key: Any, values: tuple[str, ...], *, is_list: bool) -> None:  # noqa: ANN401
        self._entries[name] = Entry(name, _line(key), values, is_list)


def _text(name: str, scalar: Any) -> str:  # noqa: ANN401  an event
    text: str = scalar.value
    if not scalar.style and text in _NULLS:
        _reject(scalar, f"{short(name)} has no value")
    if scalar.style in {"|", ">"} or scalar.start_mark.line != scalar.end_mark.line:
        _reject(scalar, f"a text of several lines{_QUOTE}, on one line")
    for character in text:
        if not character.isprintable():
            _reject(scalar, f"the character U+{ord(character):04X}")
    return text


def _line(event: Any) -> int:  # noqa: ANN401  an event
    return int(event.start_mark.line) + 1


def _reject(event: Any, reason: str) -> NoReturn:  # noqa: ANN401  an event
    raise DocumentError(_line(event) if event else 1, reason)
