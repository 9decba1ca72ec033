"""A cache addressed by content: a key names all that a result depends on, so none goes stale.

What is in it is run; it is a directory that nobody else can write (``owned.py``).
"""

import errno
import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from onebin.errors import ToolError

from . import owned

ENTRY: Final = 0o755
"""Never what others may write, whatever the umask; whether they may read, the root says."""

FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
FULL_SIGNS: Final = ("No space left on device", "NoSpaceLeft", "Disk quota exceeded")
"""How the C library, zig and the C library again say it."""


def key_of(*parts: object) -> str:
    """Return a short name for *parts* (anything JSON can hold, and msgspec structs)."""
    text = msgspec.json.encode(parts, order="deterministic")
    return hashlib.sha256(text).hexdigest()[:24]


class Store:
    """Directories and files made once, each under the key of what it is made from."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._seen: set[str] = set()

    def get(self, kind: str, key: str, make: Callable[[Path], None]) -> tuple[Path, bool]:
        """Return the directory for *key*, made by *make* if it is not there, and whether it was.

        ``make`` gets an empty directory to fill. It takes its final name only when ``make``
        returns, so an interrupted build leaves nothing half-made; a second builder of the
        same key waits for the first.

        Raises:
            ToolError: the cache cannot be written, or others can; or what *make* raises.
        """
        if found := self.find(kind, key):
            return found, True
        with self._lock(f"{kind}-{key}"):
            if found := self.find(kind, key):
                return found, True
            with self.scratch() as scratch:
                made = scratch / "made"
                made.mkdir(ENTRY)
                make(made)
                final = self._folder(kind) / key
                made.rename(final)
        return final, False

    def find(self, kind: str, key: str) -> Path | None:
        """Return the directory for *key*, if it is there.

        Raises:
            ToolError: something else is there: a link, or what others can write.
        """
        try:
            self._own_root()
            folder = self.root / kind
            if owned.is_ours(folder) and owned.is_ours(folder / key):
                return folder / key
        except OSError as exc:
            raise self._refused(exc) from exc
        return None

    def _own_root(self) -> None:
        if "" not in self._seen:
            self.root = owned.private_directory(self.root)
            self._seen.add("")

    def _folder(self, name: str) -> Path:
        """Return the directory *name* of the cache, made where it is not there."""
        self._own_root()
        path = self.root / name
        if name not in self._seen:
            path.mkdir(ENTRY, exist_ok=True)
            owned.is_ours(path)
            self._seen.add(name)
        return path

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """Lend a directory on the store's own file system, removed afterwards."""
        try:
            path = Path(tempfile.mkdtemp(dir=self._folder("tmp")))
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
            hint=f"{way_out}{owned.WAY_OUT}",
        )

    @contextmanager
    def _lock(self, name: str) -> Iterator[None]:
        try:
            flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
            handle = os.open(self._folder("locks") / name, flags, 0o600)
        except OSError as exc:
            raise self._refused(exc) from exc
        with os.fdopen(handle, "w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
