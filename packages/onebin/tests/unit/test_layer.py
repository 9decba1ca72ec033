"""A layer: the same files give the same bytes, and nothing of this machine is in them."""

import gzip
import io
import random
import tarfile
import tracemalloc
import zlib
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import BinaryIO, cast

import deflate
import pytest

from onebin.errors import ImageError
from onebin.image import layer, spec

ENTRIES = (
    layer.file_of(PurePosixPath("app/run"), b"\x7fELF" * 1000, mode=0o755),
    layer.file_of(PurePosixPath("etc/passwd"), b"x:x:1:1::/:\n"),
    layer.Directory(PurePosixPath("tmp"), mode=0o1777),
    layer.File(PurePosixPath("app-2/b"), 0, io.BytesIO, uid=5, gid=6),
)


Entries = Iterable[layer.File | layer.Directory]


def pack(entries: Entries, *, epoch: int = 0) -> tuple[layer.Packed, bytes]:
    """The digests of a layer, and its blob."""
    blob = io.BytesIO()
    return layer.pack(entries, blob, epoch=epoch), blob.getvalue()


def members(entries: Entries, *, epoch: int = 0) -> list[tarfile.TarInfo]:
    with tarfile.open(fileobj=io.BytesIO(pack(entries, epoch=epoch)[1])) as tar:
        return tar.getmembers()


def test_what_is_in_it() -> None:
    """Files, modes and owners come out as they went in, below their parent folders."""
    found = {member.name: member for member in members(ENTRIES, epoch=7)}

    assert list(found) == ["app", "app/run", "app-2", "app-2/b", "etc", "etc/passwd", "tmp"]
    assert found["app/run"].mode == 0o755
    assert found["app"].isdir()
    assert found["app"].mode == 0o755
    assert found["tmp"].mode == 0o1777
    assert (found["app-2/b"].uid, found["app-2/b"].gid) == (5, 6)
    assert {member.mtime for member in found.values()} == {7}
    assert {member.uname + member.gname for member in found.values()} == {""}


@pytest.mark.parametrize("seed", range(5))
def test_any_order_gives_the_same_bytes(seed: int) -> None:
    """The order of the entries has no effect."""
    entries: list[layer.File | layer.Directory] = list(ENTRIES)
    random.Random(seed).shuffle(entries)

    assert pack(entries) == pack(ENTRIES)


def test_the_epoch_is_the_only_time() -> None:
    """Another epoch is another tar."""
    assert pack(ENTRIES)[0].diff_id != pack(ENTRIES, epoch=1)[0].diff_id


def test_digests() -> None:
    """The digest names the blob, the diff_id the tar inside it."""
    packed, blob = pack(ENTRIES)

    assert packed.descriptor == spec.Descriptor(spec.OCI_LAYER_GZIP, spec.sha256(blob), len(blob))
    assert packed.diff_id == spec.sha256(gzip.decompress(blob))


def test_the_tar_is_the_same_everywhere() -> None:
    """The diff_id of given entries is a constant; a change here changes every image."""
    assert pack(ENTRIES)[0].diff_id == (
        "sha256:bdcc304bf6ae75c9215cf891930e519db5915b7f97b978358fd582429b00dbb4"
    )


def test_the_blob_is_the_same_everywhere() -> None:
    """The digest is a constant too: the deflate stream is the pinned libdeflate's."""
    assert pack(ENTRIES)[0].descriptor.digest == (
        "sha256:673762d4faa77a94e872da96c91868c7c355da7d89692fe3242e6a328102d174"
    )


def test_gzip_header_has_no_time_and_no_name() -> None:
    """No time, no file name, and not the system it was made on."""
    assert pack(ENTRIES, epoch=9)[1][:10].hex() == "1f8b08000000000002ff"


@pytest.mark.parametrize("path", ["/etc/passwd", "../x", "a/../../x", "."])
def test_paths_that_leave_the_image(path: str) -> None:
    """A path that is absolute, climbs, or is the root itself is refused by name."""
    with pytest.raises(ImageError, match="not a path inside the image"):
        pack([layer.file_of(PurePosixPath(path), b"")])


def test_a_path_twice() -> None:
    """The same path twice is refused, for a file and a folder alike."""
    twice = (layer.file_of(PurePosixPath("a"), b""), layer.Directory(PurePosixPath("a")))

    with pytest.raises(ImageError, match="twice"):
        pack(twice)


def test_a_file_below_a_file() -> None:
    """Nothing can lie below a file."""
    entries = [layer.file_of(PurePosixPath("a"), b""), layer.file_of(PurePosixPath("a/b"), b"")]

    with pytest.raises(ImageError, match="which is a file"):
        pack(entries)


def test_no_entries() -> None:
    """An empty layer is a layer."""
    assert members([]) == []


@pytest.mark.parametrize("size", [0, 1, 511, 512, 513, 10_240, 10_241, 1 << 20])
def test_a_piece_at_a_time_is_the_same_as_at_once(size: int) -> None:
    """However the input is split, the blob equals gzip of the whole tar."""
    data = random.Random(size).randbytes(size // 2) * 2
    packed, blob = pack([layer.file_of(PurePosixPath("a"), data)])
    whole = gzip.decompress(blob)

    assert packed.diff_id == spec.sha256(whole)
    assert len(whole) % tarfile.RECORDSIZE == 0
    assert blob == deflate.gzip_compress(whole, layer.LEVEL)


@pytest.mark.parametrize("size", [layer.MEMBER - 10_240, layer.MEMBER + 1])
def test_a_long_layer_is_several_members(size: int) -> None:
    """Each is compressed by itself; together they are one stream to every reader of gzip."""
    packed, blob = pack([zeros(size)])
    inflate, members = zlib.decompressobj(zlib.MAX_WBITS | 16), []
    while blob:
        members.append(len(inflate.decompress(blob)))
        blob, inflate = inflate.unused_data, zlib.decompressobj(zlib.MAX_WBITS | 16)

    assert members[:-1] == [layer.MEMBER] * (len(members) - 1)
    assert 0 < members[-1] <= layer.MEMBER
    assert sum(members) == -(-(size + 1536) // tarfile.RECORDSIZE) * tarfile.RECORDSIZE
    assert packed.diff_id.startswith("sha256:")


class Zeros(io.RawIOBase):
    """A file of nothing but zeros, which takes no memory."""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        return bytes(size)


def zeros(size: int) -> layer.File:
    """A file of *size* zeros."""
    return layer.File(PurePosixPath("a"), size, lambda: cast("BinaryIO", Zeros()))


@pytest.mark.exhaustive
def test_a_large_file_needs_no_more_memory() -> None:
    """An executable of any size is packed in pieces."""
    tracemalloc.start()
    try:
        layer.pack([zeros(6 * layer.MEMBER)], io.BytesIO(), epoch=0)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert peak < 4 * layer.MEMBER


def test_a_file_that_ends_early() -> None:
    """A file shorter than its size is an error, not a layer."""
    with pytest.raises(OSError, match="unexpected end of data"):
        pack([layer.File(PurePosixPath("a"), 5, lambda: io.BytesIO(b"1234"))])
