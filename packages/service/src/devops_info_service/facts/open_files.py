"""Files of the kernel that are read again and again: open ones stay open, absent ones absent."""

import os
from typing import Final

SHARE: Final = 16
"""Of the files that the process may open, one in so many: connections need the others."""


class OpenFiles:
    """Open files by their paths, at most *most*: a read costs half of opening it as well.

    And at most *absent* paths that led nowhere: none is tried again until they are forgotten.
    """

    def __init__(self, most: int, absent: int = 0) -> None:
        allowed = os.sysconf("SC_OPEN_MAX")  # -1: without a limit
        self._most = most if allowed < 0 else min(most, allowed // SHARE)
        self._descriptors: dict[str, int] = {}
        self._most_absent = absent
        self._absent: set[str] = set()

    def get(self, path: str) -> int | None:
        """Return the descriptor of *path*, if it is open."""
        return self._descriptors.get(path)

    def keep(self, path: str, descriptor: int) -> bool:
        """Return whether *descriptor* stays open for *path*; there may be too many."""
        is_kept = len(self._descriptors) < self._most
        if is_kept:
            self._descriptors[path] = descriptor
        return is_kept

    def is_absent(self, path: str) -> bool:
        """Return whether *path* led nowhere."""
        return path in self._absent

    def keep_absent(self, path: str) -> None:
        """Note that *path* leads nowhere, unless there are too many such."""
        if len(self._absent) < self._most_absent:
            self._absent.add(path)

    def forget_absent(self) -> None:
        """Let each path be tried again that led nowhere."""
        self._absent.clear()

    def close(self, path: str) -> None:
        """Close *path*, which is open."""
        os.close(self._descriptors.pop(path))

    def close_all(self) -> None:
        """Close all of them, and forget the absent ones."""
        self.forget_absent()
        for path in [*self._descriptors]:
            self.close(path)
