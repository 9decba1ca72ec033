"""A saved image: found in its directory or archive, its layers read as streams.

The input is not trusted. Documents are bounded, layers are streams so that an
image of gigabytes needs no memory, and digests are checked by ``validate``.

Source: OCI image-spec v1.1, image-layout.md; the archive of ``docker save``
(github.com/moby/moby, image/spec/v1.2.md).
"""

import re
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from typing import Final, Literal

import msgspec

from onebin.errors import ImageError
from onebin.image import spec

from .blobs import Blobs
from .budget import Budget

_CHUNK: Final = 1 << 18


class SavedLayer(msgspec.Struct, frozen=True):
    """One saved layer: a name to open, and the claims of the documents about it."""

    name: str
    diff_id: str
    """Claimed digest of the tar; empty if the config lists too few."""
    descriptor: spec.Descriptor | None
    """Claimed digest and size of the blob; Docker's older archives claim none."""


class SavedImage(msgspec.Struct, frozen=True):
    """The documents of one image of one platform; the layers stay where they are."""

    format: Literal["oci", "docker"]
    manifest: bytes
    """Empty if the archive has none (Docker's older ones)."""
    manifest_descriptor: spec.Descriptor | None
    config: bytes
    config_descriptor: spec.Descriptor | None
    """None if nothing outside the config names its digest."""
    layers: tuple[SavedLayer, ...]
    names: tuple[str, ...]
    """Tags of the image in its index or archive."""


class _Entry(msgspec.Struct, frozen=True, rename="pascal"):
    """One image in the ``manifest.json`` of ``docker save``."""

    config: str
    layers: tuple[str, ...] = ()
    repo_tags: tuple[str, ...] = ()


def find(blobs: Blobs, budget: Budget) -> SavedImage:
    """Find the first image in *blobs*; of an index of platforms, the first that is whole.

    Raises:
        ImageError: there is none, a document violates the specification, or the budget is spent.
    """
    is_layout = "index.json" in blobs and "oci-layout" in blobs
    found = _find_oci(blobs, budget) if is_layout else None
    if found is not None:
        return found
    if "manifest.json" in blobs:
        return _find_docker(blobs, budget)
    if is_layout:
        raise ImageError(f"{budget.what}: lists no image that is in it")
    raise ImageError(
        f"{budget.what}: holds no image",
        hint="give an OCI layout, an OCI archive, or an archive of docker save",
    )


def chunks_of(blobs: Blobs, layer: SavedLayer) -> Iterator[bytes]:
    """Yield the blob of *layer* in chunks."""
    with blobs.open(layer.name) as stream:
        while chunk := stream.read(_CHUNK):
            yield chunk


def _find_oci(blobs: Blobs, budget: Budget) -> SavedImage | None:
    data = _document(blobs, "index.json", budget)
    index = spec.decode(data, spec.Index, what=f"{budget.what}: index.json")
    second, foreign = None, ""
    for top in index.manifests:
        for descriptor in _entries(blobs, top, set(), budget):
            if _is_attached(descriptor):
                continue
            if not spec.is_sha256(descriptor.digest):
                foreign = foreign or descriptor.digest
                continue
            # Missing manifests are of other platforms: docker save keeps the index, omits them.
            name = _blob(descriptor.digest)
            if name not in blobs:
                continue
            data = _document(blobs, name, budget)
            manifest = spec.decode(data, spec.Manifest, what=f"{budget.what}: {name}")
            if _is_artifact(manifest):
                continue
            candidate = descriptor, manifest, data, _names(index, {descriptor.digest, top.digest})
            if _is_whole(blobs, manifest):
                return _oci_image(blobs, *candidate, budget)
            second = second or candidate
    # An image that is not whole is still named by the file that it lacks.
    if second:
        return _oci_image(blobs, *second, budget)
    if foreign:
        raise ImageError(f"{budget.what}: {spec.not_sha256(foreign)}")
    return None


def _entries(
    blobs: Blobs, descriptor: spec.Descriptor, seen: set[str], budget: Budget
) -> Iterator[spec.Descriptor]:
    """Yield the manifests of an entry, of nested indexes too; a repeated index is skipped.

    Other types are no error (image-index.md, ``manifests``).
    """
    if descriptor.media_type in spec.MANIFEST_TYPES:
        yield descriptor
    elif descriptor.media_type in spec.INDEX_TYPES:
        name = _blob(descriptor.digest)
        if name in blobs and name not in seen and budget.index():
            seen.add(name)
            data = _document(blobs, name, budget)
            inner = spec.decode(data, spec.Index, what=f"{budget.what}: {name}")
            for each in inner.manifests:
                yield from _entries(blobs, each, seen, budget)


