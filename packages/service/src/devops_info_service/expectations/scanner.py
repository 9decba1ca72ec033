"""Characters into texts: lines, blanks, comments, and what stands with or without quotes.

Source: YAML 1.2.2, chapters 5 to 7; RFC 8259 for the escapes between double quotes.
"""

from typing import Final, NoReturn

import msgspec

from devops_info_service.facts.forms import is_key_like

SECOND: Final = "a second document; only one is taken"

_BLANKS: Final = " \t"
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


class NotationError(ValueError):
    """What is written cannot be taken: the line, from 1, and why."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line
        self.reason = reason


class Scanner:
    """A text and a place in it."""

    def __init__(self, text: str) -> None:
        """Begin with *text*; what is not printable in it is refused."""
        self.text = text
        self.at = 0
        for position, character in enumerate(text):
            if not character.isprintable() and character not in "\n\t":
                self.refuse(f"the character U+{ord(character):04X}", position)

    def peek(self) -> str:
        """Return the character here; empty at the end."""
        return self.text[self.at : self.at + 1]

    def is_end(self, position: int) -> bool:
        """Whether a word ends before *position*."""
        return self.text[position : position + 1] in {"", " ", "\t", "\n"}

    def is_marker(self) -> bool:
        """Whether a document begins or ends here."""
        return self.text.startswith(("---", "..."), self.at) and self.is_end(self.at + 3)

    def line(self, position: int | None = None) -> int:
        """Return the line, from 1, of *position* or of here."""
        return self.text.count("\n", 0, self.at if position is None else position) + 1

    def refuse(self, reason: str, position: int | None = None) -> NoReturn:
        """Raise NotationError for what stands at *position* or here."""
        raise NotationError(self.line(position), reason)

    def blanks(self) -> None:
        """Pass blanks and tabs."""
        while self.peek() and self.peek() in _BLANKS:
            self.at += 1

    def comment(self) -> None:
        """Pass blanks and a comment; stay before the line's end."""
        start = self.at
        self.blanks()
        first = not start or self.text[start - 1] == "\n"
        if self.peek() == "#" and (first or self.at > start):
            end = self.text.find("\n", self.at)
            self.at = len(self.text) if end < 0 else end

    def end_line(self, after: str) -> None:
        """Pass a comment; nothing else may stand behind what *after* names."""
        self.comment()
        if self.peek() not in {"", "\n"}:
            self.refuse(f"something stands behind {after}")

    def next_line(self) -> int:
        """Go to the next line that says something; return its indentation."""
        while True:
            start = self.text.rfind("\n", 0, self.at) + 1
            self.comment()
            if self.peek() == "\n":
                self.at += 1
                continue
            indentation = self.text[start : self.at]
            if self.peek() and "\t" in indentation:
                self.refuse("a tab indents; YAML takes only blanks")
            return len(indentation)

    def column(self) -> int:
        """Return how far here is from the line's beginning."""
        return self.at - (self.text.rfind("\n", 0, self.at) + 1)

    def is_item(self) -> bool:
        """Whether an entry of a list begins here."""
        return self.peek() == "-" and self.is_end(self.at + 1)

    def space(self) -> None:
        """Pass blanks, ends of lines and comments."""
        while True:
            self.comment()
            if self.peek() != "\n":
                return
            self.at += 1

    def plain(self, *, in_flow: bool) -> str:
        """Take a text without quotes: to the end of the line, a comment, or a colon."""
        first = self.peek()
        if self.is_marker():
            self.refuse(SECOND)
        what = _NOT_PLAIN.get(first) or (_APART.get(first) if self.is_end(self.at + 1) else None)
        if what:
            self.refuse(f"{first!r} begins {what} in YAML; put the value between quotes")
        start = end = self.at
        stops = ",[]{}" if in_flow else ""
        while character := self.peek():
            if character == "\n" or character in stops:
                break
            follows = self.text[self.at + 1 : self.at + 2]
            if character == ":" and (self.is_end(self.at + 1) or follows in stops):
                break
            if character == "#" and self.at > start and self.at > end:
                break
            self.at += 1
            if character not in _BLANKS:
                end = self.at
        if self.peek() != ":":
            self.at = end
        return self.text[start:end]

    def quoted(self) -> str:
        """Take a text between quotes of either kind, on one line."""
        mark, start = self.peek(), self.at
        self.at += 1
        while (character := self.peek()) != mark or self._doubled(mark):
            if character in {"", "\n"}:
                self.refuse(f"{mark} is not closed on its line", start)
            # A backslash and what it escapes; between single quotes a quote and its double.
            both = character == mark or (character == "\\" and mark == '"')
            self.at += 2 if both else 1
        self.at += 1
        if mark == "'":
            return self.text[start + 1 : self.at - 1].replace("''", "'")
        try:
            # A tab is the one character that JSON wants escaped and YAML does not.
            token = self.text[start : self.at].replace("\t", "\\t")
            return msgspec.json.decode(token, type=str)
        except (ValueError, UnicodeError):
            self.refuse("an escape that JSON does not have", start)

    def _doubled(self, mark: str) -> bool:
        return mark == "'" and self.text.startswith("''", self.at)


def short(text: str) -> str:
    """Quote a name for a message of one line, unless it is none: the file may be another's."""
    plain = text.isascii() and text.translate(_IN_NAMES).isalnum() and not is_key_like(text)
    return repr(text) if plain and len(text) <= 60 else "what stands there"  # noqa: PLR2004 (a line's worth)


_IN_NAMES: Final = str.maketrans("", "", "._-")
