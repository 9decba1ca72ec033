"""Layers laid on each other: whiteouts, links, measures, and limits."""

import gzip
import io
import tarfile
import tracemalloc
from typing import Any, BinaryIO

import pytest

from onebin.errors import ImageError
from onebin.image import spec
from onebin.inspection import layer_scan, merged_fs, saved_image, stream
from onebin.inspection.budget import Budget, Limits


def info(name: str = "", **facts: Any) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    for key, value in facts.items():
        setattr(made, key, value)
    return made


def link(target: str) -> tarfile.TarInfo:
    return info(type=tarfile.SYMTYPE, linkname=target)


FOLDER = info(type=tarfile.DIRTYPE, mode=0o755)


class InMemory:
    """``saved_image.Blobs`` of a dictionary."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self._files = files

    def open(self, name: str) -> BinaryIO:
        return io.BytesIO(self._files[name])

    def __contains__(self, name: str) -> bool:
        return name in self._files


def stack(*layers: bytes) -> tuple[InMemory, saved_image.SavedImage]:
    files = {str(number): data for number, data in enumerate(layers)}
    found = saved_image.SavedImage(
        format="docker",
        manifest=b"",
        manifest_descriptor=None,
        config=b"",
        config_descriptor=None,
        layers=tuple(saved_image.SavedLayer(name, "", None) for name in files),
        names=(),
    )
    return InMemory(files), found


def read(*layers: bytes) -> merged_fs.MergedFilesystem:
    return merged_fs.read(*stack(*layers), Budget("it"))


def test_one_layer(make_tar: Any) -> None:
    """Entries are absolute, in order, and identified as programs by their first bytes."""
    found = read(make_tar({"./b/run": b"\x7fELF..", "./b": FOLDER, "./a": b"#!/bin/sh", "c": b""}))

    assert list(found.entries) == ["/a", "/b", "/b/run", "/c"]
    assert [entry.program for entry in found.entries.values()] == ["script", "", "elf", ""]


def test_measures(make_tar: Any) -> None:
    """Digest and size of the blob, diff_id of the tar, the compressed size by gzip."""
    plain = make_tar({"a": b"x" * 5000, "b": b"y" * 10}, mtime=5)
    blob = gzip.compress(plain, 9, mtime=77)

    [stored_plain] = read(plain).layers
    [squeezed] = read(blob).layers

    assert stored_plain.digest == stored_plain.diff_id == squeezed.diff_id == spec.sha256(plain)
    assert squeezed.digest == spec.sha256(blob)
    assert (stored_plain.size, squeezed.size) == (len(plain), len(blob))
    assert abs(stored_plain.compressed - squeezed.compressed) < 20
    assert (stored_plain.gzipped, squeezed.gzipped) == (False, True)
    assert (stored_plain.gzip_time, squeezed.gzip_time) == (0, 77)
    assert squeezed.file_bytes == 5010
    assert squeezed.times == (5, 5)
    assert squeezed.ordered
    assert not squeezed.owner_names


@pytest.mark.parametrize(
    ("upper", "left"),
    [
        ({"d/.wh.a": b""}, ["/d", "/d/b", "/e"]),
        ({".wh.d": b""}, ["/e"]),
        ({"d/.wh..wh..opq": b"", "d/n": b""}, ["/d", "/d/n", "/e"]),
        ({"d/n": b"", "d/.wh..wh..opq": b""}, ["/d", "/d/n", "/e"]),
        ({"d/.wh.a": b"", "d/a": b"new"}, ["/d", "/d/a", "/d/b", "/e"]),
        ({"d/a": b"new", "d/.wh.a": b""}, ["/d", "/d/a", "/d/b", "/e"]),
        ({"d": b"a file now"}, ["/d", "/e"]),
        ({"e/f": b""}, ["/d", "/d/a", "/d/b", "/e/f"]),
        ({"d": FOLDER}, ["/d", "/d/a", "/d/b", "/e"]),
        ({".wh.none": b"", "no/.wh.where": b"", "no/.wh..wh..opq": b""}, None),
    ],
)
def test_whiteouts(make_tar: Any, upper: dict[str, Any], left: list[str] | None) -> None:
    """A whiteout hides lower layers, never its own, at any place in the layer."""
    lower = make_tar({"d": FOLDER, "d/a": b"aaa", "d/b": b"b", "e": b""})

    found = read(lower, make_tar(upper))

    assert list(found.entries) == (left or ["/d", "/d/a", "/d/b", "/e"])


def test_wasted_bytes(make_tar: Any) -> None:
    """Bytes that a later layer hides or replaces are wasted."""
    found = read(make_tar({"a": b"123", "b": b"4567"}), make_tar({".wh.a": b"", "b": b"x"}))

    assert found.wasted_bytes == 7


@pytest.mark.parametrize(
    ("path", "leads_to"),
    [
        ("/usr/bin/sh", "/usr/bin/dash"),
        ("/bin/sh", "/usr/bin/dash"),
        ("/bin/../bin/./sh", "/usr/bin/dash"),
        ("/../../bin/sh", "/usr/bin/dash"),
        ("/abs", "/usr/bin/dash"),
        ("/climb", "/usr/bin/dash"),
        ("/loop", None),
        ("/nothing", None),
        ("/none", None),
        ("/", None),
        ("", None),
        ("/x" * 5000, None),
    ],
)
def test_resolving(make_tar: Any, path: str, leads_to: str | None) -> None:
    """Links are followed inside the image, even where they climb; loops end."""
    found = read(
        make_tar(
            {
                "usr/bin/dash": b"",
                "usr/bin/sh": link("dash"),
                "bin": link("usr/bin"),
                "abs": link("/bin/sh"),
                "climb": link("../../../bin/sh"),
                "loop": link("loop"),
                "nothing": link("gone"),
            }
        )
    )
    entry = found.resolve(path)

    assert (entry and entry.path) == leads_to


def test_extracting(make_tar: Any) -> None:
    """A file's data is read from the layer it comes from, and through a hard link."""
    lower = make_tar({"a": b"old", "b": info(type=tarfile.LNKTYPE, linkname="a")})
    blobs, image = stack(lower, make_tar({"a": b"x" * 3000}))
    found = merged_fs.read(blobs, image, Budget("it"))

    sinks = {path: io.BytesIO() for path in found.entries}
    wanted = [(found.entries[path], sink) for path, sink in sinks.items()]
    merged_fs.extract(blobs, image, found, wanted, Budget("it"))

    assert {path: sink.getvalue() for path, sink in sinks.items()} == {
        "/a": b"x" * 3000,
        "/b": b"old",
    }


