"""The documents of an image, and the names of images."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from onebin.assemble import CachedLayer
from onebin.errors import ImageError
from onebin.image import image as images
from onebin.image import index, reference, spec
from onebin.image.image import Image, ImageConfig

CONFIG = ImageConfig(
    architecture="arm64",
    entrypoint=("/app/x",),
    user="65532:65532",
    env={"B": "2", "A": "1"},
    ports=(9000, 80),
    labels={"z": "1", "a": "2"},
    healthcheck=("/app/x", "check"),
    epoch=1_000_000_000,
    made_by="a test",
)


OTHER = "sha256:" + "0" * 64
LAYER = CachedLayer(
    spec.Descriptor(spec.OCI_LAYER_GZIP, OTHER, 7), "sha256:" + "1" * 64, Path("blob")
)


def config_of(image: Image) -> Any:
    return json.loads(image.config)


def test_the_config() -> None:
    """The config has user and command, in exec form, in one fixed order."""
    document = config_of(images.build((), CONFIG))

    assert document["architecture"] == "arm64"
    assert document["os"] == "linux"
    assert document["created"] == "2001-09-09T01:46:40Z"
    assert document["config"] == {
        "User": "65532:65532",
        "ExposedPorts": {"80/tcp": {}, "9000/tcp": {}},
        "Env": ["A=1", "B=2"],
        "Entrypoint": ["/app/x"],
        "WorkingDir": "/",
        "Labels": {"a": "2", "z": "1"},
        "StopSignal": "SIGTERM",
        "Healthcheck": {
            "Test": ["CMD", "/app/x", "check"],
            "Interval": 10_000_000_000,
            "Timeout": 3_000_000_000,
            "StartPeriod": 10_000_000_000,
            "StartInterval": 1_000_000_000,
            "Retries": 3,
        },
    }


def test_the_manifest() -> None:
    """The manifest names config and layers by digest, size and OCI type."""
    made = images.build([LAYER], CONFIG)
    manifest = json.loads(made.manifest)

    assert manifest["schemaVersion"] == 2
    assert manifest["mediaType"] == spec.OCI_MANIFEST
    assert manifest["config"] == {
        "mediaType": spec.OCI_CONFIG,
        "digest": spec.sha256(made.config),
        "size": len(made.config),
    }
    assert manifest["layers"] == [{"mediaType": spec.OCI_LAYER_GZIP, "digest": OTHER, "size": 7}]
    assert manifest["annotations"] == CONFIG.labels
    assert config_of(made)["rootfs"] == {"type": "layers", "diff_ids": [LAYER.diff_id]}
    assert len(config_of(made)["history"]) == 1


def test_absent_settings_are_absent_fields() -> None:
    """Without ports, labels, environment or health check there are no empty members."""
    bare = ImageConfig(architecture="amd64", entrypoint=("/a",), user="1:1")
    made = images.build((), bare)

    assert set(config_of(made)["config"]) == {"User", "Entrypoint", "WorkingDir", "StopSignal"}
    assert "annotations" not in json.loads(made.manifest)


@pytest.mark.parametrize(
    "changed", [{"ports": (0,)}, {"ports": (65536,)}, {"epoch": -1}, {"epoch": 1 << 60}]
)
def test_invalid_ports_and_times(changed: dict[str, Any]) -> None:
    """A number out of range is refused."""
    with pytest.raises(ImageError, match="out of range; expected"):
        images.build((), msgspec.structs.replace(CONFIG, **changed))


@pytest.mark.parametrize(
    ("text", "full", "familiar"),
    [
        ("app", "docker.io/library/app:latest", "app:latest"),
        ("app:1.0", "docker.io/library/app:1.0", "app:1.0"),
        ("team/app:x", "docker.io/team/app:x", "team/app:x"),
        ("docker.io/app", "docker.io/library/app:latest", "app:latest"),
        ("localhost/app", "localhost/app:latest", "localhost/app:latest"),
        ("localhost:5000/a/b:v_1", "localhost:5000/a/b:v_1", "localhost:5000/a/b:v_1"),
        ("ghcr.io/a/b__c", "ghcr.io/a/b__c:latest", "ghcr.io/a/b__c:latest"),
    ],
)
def test_names(text: str, full: str, familiar: str) -> None:
    """A name is completed as Docker completes it, and shortened as Docker shortens it."""
    name = reference.parse(text)

    assert (name.full, name.familiar) == (full, familiar)
    assert name.familiar == f"{name.name}:{name.tag}"


@pytest.mark.parametrize(
    "text",
    [
        *("", "App", "a b", "a:", "a:b:c", ":tag", "a//b", "/a", "a/", "-a", "a@b", "a:ü", "a\n"),
        *("../a", "host.example/", "x" * 256, "a:" + "x" * 129),
    ],
)
def test_invalid_names(text: str) -> None:
    """A name that registries reject is refused before anything is written."""
    with pytest.raises(ImageError, match="not an image name"):
        reference.parse(text)


@pytest.mark.parametrize(
    "digest", ["", "sha256:", "sha256:../../etc/passwd", "sha512:" + "0" * 64, "sha256:" + "A" * 64]
)
def test_digests_that_could_climb(digest: str) -> None:
    """Only sixty-four hex digits become a file name."""
    with pytest.raises(ImageError, match="expected sha256"):
        spec.hex_of(digest)


@pytest.mark.parametrize(
    "data", [b"", b"null", b"[]", b"{", b"[" * 100_000, b'{"config":1}', b"\xff"]
)
def test_invalid_documents(data: bytes) -> None:
    """Invalid JSON, or JSON of another shape, is an error that names the document."""
    with pytest.raises(ImageError, match="the thing: not an image manifest"):
        spec.decode(data, spec.Manifest, what="the thing")


def test_an_index_of_platforms() -> None:
    """An index lists each image by digest, size and platform; equal blobs are there once."""
    arm = images.build([LAYER], CONFIG)
    amd = images.build([LAYER], msgspec.structs.replace(CONFIG, architecture="amd64"))

    made = index.build([arm, amd])
    document = json.loads(made.manifest)

    assert document["mediaType"] == spec.OCI_INDEX == made.descriptor.media_type
    assert [entry["digest"] for entry in document["manifests"]] == [arm.digest, amd.digest]
    assert [entry["platform"]["architecture"] for entry in document["manifests"]] == [
        "arm64",
        "amd64",
    ]
    assert len(made.blobs()) == 6
    assert {made.digest, arm.digest, arm.id, amd.digest, amd.id, OTHER} == {
        blob.digest for blob in made.blobs()
    }


@pytest.mark.parametrize("count", [0, 2])
def test_an_index_has_one_image_a_platform(count: int) -> None:
    """No platform, or two equal ones, are refused."""
    with pytest.raises(ImageError, match="expected one image a platform"):
        index.build([images.build([LAYER], CONFIG)] * count)
