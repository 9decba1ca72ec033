"""Assembling: an executable becomes an image with nothing else in it."""

import io
import json
import shutil
import tarfile
from pathlib import Path
from typing import Any

import deflate
import msgspec
import pytest

from onebin.assemble import LayerStep, assemble
from onebin.effects.context import Context
from onebin.errors import ImageError
from onebin.image.application import ImageMetadata
from onebin.image.image import Image
from onebin.model import Binary, ImageSettings

from .fakes import context
from .images import blob_of

METADATA = ImageMetadata(name="app", version="1")


def test_what_is_in_it(image: Image, binary: Binary) -> None:
    """The executable, passwd and group of one user, a /tmp for all, and the parent folders."""
    with tarfile.open(fileobj=io.BytesIO(blob_of(image.layers[0]))) as tar:
        modes = {member.name: oct(member.mode) for member in tar.getmembers()}
        app, passwd, group = (
            file.read()
            for name in ("app/app", "etc/passwd", "etc/group")
            if (file := tar.extractfile(name))
        )

    assert modes == {
        "app": "0o755",
        "app/app": "0o755",
        "etc": "0o755",
        "etc/group": "0o644",
        "etc/passwd": "0o644",
        "tmp": "0o1777",
    }
    assert app == binary.path.read_bytes()
    assert passwd == b"nonroot:x:65532:65532:nonroot:/:/sbin/nologin\n"
    assert group == b"nonroot:x:65532:\n"


def test_how_it_runs(image: Image) -> None:
    """The entry point is the executable, the user a number, the health check its own command."""
    config = json.loads(image.config)["config"]

    assert config["Entrypoint"] == ["/app/app"]
    assert config["User"] == "65532:65532"
    assert config["ExposedPorts"] == {"8080/tcp": {}}
    assert config["Env"] == ["MODE=fast"]
    assert config["Healthcheck"]["Test"] == ["CMD", "/app/app", "check"]
    assert config["Labels"] == {
        "org.opencontainers.image.description": "describes itself",
        "org.opencontainers.image.licenses": "MIT",
        "org.opencontainers.image.source": "https://example.org/app",
        "org.opencontainers.image.title": "app",
        "org.opencontainers.image.version": "1.2",
    }


@pytest.fixture
def store(tmp_path: Path) -> Context:
    return context(tmp_path / "cache")


def test_settings_win_over_metadata(binary: Binary, store: Context) -> None:
    """A label of the settings replaces the one taken from the project."""
    settings = ImageSettings(labels={"org.opencontainers.image.title": "other", "x": "y"})

    made = assemble(binary, store, metadata=METADATA, settings=settings, epoch=0)

    labels = json.loads(made.config)["config"]["Labels"]
    assert labels["org.opencontainers.image.title"] == "other"
    assert labels["x"] == "y"
    assert "Healthcheck" not in json.loads(made.config)["config"]


def test_the_same_input_gives_the_same_image(
    binary: Binary, store: Context, tmp_path: Path
) -> None:
    """Neither the time nor the folder of the binary changes the digest."""
    moved = msgspec.structs.replace(binary, path=tmp_path / "elsewhere")
    shutil.copyfile(binary.path, moved.path)

    first, second = (
        assemble(one, where, metadata=METADATA, settings=ImageSettings(), epoch=5)
        for one, where in ((binary, store), (moved, context(tmp_path / "other")))
    )

    assert first.digest == second.digest
    assert blob_of(first.layers[0]) == blob_of(second.layers[0])


def test_the_architecture_is_the_binarys(binary: Binary, store: Context) -> None:
    """An aarch64 binary makes an arm64 image."""
    arm = msgspec.structs.replace(binary, machine="aarch64")

    made = assemble(arm, store, metadata=METADATA, settings=ImageSettings(), epoch=0)

    assert json.loads(made.config)["architecture"] == "arm64"
    assert made.platform.architecture == "arm64"


@pytest.mark.parametrize("data", [b"", b"cut", b"longer than it was" * 100])
def test_other_bytes_than_the_binarys(binary: Binary, store: Context, data: bytes) -> None:
    """Bytes that differ from the linked ones are refused, and nothing is cached."""
    good = binary.path.read_bytes()
    binary.path.write_bytes(data)
    with pytest.raises(ImageError, match="changed since it was linked"):
        assemble(binary, store, metadata=METADATA, settings=ImageSettings(), epoch=0)

    binary.path.write_bytes(good)
    again = assemble(binary, store, metadata=METADATA, settings=ImageSettings(), epoch=0)
    assert len(again.layers) == 1


def test_the_layer_is_packed_once(binary: Binary, store: Context) -> None:
    """Other labels give another image with the same cached layer."""
    first = assemble(binary, store, metadata=METADATA, settings=ImageSettings(), epoch=0)
    binary.path.unlink()
    settings = ImageSettings(labels={"x": "y"})

    second = assemble(binary, store, metadata=METADATA, settings=settings, epoch=0)

    assert first.layers == second.layers
    assert first.digest != second.digest


@pytest.mark.parametrize("change", [{"name": "b"}, {"sha256": "0" * 64}, {"epoch": 1}])
def test_every_input_of_the_blob_is_in_its_key(binary: Binary, change: dict[str, Any]) -> None:
    """Another name, other bytes or another date give another layer."""
    step = LayerStep(binary, 0)
    fields = {key: value for key, value in change.items() if key != "epoch"}

    other = LayerStep(msgspec.structs.replace(binary, **fields), change.get("epoch", 0))

    assert step.key() != other.key()


def test_another_libdeflate_is_another_key(binary: Binary, monkeypatch: pytest.MonkeyPatch) -> None:
    """The deflate stream may differ, and the digest with it."""
    before = LayerStep(binary, 0).key()
    monkeypatch.setattr(deflate, "__version__", "0.9.1")

    assert LayerStep(binary, 0).key() != before
