"""YAML documents as values, read as Kubernetes' own tools read them, within bounds.

PyYAML parses, as events; every bound holds before anything is built. Types of plain scalars are
those of YAML 1.1 as Go has them, because a field that is true to the API server must be true here.
Aliases and merge keys are followed, and each repeated value counts again. Refused: tags
beyond those of plain values, and names that come twice in a mapping.

Source: YAML 1.1, https://yaml.org/type/; sigs.k8s.io/yaml, which kubectl uses.
"""

import math
import re
from collections.abc import Iterator
from typing import Any, Final, NoReturn

import yaml

from devops_info_service.escape import printable

MAX_DEPTH: Final = 100
"""Collections within each other; the schemas of custom resources have some 40."""
MAX_NODES: Final = 2_000_000
"""Values of one text, with those that aliases repeat: 8 MiB hold fewer without any."""
MAX_NAME: Final = 60
"""Characters of a name in a message."""

_MERGE: Final = "<<"
_TAG: Final = "tag:yaml.org,2002:"
_TAGS: Final = frozenset({None, "!", *(f"{_TAG}{name}" for name in ("str", "map", "seq"))})
_CONSTANTS: Final[dict[str, bool | None]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys("y Y yes Yes YES true True TRUE on On ON".split(), True),  # noqa: SIM905
    **dict.fromkeys("n N no No NO false False FALSE off Off OFF".split(), False),  # noqa: SIM905
}
_INTEGER: Final = re.compile(
    r"[-+]?(?:0[bB][01]+|0[oO]?[0-7]+|0[xX][0-9a-fA-F]+|0|[1-9][0-9]*)", re.ASCII
)
_FLOAT: Final = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", re.ASCII)
_MAX_DIGITS: Final = 40
"""Of a number: beyond it no field of Kubernetes has one."""


class ManifestError(ValueError):
    """A text that cannot be read: the line, from 1, and the reason."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line}: {reason}")


class _Loader(yaml.BaseLoader):  # type: ignore[misc]  # PyYAML has no types
    """Takes a tab for a blank within a line, as kubectl's parser and YAML 1.1 (5.1) do."""

    def scan_to_next_token(self) -> None:
        super().scan_to_next_token()
        # At the start of a line, where a key may follow, a tab does not indent.
        while self.peek() == "\t" and (self.flow_level or not self.allow_simple_key):
            self.forward()
            super().scan_to_next_token()

    def scan_plain_spaces(self, indent: int, start_mark: Any) -> Any:  # noqa: ANN401  a mark, parts
        blanks = ""
        while self.peek() in {" ", "\t"}:
            blanks += self.peek()
            self.forward()
        return super().scan_plain_spaces(indent, start_mark) or ([blanks] if blanks else [])


class _Node:
    """A value, and how many values are in it."""

    __slots__ = ("nodes", "value")

    def __init__(self, value: Any, nodes: int) -> None:  # noqa: ANN401  any value of YAML
        self.value = value
        self.nodes = nodes


def documents(text: str) -> Iterator[tuple[int, Any]]:
    """Yield the value of each document of *text*, with its first line; empty ones are None.

    Raises:
        ManifestError: the text is not YAML, has a refused construct, or exceeds a bound.
    """
    events = yaml.parse(text, Loader=_Loader)
    reader = _Reader(events)
    try:
        next(events)
        while not isinstance(event := next(events), yaml.StreamEndEvent):
            value = reader.document()
            yield _line(event), value
            next(events)
    except yaml.reader.ReaderError as exc:
        line = text.count("\n", 0, exc.position) + 1
        raise ManifestError(line, f"the character U+{exc.character:04X}") from None
    except yaml.MarkedYAMLError as exc:
        mark = exc.problem_mark or exc.context_mark
        raise ManifestError(mark.line + 1, _reason(exc)) from None


def _reason(exc: yaml.MarkedYAMLError) -> str:
    hint = ""
    if mark := exc.problem_mark:
        line = (mark.buffer or "")[: mark.pointer].rpartition("\n")[2]
        rest = (mark.buffer or "")[mark.pointer :].partition("\n")[0]
        if "{{" in line + rest:
            hint = "; a template: render it first, such as by helm template"
    return f"{printable(str(exc.problem))}{hint}"


