"""Saved images of any origin: read from a directory or an archive, or rejected."""

import gzip
import json
import os
import tarfile
from pathlib import Path
from typing import Any

import pytest

from onebin.errors import ImageError
from onebin.image import spec
from onebin.image.image import Image
from onebin.inspection import saved_image
from onebin.inspection.blobs import open_archive, open_folder
from onebin.inspection.budget import DEFAULT, Budget, Limits

from .images import archive_bytes, blob_of, read_saved, write_layout


def info(name: str, **facts: Any) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    for key, value in facts.items():
        setattr(made, key, value)
    return made


@pytest.fixture
def docker_files(image: Image) -> dict[str, Any]:
    """An archive of ``docker save`` before version 25, with one layer linked to another."""
    plain = gzip.decompress(blob_of(image.layers[0]))
    config = json.loads(image.config)
    config["rootfs"]["diff_ids"] *= 2
    config["history"] *= 2
    data = json.dumps(config).encode()
    name = spec.sha256(data).removeprefix("sha256:")
    entry = {
        "Config": f"{name}.json",
        "RepoTags": ["app:1", "app:2"],
        "Layers": ["aaa/layer.tar", "bbb/layer.tar"],
    }
    return {
        "aaa/VERSION": b"1.0",
        "aaa/layer.tar": plain,
        "bbb/layer.tar": info("", type=tarfile.SYMTYPE, linkname="../aaa/layer.tar"),
        f"{name}.json": data,
        "manifest.json": json.dumps([entry]).encode(),
        "repositories": b"{}",
    }


def test_an_older_docker_archive(docker_files: Any, make_tar: Any, tmp_path: Path) -> None:
    """Layers are found by name and through links; the config's name is its digest."""
    place = tmp_path / "a.tar"
    place.write_bytes(make_tar(docker_files))

    found = read_saved(place)

    assert found.format == "docker"
    assert found.names == ("app:1", "app:2")
    assert found.config_descriptor is not None
    assert found.config_descriptor.digest == spec.sha256(found.config)
    with open_archive(place, Budget("it")) as blobs:
        first, second = (b"".join(saved_image.chunks_of(blobs, layer)) for layer in found.layers)
    assert first == second == docker_files["aaa/layer.tar"]


@pytest.mark.parametrize(
    "link", ["bbb/layer.tar", "layer.tar", "../../etc/passwd", "/etc/passwd", "../no", ""]
)
def test_links_to_nowhere(docker_files: Any, make_tar: Any, tmp_path: Path, link: str) -> None:
    """A layer that links to itself, out of the archive or to nothing is missing."""
    docker_files["bbb/layer.tar"].linkname = link
    place = tmp_path / "a.tar"
    place.write_bytes(make_tar(docker_files))
    found = read_saved(place)

    with (
        open_archive(place, Budget("it")) as blobs,
        pytest.raises(ImageError, match="has no file"),
    ):
        list(saved_image.chunks_of(blobs, found.layers[1]))


@pytest.mark.parametrize(
    "manifest",
    [
        b"[]",
        b"{}",
        b"x",
        b'[{"Config":"none.json","Layers":[]}]',
        b'[{"Config":"../../etc/passwd","Layers":[]}]',
        b'[{"Config":"manifest.json","Layers":[]}]',
        b'[{"Config":"repositories","Layers":' + json.dumps(["a"] * 600).encode() + b"}]",
    ],
)
def test_broken_docker_archives(
    docker_files: Any, make_tar: Any, tmp_path: Path, manifest: bytes
) -> None:
    """A manifest.json of another shape, or that leads nowhere, is an ImageError."""
    docker_files["manifest.json"] = manifest
    place = tmp_path / "a.tar"
    place.write_bytes(make_tar(docker_files))

    with pytest.raises(ImageError):
        read_saved(place)


