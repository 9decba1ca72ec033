"""Check an image against itself: the claims of its documents, and the measured bytes.

It shares with the code that writes images only the names of the formats.

Source: OCI image-spec v1.1; the checks of go-containerregistry's ``pkg/v1/validate``.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from onebin.image import spec

from . import saved_image
from .layer_scan import LayerScan

_RFC3339: Final = re.compile(
    r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)


class Problem(msgspec.Struct, frozen=True):
    """One claim that differs from the bytes."""

    what: str
    """The document or the layer."""
    claimed: str
    found: str

    def __str__(self) -> str:
        return f"{self.what}: claims {self.claimed}, has {self.found}"


def check(image: saved_image.SavedImage, layers: Sequence[LayerScan]) -> tuple[Problem, ...]:
    """Compare every digest, size, diff_id and type that *image* claims with the measured ones.

    *layers* are the measurements, in the order of the image's layers.

    Raises:
        ImageError: a document violates its format.
    """
    return (*_documents(image), *_layers(image, layers), *_config(image))


def _documents(image: saved_image.SavedImage) -> Iterator[Problem]:
    yield from _blob("manifest", image.manifest_descriptor, image.manifest)
    yield from _blob("config", image.config_descriptor, image.config)
    if not image.manifest:
        return
    manifest = spec.decode(image.manifest, spec.Manifest, what="the manifest")
    if manifest.schema_version != spec.SCHEMA_VERSION:
        yield Problem(
            "manifest", f"schemaVersion {spec.SCHEMA_VERSION}", str(manifest.schema_version)
        )
    claim = image.manifest_descriptor
    # The type inside may be missing, but must not differ from the index's (manifest.md).
    if claim and manifest.media_type not in ("", claim.media_type):
        yield Problem("manifest", claim.media_type, manifest.media_type)
    for name, kind, known in (
        ("manifest", claim.media_type if claim else spec.OCI_MANIFEST, spec.MANIFEST_TYPES),
        ("config", manifest.config.media_type, spec.CONFIG_TYPES),
        *(("layer", layer.media_type, spec.LAYER_TYPES) for layer in manifest.layers),
    ):
        if kind not in known:
            yield Problem(name, "a media type of an image", kind)


def _blob(name: str, claim: spec.Descriptor | None, data: bytes) -> Iterator[Problem]:
    if claim is None:
        return
    digest = "sha256:" + hashlib.sha256(data).hexdigest()
    if digest != claim.digest:
        yield Problem(name, claim.digest, digest)
    if len(data) != claim.size:
        yield Problem(name, f"{claim.size} bytes", str(len(data)))


def _layers(image: saved_image.SavedImage, layers: Sequence[LayerScan]) -> Iterator[Problem]:
    for number, (layer, facts) in enumerate(zip(image.layers, layers, strict=True), start=1):
        name = f"layer {number}"
        if layer.diff_id != facts.diff_id:
            yield Problem(name, f"diff_id {layer.diff_id or 'none'}", facts.diff_id)
        claim = layer.descriptor
        if claim is None:
            continue
        if claim.digest != facts.digest:
            yield Problem(name, claim.digest, facts.digest)
        if claim.size != facts.size:
            yield Problem(name, f"{claim.size} bytes", str(facts.size))
        if claim.media_type.endswith("gzip") != facts.gzipped:
            yield Problem(name, claim.media_type, "gzip" if facts.gzipped else "a plain tar")


def _config(image: saved_image.SavedImage) -> Iterator[Problem]:
    config = spec.decode(image.config, spec.Config, what="the config")
    if config.rootfs.type != "layers":
        yield Problem("config", "rootfs of type layers", config.rootfs.type)
    if len(config.rootfs.diff_ids) != len(image.layers):
        found = f"{len(image.layers)} layers"
        yield Problem("config", f"{len(config.rootfs.diff_ids)} diff_ids", found)
    if config.history is not None:
        filled = sum(not step.empty_layer for step in config.history)
        # An empty history is allowed, one of other layers is not (config.md).
        if filled and filled != len(image.layers):
            yield Problem("config", f"a history of {filled} layers", f"{len(image.layers)} layers")
    if not config.os or not config.architecture:
        yield Problem("config", "an os and an architecture", "none")
    if config.created is not None and not _RFC3339.fullmatch(config.created):
        yield Problem("config", "a time of creation (RFC 3339)", config.created[:40])
    claim = image.manifest_descriptor
    if claim and claim.platform:
        claimed = f"{claim.platform.os}/{claim.platform.architecture}"
        if claimed != f"{config.os}/{config.architecture}":
            yield Problem("config", claimed, f"{config.os}/{config.architecture}")
