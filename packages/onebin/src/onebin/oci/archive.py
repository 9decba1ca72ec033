"""One file with an image in it, for ``docker load``, podman, skopeo and containerd. Write, read.

What we write is an OCI layout in a tar and, beside it, the ``manifest.json`` of
``docker save`` over the same blobs: each tool finds what it looks for.

Source: OCI image-spec v1.1, image-layout.md; github.com/moby/moby,
image/spec/v1.2.md ("Combined Image JSON + Filesystem Changeset Format").
"""

import io
import os
import posixpath
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

from onebin.errors import ImageError

from . import layout, reference, spec, stored, tar
from .aside import aside
from .budget import Budget
from .image import Image

MAX_LINKS: Final = 8
"""From name to name inside an archive; Docker's older ones need one."""

_CHUNK: Final = 1 << 20
_MEMBER_BYTES: Final = 256
"""Of what is known of one file, without its name and link."""


def pack(image: Image, ref: str) -> bytes:
    """Give the archive of *image*, called *ref* (``name:tag``): same image, same bytes."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        # Folders are named, as docker save does.
        for folder in ("blobs", "blobs/sha256"):
            info = tarfile.TarInfo(folder)
            info.type, info.mode = tarfile.DIRTYPE, 0o755
            archive.addfile(info)
        for name, data in {**layout.files(image, ref), **_docker_files(image, ref)}.items():
            info = tarfile.TarInfo(name)  # its time is 0, its owner root without a name
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def write(image: Image, path: Path, ref: str) -> None:
    """Write *image* as the archive *path*, called *ref* (``name:tag``), whole or not at all.

    Raises:
        ImageError: *path* is a folder, or cannot be written.
    """
    if path.is_dir():
        raise ImageError(f"{path} is a folder", hint="give the name of a file, such as app.tar")
    with aside(path) as new:
        new.write_bytes(pack(image, ref))


def read(path: Path) -> stored.Stored:
    """Read the documents of the image in the archive *path*; its layers stay where they are.

    Raises:
        ImageError: it is not such an archive, or holds no image.
    """
    budget = Budget(str(path))
    with opened(path, budget) as files:
        return stored.find(files, budget)


@contextmanager
def opened(path: Path, budget: Budget) -> Iterator[stored.Blobs]:
    """Give the files in the archive *path* until the block ends; it may be gzipped.

    Raises:
        ImageError: it is not a tar, is damaged, or the budget is spent.
    """
    try:
        with path.open("rb") as file:
            budget.stored(os.fstat(file.fileno()).st_size)
            if file.read(2) != b"\x1f\x8b":
                yield _Archive(file, path, budget)
                return
            file.seek(0)
            with tempfile.TemporaryFile() as plain:  # to go back and forth needs a plain file
                _gunzip(file, plain, budget)
                yield _Archive(plain, path, budget)
    except OSError as exc:
        raise ImageError(
            f"{path} could not be read: {exc.strerror or exc}", hint=stored.ROOM
        ) from exc


def _docker_files(image: Image, ref: str) -> dict[str, bytes]:
    name = reference.parse(ref).familiar
    repository, _, tag = name.rpartition(":")
    entry = {
        "Config": f"blobs/sha256/{spec.hex_of(image.id)}",
        "RepoTags": [name],
        "Layers": [f"blobs/sha256/{spec.hex_of(layer.digest)}" for layer in image.layers],
    }
    # "repositories" is what tools older than Docker 1.10 read; docker save still writes it.
    top = spec.hex_of(image.layers[-1].digest) if image.layers else ""
    return {
        "manifest.json": msgspec.json.encode([entry]),
        "repositories": msgspec.json.encode({repository: {tag: top}}),
    }


def _gunzip(packed: BinaryIO, plain: BinaryIO, budget: Budget) -> None:
    chunks = iter(lambda: packed.read(_CHUNK), b"")
    for chunk in stored.unpacked(chunks, what=budget.what):
        budget.temporary(len(chunk))
        plain.write(chunk)
    plain.seek(0)


class _Member(msgspec.Struct, frozen=True):
    kind: tar.Kind
    link: str
    offset: int
    size: int


class _Archive:
    """``stored.Blobs`` of a tar: the names in it and where the data of each lies."""

    def __init__(self, file: BinaryIO, path: Path, budget: Budget) -> None:
        self._file, self._path = file, path
        self._members: dict[str, _Member] = {}
        file.seek(0)
        for member in tar.Reader(file, budget, what=str(path)):
            budget.member()
            budget.hold(_MEMBER_BYTES)
            name = posixpath.normpath(member.path)
            for text in (name, member.link):
                budget.text(text)
            self._members[name] = _Member(member.kind, member.link, member.offset, member.size)

    def open(self, name: str) -> BinaryIO:
        member = self._follow(name)
        if member is None:
            raise ImageError(f"{self._path} has no file {name!r}")
        return io.BufferedReader(_Slice(self._file, member.offset, member.size))

    def __contains__(self, name: str) -> bool:
        return self._follow(name) is not None

    def _follow(self, name: str) -> "_Member | None":
        """Find a file by its name, through the links older Dockers write for equal layers."""
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
