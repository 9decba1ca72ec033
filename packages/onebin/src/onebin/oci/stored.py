"""An image somebody stored: found in its folder or archive, its layers read as streams.

Nothing read here is trusted. Documents are bounded, layers are streams so that
an image of gigabytes needs no memory, and digests are left to ``validate``.

Source: OCI image-spec v1.1, image-layout.md; the archive of ``docker save``
(github.com/moby/moby, image/spec/v1.2.md).
"""

import re
import zlib
from collections.abc import Iterator
from typing import BinaryIO, Final, Literal, Protocol

import msgspec

from onebin.errors import ImageError

from . import spec

MAX_LAYERS: Final = 512
"""Docker stacks 125 at most; this leaves room for other engines."""
MAX_INDEXES: Final = 4
"""Indexes inside the index we follow; one is common (``docker buildx``)."""
MAX_UNPACKED_BYTES: Final = 16 * 1024**3
"""Of all layers: at the 85 MB/s measured on two cores, three minutes of reading."""

_CHUNK: Final = 1 << 18


class Blobs(Protocol):
    """Where the files of a stored image are: a folder, or a tar."""

    def open(self, name: str) -> BinaryIO:
        """Open the file *name*; the caller closes it.

        Raises:
            ImageError: there is none.
        """
        ...

    def __contains__(self, name: str) -> bool: ...


class StoredLayer(msgspec.Struct, frozen=True):
    """One layer as it is stored: a name to open, and what the documents claim of it."""

    name: str
    diff_id: str
    """Claimed digest of the tar; empty where the config names too few."""
    descriptor: spec.Descriptor | None
    """Claimed digest and size of the blob; Docker's older archives claim none."""


class Stored(msgspec.Struct, frozen=True):
    """The documents of one image of one platform; the layers stay where they are."""

    format: Literal["oci", "docker"]
    manifest: bytes
    """Empty where the archive has none (Docker's older ones)."""
    manifest_claim: spec.Descriptor | None
    config: bytes
    config_claim: spec.Descriptor | None
    """None where nothing outside of it names its digest."""
    layers: tuple[StoredLayer, ...]
    names: tuple[str, ...]
    """Tags the place gives the image."""


class _Entry(msgspec.Struct, frozen=True, rename="pascal"):
    """One image in the ``manifest.json`` of ``docker save``."""

    config: str
    layers: tuple[str, ...]
    repo_tags: tuple[str, ...] | None = None


def find(blobs: Blobs, *, what: str) -> Stored:
    """Find the one image in *blobs*; of an index of platforms, the first that is all there.

    Raises:
        ImageError: there is none, or a document is not what the spec says.
    """
    if "index.json" in blobs and "oci-layout" in blobs:
        return _find_oci(blobs, what)
    if "manifest.json" in blobs:
        return _find_docker(blobs, what)
    raise ImageError(
        f"{what} holds no image",
        hint="give an OCI layout, an OCI archive, or what docker save wrote",
    )


def parts(blobs: Blobs, layer: StoredLayer) -> Iterator[bytes]:
    """Give the blob of *layer* as it is stored."""
    with blobs.open(layer.name) as stream:
        while chunk := stream.read(_CHUNK):
            yield chunk


def unpacked(chunks: Iterator[bytes], *, what: str) -> Iterator[bytes]:
    """Undo the compression of a layer, told by its first bytes: media types lie in old archives.

    Raises:
        ImageError: cut, damaged, zstd, or over ``MAX_UNPACKED_BYTES``.
    """
    first = next(chunks, b"")
    if first.startswith(b"\x28\xb5\x2f\xfd"):
        raise ImageError(
            f"{what} is compressed with zstd, which Python cannot read before 3.14",
            hint="skopeo copy --dest-compress-format gzip makes one that can be read",
        )
    if not first.startswith(b"\x1f\x8b"):
        yield first
        yield from chunks
        return
    total = 0
    for chunk in _gunzip(first, chunks, what):
        total += len(chunk)
        if total > MAX_UNPACKED_BYTES:
            raise ImageError(f"{what} unpacks to more than {MAX_UNPACKED_BYTES} bytes")
        yield chunk


def _gunzip(data: bytes, chunks: Iterator[bytes], what: str) -> Iterator[bytes]:
    inflate = zlib.decompressobj(zlib.MAX_WBITS | 16)
    while True:
        try:
            # Bounded: a chunk of a bomb inflates to a thousand times its size.
            yield inflate.decompress(data, _CHUNK)
        except zlib.error as exc:
            raise ImageError(f"{what} has damaged gzip data: {exc}") from exc
        data = inflate.unconsumed_tail
        if inflate.eof:
            data = inflate.unused_data or next(chunks, b"")
            if not data.strip(b"\0"):  # padding after the last member is allowed
                return
            inflate = zlib.decompressobj(zlib.MAX_WBITS | 16)  # pigz and eStargz write several
        elif not data:
            data = next(chunks, b"")
            if not data:
                raise ImageError(f"{what} is cut short: its gzip data has no end")


