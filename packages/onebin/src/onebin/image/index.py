"""An image of several platforms: an index that lists one image for each.

Source: OCI image-spec v1.1, image-index.md.
"""

from collections.abc import Sequence

import msgspec

from onebin.errors import ImageError

from . import spec
from .blob import Blob, distinct, document
from .image import Image


class Index(msgspec.Struct, frozen=True):
    """A finished image of several platforms; ``manifest`` is the index document."""

    manifest: bytes
    images: tuple[Image, ...]

    @property
    def digest(self) -> str:
        """The index's name by content; a client that pulls it gets the image of its platform."""
        return spec.sha256(self.manifest)

    @property
    def descriptor(self) -> spec.Descriptor:
        """The index as another index, such as a layout's, lists it."""
        return spec.Descriptor(spec.OCI_INDEX, self.digest, len(self.manifest))

    def blobs(self) -> tuple[Blob, ...]:
        """Return every blob of every image and the index itself, equal ones once."""
        inner = (blob for image in self.images for blob in image.blobs())
        return distinct((document(self.manifest), *inner))


def build(images: Sequence[Image]) -> Index:
    """List *images* in the order given.

    Raises:
        ImageError: there is none, or two are for the same platform.
    """
    platforms = {image.platform for image in images}
    if not images or len(platforms) < len(images):
        raise ImageError(
            f"index of {len(images)} images for {len(platforms)} platforms;"
            " expected one image a platform"
        )
    text = spec.encode(
        spec.Index(media_type=spec.OCI_INDEX, manifests=tuple(image.descriptor for image in images))
    )
    return Index(text, tuple(images))
