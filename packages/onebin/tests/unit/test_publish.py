"""Destinations: obstacles are reported before anything is built or written."""

import gzip
import json
import os
import socket
import tarfile
from pathlib import Path
from typing import Any

import msgspec
import pytest

from onebin import cli, pipeline
from onebin.effects.atomic import replace_atomically
from onebin.errors import ImageError, ProjectError, ToolError
from onebin.image import image as images
from onebin.image import index, reference, spec
from onebin.image.attachment import attach
from onebin.image.image import Image, ImageConfig
from onebin.inspection import inspect
from onebin.publish import DESTINATIONS, parse, publish, require_writable

from .images import blob_of, write_archive, write_layout

APP = reference.parse("app:1")
KINDS = [known.kind for known in DESTINATIONS]
PROJECT = Path(__file__).parents[1] / "projects/facts"


def tree(folder: Path) -> dict[str, int]:
    return {
        str(path.relative_to(folder)): path.stat().st_mode & 0o7777
        for path in sorted(folder.rglob("*"))
    }


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_can_be_named(kind: str) -> None:
    """A destination is KIND:PATH; the path may have colons."""
    made = parse(f"{kind}:/a:b")

    assert made.kind == kind
    assert "/a:b" in str(made)


@pytest.mark.parametrize("text", ["", "dir", "dir:", ":x", "/out", "oci:/out", "DIR:/out"])
def test_invalid_destination(text: str) -> None:
    """Anything else is refused, with a list of the kinds."""
    with pytest.raises(ProjectError, match="expected one of the kinds layout, archive, dir"):
        parse(text)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("place", ["new", "not/yet/there", "empty"])
def test_free_paths(image: Image, tmp_path: Path, kind: str, place: str) -> None:
    """A missing or empty directory is not an obstacle, and parents are made."""
    Path(tmp_path, "empty").mkdir()
    if kind == "archive" and place == "empty":
        Path(tmp_path, "empty").rmdir()
    destination = parse(f"{kind}:{tmp_path}/{place}")

    assert destination.obstacle() is None
    assert publish(image, APP, [destination]) == image.descriptor
    assert destination.obstacle() is None  # a second result replaces the first
    destination.publish(image, reference.parse("app:2"))


@pytest.mark.parametrize("kind", ["layout", "dir"])
@pytest.mark.parametrize("name", ["precious.txt", "Dockerfile", "index.json"])
def test_foreign_directories(image: Image, tmp_path: Path, kind: str, name: str) -> None:
    """A directory with other files is an obstacle, and stays unchanged."""
    Path(tmp_path, "out").mkdir()
    Path(tmp_path, "out", name).write_text("{}")
    destination = parse(f"{kind}:{tmp_path}/out")

    with pytest.raises(ToolError, match="was not written by onebin; not overwritten"):
        destination.publish(image, APP)

    assert Path(tmp_path, "out", name).read_text() == "{}"
    assert destination.obstacle() is not None


@pytest.mark.parametrize("kind", KINDS)
def test_path_below_a_file(image: Image, tmp_path: Path, kind: str) -> None:
    """The nearest existing parent must be a directory."""
    Path(tmp_path, "file").write_text("x")
    destination = parse(f"{kind}:{tmp_path}/file/out")

    with pytest.raises(ToolError, match="file is not a directory you can write to"):
        destination.publish(image, APP)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("where", ["/tmp/" + "x" * 300, "/", "."])
def test_unusable_path(image: Image, kind: str, where: str) -> None:
    """An invalid path, or a directory in use, is an obstacle like any other."""
    with pytest.raises(ToolError):
        parse(f"{kind}:{where}").publish(image, APP)


