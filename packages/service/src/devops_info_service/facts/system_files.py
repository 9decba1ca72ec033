"""Where facts come from: the only reader of the machine; tests hand in another."""

import errno
import os
import stat
import sys
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final, Literal, Protocol, Self, TypeVar

import msgspec

from .content import content
from .fact import File, Unknown
from .open_files import OpenFiles

if TYPE_CHECKING:
    from .root import Root

MAX_FILE_BYTES: Final = 256 * 1024
"""Bytes of one file: a file of gigabytes under a trusted name is not read."""
MAX_TABLE_BYTES: Final = 32 * 1024 * 1024
"""Bytes of the mount table: some 300 for each of the 100,000 mounts that the kernel allows."""
_TABLE: Final = "/proc/self/mountinfo"
MAX_TARGET: Final = 4095
"""Characters of a link's target: PATH_MAX without its end."""
MAX_NAMES: Final = 4096
"""Entries of one directory: /dev of a large host has about a thousand."""

T = TypeVar("T")
Kind = Literal["file", "directory", "link", "socket", "pipe", "character", "block"]


class Clock(Protocol):
    """The time."""

    def time(self) -> float:
        """Return the seconds since 1970, UTC."""

    def monotonic(self) -> float:
        """Return seconds that never jump."""


class Source(Clock, Protocol):
    """The sources of facts about the process and its kernel."""

    def uname(self) -> os.uname_result:
        """Return the kernel's name and release, and the host's name."""

    def cpus(self) -> int:
        """Return the number of CPUs this process may run on."""

    def python_version(self) -> str:
        """Return the interpreter's version, such as ``3.13.5``."""


class Machine:
    """The machine under this process."""

    def uname(self) -> os.uname_result:
        """Call the kernel; ``platform.uname()`` would start a process for the same."""
        return os.uname()

    def cpus(self) -> int:
        """Count the affinity mask: ``os.cpu_count()`` counts the whole host."""
        return len(os.sched_getaffinity(0))

    def python_version(self) -> str:
        """Read it from the interpreter itself: there may be no files to read."""
        return "{}.{}.{}".format(*sys.version_info)

    def time(self) -> float:
        """Read the wall clock."""
        return time.time()

    def monotonic(self) -> float:
        """Read the clock that never jumps."""
        return time.monotonic()


class FileStat(msgspec.Struct, frozen=True):
    """The kind and owner of a path, which is not followed."""

    kind: Kind
    permissions: int
    """The lower twelve bits: set-uid, set-gid, sticky, and read, write, execute."""
    uid: int
    device: int
    """Number of the file system it is on."""


class FilesystemSpace(msgspec.Struct, frozen=True):
    """The room of a file system, in bytes; ``free`` is the part for ordinary users."""

    size: int
    free: int
    inodes: int
    inodes_free: int


