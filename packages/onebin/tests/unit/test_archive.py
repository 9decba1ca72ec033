"""An archive: one file for every tool; and the archives other tools write."""

import gzip
import io
import json
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest

from onebin.errors import ImageError, ToolError
from onebin.image import spec
from onebin.image.image import Image
from onebin.inspection import saved_image
from onebin.inspection.blobs import open_archive
from onebin.inspection.budget import Budget, Limits

from .images import archive_bytes, blob_of, read_saved, write_archive


def info(name: str, **facts: Any) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    for key, value in facts.items():
        setattr(made, key, value)
    return made


@pytest.fixture
def docker_files(image: Image) -> dict[str, Any]:
    """What ``docker save`` wrote before version 25, with one layer linked to another."""
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


def test_the_same_image_gives_the_same_bytes(image: Image) -> None:
    """Nothing of the moment or the machine is in the archive."""
    assert archive_bytes(image, "app:1") == archive_bytes(image, "app:1")
    with tarfile.open(fileobj=io.BytesIO(archive_bytes(image, "app:1"))) as tar:
        facts = {(m.mtime, m.uid, m.gid, m.uname, m.gname) for m in tar.getmembers()}

    assert facts == {(0, 0, 0, "", "")}


def test_it_is_a_layout_and_a_docker_archive(image: Image, tmp_path: Path) -> None:
    """Both entrances lead to the same config and layers."""
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
    """What is written is what is read, gzipped or not."""
    write_archive(image, tmp_path / "a.tar", "app:1")
    Path(tmp_path, "a.tar").write_bytes(pack(Path(tmp_path, "a.tar").read_bytes()))

    found = read_saved(tmp_path / "a.tar")

    assert found.format == "oci"
    assert (found.manifest, found.config) == (image.manifest, image.config)


def test_an_older_docker_archive(docker_files: Any, make_tar: Any, tmp_path: Path) -> None:
    """Layers are found by name and through links; the config's name is its digest."""
    place = tmp_path / "a.tar"
    place.write_bytes(make_tar(docker_files))

    found = read_saved(place)

    assert found.format == "docker"
    assert found.names == ("app:1", "app:2")
    assert found.config_claim is not None
    assert found.config_claim.digest == spec.sha256(found.config)
    with open_archive(place, Budget("it")) as blobs:
        first, second = (b"".join(saved_image.parts(blobs, layer)) for layer in found.layers)
    assert first == second == docker_files["aaa/layer.tar"]


@pytest.mark.parametrize(
    "link", ["bbb/layer.tar", "layer.tar", "../../etc/passwd", "/etc/passwd", "../no", ""]
)
def test_links_to_nowhere(docker_files: Any, make_tar: Any, tmp_path: Path, link: str) -> None:
    """A layer that is a link to itself, out of the archive or to nothing is not found."""
    docker_files["bbb/layer.tar"].linkname = link
    place = tmp_path / "a.tar"
    place.write_bytes(make_tar(docker_files))
    found = read_saved(place)

    with (
        open_archive(place, Budget("it")) as blobs,
        pytest.raises(ImageError, match="has no file"),
    ):
        list(saved_image.parts(blobs, found.layers[1]))


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


@pytest.mark.parametrize("data", [b"", b"x" * 2000, b"\x1f\x8b", gzip.compress(b"x" * 2000)])
def test_what_is_no_archive(tmp_path: Path, data: bytes) -> None:
    """A file that is something else is an ImageError that names it."""
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
    """A gzipped archive stops unpacking at the limit, or out of proportion."""
    place = tmp_path / "a.tar"
    place.write_bytes(gzip.compress(bytes(1 << 22)))

    with (
        pytest.raises(ImageError, match="too many bytes for a temporary file"),
        open_archive(place, Budget("it", limits)),
    ):
        pass


def test_an_archive_is_no_folder(image: Image, tmp_path: Path) -> None:
    """A folder is never replaced by an archive."""
    with pytest.raises(ToolError, match="is a directory"):
        write_archive(image, tmp_path, "app:1")


@pytest.mark.engine
@pytest.mark.skipif(not shutil.which("skopeo"), reason="needs skopeo")
@pytest.mark.parametrize("kind", ["docker-archive", "oci-archive"])
def test_skopeo_copies_it(image: Image, tmp_path: Path, kind: str) -> None:
    """Another implementation takes the archive for either kind, checking every digest."""
    write_archive(image, tmp_path / "a.tar", "app:1.2")
    name = "app:1.2" if kind == "docker-archive" else "1.2"
    source, target = f"{kind}:{tmp_path}/a.tar:{name}", f"oci:{tmp_path}/copy:x"

    command = ["skopeo", "--insecure-policy", "copy", source, target]
    subprocess.run(command, check=True, capture_output=True)

    said = subprocess.run(
        ["skopeo", "inspect", "--config", target], check=True, capture_output=True
    ).stdout
    assert json.loads(said)["config"]["Entrypoint"] == ["/app/app"]
