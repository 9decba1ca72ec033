"""Assembling: an executable becomes an image with nothing else in it."""

import io
import json
import tarfile

import msgspec
import pytest

from onebin import assemble
from onebin.errors import ImageError
from onebin.image.image import Image
from onebin.model import Binary, ImageSettings

FACTS = assemble.Facts(name="app", version="1")


def test_what_is_in_it(image: Image, binary: Binary) -> None:
    """The executable, the one user's names, a /tmp for all, and the folders they need."""
    with tarfile.open(fileobj=io.BytesIO(image.layers[0].blob)) as tar:
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
    """It starts the executable itself, as a number, and asks it for its health."""
    config = json.loads(image.config)["config"]

    assert config["Entrypoint"] == ["/app/app"]
    assert config["User"] == "65532:65532"
    assert config["ExposedPorts"] == {"8080/tcp": {}}
    assert config["Env"] == ["MODE=fast"]
    assert config["Healthcheck"]["Test"] == ["CMD", "/app/app", "check"]
    assert config["Labels"] == {
        "org.opencontainers.image.description": "says what it is",
        "org.opencontainers.image.licenses": "MIT",
        "org.opencontainers.image.source": "https://example.org/app",
        "org.opencontainers.image.title": "app",
        "org.opencontainers.image.version": "1.2",
    }


def test_settings_win_over_facts(binary: Binary) -> None:
    """A label of the settings replaces the one taken from the project."""
    settings = ImageSettings(labels={"org.opencontainers.image.title": "other", "x": "y"})
    data = binary.path.read_bytes()

    made = assemble.assemble(binary, data, facts=FACTS, settings=settings, epoch=0)

    labels = json.loads(made.config)["config"]["Labels"]
    assert labels["org.opencontainers.image.title"] == "other"
    assert labels["x"] == "y"
    assert "Healthcheck" not in json.loads(made.config)["config"]


def test_the_same_input_gives_the_same_image(binary: Binary) -> None:
    """Neither the moment nor the folder the binary lies in reaches the digest."""
    data = binary.path.read_bytes()
    moved = msgspec.structs.replace(binary, path=binary.path / "elsewhere")

    first, second = (
        assemble.assemble(one, data, facts=FACTS, settings=ImageSettings(), epoch=5)
        for one in (binary, moved)
    )

    assert first.digest == second.digest


def test_the_architecture_is_the_binarys(binary: Binary) -> None:
    """An aarch64 binary makes an arm64 image."""
    arm = msgspec.structs.replace(binary, machine="aarch64")

    made = assemble.assemble(
        arm, binary.path.read_bytes(), facts=FACTS, settings=ImageSettings(), epoch=0
    )

    assert json.loads(made.config)["architecture"] == "arm64"
    assert made.platform.architecture == "arm64"


def test_other_bytes_than_the_binarys(binary: Binary) -> None:
    """Bytes that are not what was linked are refused."""
    with pytest.raises(ImageError, match="when it was linked"):
        assemble.assemble(binary, b"cut", facts=FACTS, settings=ImageSettings(), epoch=0)
