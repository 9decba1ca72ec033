"""The layout destination: written completely or not at all, and read back."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from onebin.effects.atomic import replace_atomically
from onebin.errors import ImageError, ToolError
from onebin.image import spec
from onebin.image.image import Image

from .images import read_saved, write_layout


def tree(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_written_layout(image: Image, tmp_path: Path) -> None:
    """Every blob is under its digest, and the index names the image."""
    write_layout(image, tmp_path / "out", "app:1.2")
    files = tree(tmp_path / "out")

    assert json.loads(files.pop("oci-layout")) == {"imageLayoutVersion": "1.0.0"}
    index = json.loads(files.pop("index.json"))
    assert index["manifests"][0]["digest"] == image.digest
    assert index["manifests"][0]["platform"] == {"architecture": "amd64", "os": "linux"}
    assert index["manifests"][0]["annotations"][spec.REF_NAME] == "1.2"
    assert len(files) == 3
    for name, data in files.items():
        assert name == "blobs/sha256/" + spec.sha256(data).removeprefix("sha256:")


def test_read_back(image: Image, tmp_path: Path) -> None:
    """The image reads back unchanged."""
    write_layout(image, tmp_path / "out", "app:1.2")

    found = read_saved(tmp_path / "out")

    assert found.format == "oci"
    assert found.manifest == image.manifest
    assert found.config == image.config
    assert found.names == ("docker.io/library/app:1.2",)
    assert [layer.diff_id for layer in found.layers] == [layer.diff_id for layer in image.layers]


def test_layout_of_onebin_is_replaced(image: Image, tmp_path: Path) -> None:
    """A second write leaves the second image alone, and no rubbish beside it."""
    write_layout(image, tmp_path / "out", "app:1")
    Path(tmp_path, "out/blobs/sha256/old").write_bytes(b"")

    write_layout(image, tmp_path / "out", "app:2")

    assert read_saved(tmp_path / "out").names == ("docker.io/library/app:2",)
    assert "blobs/sha256/old" not in tree(tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir() if path.name != "app"] == ["out"]


def test_an_empty_folder_is_used(image: Image, tmp_path: Path) -> None:
    """A folder with nothing in it may be written to."""
    Path(tmp_path, "out").mkdir()

    write_layout(image, tmp_path / "out", "app:1")

    assert read_saved(tmp_path / "out").manifest == image.manifest


@pytest.mark.parametrize("name", ["precious.txt", "index.json", "oci-layout"])
def test_a_foreign_folder_is_left_alone(image: Image, tmp_path: Path, name: str) -> None:
    """A folder with anything else in it, even another tool's layout, stays unchanged."""
    Path(tmp_path, "out").mkdir()
    Path(tmp_path, "out", name).write_text('{"schemaVersion":2}')

    with pytest.raises(ToolError, match="not written by onebin; not overwritten"):
        write_layout(image, tmp_path / "out", "app:1")

    assert tree(tmp_path / "out") == {name: b'{"schemaVersion":2}'}


def test_a_file_or_a_link_is_left_alone(image: Image, tmp_path: Path) -> None:
    """Neither a file nor a link, even to a layout of onebin, is written over."""
    write_layout(image, tmp_path / "real", "app:1")
    Path(tmp_path, "file").write_text("x")
    Path(tmp_path, "link").symlink_to("real")
    Path(tmp_path, "dangling").symlink_to("nothing")

    for name in ("file", "link", "dangling"):
        with pytest.raises(ToolError, match="not written by onebin; not overwritten"):
            write_layout(image, tmp_path / name, "app:1")


def test_a_bad_name_writes_nothing(image: Image, tmp_path: Path) -> None:
    """A name that engines reject fails before anything is written."""
    with pytest.raises(ImageError, match="not an image name"):
        write_layout(image, tmp_path / "out", "No Name")

    assert not Path(tmp_path, "out").exists()


def test_missing_parents_are_made(image: Image, tmp_path: Path) -> None:
    """A layout may be the first thing in its directory."""
    write_layout(image, tmp_path / "not/yet/out", "app:1")

    assert read_saved(tmp_path / "not/yet/out").manifest == image.manifest


@pytest.mark.parametrize("error", [OSError(28, "No space left"), KeyboardInterrupt()])
def test_failure_keeps_the_previous_layout(tmp_path: Path, error: BaseException) -> None:
    """Whatever interrupts the write, the old layout stays whole and no new file is left."""
    place = tmp_path / "out"
    place.mkdir()
    Path(place, "old").write_text("old")

    def write() -> None:
        with replace_atomically(place) as new:
            new.mkdir()
            Path(new, "half").write_text("half")
            raise error

    with pytest.raises((ToolError, KeyboardInterrupt)):
        write()

    assert tree(tmp_path) == {"out/old": b"old"}


def test_the_umask_decides(image: Image, tmp_path: Path) -> None:
    """The layout is readable by others if the umask allows it."""
    before = os.umask(0o022)
    try:
        write_layout(image, tmp_path / "out", "app:1")
    finally:
        os.umask(before)

    assert Path(tmp_path, "out").stat().st_mode & 0o777 == 0o755
    assert Path(tmp_path, "out/index.json").stat().st_mode & 0o777 == 0o644


@pytest.mark.engine
@pytest.mark.skipif(not shutil.which("skopeo"), reason="needs skopeo")
def test_skopeo_reads_it(image: Image, tmp_path: Path) -> None:
    """skopeo finds the image by its tag, with its digest and labels."""
    write_layout(image, tmp_path / "out", "app:1.2")

    command = ["skopeo", "inspect", f"oci:{tmp_path}/out:1.2"]
    said = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)

    assert said["Digest"] == image.digest
    assert said["Architecture"] == "amd64"
    assert said["Labels"]["org.opencontainers.image.version"] == "1.2"
    assert said["Layers"] == [image.layers[0].descriptor.digest]
