"""Streams of byte chunks: counted, hashed, decompressed, read as a file."""

import bz2
import hashlib
import lzma
import zlib
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Final, Protocol

from onebin.errors import ImageError

_CHUNK: Final = 1 << 18
_MAGICS: Final = (
    (b"\x1f\x8b", "gzip"),
    (b"\xfd7zXZ\0", "xz"),
    (b"BZh", "bzip2"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
)
_XZ_BYTES: Final = 80 * 1024**2
"""Memory for xz, whose -9 needs 65 MiB."""
_PIECE: Final = 1 << 14
"""Given to zlib at a time: after each gzip member it copies the rest of its input."""


class HashingIterator:
    """Passes chunks on, counts and hashes them."""

    def __init__(self, chunks: Iterator[bytes], spend: Callable[[int], None] | None = None) -> None:
        self._chunks, self._spend = chunks, spend
        self._hash = hashlib.sha256()
        self.size = 0
        self.head = b""

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._chunks:
            self._hash.update(chunk)
            self.size += len(chunk)
            self.head = self.head or chunk[:8]
            if self._spend:
                self._spend(len(chunk))
            yield chunk

    @property
    def digest(self) -> str:
        """sha256 of the chunks so far."""
        return "sha256:" + self._hash.hexdigest()

    @property
    def gzipped(self) -> bool:
        """The first chunk begins as gzip does."""
        return self.head.startswith(b"\x1f\x8b")


class GzipSizer:
    """Passes chunks of a plain tar on and counts the bytes gzip makes of them."""

    def __init__(self, plain: HashingIterator, raw: HashingIterator) -> None:
        self._plain, self._raw = plain, raw
        self._count = 0

    def __iter__(self) -> Iterator[bytes]:
        # Level 9, as in layers of onebin, so that sizes of different builders compare.
        deflate = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
        for chunk in self._plain:
            if not self._raw.gzipped:
                self._count += len(deflate.compress(chunk))
            yield chunk
        self._count += len(deflate.flush())

    @property
    def size(self) -> int:
        """Bytes in gzip: the blob's own if it is gzip already."""
        return self._raw.size if self._raw.gzipped else self._count


class ChunkReader:
    """Reads chunks as a file."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._buffer = b""
        self._at = 0

    def read(self, size: int) -> bytes:
        """Return *size* bytes, fewer only at the end."""
        end = self._at + size
        if end <= len(self._buffer):
            data, self._at = self._buffer[self._at : end], end
            return data
        pieces = [self._buffer[self._at :]]
        left = size - len(pieces[0])
        self._buffer, self._at = b"", 0
        for chunk in self._chunks:
            pieces.append(chunk[:left])
            if len(chunk) > left:
                self._buffer, self._at = chunk, left
                break
            left -= len(chunk)
            if not left:
                break
        return b"".join(pieces)


def decompressed(chunks: Iterator[bytes], *, what: str) -> Iterator[bytes]:
    """Decompress an archive or a layer by its first bytes: media types in old ones are wrong.

    Raises:
        ImageError: cut, damaged or zstd.
    """
    first = next(chunks, b"")
    kind = compression(first)
    if kind == "zstd":
        raise ImageError(
            f"{what}: compressed with zstd, which Python cannot read before 3.14; expected gzip",
            hint="unpack an archive with zstd -d; convert layers with skopeo copy"
            " --dest-compress-format gzip",
        )
    if kind == "gzip":
        yield from _gunzip(first, chunks, what)
    elif kind:
        yield from _unpack(first, chunks, kind, what)
    else:
        yield first
        yield from chunks


def compression(head: bytes) -> str:
    """Return the compression of data that begin with *head*: gzip, xz, bzip2, zstd or none."""
    return next((name for magic, name in _MAGICS if head.startswith(magic)), "")


class _Decompressor(Protocol):
    """What ``bz2`` and ``lzma`` have in common."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


def _unpack(first: bytes, chunks: Iterator[bytes], kind: str, what: str) -> Iterator[bytes]:
    def begin() -> _Decompressor:
        if kind == "xz":
            return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_XZ_BYTES)
        return bz2.BZ2Decompressor()

    pieces = _cut(chain((first,), chunks))
    inflate, data = begin(), next(pieces)
    while True:
        try:
            plain = inflate.decompress(data, _CHUNK)
        except (lzma.LZMAError, OSError) as exc:
            raise ImageError(f"{what}: damaged {kind} data: {exc}") from exc
        if plain:
            yield plain
        data = b""
        if inflate.eof:
            data = inflate.unused_data or next(pieces, b"")
            if not data.strip(b"\0"):
                return
            inflate = begin()
        elif inflate.needs_input and not (data := next(pieces, b"")):
            raise ImageError(f"{what}: cut short: its {kind} data has no end")


def _gunzip(first: bytes, chunks: Iterator[bytes], what: str) -> Iterator[bytes]:
    pieces = _cut(chain((first,), chunks))
    inflate, data = zlib.decompressobj(zlib.MAX_WBITS | 16), next(pieces)
    while True:
        try:
            # Bounded: a piece of a bomb inflates to a thousand times its size.
            plain = inflate.decompress(data, _CHUNK)
        except zlib.error as exc:
            raise ImageError(f"{what}: damaged gzip data: {exc}") from exc
        if plain:
            yield plain
        data = inflate.unconsumed_tail
        if inflate.eof:
            data = inflate.unused_data or next(pieces, b"")
            if not data.strip(b"\0"):  # padding after the last member is allowed
                return
            inflate = zlib.decompressobj(zlib.MAX_WBITS | 16)  # pigz and eStargz write several
        elif not data:
            data = next(pieces, b"")
            if not data and not plain:
                raise ImageError(f"{what}: cut short: its gzip data has no end")


def _cut(chunks: Iterable[bytes]) -> Iterator[bytes]:
    for chunk in chunks:
        for at in range(0, len(chunk), _PIECE):
            yield chunk[at : at + _PIECE]
