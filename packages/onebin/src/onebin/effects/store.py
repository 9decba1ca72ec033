"""A cache addressed by content: a key names all that a result depends on, so none goes stale."""

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec

from onebin.errors import ToolError


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
        except OSError as exc:
            raise ToolError(
                f"cannot write the cache {self.root}: {exc.strerror}",
                hint="set ONEBIN_CACHE to a directory of yours",
            ) from exc
        path = Path(tempfile.mkdtemp(dir=parent))
        try:
            yield path
        finally:
            shutil.rmtree(path, ignore_errors=True)

    @contextmanager
    def _lock(self, name: str) -> Iterator[None]:
        locks = self.root / "locks"
        try:
            locks.mkdir(parents=True, exist_ok=True)
            handle = (locks / name).open("w")
        except OSError as exc:
            raise ToolError(
                f"cannot write the cache {self.root}: {exc.strerror}",
                hint="set ONEBIN_CACHE to a directory of yours",
            ) from exc
        with handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
