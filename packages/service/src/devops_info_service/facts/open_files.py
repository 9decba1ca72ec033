"""Small files of the kernel that stay open, for reading them every second."""

import os
from collections.abc import Callable, Sequence
from typing import Final

MAX_HELD_BYTES: Final = 4096
"""Bytes of a file that is held open: a limit is a word or two, a list of CPUs a line."""


class OpenFiles:
    """Small files of the kernel that stay open: a read costs a tenth of opening it."""

    def __init__(self, openers: Sequence[Callable[[], int]]) -> None:
        self._openers = openers
        self._descriptors: list[int | None] = [None] * len(openers)

    def read(self) -> tuple[bytes | None, ...]:
        """Return the content of each, ``None`` if it cannot be read now."""
        return tuple([self._read(index) for index in range(len(self._openers))])

    def close(self) -> None:
        """Close all of them."""
        for index in range(len(self._descriptors)):
            self._close(index)

    def _read(self, index: int) -> bytes | None:
        try:
            descriptor = self._descriptors[index]
            if descriptor is None:
                descriptor = self._descriptors[index] = self._openers[index]()
            return os.pread(descriptor, MAX_HELD_BYTES, 0)
        except OSError:
            # Its group was removed; or the file is not there, or not yet.
            self._close(index)
            return None

    def _close(self, index: int) -> None:
        descriptor, self._descriptors[index] = self._descriptors[index], None
        if descriptor is not None:
            os.close(descriptor)
