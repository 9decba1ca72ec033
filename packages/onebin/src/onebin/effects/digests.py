"""Digests of files: read once in a process while a file stays as it is."""

import hashlib
import time
from functools import lru_cache
from pathlib import Path
from typing import Final

from .unchanged import COARSE_NS

MAX_FILES: Final = 50_000
"""Digests that a process keeps, of 200 bytes each."""


def sha256_of(file: Path) -> str:
    """Return the digest of *file* in hex.

    It is kept once the clock has left the moment of the file's last change: a second change
    within that would not show.

    Raises:
        OSError: the file cannot be read.
    """
    facts = file.stat()
    if time.time_ns() - max(facts.st_mtime_ns, facts.st_ctime_ns) < COARSE_NS:
        return read_sha256(file)
    stamp = (facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns)
    return _kept(file, stamp)


@lru_cache(maxsize=MAX_FILES)
def _kept(file: Path, _stamp: tuple[int, ...]) -> str:
    return read_sha256(file)


def read_sha256(file: Path) -> str:
    """Return the digest of *file* in hex by its bytes alone: a pin is held against these.

    Raises:
        OSError: the file cannot be read.
    """
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
