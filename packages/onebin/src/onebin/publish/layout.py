"""An OCI image layout: a directory with every blob under its digest.

Source: OCI image-spec v1.1, image-layout.md.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Final

from onebin.errors import ImageError
from onebin.image import spec
from onebin.image.attachment import Attached
from onebin.image.blob import Blob, distinct, document
from onebin.image.image import Image
from onebin.image.index import Index
from onebin.image.reference import Reference

from .destination import FolderDestination

MARK: Final = "onebin.layout"
"""Annotation of the index in a layout that onebin has written and may replace."""


class Layout(FolderDestination):
    """Writes ``layout:DIRECTORY``."""

    kind: ClassVar[str] = "layout"
    summary: ClassVar[str] = "an OCI image layout in a directory"

    def publish(self, image: Image | Index, reference: Reference) -> spec.Descriptor:
        """Write *image*; each blob is copied, not held."""
        with self.replace() as new:
            images = image.images if isinstance(image, Index) else (image,)
            attached = tuple(item for one in images for item in one.attached)
            for name, blob in files(image, reference, attached).items():
                path = Path(new, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                with blob.open() as source, path.open("wb") as target:
                    shutil.copyfileobj(source, target)
        return image.descriptor

    def is_marked(self) -> bool:
        """Return whether the index has the mark."""
        try:
            data = Path(self.path, "index.json").read_bytes()
            index = spec.decode(data, spec.Index, what=str(self.path))
        except (OSError, ImageError):
            return False
        return MARK in (index.annotations or {})


def files(
    image: Image | Index, reference: Reference, attached: Sequence[Attached] = ()
) -> dict[str, Blob]:
    """Return every file of the layout of *image* by its path in it, in order.

    With documents *attached* the index lists their manifests after the image, which alone has a
    name: clients that want referrers find them, others take the name.
    """
    entry = image.descriptor
    index = spec.Index(
        media_type=spec.OCI_INDEX,
        manifests=(
            spec.Descriptor(
                entry.media_type,
                entry.digest,
                entry.size,
                # containerd tags by the first when it imports, skopeo and podman by the second.
                {spec.CONTAINERD_NAME: reference.full, spec.REF_NAME: reference.tag},
                entry.platform,
            ),
            *(item.descriptor for item in attached),
        ),
        annotations={MARK: "1"},
    )
    more = (blob for item in attached for blob in item.blobs())
    return {
        **{spec.blob_path(blob.digest): blob for blob in distinct((*image.blobs(), *more))},
        "index.json": document(spec.encode(index)),
        "oci-layout": document(b'{"imageLayoutVersion":"1.0.0"}'),
    }
