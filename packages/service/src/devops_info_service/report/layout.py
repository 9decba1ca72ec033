"""Rows and sections as aligned lines; all text of a report reaches a terminal through here.

Every text passes ``printable``, before any color is added: names of containers, mounts and labels
were chosen by strangers, and a terminal obeys control characters.
"""

import textwrap
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from devops_info_service.catalog.row import Row
from devops_info_service.escape import printable

MIN_WIDTH: Final = 60
MAX_WIDTH: Final = 120
"""Columns. Longer lines are hard to read, and shorter ones leave no room beside the labels."""
WIDTH: Final = 100
"""Columns without a terminal, as in the log of a job."""

_INDENT: Final = "  "
_VERDICT_WIDTH: Final = len("unknown") + 2
_VALUE_WIDTH: Final = 30
"""Columns a value may take for its note to be beside it."""
_COLORS: Final = {"pass": "32", "fail": "31", "unknown": "33", "title": "1", "note": "2"}
"""Of ECMA-48, SGR: green, red, yellow, bold, faint."""


class Section(msgspec.Struct, frozen=True):
    """Rows under one title."""

    title: str
    rows: tuple[Row, ...]


def render(sections: Sequence[Section], *, width: int = WIDTH, color: bool = False) -> str:
    """Return all of it, each section after an empty line."""
    width = max(MIN_WIDTH, min(width, MAX_WIDTH))
    paint = _paint if color else _leave
    lines: list[str] = []
    for section in sections:
        lines += ["", *(paint(line, "title") for line in _wrap(printable(section.title), width))]
        longest = max([len(printable(row.label)) for row in section.rows], default=0)
        # A path may be a label: below one too long is its value.
        label_width = min(longest, width // 3)
        for row in section.rows:
            lines += _row(row, label_width, width, paint)
    return "\n".join(lines[1:]) + "\n"


def _row(row: Row, label_width: int, width: int, paint: Callable[[str, str], str]) -> list[str]:
    label, value = printable(row.label), printable(row.value)
    verdict = row.verdict.ljust(_VERDICT_WIDTH) if row.verdict else ""
    offset = len(_INDENT) + len(verdict) + label_width + 2
    values = _wrap(value, width - offset) or [""]
    notes = [line for note in row.notes for line in _wrap(printable(note.text), width - offset)]
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
