"""Pack files into one image layer, reproducibly.

The same entries give the same tar, so the same ``diff_id``, on every machine.
The same ``digest`` needs the same deflate stream besides: zlib 1.2.13 and 1.3.1
(Debian 12 and 13) give the same one, zlib-ng, where a distribution puts it in
zlib's place, does not promise to. ``COMPRESSOR`` says which one is at work.

Source: OCI image-spec v1.1, layer.md; RFC 1952 (gzip).
"""

import io
import struct
import tarfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath
from typing import Final

import msgspec

from onebin.errors import ImageError

from . import spec

COMPRESSOR: Final = f"zlib {zlib.ZLIB_RUNTIME_VERSION}"
"""What made the deflate stream; zlib-ng says so in its version."""

# RFC 1952 2.3.1: deflate, no flags, mtime 0, "slowest algorithm", unknown system.
# Written by hand since CPython's gzip module changed the last byte between 3.11 and 3.13.
_GZIP_HEADER: Final = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff"


class File(msgspec.Struct, frozen=True):
    """One regular file; ``path`` is relative to the image's root."""

    path: PurePosixPath
    data: bytes
    mode: int = 0o644
    uid: int = 0
    gid: int = 0


class Directory(msgspec.Struct, frozen=True):
    """One directory; a parent nobody gave is root's and 0755."""

    path: PurePosixPath
    mode: int = 0o755
    uid: int = 0
    gid: int = 0


class Layer(msgspec.Struct, frozen=True):
    """A packed layer. ``blob`` is what is stored and sent; ``diff_id`` names the tar inside it."""

    blob: bytes
    digest: str
    """Of the blob, so of the compressed bytes."""
    diff_id: str
    """Of the tar."""

    @property
    def descriptor(self) -> spec.Descriptor:
        """The layer as a manifest lists it."""
        return spec.Descriptor(spec.OCI_LAYER_GZIP, self.digest, len(self.blob))


def pack(entries: Iterable[File | Directory], *, epoch: int) -> Layer:
    """Pack *entries*, each dated *epoch* (seconds, as ``SOURCE_DATE_EPOCH``).

    Parents come before their children and otherwise names are in order, whatever
    the order given.

    Raises:
        ImageError: a path is absolute, climbs out of the root, comes twice, or
            lies below a file.
    """
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for entry in _with_parents(entries):
            # A fresh TarInfo has no user and group names: nothing of the build
            # machine can reach the digest.
            info = tarfile.TarInfo(str(entry.path))
            info.mode, info.uid, info.gid = entry.mode, entry.uid, entry.gid
            info.mtime = epoch
            if isinstance(entry, File):
                info.size = len(entry.data)
                tar.addfile(info, io.BytesIO(entry.data))
            else:
                info.type = tarfile.DIRTYPE
                tar.addfile(info)
    blob = _gzip(buffer.getvalue())
    return Layer(blob, digest=spec.sha256(blob), diff_id=spec.sha256(buffer.getvalue()))


def _with_parents(entries: Iterable[File | Directory]) -> Iterator[File | Directory]:
    known: dict[PurePosixPath, File | Directory] = {}
    for entry in entries:
        _check(entry.path)
        if entry.path in known:
            raise ImageError(f"{entry.path} is in the layer twice")
        known[entry.path] = entry
    for path in list(known):
        for parent in path.parents[:-1]:  # the last one is the root itself
            above = known.setdefault(parent, Directory(parent))
            if isinstance(above, File):
                raise ImageError(f"{path} lies below {parent}, which is a file")
    # Ordered by their parts: a parent is a prefix of its children, so it is first.
    return iter(known[path] for path in sorted(known, key=lambda path: path.parts))


def _check(path: PurePosixPath) -> None:
    if path.is_absolute() or ".." in path.parts or not path.parts:
        raise ImageError(
            f"{str(path)!r} is not a path inside the image",
            hint="give paths relative to its root, such as usr/bin/app",
        )


def _gzip(data: bytes) -> bytes:
    deflate = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS, zlib.DEF_MEM_LEVEL)
    trailer = struct.pack("<LL", zlib.crc32(data), len(data) & 0xFFFFFFFF)
    return b"".join((_GZIP_HEADER, deflate.compress(data), deflate.flush(), trailer))
