"""The part of YAML that expectations are written in: names, nested names, values, short lists.

What is taken here means the same to every reader of YAML; all else is refused with its line:
anchors, aliases, tags, several documents, texts of several lines. JSON is taken as YAML takes it.
Every value is its text; what it means depends on its name, not on how YAML would guess.

Our own, as PyYAML would add 72 kB to an image of 2.8 MB, and import its writer with its reader.

Source: YAML 1.2.2, chapters 6 to 8; RFC 8259 for the escapes between double quotes.
"""

from typing import Final, NoReturn

import msgspec

MAX_BYTES: Final = 64 * 1024
"""Bytes of all expectations: every name there is, each with a line of comment, takes a tenth."""
MAX_DEPTH: Final = 8
"""Mappings within each other; a name has two parts."""

_BLANKS: Final = " \t"
_ENDS: Final = "\n"
_NOT_PLAIN: Final = {
    "&": "an anchor",
    "*": "an alias",
    "!": "a tag",
    "|": "a text of several lines",
    ">": "a text of several lines",
    "%": "a directive",
    "@": "a reserved character",
    "`": "a reserved character",
    "]": "an end without its beginning",
    "}": "an end without its beginning",
    ",": "a comma",
    "#": "a comment",
}
"""What a first character makes of a text without quotes."""
_APART: Final = {"-": "a list", "?": "a key of several lines"}
"""Likewise, with a blank behind it."""
_SECOND: Final = "a second document; only one is taken"
_NOTHING: Final = frozenset({"", "~", "null", "Null", "NULL"})


