"""The validator: it finds every false claim of an image, and none in images of onebin."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from onebin.image import spec
from onebin.image.image import Image
from onebin.inspection import merged_fs, saved_image, validate
from onebin.inspection.blobs import open_folder
from onebin.inspection.budget import Budget
from onebin.inspection.layer_scan import LayerScan
from onebin.inspection.saved_image import SavedImage

from .images import write_layout

Read = tuple[SavedImage, tuple[LayerScan, ...]]
OTHER = "sha256:" + "0" * 64


@pytest.fixture
def read(image: Image, tmp_path: Path) -> Read:
    """An image of onebin, written and read."""
    write_layout(image, tmp_path / "out", "app:1")
    budget = Budget("it")
    with open_folder(tmp_path / "out", budget) as files:
        found = saved_image.find(files, budget)
        return found, merged_fs.read(files, found, budget).layers


def test_an_image_of_onebin_is_true(read: Read) -> None:
    """The claims of an image of onebin are true."""
    assert validate.check(*read) == ()


@pytest.mark.parametrize("fact", ["digest", "size", "diff_id", "gzipped"])
def test_a_layer_that_is_another(read: Read, fact: str) -> None:
    """A layer whose measure differs from its claim is found, and both are reported."""
    image, (layer,) = read
    wrong = {"digest": OTHER, "size": 1, "diff_id": OTHER, "gzipped": False}[fact]

    [problem] = validate.check(image, [msgspec.structs.replace(layer, **{fact: wrong})])

    assert problem.what == "layer 1"
    assert str(problem).startswith("layer 1: claims ")


@pytest.mark.parametrize("claim", ["manifest_descriptor", "config_descriptor"])
@pytest.mark.parametrize("change", [{"digest": OTHER}, {"size": 1}])
def test_a_document_that_is_another(read: Read, claim: str, change: dict[str, Any]) -> None:
    """A manifest or config whose digest or size differs is found."""
    image, layers = read
    false = msgspec.structs.replace(getattr(image, claim), **change)

    [problem] = validate.check(msgspec.structs.replace(image, **{claim: false}), layers)

    assert problem.what == claim.removesuffix("_descriptor")


def _config(change: Callable[[Any], None], image: SavedImage) -> SavedImage:
    document = msgspec.json.decode(image.config)
    change(document)
    data = msgspec.json.encode(document)
    claim = spec.Descriptor(spec.OCI_CONFIG, spec.sha256(data), len(data))
    return msgspec.structs.replace(image, config=data, config_descriptor=claim)


@pytest.mark.parametrize(
    ("change", "claimed"),
    [
        (lambda c: c["rootfs"].update(type="other"), "rootfs of type layers"),
        (lambda c: c["rootfs"].update(diff_ids=[]), "0 diff_ids"),
        (lambda c: c["history"].append({"created_by": "x"}), "a history of 2 layers"),
        (lambda c: c.update(created="yesterday"), "a time of creation (RFC 3339)"),
        (lambda c: c.update(architecture="s390x"), "linux/amd64"),
    ],
)
def test_a_config_that_makes_no_sense(read: Read, change: Any, claimed: str) -> None:
    """A config that contradicts the layers, the index or its own format is found."""
    image, layers = read

    problems = validate.check(_config(change, image), layers)

    assert claimed in [problem.claimed for problem in problems]


def test_empty_history_is_valid(read: Read) -> None:
    """History may be missing, and steps without a layer do not count."""
    image, layers = read
    quiet = _config(lambda c: c.update(history=[{"empty_layer": True}]), image)

    assert validate.check(quiet, layers) == ()


@pytest.mark.parametrize("where", ["mediaType", "config", "layers", "schemaVersion"])
def test_unknown_types(read: Read, where: str) -> None:
    """A media type that is not an image's is found in any document."""
    image, layers = read
    document = msgspec.json.decode(image.manifest)
    if where == "config":
        document["config"]["mediaType"] = "application/x-unknown"
    elif where == "layers":
        document["layers"][0]["mediaType"] = "application/x-unknown"
    else:
        document[where] = 1 if where == "schemaVersion" else "application/x-unknown"
    data = msgspec.json.encode(document)
    claim = spec.Descriptor(spec.OCI_MANIFEST, spec.sha256(data), len(data))
    changed = msgspec.structs.replace(image, manifest=data, manifest_descriptor=claim)

    assert len(validate.check(changed, layers)) == 1


def test_an_older_docker_archive_claims_less(read: Read) -> None:
    """Without a manifest the diff_ids are still checked."""
    image, (layer,) = read
    docker = msgspec.structs.replace(
        image,
        manifest=b"",
        manifest_descriptor=None,
        layers=(msgspec.structs.replace(image.layers[0], descriptor=None),),
    )

    assert validate.check(docker, [layer]) == ()
    assert validate.check(docker, [msgspec.structs.replace(layer, diff_id=OTHER)])
