"""What bench.size.image reads, against archives made here by hand."""

import gzip
import io
import json
import tarfile
from pathlib import Path

import pytest

from bench.size import image

File = tuple[str, bytes, int]


def layer(*files: File, links: tuple[tuple[str, str], ...] = ()) -> bytes:
    """Pack *files* (name, contents, mode) and symbolic *links* (name, target)."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name, data, mode in files:
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(data), mode
            if name.endswith("/"):
                info.type = tarfile.DIRTYPE
            tar.addfile(info, io.BytesIO(data))
        for name, target in links:
            info = tarfile.TarInfo(name)
            info.type, info.linkname = tarfile.SYMTYPE, target
            tar.addfile(info)
    return packed.getvalue()


def saved(folder: Path, *layers: bytes, user: str = "") -> Path:
    """Write *layers* as ``docker save`` does."""
    manifest = [{"Config": "c.json", "Layers": [f"{n}/layer.tar" for n in range(len(layers))]}]
    path = folder / "image.tar"
    with tarfile.open(path, "w") as tar:
        members = {
            "manifest.json": json.dumps(manifest).encode(),
            "c.json": json.dumps({"config": {"User": user}}).encode(),
            **{f"{n}/layer.tar": data for n, data in enumerate(layers)},
        }
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


def test_one_binary(tmp_path: Path) -> None:
    """An image of one program holds one file, no shell, and runs as whom it says."""
    one = layer(("app/", b"", 0o755), ("app/service", b"x" * 1000, 0o755))

    got = image.read(saved(tmp_path, one, user="65532:65532"))

    assert got == image.Contents(
        unpacked_bytes=1000,
        tar_bytes=len(one),
        gzip_bytes=len(gzip.compress(one, 9)),
        layers=1,
        files=1,
        executables=1,
        shells=(),
        package_managers=(),
        setuid=(),
        user="65532:65532",
    )


def test_unnamed_user_is_root(tmp_path: Path) -> None:
    assert image.read(saved(tmp_path, layer())).user == "root"


def test_overwritten_files_are_still_pulled(tmp_path: Path) -> None:
    got = image.read(saved(tmp_path, layer(("a", b"12", 0o644)), layer(("./a", b"345", 0o644))))
    assert (got.unpacked_bytes, got.files, got.layers) == (5, 1, 2)


@pytest.mark.parametrize(
    ("second", "left"),
    [
        (layer(("bin/.wh.sh", b"", 0o644)), ("bash", "dash")),
        (layer((".wh.bin", b"", 0o644)), ()),
        (layer(("bin/.wh..wh..opq", b"", 0o644)), ()),
        (layer(("bin/.wh..wh..opq", b"", 0o644), ("bin/zsh", b"", 0o755)), ("zsh",)),
        (layer(("bin/zsh", b"", 0o755), ("bin/.wh..wh..opq", b"", 0o644)), ("zsh",)),
        (layer(("bin", b"", 0o644)), ()),
        (layer(("bin/", b"", 0o700)), ("bash", "dash", "sh")),
    ],
)
def test_whiteouts(tmp_path: Path, second: bytes, left: tuple[str, ...]) -> None:
    """A whiteout hides what is below it and nothing of its own layer."""
    first = layer(
        ("bin/", b"", 0o755),
        ("bin/bash", b"", 0o755),
        ("bin/dash", b"", 0o755),
        links=(("bin/sh", "dash"),),
    )
    assert image.read(saved(tmp_path, first, second)).shells == left


def test_file_named_like_a_shell_that_cannot_run(tmp_path: Path) -> None:
    got = image.read(saved(tmp_path, layer(("usr/share/completions/apt", b"", 0o644))))
    assert got.package_managers == ()


def test_setuid_and_setgid(tmp_path: Path) -> None:
    got = image.read(saved(tmp_path, layer(("su", b"", 0o4755), ("wall", b"", 0o2755))))
    assert got.setuid == ("/su", "/wall")


def test_compressed_layer_counts_like_a_plain_one(tmp_path: Path) -> None:
    plain = layer(("app", b"x" * 5000, 0o755))
    first = image.read(saved(tmp_path, plain))
    assert image.read(saved(tmp_path, gzip.compress(plain, 1))) == first
    assert image.unpacked_bytes(saved(tmp_path, gzip.compress(plain, 1))) == 5000
