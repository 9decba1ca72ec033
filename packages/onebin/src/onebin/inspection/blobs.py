"""The files of a saved image, opened by name: in a folder, or in an archive."""

import io
import os
import posixpath
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final, Protocol

import msgspec

from onebin.errors import ImageError

from . import tar_reader
from .budget import Budget
from .stream import compression, decompressed

MAX_LINKS: Final = 8
"""Links followed for one name inside an archive; Docker's older ones need one."""

_CHUNK: Final = 1 << 20
_MAGIC_BYTES: Final = 8
_MEMBER_BYTES: Final = 256
"""Memory of one member, without its name and link."""

TMPDIR_HINT: Final = "compressed data may need room; set TMPDIR to a directory with some"


class Blobs(Protocol):
    """The files of a saved image, by name."""

    def open(self, name: str) -> BinaryIO:
        """Open the file *name*; the caller closes it.

        Raises:
            ImageError: it does not exist.
        """
        ...

    def __contains__(self, name: str) -> bool: ...


@contextmanager
def open_folder(path: Path, budget: Budget) -> Iterator[Blobs]:
    """Yield the files of the directory *path*.

    Raises:
        ImageError: one cannot be read, or there is no room to unpack one.
    """
    try:
        yield _Folder(path, budget)
    except OSError as exc:
        raise ImageError(
            f"{budget.what} cannot be read: {exc.strerror or exc}", hint=TMPDIR_HINT
        ) from exc


class _Folder:
    """``Blobs`` of a directory; a name or link that leads out of it finds nothing."""

    def __init__(self, path: Path, budget: Budget) -> None:
        self._root = path.resolve()
        self._budget = budget
        self._counted: set[Path] = set()

    def open(self, name: str) -> BinaryIO:
        path = self._inside(name)
        if path is None:
            raise ImageError(f"{self._root}: has no file {name!r}")
        try:
            file = path.open("rb")
            if path not in self._counted:  # a layer listed twice is stored once
                self._counted.add(path)
                self._budget.stored(os.fstat(file.fileno()).st_size)
        except OSError as exc:
            raise ImageError(f"{path} cannot be read: {exc.strerror}") from exc
        return file

    def __contains__(self, name: str) -> bool:
        return self._inside(name) is not None

    def _inside(self, name: str) -> Path | None:
        try:
            path = Path(self._root, name).resolve()
        except (OSError, RuntimeError, ValueError):  # a loop of links, a NUL
            return None
        # is_file: opening a FIFO would block.
        return path if path.is_relative_to(self._root) and path.is_file() else None


@contextmanager
def open_archive(path: Path, budget: Budget) -> Iterator[Blobs]:
    """Yield the files in the archive *path*, which may be compressed.

    Raises:
        ImageError: it is not a tar, is damaged, or the budget is spent.
    """
    try:
        with path.open("rb") as file:
            budget.stored(os.fstat(file.fileno()).st_size)
            if not compression(file.read(_MAGIC_BYTES)):
                yield _Archive(file, path, budget)
                return
            file.seek(0)
            with tempfile.TemporaryFile() as plain:  # random access needs a plain file
                _unpack(file, plain, budget)
                yield _Archive(plain, path, budget)
    except OSError as exc:
        raise ImageError(f"{path} cannot be read: {exc.strerror or exc}", hint=TMPDIR_HINT) from exc


def _unpack(packed: BinaryIO, plain: BinaryIO, budget: Budget) -> None:
    chunks = iter(lambda: packed.read(_CHUNK), b"")
    for chunk in decompressed(chunks, what=budget.what):
        budget.temporary(len(chunk))
        plain.write(chunk)
    plain.seek(0)


class _Member(msgspec.Struct, frozen=True):
    kind: tar_reader.Kind
    link: str
    offset: int
    size: int


class _Archive:
    """``Blobs`` of a tar: its names, each with the place of its data."""

    def __init__(self, file: BinaryIO, path: Path, budget: Budget) -> None:
        self._file, self._path = file, path
        self._members: dict[str, _Member] = {}
        file.seek(0)
        for member in tar_reader.Reader(file, budget, what=str(path)):
            budget.member()
            budget.hold(_MEMBER_BYTES)
            name = posixpath.normpath(member.path)
            for text in (name, member.link):
                budget.text(text)
            self._members[name] = _Member(member.kind, member.link, member.offset, member.size)

    def open(self, name: str) -> BinaryIO:
        member = self._follow(name)
        if member is None:
            raise ImageError(f"{self._path}: has no file {name!r}")
        return io.BufferedReader(_Slice(self._file, member.offset, member.size))

    def __contains__(self, name: str) -> bool:
        return self._follow(name) is not None

    def _follow(self, name: str) -> "_Member | None":
        """Find a file by its name, through the links that older Dockers write for equal layers."""
        for _ in range(MAX_LINKS):
            member = self._members.get(name)
            if member is None or member.kind == "file":
                return member
            base = posixpath.dirname(name) if member.kind == "symlink" else ""
            name = posixpath.normpath(posixpath.join(base, member.link))
        return None


class _Slice(io.RawIOBase):
    """A part of a file, read as a file."""

    def __init__(self, file: BinaryIO, offset: int, size: int) -> None:
        self._file, self._at, self._end = file, offset, offset + size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        self._file.seek(self._at)
        data = self._file.read(min(len(buffer), self._end - self._at))
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)