class _Reader:
    """Builds the values of one text."""

    def __init__(self, events: Iterator[Any]) -> None:
        self._events = events
        self._anchors: dict[str, _Node | None] = {}
        self._nodes = 0

    def document(self) -> Any:  # noqa: ANN401  any value of YAML
        self._anchors = {}
        return self._node(next(self._events), 1).value

    def _node(self, event: Any, depth: int) -> _Node:  # noqa: ANN401  an event
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        if event.tag not in _TAGS:
            _refuse(event, f"the tag {event.tag.replace(_TAG, '!!')}; expected a plain value")
        if event.anchor:
            # Without a value until it is complete: an alias inside it would have no end.
            self._anchors[event.anchor] = None
        self._count(1, event)
        before = self._nodes
        if depth > MAX_DEPTH:
            _refuse(event, f"more than {MAX_DEPTH} mappings and lists within each other")
        if isinstance(event, yaml.MappingStartEvent):
            value: Any = self._mapping(depth)
        elif isinstance(event, yaml.SequenceStartEvent):
            value = []
            while not isinstance(member := next(self._events), yaml.SequenceEndEvent):
                value.append(self._node(member, depth + 1).value)
        else:
            value = _scalar(event)
        node = _Node(value, 1 + self._nodes - before)
        if event.anchor:
            self._anchors[event.anchor] = node
        return node

    def _alias(self, event: Any) -> _Node:  # noqa: ANN401  an event
        name = printable(event.anchor, MAX_NAME)
        if event.anchor not in self._anchors:
            _refuse(event, f"the alias *{name} has no anchor before it")
        node = self._anchors[event.anchor]
        if node is None:
            _refuse(event, f"the alias *{name} is within its own anchor")
        self._count(node.nodes, event)
        return node

    def _mapping(self, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        own = set()
        while not isinstance(key := next(self._events), yaml.MappingEndEvent):
            name = self._name(key, depth)
            event = next(self._events)
            value = self._node(event, depth + 1).value
            if name == _MERGE and not getattr(key, "style", None):
                # In their order, as kubectl's parser has it: YAML's text lets own names win.
                found.update(self._merged(value, event))
                continue
            if name in own:
                _refuse(key, f"{printable(name, MAX_NAME)!r} is repeated in its mapping")
            own.add(name)
            found[name] = value
        return found

    def _name(self, key: Any, depth: int) -> str:  # noqa: ANN401  an event
        """Return a name, which is a string in JSON: that of y is true."""
        named = self._node(key, depth + 1).value
        if isinstance(named, dict | list):
            _refuse(key, "a name is a list or a mapping; expected a string")
        if named is None or isinstance(named, bool):
            return {None: "null", True: "true", False: "false"}[named]
        return str(named)

    def _merged(self, value: Any, event: Any) -> dict[str, Any]:  # noqa: ANN401
        merged: dict[str, Any] = {}
        for each in value if isinstance(value, list) else [value]:
            if not isinstance(each, dict):
                _refuse(event, "<< merges another value; expected a mapping")
            # Copied into this mapping, so counted once more.
            self._count(len(each), event)
            for name, field in each.items():
                merged.setdefault(name, field)
        return merged

    def _count(self, nodes: int, event: Any) -> None:  # noqa: ANN401  an event
        self._nodes += nodes
        if self._nodes > MAX_NODES:
            _refuse(event, f"more than {MAX_NODES} values, repeated ones included")


def _scalar(event: Any) -> Any:  # noqa: ANN401  an event, any value
    text = _joined(event)
    if event.style or event.tag:
        return text
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    return _number(text)


def _number(text: str) -> Any:  # noqa: ANN401  a number, else the text
    if text[:1] not in "0123456789+-." or len(text) > _MAX_DIGITS:
        return text
    digits = text if text.startswith(".") else text.replace("_", "")
    if _INTEGER.fullmatch(digits):
        return _integer(digits)
    if _FLOAT.fullmatch(digits):
        number = float(digits)
        if not math.isfinite(number):
            return text  # too large for Go's parser, which leaves it a string
        # As JSON has it, which kubectl sends: 1.0 is 1.
        return int(number) if number.is_integer() else number
    return text


def _joined(event: Any) -> str:  # noqa: ANN401  an event
    text: str = event.value
    if text.isascii():
        return text
    try:
        # JSON's escapes write a character of another plane as two.
        return text.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        _refuse(event, "half of a pair of surrogates; expected both")


def _integer(digits: str) -> int:
    sign = -1 if digits[0] == "-" else 1
    number = digits.lstrip("+-")
    if number.startswith("0") and len(number) > 1 and number[1].isdigit():
        return sign * int(number, 8)
    return sign * int(number, 0)


def _line(event: Any) -> int:  # noqa: ANN401  an event
    return int(event.start_mark.line) + 1


def _refuse(event: Any, reason: str) -> NoReturn:  # noqa: ANN401  an event
    raise ManifestError(_line(event), reason)
