"""The part of YAML that expectations are written in: names, nested names, values, short lists.

What is taken here means the same to every reader of YAML; all else is refused with its line:
anchors, aliases, tags, several documents, texts of several lines. JSON is taken as YAML takes it.
Every value is its text; what it means depends on its name, not on how YAML would guess.

Our own, as PyYAML would add 72 kB to an image of 2.8 MB: importing its reader imports its writer.

Source: YAML 1.2.2, chapters 7 and 8.
"""

from typing import Final

import msgspec

from .scanner import SECOND, NotationError, Scanner, short

MAX_BYTES: Final = 64 * 1024
"""Bytes of all expectations: every name there is, each with a line of comment, takes a tenth."""
MAX_DEPTH: Final = 8
"""Mappings within each other; a name has two parts."""

_NOTHING: Final = frozenset({"", "~", "null", "Null", "NULL"})


class Entry(msgspec.Struct, frozen=True):
    """One name and what is said of it."""

    name: str
    """Nested names joined by dots."""
    line: int
    values: tuple[str, ...]
    """One; or those of a list."""
    is_list: bool


def read(text: str) -> tuple[Entry, ...]:
    """Return what *text* says, in its order.

    Raises:
        NotationError: it is no mapping of names to values, or more than this part of YAML.
    """
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise NotationError(1, f"more than {MAX_BYTES} bytes")
    return _Reader(text.removeprefix("\ufeff").replace("\r\n", "\n")).document()


class _Reader(Scanner):
    """Goes through the text once, from left to right."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._entries: dict[str, Entry] = {}
        self._mappings: dict[str, int] = {}
        """Names that hold names -> where."""

    def document(self) -> tuple[Entry, ...]:
        column = self.next_line()
        if self.peek() == "-" and self.is_marker():
            self.at += 3
            self.end_line("---")
            column = self.next_line()
        if self.at == len(self.text):
            self.refuse("nothing is expected; leave the setting away instead")
        if self.peek() == "{":
            self._flow_mapping("", 1)
            self.end_line("}")
            column = self.next_line()
        else:
            self._block_mapping("", column, 1)
        if self.at < len(self.text):
            second = self.is_marker() or column == 0
            self.refuse(SECOND if second else "a line that is less indented than the first")
        return tuple(self._entries.values())

    # Lines: one name each, deeper names below.

    def _block_mapping(self, prefix: str, column: int, depth: int) -> None:
        self._check_depth(depth)
        here = column
        while self.peek() and here == column:
            if self.is_item():
                self.refuse("a list where a mapping is wanted, such as memory.limit: 256Mi")
            name = self._key(prefix, in_flow=False)
            self.comment()
            if self.peek() in {"", "\n"}:
                here = self._below(name, column, depth)
            else:
                self._value(name, depth, in_flow=False)
                self.end_line("the value")
                here = self.next_line()
            if self.peek() and here > column:
                self.refuse("an indentation that fits no line above")

    def _below(self, name: str, column: int, depth: int) -> int:
        """Take what stands below *name*; return the indentation of what follows."""
        line = self.line()
        here = self.next_line()
        if self.peek() and here >= column and self.is_item():
            return self._block_list(name, here, line)
        if not self.peek() or here <= column:
            raise NotationError(line, f"{name} has no value")
        self._open(name, line)
        self._block_mapping(name, here, depth + 1)
        return self.column()

    def _block_list(self, name: str, column: int, line: int) -> int:
        values = []
        here = column
        while self.peek() and here == column and self.is_item():
            self.at += 1
            self.blanks()
            if self.is_item() or self.peek() in {"[", "{"}:
                self.refuse("a list within a list")
            values.append(self._scalar(name, in_flow=False))
            self.end_line("the value")
            here = self.next_line()
        self._add(name, line, tuple(values), is_list=True)
        return here

    # Brackets: as JSON has them, over any number of lines.

    def _flow_mapping(self, prefix: str, depth: int) -> None:
        self._check_depth(depth)
        opened = self.at
        self.at += 1
        self.space()
        if self.peek() == "}":
            self.refuse(f"{prefix or 'it'} expects nothing: an empty mapping")
        while True:
            name = self._key(prefix, in_flow=True)
            self.space()
            self._value(name, depth, in_flow=True)
            if self._separator("}", opened):
                return

    def _flow_list(self, name: str) -> None:
        opened = self.at
        line = self.line()
        values: list[str] = []
        self.at += 1
        self.space()
        closed = self.peek() == "]"
        self.at += closed
        while not closed:
            if self.peek() in {"[", "{"}:
                self.refuse("a list within a list")
            values.append(self._scalar(name, in_flow=True))
            closed = self._separator("]", opened)
        self._add(name, line, tuple(values), is_list=True)

    def _separator(self, end: str, opened: int) -> bool:
        """Pass a comma or *end*; return whether it was the end."""
        self.space()
        comma = self.peek() == ","
        if comma:
            self.at += 1
            self.space()
        if self.peek() == end:
            self.at += 1
            return True
        if not self.peek():
            self.refuse(f"{self.text[opened]} is never closed", opened)
        if not comma:
            self.refuse("a comma is missing before this")
        return False

    # Names and values.

    def _key(self, prefix: str, *, in_flow: bool) -> str:
        start = self.at
        quoted = self.peek() in {'"', "'"}
        if self.peek() in {"{", "["}:
            self.refuse("a name may be no list and no mapping")
        key = self.quoted() if quoted else self.plain(in_flow=in_flow)
        if quoted:
            self.blanks()
        # JSON has no blank behind the colon; YAML wants one where the name has no quotes.
        adjacent = quoted and in_flow
        if self.peek() != ":" or not (adjacent or self.is_end(self.at + 1)):
            self.refuse(
                "it is no mapping of a name to a value, such as memory.limit: 256Mi",
                start,
            )
        self.at += 1
        if not key:
            self.refuse("a name is missing", start)
        if key == "<<" and not quoted:
            self.refuse("a merge; it needs an alias, and none is taken", start)
        name = f"{prefix}.{key}" if prefix else key
        if name in self._entries or name in self._mappings:
            before = self._mappings.get(name) or self._entries[name].line
            self.refuse(f"{short(name)} stands here again; it is in line {before}", start)
        return name

    def _value(self, name: str, depth: int, *, in_flow: bool) -> None:
        line = self.line()
        if self.peek() == "{":
            self._open(name, line)
            self._flow_mapping(name, depth + 1)
        elif self.peek() == "[":
            self._flow_list(name)
        else:
            self._add(name, line, (self._scalar(name, in_flow=in_flow),), is_list=False)

    def _scalar(self, name: str, *, in_flow: bool) -> str:
        start = self.at
        if self.peek() in {'"', "'"}:
            return self.quoted()
        missing = in_flow and self.peek() in {",", "]", "}"}
        text = "" if missing else self.plain(in_flow=in_flow)
        if self.peek() == ":":
            self.refuse(f"a colon within the value of {short(name)}; put it between quotes")
        if text in _NOTHING:
            self.refuse(f"{short(name)} has no value", start)
        return text

    # What was found.

    def _check_depth(self, depth: int) -> None:
        if depth > MAX_DEPTH:
            self.refuse(f"more than {MAX_DEPTH} mappings within each other")

    def _open(self, name: str, line: int) -> None:
        self._mappings[name] = line

    def _add(self, name: str, line: int, values: tuple[str, ...], *, is_list: bool) -> None:
        self._entries[name] = Entry(name, line, values, is_list)
