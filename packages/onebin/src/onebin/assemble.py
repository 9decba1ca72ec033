"""The last step of a build: an executable becomes an image, its layer a file in the cache."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, ClassVar, Final

import deflate
import msgspec

from onebin.effects.context import Context
from onebin.errors import ImageError
from onebin.image import application, image, layer, spec
from onebin.image.application import ImageMetadata
from onebin.model import Binary, ImageSettings, Project

CACHE_VERSION: Final = 2
"""Raised when the same executable has to give another layer."""

_BLOB: Final = "blob"
_FACTS: Final = "layer.json"


def metadata_of(project: Project) -> ImageMetadata:
    """Return what an image states about *project*."""
    return ImageMetadata(
        name=project.name,
        version=project.version,
        description=project.description,
        license=project.license,
        source=project.source_url,
    )


class CachedLayer(msgspec.Struct, frozen=True):
    """A layer whose blob is a file."""

    descriptor: spec.Descriptor
    diff_id: str
    path: Path

    def open(self) -> BinaryIO:
        """Open the blob at its start; the caller closes it."""
        return self.path.open("rb")


class LayerStep(msgspec.Struct, frozen=True):
    """Packs the one layer of the image that runs ``binary``, dated ``epoch`` (seconds)."""

    binary: Binary
    epoch: int
    kind: ClassVar[str] = "layer"

    def key(self) -> Sequence[object]:
        """Return all that the blob depends on, libdeflate included."""
        name, sha256 = self.binary.name, self.binary.sha256
        return (CACHE_VERSION, deflate.__version__, name, sha256, self.epoch)

    def make(self, folder: Path, _: Context) -> None:
        """Write the blob and its digests into *folder*.

        Raises:
            ImageError: the executable has changed since it was linked.
        """
        path = self.binary.path
        with path.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != self.binary.sha256:
                raise ImageError(
                    f"{path}: changed since it was linked; expected sha256 {self.binary.sha256}",
                    hint="build it again, with nothing else writing there",
                )
        place = application.path_of(self.binary.name)
        executable = layer.File(place, self.binary.size, lambda: path.open("rb"), mode=0o755)
        with Path(folder, _BLOB).open("wb") as blob:
            packed = layer.pack(application.files(executable), blob, epoch=self.epoch)
        Path(folder, _FACTS).write_bytes(msgspec.json.encode(packed))

    def load(self, folder: Path) -> CachedLayer:
        """Return the layer that ``make`` has left in *folder*."""
        packed = msgspec.json.decode(Path(folder, _FACTS).read_bytes(), type=layer.Packed)
        return CachedLayer(packed.descriptor, packed.diff_id, Path(folder, _BLOB))


def assemble(
    binary: Binary,
    ctx: Context,
    *,
    metadata: ImageMetadata,
    settings: ImageSettings,
    epoch: int,
) -> image.Image:
    """Return the image that runs *binary*, dated *epoch* (seconds), its layer in the cache.

    It holds ``/app/<name>``, ``/tmp`` and the names of the one account it runs as.

    Raises:
        ImageError: *binary* has changed since it was linked, or a port is out of range.
    """
    config = application.config(
        binary.name, binary.machine, metadata=metadata, settings=settings, epoch=epoch
    )
    return image.build((ctx.build(LayerStep(binary, epoch)),), config)
