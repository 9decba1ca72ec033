"""The archive destination: one file that every tool reads."""

import gzip
import io
import json
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest

from onebin.errors import ToolError
from onebin.image.image import Image

from .images import archive_bytes, blob_of, read_saved, write_archive


def test_the_same_image_gives_the_same_bytes(image: Image) -> None:
    """The archive depends on neither the time nor the machine."""
    assert archive_bytes(image, "app:1") == archive_bytes(image, "app:1")
    with tarfile.open(fileobj=io.BytesIO(archive_bytes(image, "app:1"))) as tar:
        facts = {(m.mtime, m.uid, m.gid, m.uname, m.gname) for m in tar.getmembers()}

    assert facts == {(0, 0, 0, "", "")}


def test_it_is_a_layout_and_a_docker_archive(image: Image, tmp_path: Path) -> None:
    """Both forms lead to the same config and layers."""
    write_archive(image, tmp_path / "a.tar", "team/app:1.2")
    with tarfile.open(tmp_path / "a.tar") as tar:
        files = {
            member.name: file.read()
            for member in tar.getmembers()
            if (file := tar.extractfile(member))
        }

    [entry] = json.loads(files["manifest.json"])
    assert entry["RepoTags"] == ["team/app:1.2"]
    assert files[entry["Config"]] == image.config
    assert [files[name] for name in entry["Layers"]] == [blob_of(layer) for layer in image.layers]
    assert json.loads(files["repositories"]).keys() == {"team/app"}
    assert json.loads(files["index.json"])["manifests"][0]["digest"] == image.digest


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzipped"])
def test_read_back(image: Image, tmp_path: Path, pack: Any) -> None:
    """The image reads back unchanged, gzipped or not."""
    write_archive(image, tmp_path / "a.tar", "app:1")
    Path(tmp_path, "a.tar").write_bytes(pack(Path(tmp_path, "a.tar").read_bytes()))

    found = read_saved(tmp_path / "a.tar")

    assert found.format == "oci"
    assert (found.manifest, found.config) == (image.manifest, image.config)


def test_archive_path_is_a_directory(image: Image, tmp_path: Path) -> None:
    """A folder is never replaced by an archive."""
    with pytest.raises(ToolError, match="is a directory"):
        write_archive(image, tmp_path, "app:1")


@pytest.mark.engine
@pytest.mark.skipif(not shutil.which("skopeo"), reason="needs skopeo")
@pytest.mark.parametrize("kind", ["docker-archive", "oci-archive"])
def test_skopeo_copies_it(image: Image, tmp_path: Path, kind: str) -> None:
    """skopeo reads the archive as either kind and checks every digest."""
    write_archive(image, tmp_path / "a.tar", "app:1.2")
    name = "app:1.2" if kind == "docker-archive" else "1.2"
    source, target = f"{kind}:{tmp_path}/a.tar:{name}", f"oci:{tmp_path}/copy:x"

    command = ["skopeo", "--insecure-policy", "copy", source, target]
    subprocess.run(command, check=True, capture_output=True)

    said = subprocess.run(
        ["skopeo", "inspect", "--config", target], check=True, capture_output=True
    ).stdout
    assert json.loads(said)["config"]["Entrypoint"] == ["/app/app"]
