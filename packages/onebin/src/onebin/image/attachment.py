"""A document about an image, as a manifest that refers to it (a "referrer").

Source: OCI image-spec v1.1, manifest.md, "Guidelines for Artifact Usage".
"""

from typing import Final

import msgspec

from . import spec
from .blob import Blob, distinct, document

EMPTY: Final = b"{}"
"""The config of a manifest without an image."""


class Attached(msgspec.Struct, frozen=True):
    """One such document."""

    manifest: bytes
    document: bytes
    media_type: str
    """Of the document, by which clients find it."""

    @property
    def descriptor(self) -> spec.Descriptor:
        """The manifest as an index lists it."""
        return spec.Descriptor(
            spec.OCI_MANIFEST,
            spec.sha256(self.manifest),
            len(self.manifest),
            artifact_type=self.media_type,
        )

    def blobs(self) -> tuple[Blob, ...]:
        """Return every blob, each once."""
        return distinct(map(document, (self.manifest, self.document, EMPTY)))


def attach(data: bytes, media_type: str, image: spec.Descriptor) -> Attached:
    """Return the document *data* as one about *image*."""
    manifest = spec.Manifest(
        media_type=spec.OCI_MANIFEST,
        artifact_type=media_type,
        config=spec.Descriptor(spec.OCI_EMPTY, spec.sha256(EMPTY), len(EMPTY)),
        layers=(spec.Descriptor(media_type, spec.sha256(data), len(data)),),
        subject=spec.Descriptor(image.media_type, image.digest, image.size),
    )
    return Attached(spec.encode(manifest), data, media_type)
