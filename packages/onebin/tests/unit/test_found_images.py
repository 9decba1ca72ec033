"""Which image of an archive is read, in whatever form engines and registries left it."""

import bz2
import contextlib
import gzip
import json
import lzma
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onebin.errors import ImageError
from onebin.image import spec
from onebin.image.image import Image
from onebin.inspection import inspect

from .images import archive_bytes, read_saved, write_layout


class Layout:
    """A layout whose index is written by hand."""

    def __init__(self, image: Image, path: Path) -> None:
        write_layout(image, path, "app:1")
        self.path = path
        index = json.loads((path / "index.json").read_bytes())
        [self.descriptor] = index["manifests"]

    def put(self, document: object) -> dict[str, Any]:
        """Add a blob; return its descriptor."""
        data = json.dumps(document).encode()
        digest = spec.sha256(data)
        (self.path / spec.blob_path(digest)).write_bytes(data)
        return {"mediaType": spec.OCI_MANIFEST, "digest": digest, "size": len(data)}

    def variant(self, **changed: Any) -> dict[str, Any]:
        """Add the image with other members of its manifest."""
        name = spec.blob_path(self.descriptor["digest"])
        return self.put(json.loads((self.path / name).read_bytes()) | changed)

    def index(self, manifests: object) -> Path:
        """List *manifests*."""
        document = {"schemaVersion": 2, "manifests": manifests}
        (self.path / "index.json").write_text(json.dumps(document))
        return self.path


@pytest.fixture
def layout(image: Image, tmp_path: Path) -> Layout:
    return Layout(image, tmp_path / "layout")


MISSING = {"mediaType": spec.OCI_LAYER_GZIP, "digest": "sha256:" + "5" * 64, "size": 7}
EMPTY = {"mediaType": spec.OCI_EMPTY, "digest": "sha256:" + "6" * 64, "size": 2}


@pytest.mark.parametrize(
    "before",
    [
        {"layers": [MISSING]},  # an engine has the manifests of all platforms, layers of one
        {"config": MISSING},
        {"config": EMPTY, "artifactType": "application/spdx+json"},
        {"config": EMPTY},
        {"config": EMPTY | {"mediaType": "application/x"}, "artifactType": "application/x"},
        {
            "config": EMPTY | {"mediaType": "application/vnd.cncf.helm.config.v1+json"},
            "layers": [
                MISSING | {"mediaType": "application/vnd.cncf.helm.chart.content.v1.tar+gzip"}
            ],
        },
        {"layers": [MISSING | {"mediaType": "application/vnd.dev.cosign.simplesigning.v1+json"}]},
        {"layers": [MISSING | {"mediaType": "application/vnd.in-toto+json"}]},
    ],
)
@pytest.mark.parametrize("in_an_index", [False, True])
def test_the_first_whole_image(
    layout: Layout, before: dict[str, Any], *, in_an_index: bool
) -> None:
    """An artifact, or an image that is not all there, comes before it."""
    entries = [layout.variant(**before), layout.descriptor]
    if in_an_index:
        inner = layout.put({"schemaVersion": 2, "manifests": entries})
        entries = [inner | {"mediaType": spec.OCI_INDEX}]

    found = read_saved(layout.index(entries))

    assert found.manifest_descriptor is not None
    assert found.manifest_descriptor.digest == layout.descriptor["digest"]


def test_an_entry_with_a_type_of_artifact_is_passed_over(layout: Layout) -> None:
    """Its manifest need not be one of an image at all."""
    artifact = layout.put({"mediaType": "application/x"}) | {"artifactType": "application/x"}

    assert read_saved(layout.index([artifact, layout.descriptor])).layers


def test_what_an_image_lacks_is_named(layout: Layout) -> None:
    """If none is whole, the error names the file that the first one lacks."""
    with pytest.raises(ImageError, match="has no file 'blobs/sha256/555"):
        inspect(layout.index([layout.variant(layers=[MISSING])]))


def test_names_are_those_of_the_image(layout: Layout) -> None:
    """Other images of the archive have other names; one image may have two."""

    def named(entry: dict[str, Any], name: str) -> dict[str, Any]:
        return entry | {"annotations": {spec.CONTAINERD_NAME: name}}

    other = layout.variant(annotations={"a": "b"})
    entries = [
        named(layout.descriptor, "one:1"),
        named(other, "two:1"),
        named(layout.descriptor, "one:2"),
    ]

    assert read_saved(layout.index(entries)).names == ("one:1", "one:2")


@pytest.mark.parametrize("manifests", [None, [], [MISSING | {"mediaType": spec.OCI_MANIFEST}]])
def test_docker_s_list_beside_an_empty_index(
    image: Image, layout: Layout, manifests: object
) -> None:
    """``docker save`` by digest wrote null in index.json; manifest.json names the image."""
    manifest = json.loads((layout.path / spec.blob_path(layout.descriptor["digest"])).read_bytes())
    entry = {
        "Config": spec.blob_path(manifest["config"]["digest"]),
        "RepoTags": None,
        "Layers": [spec.blob_path(layer["digest"]) for layer in manifest["layers"]],
    }
    (layout.path / "manifest.json").write_text(json.dumps([entry]))

    found = read_saved(layout.index(manifests))

    assert (found.format, found.config, found.names) == ("docker", image.config, ())