@pytest.mark.parametrize(
    ("member", "anomaly"),
    [
        ({"/etc/passwd": b""}, "/etc/passwd is absolute"),
        ({"a/../../x": b""}, "a/../../x climbs out of the image"),
        ({"d": info(type=tarfile.CHRTYPE)}, "d is a character device"),
        ({"d": info(type=tarfile.BLKTYPE)}, "d is a block device"),
        ({"a/l": link("../../x")}, "a/l is a link that climbs out of the image"),
        (
            {"h": info(type=tarfile.LNKTYPE, linkname="../x")},
            "h is a link that climbs out of the image",
        ),
    ],
)
def test_anomalies(make_tar: Any, member: dict[str, Any], anomaly: str) -> None:
    """Entries that a clean layer never has are listed, one sentence each."""
    assert read(make_tar(member)).layers[0].anomalies == (anomaly,)


def test_twice(make_tar: Any) -> None:
    """The same path twice is listed; the last one counts."""
    found = read(make_tar({"a": b"one", "./a": b"two!"}))

    assert found.layers[0].anomalies == ("./a is in the layer twice",)
    assert found.entries["/a"].size == 4


def test_path_outside_the_root_is_absent(make_tar: Any) -> None:
    """It is listed, but is not a file of the image."""
    assert not read(make_tar({"../../etc/passwd": b"x"})).entries