def _find_oci(blobs: Blobs, what: str) -> Stored:
    index = spec.decode(_document(blobs, "index.json"), spec.Index, what=f"{what}: index.json")
    for descriptor in _entries(blobs, index, set(), what):
        # Missing ones are other platforms': docker save keeps the index and leaves out the rest.
        if _blob(descriptor.digest) in blobs and not _is_attestation(descriptor):
            return _oci_image(blobs, descriptor, _names(index), what)
    raise ImageError(f"{what} lists no image that is in it")


def _entries(
    blobs: Blobs, index: spec.Index, seen: set[str], what: str
) -> Iterator[spec.Descriptor]:
    """Give the manifests of an index and of those inside it; an index met twice is skipped."""
    for descriptor in index.manifests:
        if descriptor.media_type not in spec.INDEX_TYPES:
            yield descriptor
            continue
        name = _blob(descriptor.digest)
        if name in blobs and name not in seen and len(seen) < MAX_INDEXES:
            seen.add(name)
            inner = spec.decode(_document(blobs, name), spec.Index, what=f"{what}: {name}")
            yield from _entries(blobs, inner, seen, what)


def _is_attestation(descriptor: spec.Descriptor) -> bool:
    """Tell BuildKit's provenance and SBOM documents, which are listed like images."""
    return descriptor.platform is not None and descriptor.platform.os == "unknown"


def _names(index: spec.Index) -> tuple[str, ...]:
    found = []
    for entry in index.manifests:
        notes = entry.annotations or {}
        found.append(notes.get(spec.CONTAINERD_NAME) or notes.get(spec.REF_NAME, ""))
    return tuple(name for name in found if name)


def _oci_image(
    blobs: Blobs, descriptor: spec.Descriptor, names: tuple[str, ...], what: str
) -> Stored:
    name = _blob(descriptor.digest)
    data = _document(blobs, name)
    manifest = spec.decode(data, spec.Manifest, what=f"{what}: {name}")
    config = _document(blobs, _blob(manifest.config.digest))
    diff_ids = _diff_ids(config, len(manifest.layers), what)
    return Stored(
        format="oci",
        manifest=data,
        manifest_claim=descriptor,
        config=config,
        config_claim=manifest.config,
        layers=tuple(
            StoredLayer(_blob(layer.digest), diff_id, layer)
            for layer, diff_id in zip(manifest.layers, diff_ids, strict=True)
        ),
        names=names,
    )


def _find_docker(blobs: Blobs, what: str) -> Stored:
    try:
        entries = msgspec.json.decode(_document(blobs, "manifest.json"), type=tuple[_Entry, ...])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise ImageError(f"{what}: manifest.json is not what docker save writes: {exc}") from exc
    if not entries:
        raise ImageError(f"{what} lists no image")
    entry = entries[0]
    config = _document(blobs, entry.config)
    named = re.fullmatch(r"(?:blobs/sha256/)?([0-9a-f]{64})(?:\.json)?", entry.config)
    return Stored(
        format="docker",
        manifest=b"",
        manifest_claim=None,
        config=config,
        config_claim=named and spec.Descriptor("", f"sha256:{named[1]}", len(config)),
        layers=tuple(
            StoredLayer(name, diff_id, None)
            for name, diff_id in zip(
                entry.layers, _diff_ids(config, len(entry.layers), what), strict=True
            )
        ),
        names=entry.repo_tags or (),
    )


def _diff_ids(config: bytes, layers: int, what: str) -> tuple[str, ...]:
    """Read the claims of a config, as many as there are layers."""
    if layers > MAX_LAYERS:
        raise ImageError(f"{what} has {layers} layers; {MAX_LAYERS} is the most")
    diff_ids = spec.decode(config, spec.Config, what=f"{what}: its config").rootfs.diff_ids
    return (*diff_ids, *[""] * layers)[:layers]


def _blob(digest: str) -> str:
    return f"blobs/sha256/{spec.hex_of(digest)}"


def _document(blobs: Blobs, name: str) -> bytes:
    with blobs.open(name) as stream:
        data = stream.read(spec.MAX_DOCUMENT_BYTES + 1)
    if len(data) > spec.MAX_DOCUMENT_BYTES:
        raise ImageError(f"{name} is over {spec.MAX_DOCUMENT_BYTES} bytes, too much for a document")
    return data
