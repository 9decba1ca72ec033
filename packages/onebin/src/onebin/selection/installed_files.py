"""The files of a distribution, or of the standard library, that may be inside: each read once."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import msgspec

from onebin.effects.context import Context
from onebin.effects.digests import read_sha256
from onebin.model import Distribution

CACHE_VERSION: Final = 1
"""Raised when the same folder has other files: part of the key."""

NOT_FILES: Final = frozenset({".so", ".pyd", ".dll", ".dylib", ".a", ".o", ".pyc"})
"""Suffixes of compiled code: what of it can run here is in the executable itself."""


class InstalledFile(msgspec.Struct, frozen=True):
    """One of them."""

    path: Path
    sha256: str
    """Lower-case hex of its contents; empty if it was not read."""


InstalledOf = Callable[[Distribution], tuple[InstalledFile, ...]]
"""Return the files of a distribution."""


class InstalledFiles(msgspec.Struct, frozen=True):
    """Step: those below the folder *code*; to find and read them takes a fifth of a build."""

    code: Path
    contents: str
    """The key of the distribution, or of the runtime."""
    kind = "installed"

    def key(self) -> tuple[object, ...]:
        """Return the contents: their folder has a name by these."""
        return CACHE_VERSION, self.contents

    def make(self, folder: Path, _: Context) -> None:
        """Find and read them."""
        start = len(os.fsencode(self.code)) + 1
        found = [(os.fsencode(path)[start:], read_sha256(path)) for path in _found(self.code)]
        (folder / "files").write_bytes(msgspec.msgpack.encode(found))

    def load(self, folder: Path) -> tuple[InstalledFile, ...]:
        """Return them, sorted by path."""
        data = (folder / "files").read_bytes()
        found = msgspec.msgpack.decode(data, type=tuple[tuple[bytes, str], ...])
        start = f"{self.code}/"
        return tuple(InstalledFile(Path(start + os.fsdecode(path)), sha) for path, sha in found)


def listed(distribution: Distribution) -> tuple[InstalledFile, ...]:
    """Return the files of *distribution*, unread."""
    return tuple(InstalledFile(path, "") for path in _found(distribution.code))


def is_file(path: Path) -> bool:
    """Whether *path* is neither compiled code nor in a folder of such code."""
    return path.suffix not in NOT_FILES and "__pycache__" not in path.parts


def _found(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file() and is_file(path))
