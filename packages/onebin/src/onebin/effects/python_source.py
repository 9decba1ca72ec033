"""Python files that are read and not run."""

import ast
import warnings
from pathlib import Path

from . import files


def tree_of(file: Path) -> ast.Module | None:
    """Return the syntax tree of *file*; None without it, or if this Python cannot parse it.

    Nothing is printed of warnings, as of escapes in texts: they are its author's.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ast.parse(files.read_bytes(file))
        except (OSError, ValueError, SyntaxError, RecursionError, MemoryError):
            return None