class NotationError(ValueError):
    """What is written cannot be taken: the line, from 1, and why."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line
        self.reason = reason


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


class _Reader:
    """Goes through the text once, from left to right."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._entries: dict[str, Entry] = {}
        self._mappings: dict[str, int] = {}
        """Names that hold names -> where."""

    def document(self) -> tuple[Entry, ...]:
        for position, character in enumerate(self._text):
            if not character.isprintable() and character not in "\n\t":
                self._refuse(f"the character U+{ord(character):04X}", position)
        column = self._next_line()
        if self._peek() == "-" and self._is_marker():
            self._at += 3
            self._end_line("---")
            column = self._next_line()
        if self._at == len(self._text):
            self._refuse("nothing is expected; leave the setting away instead")
        if self._peek() == "{":
            self._flow_mapping("", 1)
            self._end_line("}")
            column = self._next_line()
        else:
            self._block_mapping("", column, 1)
        if self._at < len(self._text):
            second = self._is_marker() or column == 0
            self._refuse(_SECOND if second else "a line that is less indented than the first")
        return tuple(self._entries.values())

    # Where we are.

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _is_end(self, position: int) -> bool:
        """Whether a word ends before *position*."""
        return self._text[position : position + 1] in {"", " ", "\t", "\n"}

    def _is_marker(self) -> bool:
        """Whether a document begins or ends here."""
        return self._text.startswith(("---", "..."), self._at) and self._is_end(self._at + 3)

    def _line(self, position: int | None = None) -> int:
        return self._text.count("\n", 0, self._at if position is None else position) + 1

    def _refuse(self, reason: str, position: int | None = None) -> NoReturn:
        raise NotationError(self._line(position), reason)

    def _blanks(self) -> None:
        while self._peek() and self._peek() in _BLANKS:
            self._at += 1

    def _comment(self) -> None:
        """Pass blanks and a comment; stay before the line's end."""
        start = self._at
        self._blanks()
        first = not start or self._text[start - 1] in _ENDS
        if self._peek() == "#" and (first or self._at > start):
            end = self._text.find("\n", self._at)
            self._at = len(self._text) if end < 0 else end

    def _end_line(self, after: str) -> None:
        self._comment()
        if self._peek() not in {"", "\n"}:
            self._refuse(f"something stands behind {after}")

    def _next_line(self) -> int:
        """Go to the next line that says something; return its indentation."""
        while True:
            start = self._text.rfind("\n", 0, self._at) + 1
            self._comment()
            if self._peek() == "\n":
                self._at += 1
                continue
            indentation = self._text[start : self._at]
            if self._peek() and "\t" in indentation:
                self._refuse("a tab indents; YAML takes only blanks")
            return len(indentation)

    # Lines: one name each, deeper names below.

    def _block_mapping(self, prefix: str, column: int, depth: int) -> None:
        self._check_depth(depth)
        here = column
        while self._peek() and here == column:
            if self._is_item():
                self._refuse("a list where a mapping is wanted, such as memory.limit: 256Mi")
            name = self._key(prefix, in_flow=False)
            self._comment()
            if self._peek() in {"", "\n"}:
                here = self._below(name, column, depth)
            else:
                self._value(name, depth, in_flow=False)
                self._end_line("the value")
                here = self._next_line()
            if self._peek() and here > column:
                self._refuse("an indentation that fits no line above")

    def _below(self, name: str, column: int, depth: int) -> int:
        """Take what stands below *name*; return the indentation of what follows."""
        line = self._line()
        here = self._next_line()
        if self._peek() and here >= column and self._is_item():
            return self._block_list(name, here, line)
        if not self._peek() or here <= column:
            raise NotationError(line, f"{name} has no value")
        self._open(name, line)
        self._block_mapping(name, here, depth + 1)
        return self._column()

    def _column(self) -> int:
        return self._at - (self._text.rfind("\n", 0, self._at) + 1)

    def _is_item(self) -> bool:
        return self._peek() == "-" and self._is_end(self._at + 1)

    def _block_list(self, name: str, column: int, line: int) -> int:
        values = []
        here = column
        while self._peek() and here == column and self._is_item():
            self._at += 1
            self._blanks()
            if self._is_item() or self._peek() in {"[", "{"}:
                self._refuse("a list within a list")
            values.append(self._scalar(name, in_flow=False))
            self._end_line("the value")
            here = self._next_line()
        self._add(name, line, tuple(values), is_list=True)
        return here

    # Brackets: as JSON has them, over any number of lines.

    def _space(self) -> None:
        """Pass blanks, ends of lines and comments."""
        while True:
            self._comment()
            if self._peek() != "\n":
                return
            self._at += 1

    def _flow_mapping(self, prefix: str, depth: int) -> None:
        self._check_depth(depth)
        opened = self._at
        self._at += 1
        self._space()
        if self._peek() == "}":
            self._refuse(f"{prefix or 'it'} expects nothing: an empty mapping")
        while True:
            name = self._key(prefix, in_flow=True)
            self._space()
            self._value(name, depth, in_flow=True)
            if self._separator("}", opened):
                return

    def _flow_list(self, name: str) -> None:
        opened = self._at
        line = self._line()
        values: list[str] = []
        self._at += 1
        self._space()
        closed = self._peek() == "]"
        self._at += closed
        while not closed:
            if self._peek() in {"[", "{"}:
                self._refuse("a list within a list")
            values.append(self._scalar(name, in_flow=True))
            closed = self._separator("]", opened)
        self._add(name, line, tuple(values), is_list=True)

    def _separator(self, end: str, opened: int) -> bool:
        """Pass a comma or *end*; return whether it was the end."""
        self._space()
        comma = self._peek() == ","
        if comma:
            self._at += 1
            self._space()
        if self._peek() == end:
            self._at += 1
            return True
        if not self._peek():
            self._refuse(f"{self._text[opened]} is never closed", opened)
        if not comma:
            self._refuse("a comma is missing before this")
        return False

    # Names and values.

    def _key(self, prefix: str, *, in_flow: bool) -> str:
        start = self._at
        quoted = self._peek() in {'"', "'"}
        if self._peek() in {"{", "["}:
            self._refuse("a name may be no list and no mapping")
        key = self._quoted() if quoted else self._plain(in_flow=in_flow)
        if quoted:
            self._blanks()
        # JSON has no blank behind the colon; YAML wants one where the name has no quotes.
        adjacent = quoted and in_flow
        if self._peek() != ":" or not (adjacent or self._is_end(self._at + 1)):
            self._refuse(
                f"{_short(key)} is no mapping of a name to a value, such as memory.limit: 256Mi",
                start,
            )
        self._at += 1
        if not key:
            self._refuse("a name is missing", start)
        if key == "<<" and not quoted:
            self._refuse("a merge; it needs an alias, and none is taken", start)
        name = f"{prefix}.{key}" if prefix else key
        if name in self._entries or name in self._mappings:
            before = self._mappings.get(name) or self._entries[name].line
            self._refuse(f"{_short(name)} stands here again; it is in line {before}", start)
        return name

    def _value(self, name: str, depth: int, *, in_flow: bool) -> None:
        line = self._line()
        if self._peek() == "{":
            self._open(name, line)
            self._flow_mapping(name, depth + 1)
        elif self._peek() == "[":
            self._flow_list(name)
        else:
            self._add(name, line, (self._scalar(name, in_flow=in_flow),), is_list=False)

    def _scalar(self, name: str, *, in_flow: bool) -> str:
        start = self._at
        if self._peek() in {'"', "'"}:
            return self._quoted()
        missing = in_flow and self._peek() in {",", "]", "}"}
        text = "" if missing else self._plain(in_flow=in_flow)
        if self._peek() == ":":
            self._refuse(f"a colon within the value of {_short(name)}; put it between quotes")
        if text in _NOTHING:
            self._refuse(f"{_short(name)} has no value", start)
        return text

    def _plain(self, *, in_flow: bool) -> str:
        """Take a text without quotes: to the end of the line, a comment, or a colon."""
        first = self._peek()
        if self._is_marker():
            self._refuse(_SECOND)
        what = _NOT_PLAIN.get(first) or (_APART.get(first) if self._is_end(self._at + 1) else None)
        if what:
            self._refuse(f"{first!r} begins {what} in YAML; put the value between quotes")
        start = end = self._at
        stops = ",[]{}" if in_flow else ""
        while character := self._peek():
            if character == "\n" or character in stops:
                break
            follows = self._text[self._at + 1 : self._at + 2]
            if character == ":" and (self._is_end(self._at + 1) or follows in stops):
                break
            if character == "#" and self._at > start and self._at > end:
                break
            self._at += 1
            if character not in _BLANKS:
                end = self._at
        if self._peek() != ":":
            self._at = end
        return self._text[start:end]

    def _quoted(self) -> str:
        mark, start = self._peek(), self._at
        self._at += 1
        while (character := self._peek()) != mark or self._doubled(mark):
            if character in {"", "\n"}:
                self._refuse(f"{mark} is not closed on its line", start)
            # A backslash and what it escapes; between single quotes a quote and its double.
            both = character == mark or (character == "\\" and mark == '"')
            self._at += 2 if both else 1
        self._at += 1
        if mark == "'":
            return self._text[start + 1 : self._at - 1].replace("''", "'")
        try:
            # A tab is the one character that JSON wants escaped and YAML does not.
            token = self._text[start : self._at].replace("\t", "\\t")
            return msgspec.json.decode(token, type=str)
        except (ValueError, UnicodeError):
            self._refuse("an escape that JSON does not have", start)

    def _doubled(self, mark: str) -> bool:
        return mark == "'" and self._text.startswith("''", self._at)

    # What was found.

    def _check_depth(self, depth: int) -> None:
        if depth > MAX_DEPTH:
            self._refuse(f"more than {MAX_DEPTH} mappings within each other")

    def _open(self, name: str, line: int) -> None:
        self._mappings[name] = line

    def _add(self, name: str, line: int, values: tuple[str, ...], *, is_list: bool) -> None:
        self._entries[name] = Entry(name, line, values, is_list)


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else f"{text[:57]}...")  # noqa: PLR2004 (a line's worth)
