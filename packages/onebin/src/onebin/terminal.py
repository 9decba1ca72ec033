"""Text for a terminal: foreign text made printable, sizes, rows of names and values."""

from typing import Final

MAX_LINE: Final = 1000
"""Characters of one line of foreign text: an image's config may have a name of four million."""

KILO: Final = 1000
_WIDTH: Final = 14
"""Columns of the names on the left: the longest is ``health check``."""


def printable(value: str) -> str:
    r"""Return *value* with controls as ``\\xNN``: a file name must not move a terminal's cursor."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in value
    )


def decoded(data: bytes) -> str:
    r"""Return the text of a name, which may be any bytes; invalid UTF-8 becomes ``\\xNN``."""
    return data.decode("utf-8", "backslashreplace")


def truncate(value: str) -> str:
    """Return the first ``MAX_LINE`` characters and the count of the rest."""
    more = len(value) - MAX_LINE
    return value if more <= 0 else f"{value[:MAX_LINE]}… and {more} more characters"


def line(value: str) -> str:
    """Return *value* as one line: printable and truncated."""
    return printable(truncate(value))


def size(count: int) -> str:
    """Return bytes in decimal units, as ``docker images`` does."""
    value = float(count)
    for unit in ("B", "kB", "MB"):
        if value < KILO:
            return f"{value:.3g} {unit}" if unit != "B" else f"{count} B"
        value /= KILO
    return f"{value:.3g} GB"


def row(name: str, value: str) -> str:
    """Format one row: the name in its column, then the value."""
    return f"{name:<{_WIDTH}}  {printable(value)}"