def _is_attached(descriptor: spec.Descriptor) -> bool:
    """Return whether it is about an image: an artifact, or BuildKit's provenance or SBOM."""
    return bool(descriptor.artifact_type) or (
        descriptor.platform is not None and descriptor.platform.os == "unknown"
    )


def _is_artifact(manifest: spec.Manifest) -> bool:
    """Return whether its contents are none of an image (manifest.md, "Artifact Usage").

    The config's type names them, as Helm has it, or only those of the layers, as cosign
    and BuildKit have it.
    """
    kind, layers = manifest.config.media_type, [layer.media_type for layer in manifest.layers]
    if kind in spec.CONFIG_TYPES:
        types = set(layers) - spec.MANIFEST_TYPES
        return bool(types) and all(each.endswith("+json") for each in types)
    is_image = any(layer.startswith(spec.LAYER_PREFIXES) for layer in layers)
    return bool(manifest.artifact_type) or kind == spec.OCI_EMPTY or not is_image


def _is_whole(blobs: Blobs, manifest: spec.Manifest) -> bool:
    return all(_blob(each.digest) in blobs for each in (manifest.config, *manifest.layers))


def _names(index: spec.Index, digests: AbstractSet[str]) -> tuple[str, ...]:
    """Return the names that *index* gives to entries of *digests*."""
    found = []
    for entry in index.manifests:
        if entry.digest not in digests:
            continue
        notes = entry.annotations or {}
        found.append(notes.get(spec.CONTAINERD_NAME) or notes.get(spec.REF_NAME, ""))
    return tuple(dict.fromkeys(name for name in found if name))


def _oci_image(
    blobs: Blobs,
    descriptor: spec.Descriptor,
    manifest: spec.Manifest,
    data: bytes,
    names: tuple[str, ...],
    budget: Budget,
) -> SavedImage:
    config = _document(blobs, _blob(manifest.config.digest), budget)
    diff_ids = _diff_ids(config, len(manifest.layers), budget)
    return SavedImage(
        format="oci",
        manifest=data,
        manifest_descriptor=descriptor,
        config=config,
        config_descriptor=manifest.config,
        layers=tuple(
            SavedLayer(_blob(layer.digest), diff_id, layer)
            for layer, diff_id in zip(manifest.layers, diff_ids, strict=True)
        ),
        names=names,
    )


def _find_docker(blobs: Blobs, budget: Budget) -> SavedImage:
    what = budget.what
    data = _document(blobs, "manifest.json", budget)
    fault = f"{what}: manifest.json is not one of docker save"
    entries = spec.read_json(data, tuple[_Entry, ...], what=fault)
    if not entries:
        raise ImageError(f"{what}: lists no image")
    entry = entries[0]
    config = _document(blobs, entry.config, budget)
    named = re.fullmatch(r"(?:blobs/sha256/)?([0-9a-f]{64})(?:\.json)?", entry.config)
    return SavedImage(
        format="docker",
        manifest=b"",
        manifest_descriptor=None,
        config=config,
        config_descriptor=named and spec.Descriptor("", f"sha256:{named[1]}", len(config)),
        layers=tuple(
            SavedLayer(name, diff_id, None)
            for name, diff_id in zip(
                entry.layers, _diff_ids(config, len(entry.layers), budget), strict=True
            )
        ),
        names=entry.repo_tags,
    )


def _diff_ids(config: bytes, layers: int, budget: Budget) -> tuple[str, ...]:
    """Read the diff_ids of a config, as many as there are layers."""
    budget.layers(layers)
    what = f"{budget.what}: its config"
    diff_ids = spec.decode(config, spec.Config, what=what).rootfs.diff_ids
    return (*diff_ids, *[""] * layers)[:layers]


def _blob(digest: str) -> str:
    return f"blobs/sha256/{spec.hex_of(digest)}"


def _document(blobs: Blobs, name: str, budget: Budget) -> bytes:
    with blobs.open(name) as stream:
        data = stream.read(budget.limits.document_bytes + 1)
    budget.document(data, name)
    return data
