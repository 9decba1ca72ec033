"""A cache addressed by content: a key names all that a result depends on, so none goes stale."""

import errno
import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from onebin.errors import ToolError

FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
FULL_SIGNS: Final = ("No space left on device", "NoSpaceLeft", "Disk quota exceeded")
"""How the C library, zig and the C library again say it."""


def default_root(environ: Mapping[str, str]) -> Path:
    """Return the cache directory: ``ONEBIN_CACHE``, else the XDG base directory's ``onebin``."""
    if chosen := environ.get("ONEBIN_CACHE"):
        return Path(chosen).absolute()
    base = environ.get("XDG_CACHE_HOME") or os.path.join(environ.get("HOME") or "/tmp", ".cache")  # noqa: PTH118, S108
    return Path(base, "onebin").absolute()


def key_of(*parts: object) -> str:
    """Return a short name for *parts* (anything JSON can hold, and msgspec structs)."""
    text = msgspec.json.encode(parts, order="deterministic")
    return hashlib.sha256(text).hexdigest()[:24]


class Store:
    """Directories and files made once, each under the key of what it is made from."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def get(self, kind: str, key: str, make: Callable[[Path], None]) -> tuple[Path, bool]:
        """Return the directory for *key*, made by *make* if it is not there, and whether it was.

        ``make`` gets an empty directory to fill. It takes its final name only when ``make``
        returns, so an interrupted build leaves nothing half-made; a second builder of the
        same key waits for the first.
        """
        final = self.root / kind / key
        if final.is_dir():
            return final, True
        with self._lock(f"{kind}-{key}"):
            if final.is_dir():
                return final, True
            with self.scratch() as scratch:
                made = scratch / "made"
                made.mkdir()
                make(made)
                final.parent.mkdir(parents=True, exist_ok=True)
                made.rename(final)
        return final, False

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """Lend a directory on the store's own file system, removed afterwards."""
        parent = self.root / "tmp"
        try:
            parent.mkdir(parents=True, exist_ok=True)
            path = Path(tempfile.mkdtemp(dir=parent))
        except OSError as exc:
            raise self._refused(exc) from exc
        try:
            yield path
        except OSError as exc:
            if exc.errno in FULL:
                raise self._refused(exc) from exc
            raise
        except ToolError as exc:
            # A compiler, a linker or pip met it first.
            if any(sign in exc.detail for sign in FULL_SIGNS):
                raise self._refused(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))) from exc
            raise
        finally:
            shutil.rmtree(path, ignore_errors=True)

    def _refused(self, exc: OSError) -> ToolError:
        way_out = "make room there, or " if exc.errno in FULL else ""
        return ToolError(
            f"cannot write the cache {self.root}: {exc.strerror}",
            hint=f"{way_out}set ONEBIN_CACHE to a directory of yours",
        )

    @contextmanager
    def _lock(self, name: str) -> Iterator[None]:
        locks = self.root / "locks"
        try:
            locks.mkdir(parents=True, exist_ok=True)
            handle = (locks / name).open("w")
        except OSError as exc:
            raise self._refused(exc) from exc
        with handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
