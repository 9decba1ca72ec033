"""One file with an image in it, for ``docker load``, podman, skopeo and containerd.

A tar with an OCI layout and with the ``manifest.json`` of ``docker save`` over the
same blobs: each tool finds the form it reads.

Source: OCI image-spec v1.1, image-layout.md; github.com/moby/moby,
image/spec/v1.2.md ("Combined Image JSON + Filesystem Changeset Format").
"""

import tarfile
from typing import BinaryIO, ClassVar

import msgspec

from onebin.image import spec
from onebin.image.blob import Blob, document
from onebin.image.image import Image
from onebin.image.index import Index
from onebin.image.reference import Reference

from . import layout
from .destination import Obstacle, PathDestination, unreplaceable


class Archive(PathDestination):
    """Writes ``archive:FILE``."""

    kind: ClassVar[str] = "archive"
    summary: ClassVar[str] = "a tar for docker load, podman load and skopeo"

    def obstacle(self) -> Obstacle | None:
        """Return whether the path is a directory or a device, or cannot be written."""
        return unreplaceable(self.path) or super().obstacle()

    def publish(self, image: Image | Index, reference: Reference) -> spec.Descriptor:
        """Write *image*; each blob is copied, not held."""
        with self.replace() as new, new.open("wb") as file:
            write(image, reference, file)
        return image.descriptor


def write(image: Image | Index, reference: Reference, file: BinaryIO) -> None:
    """Write the archive of *image* to *file*: same image, same name, same bytes."""
    with tarfile.open(fileobj=file, mode="w|", format=tarfile.USTAR_FORMAT) as archive:
        # Directories are listed, as docker save does.
        for folder in ("blobs", "blobs/sha256"):
            info = tarfile.TarInfo(folder)
            info.type, info.mode = tarfile.DIRTYPE, 0o755
            archive.addfile(info)
        for name, blob in (
            layout.files(image, reference) | _docker_files(image, reference)
        ).items():
            info = tarfile.TarInfo(name)  # its time is 0, its owner root without a name
            info.size = blob.size
            with blob.open() as data:
                archive.addfile(info, data)


def _docker_files(image: Image | Index, reference: Reference) -> dict[str, Blob]:
    images = image.images if isinstance(image, Index) else (image,)
    entries = [
        {
            "Config": spec.blob_path(one.id),
            # A name refers to one image in this form; of several platforms it is the first.
            "RepoTags": [reference.familiar] if one is images[0] else [],
            "Layers": [spec.blob_path(layer.descriptor.digest) for layer in one.layers],
        }
        for one in images
    ]
    # Tools older than Docker 1.10 read "repositories"; docker save still writes it.
    layers = images[0].layers
    top = spec.hex_of(layers[-1].descriptor.digest) if layers else ""
    return {
        "manifest.json": document(msgspec.json.encode(entries)),
        "repositories": document(msgspec.json.encode({reference.name: {reference.tag: top}})),
    }
