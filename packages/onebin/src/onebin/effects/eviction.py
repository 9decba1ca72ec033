"""Which results leave the cache: of kinds that each change of a program makes, the oldest.

The others depend on versions and settings, which change seldom.
"""

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

LIMITS: Final[Mapping[str, int]] = {
    "binary": 40,  # of 10 to 50 MB
    "frozen": 400,  # of half a megabyte
    "layer": 40,
    "object": 2000,  # of a program's dependencies up to 10 MB, most of a few kilobytes
    "selected": 400,
}
"""Kind of result -> how many the cache keeps; a quarter more until the oldest are removed."""

REST_NS: Final = 600 * 10**9
"""After its last use a result stays for ten minutes: a registry may take so long to read it."""


def note_use(entry: Path, kind: str) -> None:
    """Set the time of *entry*, of *kind*, if such results may leave."""
    if kind in LIMITS:
        # A cache that cannot be written loses nothing.
        with suppress(OSError):
            os.utime(entry)


def surplus(folder: Path, limit: int, now_ns: int) -> list[Path]:
    """Return the entries of *folder* that are too many, those used longest ago first."""
    entries = [*folder.iterdir()]
    if len(entries) <= limit + limit // 4:
        return []
    used = []
    for entry in entries:
        with suppress(FileNotFoundError):  # another builder has removed it
            used.append((entry.lstat().st_mtime_ns, entry))
    return [entry for stamp, entry in sorted(used)[:-limit] if stamp < now_ns - REST_NS]
