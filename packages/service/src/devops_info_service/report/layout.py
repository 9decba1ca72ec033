"""Rows and sections as aligned lines; all text of a report reaches a terminal through here.

Every text passes ``plain``, before any color is added: names of containers, mounts and labels
were chosen by strangers, and a terminal obeys control characters.
"""

import textwrap
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from devops_info_service.catalog.row import Row

MIN_WIDTH: Final = 60
MAX_WIDTH: Final = 120
"""Columns. Longer lines are hard to read, and shorter ones leave no room beside the labels."""
WIDTH: Final = 100
"""Columns without a terminal, as in the log of a job."""

_INDENT: Final = "  "
_VERDICT_WIDTH: Final = len("unknown") + 2
_VALUE_WIDTH: Final = 30
"""Columns a value may take for its note to stand beside it."""
_COLORS: Final = {"pass": "32", "fail": "31", "unknown": "33", "title": "1", "note": "2"}
"""Of ECMA-48, SGR: green, red, yellow, bold, faint."""


class Section(msgspec.Struct, frozen=True):
    """Rows under one title."""

    title: str
    rows: tuple[Row, ...]


def plain(text: str) -> str:
    r"""Spell unprintable characters as in a Python literal: ``\x1b``, ``\n``, ``\u202e``."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)


def plain_json(data: bytes) -> bytes:
    r"""Escape characters that JSON may hold and a terminal may obey: C1 controls, bidi marks."""
    text = data.decode()
    if text.isprintable():
        return data
    return "".join(each if each.isprintable() else _json_escape(each) for each in text).encode()


def _json_escape(character: str) -> str:
    number = ord(character)
    if number <= 0xFFFF:  # noqa: PLR2004 (the end of the first plane)
        return f"\\u{number:04x}"
    number -= 0x10000
    return f"\\u{0xD800 + (number >> 10):04x}\\u{0xDC00 + (number & 0x3FF):04x}"


def render(sections: Sequence[Section], *, width: int = WIDTH, color: bool = False) -> str:
    """Return all of it, each section after an empty line."""
    width = max(MIN_WIDTH, min(width, MAX_WIDTH))
    paint = _paint if color else _leave
    lines: list[str] = []
    for section in sections:
        lines += ["", *(paint(line, "title") for line in _wrap(plain(section.title), width))]
        longest = max((len(plain(row.label)) for row in section.rows), default=0)
        # A path may be a label: one that is too long has its value below it.
        label_width = min(longest, width // 3)
        for row in section.rows:
            lines += _row(row, label_width, width, paint)
    return "\n".join(lines[1:]) + "\n"


def _row(row: Row, label_width: int, width: int, paint: Callable[[str, str], str]) -> list[str]:
    label, value = plain(row.label), plain(row.value)
    verdict = row.verdict.ljust(_VERDICT_WIDTH) if row.verdict else ""
    offset = len(_INDENT) + len(verdict) + label_width + 2
    values = _wrap(value, width - offset) or [""]
    notes = [line for note in row.notes for line in _wrap(plain(note), width - offset)]
    painted = paint(verdict, row.verdict) if row.verdict else ""
    lines = [f"{_INDENT}{painted}{label.ljust(label_width)}  {values[0]}".rstrip()]
    if len(label) > label_width:
        lines = [f"{_INDENT}{painted}{label}", f"{' ' * offset}{values[0]}".rstrip()]
    lines += [f"{' ' * offset}{line}" for line in values[1:]]
    beside = width - offset - _VALUE_WIDTH - 2
    short = len(value) <= _VALUE_WIDTH and len(notes) == 1 and len(notes[0]) <= beside
    if short and not row.verdict:
        gap = " " * (_VALUE_WIDTH - len(value) + 2)
        lines[-1] += f"{gap}{paint(notes[0], 'note')}"
        return lines
    return [*lines, *(f"{' ' * offset}{paint(note, 'note')}" for note in notes)]


def _wrap(text: str, width: int) -> list[str]:
    # Paths stay whole where they can, for copying.
    return textwrap.wrap(text, width, break_on_hyphens=False)


def _paint(text: str, role: str) -> str:
    return f"\x1b[{_COLORS[role]}m{text}\x1b[0m"


def _leave(text: str, _: str) -> str:
    return text