class SystemFiles:
    """The machine's files as seen from *root*, and its environment.

    No content of a file raises: the result is then ``Unknown`` with the reason. Nothing is read
    before its method is called.
    """

    def __init__(self, root: str = "/", environ: Mapping[str, str] = os.environ) -> None:
        self._root = _root(root.rstrip("/")) if root != "/" else None
        self._environ = environ
        self._variables: dict[str, str] | None = None
        self._makers: Mapping[str, str] | None = None
        self._strange: tuple[str, ...] = ()
        self._table: File | None = None
        self._open_files: OpenFiles | None = None

    sourced = property(lambda self: self._makers is not None)
    """Whether files that the kernel did not write are left out."""

    def without(self, makers: Mapping[str, str]) -> Self:
        """Return the same files but those that the kernel did not write: they are unknown.

        *makers* maps mounts under /proc and /sys to what wrote them; empty: the kernel did. The
        mount table is read once: all of one moment.
        """
        self.environ()  # Made once, for the copies too.
        strange = tuple([place for place, maker in makers.items() if maker])
        return self._with(_makers=makers, _table=self.read(_TABLE), _strange=strange)

    def _refusal(self, path: str) -> Unknown | None:
        if not self._makers or not path.startswith(("/proc/", "/sys/")):
            return None
        place = path.replace("/proc/net/", "/proc/self/net/", 1)  # a link
        if not place.startswith(self._strange):
            return None  # Nearly every one, and a scrape reads thirty.
        while place:
            maker = self._makers.get(place)
            if maker is not None:
                return Unknown(f"{path} is made by {maker}, not by the kernel") if maker else None
            place = place.rpartition("/")[0]
        return None

    def environ(self) -> dict[str, str]:
        """Return the variables, fit for JSON.

        Made once: those of a running process do not change, and a namespace with 2,000
        services has 14,000, whose spelling took most of a snapshot.
        """
        if self._variables is None:
            self._variables = {
                printable(name): printable(value) for name, value in self._environ.items()
            }
        return self._variables

    def read(self, path: str) -> File:
        """Read a regular file of at most ``MAX_FILE_BYTES``; the mount table may be larger."""
        if path == _TABLE and self._table is not None:
            return self._table
        try:
            limit = MAX_TABLE_BYTES if path == _TABLE else MAX_FILE_BYTES
            data = self._refusal(path) or self.load(path, limit)
        except OSError as exc:
            return File(path, _unknown(path, exc))
        if isinstance(data, Unknown):
            return File(path, data)
        if len(data) > limit:
            return File(path, Unknown(f"{path} has more than {limit} bytes"))
        try:
            return File(path, data.decode())
        except UnicodeDecodeError:
            return File(path, data.decode("utf-8", "backslashreplace"), exact=False)

    def keeping(self, files: OpenFiles) -> Self:
        """Return the same files, those that are read kept open in *files*."""
        return self._with(_open_files=files)

    def _with(self, **changes: object) -> Self:
        # Not copy.copy: with weakref, which it imports, each idle process held 100 kB more.
        found = object.__new__(type(self))
        vars(found).update(vars(self) | changes)
        return found

    def _open(self, path: str) -> int:
        # Not blocking: a pipe under the name would keep us waiting for a writer.
        flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
        return os.open(self._resolve_in_root(path), flags)

    def load(self, path: str, limit: int) -> bytes | Unknown:
        """Return the bytes of a regular file, at most one more than *limit*.

        Raises:
            OSError: it cannot be read.
        """
        kept = self._open_files
        if kept is not None and (descriptor := kept.get(path)) is not None:
            try:
                return content(descriptor, limit, path)
            except OSError:
                kept.close(path)  # Its group was removed.
        if kept is not None and kept.is_absent(path):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        try:
            descriptor = self._open(path)
        except FileNotFoundError:
            if kept is not None:
                kept.keep_absent(path)
            raise
        stays = False
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                return Unknown(f"{path} is not a regular file")
            data = content(descriptor, limit, path)
            stays = kept is not None and kept.keep(path, descriptor)
            return data
        finally:
            if not stays:
                os.close(descriptor)

    def vouch(self, path: str) -> None:
        """State that the content of *path* is shown: only a recorder needs to know."""

    def link(self, path: str) -> str | Unknown:
        """Return the target of a link."""
        if refusal := self._refusal(path):
            return refusal
        try:
            return printable(os.readlink(self._resolve_in_root(path, follow=False)))  # noqa: PTH115
        except OSError as exc:
            # Of the kernel's: the text of a person's file may be a secret.
            is_copy = self._root and exc.errno == errno.EINVAL and path.startswith("/proc/")
            return (self._copied_link(path) if is_copy else None) or _unknown(path, exc)

    def _copied_link(self, path: str) -> str | None:
        """Return the target of a link whose copy is a file: some archives and tools lose links."""
        text = self.read(path).content
        if not isinstance(text, str) or not text.isprintable():
            return None
        return text if 0 < len(text) <= MAX_TARGET else None

    def names(self, path: str) -> tuple[str, ...] | Unknown:
        """List a directory, sorted."""
        found = self._list(path, lambda entry: printable(entry.name))
        return found if isinstance(found, Unknown) else tuple(sorted(found))

    def nodes(self, path: str) -> dict[str, FileStat] | Unknown:
        """Return the kind of every entry of a directory: half the price of a call for each."""
        found = self._list(path, lambda entry: (printable(entry.name), _node(entry)))
        if isinstance(found, Unknown):
            return found
        return {name: node for name, node in found if node is not None}

    def count(self, path: str) -> int | Unknown:
        """Count the entries of a directory, however many."""
        try:
            # Linux 6.2 and later report the number of open files as the size of /proc/PID/fd:
            # to list those of ten thousand connections takes milliseconds.
            size = os.stat(self._resolve_in_root(path)).st_size if path.endswith("/fd") else 0  # noqa: PTH116
            if size:
                return size
            with os.scandir(self._resolve_in_root(path)) as entries:
                return sum([1 for _ in entries])
        except OSError as exc:
            return _unknown(path, exc)

    def _list(self, path: str, take: Callable[[os.DirEntry[str]], T]) -> list[T] | Unknown:
        if refusal := self._refusal(path):
            return refusal
        found: list[T] = []
        try:
            with os.scandir(self._resolve_in_root(path)) as entries:
                for entry in entries:
                    if len(found) == MAX_NAMES:
                        return Unknown(f"{path} has more than {MAX_NAMES} entries")
                    found.append(take(entry))
        except OSError as exc:
            return _unknown(path, exc)
        return found

    def node(self, path: str) -> FileStat | Unknown:
        """Return the kind of *path*."""
        try:
            status = os.lstat(self._resolve_in_root(path, follow=False))
        except OSError as exc:
            return _unknown(path, exc)
        return _described(status)

    def space(self, path: str) -> FilesystemSpace | Unknown:
        """Return the room of a mounted file system; one on a dead network never returns."""
        try:
            room = os.statvfs(self._resolve_in_root(path))
        except OSError as exc:
            return _unknown(path, exc)
        return FilesystemSpace(
            size=room.f_blocks * room.f_frsize,
            free=room.f_bavail * room.f_frsize,
            inodes=room.f_files,
            inodes_free=room.f_favail,
        )

    def writable(self, path: str) -> bool | Unknown:
        """Return whether the kernel lets this process write at *path*; nothing is written."""
        try:
            return os.access(self._resolve_in_root(path), os.W_OK, effective_ids=True)
        except OSError as exc:
            return _unknown(path, exc)

    def _resolve_in_root(self, path: str, *, follow: bool = True) -> str:
        """Find *path* under the root; the kernel does that for ``/``."""
        if "\0" in path:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        return self._root.resolve(path, follow=follow) if self._root else path


