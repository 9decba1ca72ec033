"""Files of the kernel that stay open, for reading them again and again."""

import os
from typing import Final

SHARE: Final = 16
"""Of the files that the process may open, one in so many: connections need the others."""


class OpenFiles:
    """Open files by their paths, at most *most*: a read costs half of opening it as well."""

    def __init__(self, most: int) -> None:
        allowed = os.sysconf("SC_OPEN_MAX")  # -1: without a limit
        self._most = most if allowed < 0 else min(most, allowed // SHARE)
        self._descriptors: dict[str, int] = {}

    def get(self, path: str) -> int | None:
        """Return the descriptor of *path*, if it is open."""
        return self._descriptors.get(path)

    def keep(self, path: str, descriptor: int) -> bool:
        """Return whether *descriptor* stays open for *path*; there may be too many."""
        is_kept = len(self._descriptors) < self._most
        if is_kept:
            self._descriptors[path] = descriptor
        return is_kept

    def close(self, path: str) -> None:
        """Close *path*, which is open."""
        os.close(self._descriptors.pop(path))

    def close_all(self) -> None:
        """Close all of them."""
        for path in [*self._descriptors]:
            self.close(path)
