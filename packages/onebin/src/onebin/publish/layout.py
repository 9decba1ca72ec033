"""An OCI image layout: a directory with every blob under its digest.

Source: OCI image-spec v1.1, image-layout.md.
"""

import shutil
from pathlib import Path
from typing import ClassVar, Final

from onebin.effects.atomic import replace_atomically
from onebin.errors import ImageError
from onebin.image import spec
from onebin.image.image import Blob, Image, document
from onebin.image.index import Index
from onebin.image.reference import Reference

from .destination import Obstacle, foreign, prepare

MARK: Final = "onebin.layout"
"""Annotation of the index in a layout that onebin has written and may replace."""


class Layout:
    """Writes ``layout:DIRECTORY``."""

    kind: ClassVar[str] = "layout"
    summary: ClassVar[str] = "an OCI image layout in a directory"

    def __init__(self, where: str) -> None:
        self.path = Path(where)

    def __str__(self) -> str:
        return f"{self.path}/"

    def obstacle(self) -> Obstacle | None:
        """Return whether the path holds something else, or cannot be written."""
        return foreign(self.path, written_by_onebin=_is_marked(self.path))

    def publish(self, image: Image | Index, reference: Reference) -> spec.Descriptor:
        """Write *image*; each blob is copied, not held."""
        prepare(self, self.path)
        with replace_atomically(self.path) as new:
            for name, blob in files(image, reference).items():
                path = Path(new, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                with blob.open() as source, path.open("wb") as target:
                    shutil.copyfileobj(source, target)
        return image.descriptor


def files(image: Image | Index, reference: Reference) -> dict[str, Blob]:
    """Return every file of the layout of *image* by its path in it, in order."""
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
        ),
        annotations={MARK: "1"},
    )
    return {
        **{spec.blob_path(blob.digest): blob for blob in image.blobs()},
        "index.json": document(spec.encode(index)),
        "oci-layout": document(b'{"imageLayoutVersion":"1.0.0"}'),
    }


def _is_marked(path: Path) -> bool:
    try:
        index = spec.decode(Path(path, "index.json").read_bytes(), spec.Index, what=str(path))
    except (OSError, ImageError):
        return False
    return MARK in (index.annotations or {})