@pytest.mark.parametrize(
    "data", [b"", b"x" * 2000, b"\x1f\x8b", gzip.compress(b"x" * 2000, mtime=0)]
)
def test_not_an_archive(tmp_path: Path, data: bytes) -> None:
    """Any other file is an ImageError that names it."""
    place = tmp_path / "a.tar"
    place.write_bytes(data)

    with pytest.raises(ImageError, match=r"a\.tar"):
        read_saved(place)


def test_cut_archives(image: Image, tmp_path: Path) -> None:
    """An archive cut anywhere before its last document is an ImageError."""
    whole = archive_bytes(image, "app:1")
    place = tmp_path / "a.tar"

    for cut in range(0, whole.index(b"oci-layout"), 97):
        place.write_bytes(whole[:cut])
        with pytest.raises(ImageError):
            read_saved(place)


def test_too_many_files(make_tar: Any, tmp_path: Path) -> None:
    """A tar of a whole file system is not mistaken for an image."""
    place = tmp_path / "a.tar"
    place.write_bytes(make_tar({str(n): b"" for n in range(4)}))
    budget = Budget("a.tar", Limits(members=3))

    with pytest.raises(ImageError, match=r"a\.tar: too many files.*; expected at most 3"):
        open_archive(place, budget).__enter__()


@pytest.mark.parametrize(
    "limits", [Limits(temporary_bytes=1 << 20), Limits(ratio=10, ratio_free_bytes=1 << 20)]
)
def test_a_bomb_of_an_archive(tmp_path: Path, limits: Limits) -> None:
    """Unpacking a gzipped archive stops at the size limit or the ratio limit."""
    place = tmp_path / "a.tar"
    place.write_bytes(gzip.compress(bytes(1 << 22)))

    with (
        pytest.raises(ImageError, match="too many bytes for a temporary file"),
        open_archive(place, Budget("it", limits)),
    ):
        pass


def test_no_name_leads_out(image: Image, tmp_path: Path) -> None:
    """Blobs that climb, link out of the folder or are FIFOs count as missing."""
    write_layout(image, tmp_path / "out", "app:1")
    Path(tmp_path, "secret").write_text("x")
    Path(tmp_path, "out/link").symlink_to("../secret")
    Path(tmp_path, "out/loop").symlink_to("loop")
    os.mkfifo(tmp_path / "out/fifo")

    with open_folder(tmp_path / "out", Budget("it")) as blobs:
        for name in ("../secret", "link", "loop", "fifo", "blobs", "/etc/passwd", "a\0b", ""):
            assert name not in blobs
            with pytest.raises(ImageError, match="has no file"):
                blobs.open(name)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("index.json", b"{}"),
        ("index.json", b"[]"),
        ("index.json", b"\xff\xfe"),
        ("index.json", b" " * (DEFAULT.document_bytes + 1)),
        ("index.json", b'{"manifests":[{"mediaType":"x","digest":"sha256:../../x","size":1}]}'),
        ("oci-layout", None),
        ("index.json", None),
    ],
)
def test_broken_layouts(image: Image, tmp_path: Path, name: str, content: bytes | None) -> None:
    """A layout without its documents, or with others in their place, is an ImageError."""
    write_layout(image, tmp_path / "out", "app:1")
    Path(tmp_path, "out", name).unlink()
    if content is not None:
        Path(tmp_path, "out", name).write_bytes(content)

    with pytest.raises(ImageError):
        read_saved(tmp_path / "out")


def test_an_index_in_itself(tmp_path: Path) -> None:
    """Indexes that lead to each other are each read once."""
    digest = "sha256:" + "0" * 64
    entry = {"mediaType": spec.OCI_INDEX, "digest": digest, "size": 1}
    data = json.dumps({"schemaVersion": 2, "manifests": [entry] * 100})
    for name in ("index.json", "oci-layout", "blobs/sha256/" + "0" * 64):
        Path(tmp_path, name).parent.mkdir(parents=True, exist_ok=True)
        Path(tmp_path, name).write_text(data)

    with pytest.raises(ImageError, match="lists no image"):
        read_saved(tmp_path)
