"""The cache of steps, by content: a key names all that a result depends on, so none goes stale.

Its contents are executed, so only this user and root may be able to write it (``owned.py``).
"""

import contextlib
import errno
import fcntl
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Protocol, TypeVar

import msgspec

from onebin.errors import ToolError

from . import eviction, owned
from .reasons import Reason, subject, why

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

ENTRY_MODE: Final = 0o755
"""Never writable by others, whatever the umask; the root decides whether they may read."""

FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})

NO_LOCKS: Final = frozenset({errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EBADF})
"""What flock(2) gives on network file systems, in sandboxes and on file systems in user space."""

ROOM_BYTES: Final = 16 << 20
"""Free on a disk that a compiler's files did not fill."""

SCRATCH: Final = "build-"
"""How names of folders in ``tmp`` begin: a process that lives has a lock on each that it made."""


def key_of(*parts: object) -> str:
    """Return a short name for *parts* (anything JSON can hold, and msgspec structs)."""
    text = msgspec.json.encode(parts, order="deterministic")
    return hashlib.sha256(text).hexdigest()[:24]


class Kept(Protocol[T_co]):
    """One result that is made once and kept: a frozen value whose fields are its inputs."""

    @property
    def kind(self) -> str:
        """The folder of the cache that holds such results."""
        ...

    def key(self) -> Sequence[object]:
        """Everything the result depends on: values JSON can hold, and msgspec structs.

        A test changes each input of each step and expects another key.
        """
        ...

    def load(self, folder: Path) -> T_co:
        """Return the result that *folder* holds."""
        ...