def _root(folder: str) -> "Root":
    from .root import Root  # noqa: PLC0415

    return Root(folder)


def _node(entry: os.DirEntry[str]) -> FileStat | None:
    try:
        return _described(entry.stat(follow_symlinks=False))
    except OSError:
        return None  # Gone since it was listed.


def _described(status: os.stat_result) -> FileStat:
    return FileStat(
        kind=_KINDS.get(stat.S_IFMT(status.st_mode), "file"),
        permissions=stat.S_IMODE(status.st_mode),
        uid=status.st_uid,
        device=status.st_dev,
    )


_KINDS: Final[dict[int, Kind]] = {
    stat.S_IFREG: "file",
    stat.S_IFDIR: "directory",
    stat.S_IFLNK: "link",
    stat.S_IFSOCK: "socket",
    stat.S_IFIFO: "pipe",
    stat.S_IFCHR: "character",
    stat.S_IFBLK: "block",
}

_REASONS: Final = {
    errno.ENOENT: "is not there",
    errno.ENOTDIR: "is not there",
    errno.EACCES: "may not be read by this user",
    errno.EPERM: "may not be read by this user",
    errno.ELOOP: "is a link that leads in a circle",
    errno.EISDIR: "is not a regular file",
    errno.ENXIO: "is not a regular file",
    errno.EINVAL: "is refused by the kernel",
    errno.EOPNOTSUPP: "is refused by the kernel",
}


def reason_words(number: int) -> str:
    """Return the meaning of an errno for the file that it was returned for."""
    return _REASONS.get(number) or f"cannot be read: {os.strerror(number)}"


def _unknown(path: str, exc: OSError) -> Unknown:
    return Unknown(f"{path} {reason_words(exc.errno or 0)}")


def printable(text: str) -> str:
    """Spell the bytes that are not UTF-8: JSON cannot carry them."""
    return os.fsencode(text).decode("utf-8", "backslashreplace")