@pytest.mark.parametrize(
    "pack",
    [
        gzip.compress,
        bz2.compress,
        lzma.compress,
        lambda data: lzma.compress(data[:999]) + lzma.compress(data[999:]),
    ],
)
def test_compressed_archives(image: Image, tmp_path: Path, pack: Any) -> None:
    """``docker load`` takes gzip, bzip2 and xz; damage and a cut are errors."""
    place = tmp_path / "a.tar.x"
    data = pack(archive_bytes(image))
    place.write_bytes(data)

    assert inspect(place).image is not None
    for broken in (data[: len(data) // 2], data[:40] + b"\0" * 40 + data[80:]):
        place.write_bytes(broken)
        with pytest.raises(ImageError, match=r"a\.tar\.x"):
            inspect(place)


def test_zstd_is_named(tmp_path: Path) -> None:
    """A format that cannot be read is named, with the command that converts it."""
    place = tmp_path / "a.tar.zst"
    place.write_bytes(b"\x28\xb5\x2f\xfd" + bytes(600))

    with pytest.raises(ImageError, match="zstd") as caught:
        inspect(place)
    assert "zstd -d" in caught.value.hint


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=10,
)


@given(
    st.dictionaries(
        st.sampled_from(["created", "config", "history", "rootfs", "architecture", "os"]), st.none()
    ),
    st.dictionaries(
        st.sampled_from(
            ["User", "Env", "Entrypoint", "Cmd", "Labels", "Volumes", "WorkingDir", "Healthcheck"]
        ),
        st.none(),
    ),
)
def test_null_is_absent(top: dict[str, None], process: dict[str, None]) -> None:
    """Go writes an empty list as null, and reads null as nothing (encoding/json)."""
    document = {"architecture": "amd64", "os": "linux", "config": {"User": "1"}} | top
    if document["config"] is not None:
        document["config"] = {"User": "1", **process}

    def without_null(value: object) -> object:
        if not isinstance(value, dict):
            return value
        return {key: without_null(item) for key, item in value.items() if item is not None}

    found = spec.decode(json.dumps(document).encode(), spec.Config, what="it")
    same = spec.decode(json.dumps(without_null(document)).encode(), spec.Config, what="it")

    assert found == same


@given(values)
def test_any_json_is_a_document_or_an_error(value: object) -> None:
    """Nothing but an ImageError escapes, whatever the document is."""
    data = json.dumps({"config": value, "manifests": value}).encode()
    for kind in (spec.Config, spec.Index, spec.Manifest):
        with contextlib.suppress(ImageError):
            spec.decode(data, kind, what="it")


@pytest.mark.parametrize(
    ("member", "found"),
    [
        ({"Entrypoint": "/app"}, ("/app",)),  # before Docker 1.2, and still by hand
        ({"Cmd": "/app"}, ("/app",)),
        ({"Entrypoint": ""}, ()),
        ({"Entrypoint": ["/app", "-x"]}, ("/app", "-x")),
    ],
)
def test_a_command_of_one_word(member: dict[str, Any], found: tuple[str, ...]) -> None:
    """Docker reads a string as a list of one."""
    config = spec.decode(json.dumps({"config": member}).encode(), spec.Config, what="it")

    assert config.config is not None
    assert (*(config.config.entrypoint or ()), *(config.config.cmd or ())) == found


def test_sets_and_texts() -> None:
    """Ports and volumes are sets whatever their values; a label of null is empty."""
    document = {"config": {"ExposedPorts": {"80/tcp": None}, "Labels": {"a": None, "b": "c"}}}
    config = spec.decode(json.dumps(document).encode(), spec.Config, what="it")

    assert config.config is not None
    assert config.config.exposed_ports == {"80/tcp": {}}
    assert config.config.labels == {"a": "", "b": "c"}


@pytest.mark.parametrize(
    "entry",
    [
        {"mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json"},
        {"mediaType": "text/plain"},
        {"mediaType": "application/vnd.docker.distribution.manifest.v1+prettyjws"},
        {"mediaType": spec.OCI_MANIFEST, "digest": "sha512:" + "5" * 128},
    ],
)
def test_other_entries_of_an_index(layout: Layout, entry: dict[str, str]) -> None:
    """Types and digests that are unknown are no error beside an image (image-index.md)."""
    text = layout.put(["no manifest"])
    found = read_saved(layout.index([text | entry, layout.descriptor]))

    assert found.manifest_descriptor is not None
    assert found.manifest_descriptor.digest == layout.descriptor["digest"]
    with pytest.raises(ImageError, match=r"lists no image|not a digest of sha256"):
        read_saved(layout.index([text | entry]))