class Store:
    """Folders made once, each under a key of its inputs."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._seen: set[str] = set()

    def build(self, kept: Kept[T], make: Callable[[Path], T | None]) -> T:
        """Return *kept*'s result; *make* it first if the cache does not hold it.

        *make* fills an empty folder, which takes its final name only when that returns:
        an interrupted build leaves nothing half-made. A second builder of the same key waits
        for the first. If *make* returns the result, that is not read again.

        Raises:
            ToolError: the cache cannot be written, or others can; or what *make* raises.
        """
        key = key_of(*kept.key())
        if (folder := self.find(kept.kind, key)) is None:
            with self._lock(f"{kept.kind}-{key}"):
                if (folder := self.find(kept.kind, key)) is None:
                    with self.scratch() as scratch:
                        made = scratch / "made"
                        folder, result = self._filled(made, kept.kind, key, make)
                        self._evict(kept.kind, scratch)
                    if result is not None:
                        return result
        return _loaded(kept, folder)

    def put(self, made: Iterable[tuple[Kept[T], Callable[[Path], T | None]]]) -> list[T]:
        """Return the results of *made*, each with what writes it, which takes no time.

        As ``build``, in one folder for all and without waiting for another builder: a folder and
        locks for each take a file system longer than hundreds of small results themselves.

        Raises:
            ToolError: the cache cannot be written, or others can.
        """
        found = []
        with self.scratch() as scratch:
            for number, (kept, make) in enumerate(made):
                key = key_of(*kept.key())
                if (folder := self.find(kept.kind, key)) is None:
                    folder, _ = self._filled(scratch / str(number), kept.kind, key, make)
                found.append(_loaded(kept, folder))
        return found

    def has(self, kept: Kept[object]) -> bool:
        """Whether *kept*'s result is in the cache."""
        return self.find(kept.kind, key_of(*kept.key())) is not None

    def get(self, kept: Kept[T]) -> T | None:
        """Return *kept*'s result if it is in the cache."""
        folder = self.find(kept.kind, key_of(*kept.key()))
        return None if folder is None else _loaded(kept, folder)

    def shared(self, name: str) -> Path:
        """Return the folder *name*, a cache that another program manages."""
        return self._folder(name)

    def _filled(self, made: Path, kind: str, key: str, make: Callable[[Path], T]) -> tuple[Path, T]:
        """Return the folder for *key*, which *make* fills under the name *made*."""
        made.mkdir(ENTRY_MODE)
        result = make(made)
        final = self._folder(kind) / key
        try:
            made.rename(final)
        except OSError as exc:
            if exc.errno not in {errno.EEXIST, errno.ENOTEMPTY}:
                raise
            # Another builder has put the same there.
            owned.is_ours(final)
        return final, result

    def _evict(self, kind: str, scratch: Path) -> None:
        """Move results of *kind* that are too many to *scratch*, with which they are removed."""
        if limit := eviction.LIMITS.get(kind):
            for entry in eviction.surplus(self._folder(kind), limit, time.time_ns()):
                with contextlib.suppress(OSError):  # another builder was faster
                    entry.rename(scratch / entry.name)

    def find(self, kind: str, key: str) -> Path | None:
        """Return the folder for *key*, if it is there.

        Raises:
            ToolError: something else is there: a link, or a folder others can write.
        """
        try:
            self._own_root()
            folder = self.root / kind
            if owned.is_ours(folder) and owned.is_ours(folder / key):
                eviction.note_use(folder / key, kind)
                return folder / key
        except OSError as exc:
            raise self._refused(exc) from exc
        return None

    def entry_of(self, path: Path) -> Path:
        """Return the entry that has the file *path*, which is in the cache."""
        kind, key = path.relative_to(self.root).parts[:2]
        return self.root / kind / key

    def _own_root(self) -> None:
        if "" not in self._seen:
            self.root = owned.private_directory(self.root)
            self._seen.add("")

    def _folder(self, name: str) -> Path:
        """Return the folder *name* of the cache; make it first if it is missing."""
        self._own_root()
        path = self.root / name
        if name not in self._seen:
            path.mkdir(ENTRY_MODE, exist_ok=True)
            owned.is_ours(path)
            self._seen.add(name)
        return path

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """Lend a folder on the cache's own file system; it is removed afterwards.

        Before the first one those are removed that killed processes have left.
        """
        if "tmp" not in self._seen:
            self._sweep()
        try:
            with self._lock("tmp"):
                path = Path(tempfile.mkdtemp(prefix=SCRATCH, dir=self._folder("tmp")))
                lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
                fcntl.flock(lock, fcntl.LOCK_EX)
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
            reason = why(exc.detail)
            if reason is Reason.DISK_FULL:
                raise self._full() from exc
            if reason is Reason.NO_COMPILER:
                raise ToolError(
                    f"{subject(exc.detail)}: gone while it compiled; it is the compiler",
                    hint="pip install --force-reinstall --no-deps ziglang, of the version it had",
                ) from exc
            raise
        finally:
            shutil.rmtree(path, ignore_errors=True)
            os.close(lock)

    def _sweep(self) -> None:
        """Remove the scratch folders on which no process has a lock any more."""
        with contextlib.ExitStack() as held:
            try:
                dead = []
                with self._lock("tmp"):
                    for path in sorted(self._folder("tmp").glob(f"{SCRATCH}*")):
                        if (handle := _taken(path)) is not None:
                            held.callback(os.close, handle)
                            dead.append(path)
            except OSError as exc:
                raise self._refused(exc) from exc
            for path in dead:
                shutil.rmtree(path, ignore_errors=True)

    def _full(self) -> ToolError:
        """Return the error of a program that met a full disk: the cache's, or that of its files."""
        # tempfile passes over a full one.
        place = Path(os.environ.get("TMPDIR") or tempfile.gettempdir())
        if shutil.disk_usage(place).free < min(ROOM_BYTES, shutil.disk_usage(self.root).free):
            return ToolError(
                f"cannot write temporary files in {place}: {os.strerror(errno.ENOSPC)}",
                hint="make room there, or set TMPDIR to a directory that has it",
            )
        return self._refused(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))

    def _refused(self, exc: OSError) -> ToolError:
        if exc.errno in NO_LOCKS:
            return ToolError(
                f"cannot lock files in the cache {self.root}: {exc.strerror}",
                hint="its file system may have no locks (flock): set ONEBIN_CACHE to a directory "
                "on a disk of this machine",
            )
        way_out = owned.WAY_OUT
        if exc.errno in FULL:
            way_out = "make room there, or set ONEBIN_CACHE to a directory that has it"
        return ToolError(f"cannot write the cache {self.root}: {exc.strerror}", hint=way_out)

    @contextmanager
    def _lock(self, name: str) -> Iterator[None]:
        """Hold the lock *name*; its file is gone afterwards, so that they do not add up."""
        path = self._folder("locks") / name
        try:
            handle = _locked(path)
        except OSError as exc:
            raise self._refused(exc) from exc
        try:
            yield
        finally:
            # While it is held: a process that waits for this file then makes another one.
            with contextlib.suppress(OSError):
                path.unlink()
            os.close(handle)


def damaged(folder: Path, fault: str) -> ToolError:
    """Return the error of the entry *folder*, which a crash of the machine has cut, or a person."""
    return ToolError(
        f"{folder}: damaged, a part of the cache: {fault}",
        hint=f"remove it, and build again: rm -r {folder}",
    )


def _loaded(kept: Kept[T], folder: Path) -> T:
    try:
        return kept.load(folder)
    except (OSError, ValueError, LookupError, StopIteration, msgspec.MsgspecError) as exc:
        raise damaged(folder, str(exc) or type(exc).__name__) from exc


def _locked(path: Path) -> int:
    """Return a handle of the file *path* with its lock, once no other process has it."""
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            if os.path.samestat(os.fstat(handle), path.lstat()):
                return handle
        except FileNotFoundError:
            pass  # the process before has removed it
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)


def _taken(folder: Path) -> int | None:
    """Return a handle with the lock on *folder*; None if a process has it, or it is gone."""
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        return None
    return handle