@pytest.mark.parametrize("kind", KINDS)
def test_read_only_directory(tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A directory without write permission is an obstacle before anything is built."""
    monkeypatch.setattr(os, "access", lambda *_: False)

    assert parse(f"{kind}:{tmp_path}/out").obstacle() is not None


HEALTH = (
    "HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3"
    ' CMD ["/app/app", "check"]'
)


def test_the_directory_holds_the_image(image: Image, tmp_path: Path) -> None:
    """Files with modes and date, the config, and a Dockerfile that makes the same image."""
    parse(f"dir:{tmp_path}/out").publish(image, APP)

    assert tree(tmp_path / "out/rootfs") == {
        "app": 0o755,
        "app/app": 0o755,
        "etc": 0o755,
        "etc/group": 0o644,
        "etc/passwd": 0o644,
        "tmp": 0o1777,
    }
    assert {path.stat().st_mtime for path in Path(tmp_path, "out/rootfs").rglob("*")} == {0}
    assert Path(tmp_path, "out/config.json").read_bytes() == image.config
    assert Path(tmp_path, "out/Dockerfile").read_text().splitlines() == [
        "# Written by onebin image",
        "FROM scratch",
        "COPY rootfs/ /",
        'LABEL org.opencontainers.image.description="describes itself"',
        'LABEL org.opencontainers.image.licenses="MIT"',
        'LABEL org.opencontainers.image.source="https://example.org/app"',
        'LABEL org.opencontainers.image.title="app"',
        'LABEL org.opencontainers.image.version="1.2"',
        'ENV MODE="fast"',
        "EXPOSE 8080/tcp",
        "USER 65532:65532",
        "WORKDIR /",
        "STOPSIGNAL SIGTERM",
        HEALTH,
        'ENTRYPOINT ["/app/app"]',
    ]


BARE = ImageConfig(architecture="amd64", entrypoint=("/a",), user="1:1")


@pytest.mark.parametrize(
    ("value", "written"),
    [("a b", '"a b"'), ('a "x"', '"a \\"x\\""'), ("$HOME", '"\\$HOME"'), ("a\\b", '"a\\\\b"')],
)
def test_values_are_quoted(tmp_path: Path, value: str, written: str) -> None:
    """Characters with a meaning in a Dockerfile are escaped."""
    made = images.build((), msgspec.structs.replace(BARE, labels={"x": value}, env={"E": value}))

    parse(f"dir:{tmp_path}/out").publish(made, APP)

    lines = Path(tmp_path, "out/Dockerfile").read_text().splitlines()
    assert f"LABEL x={written}" in lines
    assert f"ENV E={written}" in lines


def test_a_value_no_dockerfile_can_hold(tmp_path: Path) -> None:
    """A line break would start another instruction: nothing is written."""
    made = images.build((), msgspec.structs.replace(BARE, labels={"x": "a\nRUN b"}))

    with pytest.raises(ImageError, match="a Dockerfile cannot hold this value"):
        parse(f"dir:{tmp_path}/out").publish(made, APP)

    assert not Path(tmp_path, "out").exists()


@pytest.fixture
def platforms(image: Image) -> index.Index:
    """The image, and a second one with the same layer for another processor."""
    config = msgspec.structs.replace(BARE, architecture="arm64", entrypoint=("/app/app",))
    return index.build([image, images.build(image.layers, config)])


@pytest.mark.parametrize("kind", ["oci-layout", "oci-archive"])
def test_several_platforms(platforms: index.Index, tmp_path: Path, kind: str) -> None:
    """Layouts and archives hold an index; other readers find the first image."""
    write = write_layout if kind == "oci-layout" else write_archive
    write(platforms, tmp_path / "out", "app:1")

    report = inspect(tmp_path / "out")

    assert report.format == kind
    assert report.image is not None
    assert report.image.digest == platforms.images[0].digest
    assert not [one for one in report.findings if one.status != "pass"]


def test_documents_of_several_platforms(platforms: index.Index, tmp_path: Path) -> None:
    """A layout lists those of each image behind the index."""
    documents = [
        attach(name.encode(), "application/spdx+json", image.descriptor)
        for name, image in zip("ab", platforms.images, strict=True)
    ]
    images_of = tuple(
        msgspec.structs.replace(image, attached=(document,))
        for image, document in zip(platforms.images, documents, strict=True)
    )

    write_layout(msgspec.structs.replace(platforms, images=images_of), tmp_path / "out", "app:1")

    entries = msgspec.json.decode((tmp_path / "out" / "index.json").read_bytes())["manifests"]
    expected = [platforms.digest, *(document.descriptor.digest for document in documents)]
    assert expected == [entry["digest"] for entry in entries]


def test_several_platforms_in_a_docker_archive(platforms: index.Index, tmp_path: Path) -> None:
    """The name refers to the first image; the others have none."""
    write_archive(platforms, tmp_path / "a.tar", "app:1")

    with tarfile.open(tmp_path / "a.tar") as tar:
        file = tar.extractfile("manifest.json")
        assert file is not None
        entries = json.load(file)

    assert [entry["RepoTags"] for entry in entries] == [["app:1"], []]
    assert [entry["Config"] for entry in entries] == [
        spec.blob_path(one.id) for one in platforms.images
    ]


def test_a_directory_has_one_platform(platforms: index.Index, tmp_path: Path) -> None:
    """Plain files hold one platform."""
    with pytest.raises(ImageError, match="has 2 platforms"):
        parse(f"dir:{tmp_path}/out").publish(platforms, APP)


def test_every_destination_gets_the_same(image: Image, tmp_path: Path) -> None:
    """One build, several destinations."""
    places = [parse(f"{kind}:{tmp_path}/{kind}") for kind in KINDS]

    publish(image, APP, places)

    blob = Path(tmp_path, "layout", spec.blob_path(image.layers[0].descriptor.digest))
    assert blob.read_bytes() == blob_of(image.layers[0])
    assert gzip.decompress(blob.read_bytes())
    assert inspect(tmp_path / "layout").image == inspect(tmp_path / "archive").image


@pytest.fixture
def built(image: Image, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A pipeline that builds nothing, and its calls."""
    calls: list[str] = []

    def build(*_: Any) -> None:
        calls.append("build")

    monkeypatch.setattr(pipeline, "build", build)
    monkeypatch.setattr(pipeline, "image", lambda *_, **__: image)
    return calls


def test_the_command_writes_to_each(
    image: Image, built: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """``--to`` may be repeated; the digest is printed under the name without its tag."""
    to = ("--to", f"dir:{tmp_path}/a", "--to", f"archive:{tmp_path}/b.tar")

    assert cli.main(["image", str(PROJECT), *to, "--tag", "host:5000/team/app:1.2"]) == 0

    assert built == ["build"]
    assert capsys.readouterr().out == f"host:5000/team/app@{image.digest}\n"
    assert inspect(tmp_path / "b.tar").image is not None
    assert Path(tmp_path, "a/rootfs/app/app").is_file()


def test_without_it_a_layout_and_an_archive(
    built: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Both are named after the project, in the given directory."""
    assert cli.main(["image", str(PROJECT), "--output", str(tmp_path / "new/dist")]) == 0

    assert sorted(path.name for path in Path(tmp_path, "new/dist").iterdir()) == [
        "facts.oci",
        "facts.tar",
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--to", "ftp:x"), "expected one of the kinds"),
        (("--to", "dir:{tmp}/full"), "was not written by onebin"),
        (("--to", "dir:{tmp}/new", "--to", "archive:{tmp}/full"), "is a directory"),
        (("--tag", "No Name"), "not an image name"),
    ],
)
def test_nothing_is_built_for_nothing(
    built: list[str],
    tmp_path: Path,
    arguments: tuple[str, ...],
    message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A wrong destination or name ends the command before the build."""
    Path(tmp_path, "full").mkdir()
    Path(tmp_path, "full/x").write_text("x")

    assert cli.main(["image", str(PROJECT), *(a.format(tmp=tmp_path) for a in arguments)]) != 0

    assert message in capsys.readouterr().err
    assert built == []


def in_the_way(path: Path, kind: str) -> None:
    """Put something of *kind* there."""
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as sock:
            sock.bind(os.fspath(path))
    else:
        path.mkdir()
        (path / "kept").touch()


@pytest.mark.parametrize("kind", ["pipe", "socket", "directory"])
def test_a_file_replaces_only_a_file(kind: str, tmp_path: Path) -> None:
    """Root could replace /dev/null for the whole machine, or a directory with all it holds."""
    path = tmp_path / "x"
    in_the_way(path, kind)
    before = path.lstat()

    with pytest.raises(ToolError, match="not overwritten"), replace_atomically(path) as new:
        new.touch()
    with pytest.raises(ToolError, match="not overwritten"):
        require_writable(path)

    assert os.path.samestat(before, path.lstat())
    assert kind != "directory" or (path / "kept").exists()
