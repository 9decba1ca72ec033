"""A layer: the same files give the same bytes, and nothing of this machine is in them."""

import gzip
import io
import random
import tarfile
import zlib
from pathlib import PurePosixPath

import pytest

from onebin.errors import ImageError
from onebin.image import layer, spec

ENTRIES = (
    layer.File(PurePosixPath("app/run"), b"\x7fELF" * 1000, mode=0o755),
    layer.File(PurePosixPath("etc/passwd"), b"x:x:1:1::/:\n"),
    layer.Directory(PurePosixPath("tmp"), mode=0o1777),
    layer.File(PurePosixPath("app-2/b"), b"", uid=5, gid=6),
)


def members(packed: layer.Layer) -> list[tarfile.TarInfo]:
    with tarfile.open(fileobj=io.BytesIO(packed.blob)) as tar:
        return tar.getmembers()


def test_what_is_in_it() -> None:
    """Files, modes and owners come out as they went in, below the folders they need."""
    found = {member.name: member for member in members(layer.pack(ENTRIES, epoch=7))}

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
    """The order in which entries are given leaves no trace."""
    entries: list[layer.File | layer.Directory] = list(ENTRIES)
    random.Random(seed).shuffle(entries)

    assert layer.pack(entries, epoch=0) == layer.pack(ENTRIES, epoch=0)


def test_the_epoch_is_the_only_time() -> None:
    """Another epoch is another tar."""
    assert layer.pack(ENTRIES, epoch=0).diff_id != layer.pack(ENTRIES, epoch=1).diff_id


def test_digests() -> None:
    """The digest names the blob, the diff_id the tar inside it."""
    packed = layer.pack(ENTRIES, epoch=0)

    assert packed.digest == spec.sha256(packed.blob)
    assert packed.diff_id == spec.sha256(gzip.decompress(packed.blob))
    assert packed.descriptor.size == len(packed.blob)


def test_the_tar_is_the_same_everywhere() -> None:
    """The diff_id of given entries is a constant; a change here changes every image."""
    assert layer.pack(ENTRIES, epoch=0).diff_id == (
        "sha256:bdcc304bf6ae75c9215cf891930e519db5915b7f97b978358fd582429b00dbb4"
    )


@pytest.mark.skipif("ng" in zlib.ZLIB_RUNTIME_VERSION, reason="zlib-ng has another deflate stream")
def test_the_blob_is_the_same_with_every_zlib() -> None:
    """With zlib itself the digest is a constant too, whatever its version or Python's."""
    assert layer.pack(ENTRIES, epoch=0).digest == (
        "sha256:44cb3b770ab7216616c87a664c41eb70815030a3d30f3636403c6789b84b2460"
    )


def test_the_gzip_header_tells_nothing() -> None:
    """No time, no file name, and not the system it was made on."""
    assert layer.pack(ENTRIES, epoch=9).blob[:10].hex() == "1f8b08000000000002ff"


@pytest.mark.parametrize("path", ["/etc/passwd", "../x", "a/../../x", "."])
def test_paths_that_leave_the_image(path: str) -> None:
    """A path that is absolute, climbs, or is the root itself is refused by name."""
    with pytest.raises(ImageError, match="is not a path inside the image"):
        layer.pack([layer.File(PurePosixPath(path), b"")], epoch=0)


def test_a_path_twice() -> None:
    """The same path twice is refused, for a file and a folder alike."""
    twice = (layer.File(PurePosixPath("a"), b""), layer.Directory(PurePosixPath("a")))

    with pytest.raises(ImageError, match="twice"):
        layer.pack(twice, epoch=0)


def test_a_file_below_a_file() -> None:
    """Nothing can lie below a file."""
    entries = [layer.File(PurePosixPath("a"), b""), layer.File(PurePosixPath("a/b"), b"")]

    with pytest.raises(ImageError, match="which is a file"):
        layer.pack(entries, epoch=0)


def test_no_entries() -> None:
    """An empty layer is a layer."""
    assert members(layer.pack([], epoch=0)) == []
