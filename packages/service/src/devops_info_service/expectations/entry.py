"""A name and its value in a text of expectations, and the error of a text that has none.

Separate from ``document``, which imports PyYAML: only the parse of a text needs that.
"""

from typing import Final

import msgspec

from devops_info_service.facts.forms import is_key_like

MAX_SHOWN: Final = 60
"""Characters of a name in a message: a line's worth."""

_IN_NAMES: Final = str.maketrans("", "", "._-")


class DocumentError(ValueError):
    """A text that cannot be taken: the line, from 1, and the reason."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line
        self.reason = reason


class Entry(msgspec.Struct, frozen=True):
    """One name and its value."""

    name: str
    """Nested names joined by dots."""
    line: int
    values: tuple[str, ...]
    """One; or those of a list."""
    is_list: bool


def short(text: str) -> str:
    """Quote a name for a message, unless it has no such form: the file may be another's."""
    plain = text.isascii() and text.translate(_IN_NAMES).isalnum() and not is_key_like(text)
    return repr(text) if plain and len(text) <= MAX_SHOWN else "the name there"