def test_clean_links_are_no_anomaly(make_tar: Any) -> None:
    """A link that climbs and stays inside is an ordinary one."""
    assert read(make_tar({"a/b/l": link("../../c"), "l": link("/abs")})).layers[0].anomalies == ()


def test_order_and_names(make_tar: Any) -> None:
    """Entries out of order, and names of users, are reported."""
    [layer] = read(make_tar({"b": b"", "a": b""}, uname="builder")).layers

    assert not layer.ordered
    assert layer.owner_names


@pytest.mark.parametrize(
    "blob",
    [
        gzip.compress(b"x" * 3000, mtime=0)[:-9],
        gzip.compress(bytes(3000), mtime=0)[:12],
        b"\x1f\x8b" + b"x" * 50,
        b"\x28\xb5\x2f\xfd" + b"x" * 50,
        b"x" * 3000,
        b"x",
    ],
)
def test_broken_layers(blob: bytes) -> None:
    """A cut, damaged, foreign or zstd layer is an ImageError that names the layer."""
    with pytest.raises(ImageError, match="layer 1"):
        read(blob)


@pytest.mark.parametrize(
    "blob", [b"", gzip.compress(b"", mtime=0), bytes(1024), gzip.compress(bytes(10240), mtime=0)]
)
def test_empty_layers(blob: bytes) -> None:
    """Nothing, and the end marks alone, are layers without entries."""
    assert read(blob).entries == {}


def test_several_gzip_members(make_tar: Any) -> None:
    """pigz and eStargz write one after the other; together they are one tar."""
    plain = make_tar({"a": b"x" * 5000})
    blob = b"".join(gzip.compress(plain[at : at + 700]) for at in range(0, len(plain), 700))

    [layer] = read(blob + bytes(100)).layers

    assert layer.diff_id == spec.sha256(plain)


def test_a_bomb_needs_no_memory(make_tar: Any) -> None:
    """A layer a thousand times its blob is read in pieces."""
    bomb = gzip.compress(make_tar({"a": bytes(64 << 20)}))
    tracemalloc.start()
    try:
        [layer] = read(bomb).layers
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert layer.file_bytes == 64 << 20
    assert peak < 8 << 20


@pytest.mark.parametrize(
    ("limit", "value"),
    [
        ("unpacked_bytes", 1 << 14),
        ("entries", 20),
        ("name_parts", 50),
        ("path_characters", 100),
        ("headers", 30),
        ("memory_bytes", 6000),
    ],
)
def test_limits(make_tar: Any, limit: str, value: int) -> None:
    """Bytes, entries, depth and names are limited, over all layers together."""
    layer = make_tar({f"a/b/{number}": b"x" * 400 for number in range(15)})
    blobs, image = stack(layer, gzip.compress(layer))
    merged_fs.read(blobs, image, Budget("it"))

    with pytest.raises(ImageError, match=f"^it: too many .*; expected at most {value}$"):
        merged_fs.read(blobs, image, Budget("it", Limits(**{limit: value})))


def test_anomalies_are_limited(make_tar: Any) -> None:
    """Half a million odd entries do not fill the report."""
    members = {f"/{number}": b"" for number in range(300)}

    assert len(read(make_tar(members)).layers[0].anomalies) == layer_scan.MAX_ANOMALIES


@pytest.mark.parametrize("sizes", [[1, 2, 3], [10], [], [0, 5, 0], [4, 4, 4]])
@pytest.mark.parametrize("step", [1, 3, 4, 100])
def test_a_stream_of_any_pieces(sizes: list[int], step: int) -> None:
    """However the bytes are cut up, reading gives them in order and in full."""
    data = bytes(range(sum(sizes)))
    chunks, at = [], 0
    for size in sizes:
        chunks.append(data[at : at + size])
        at += size
    reader = stream.ChunkReader(iter(chunks))

    pieces = []
    while piece := reader.read(step):
        pieces.append(piece)

    assert b"".join(pieces) == data
    assert all(len(piece) == step for piece in pieces[:-1])
