"""Put an executable into an image with nothing else in it: Binary -> Image."""

from pathlib import PurePosixPath
from typing import Final

import msgspec

from onebin.errors import ImageError
from onebin.model import ARCHITECTURES, Binary, ImageSettings

from .image import image, layer

UID: Final = 65532
"""The one user, ``nonroot``; the number distroless images use, so policies know it."""

_PASSWD: Final = f"nonroot:x:{UID}:{UID}:nonroot:/:/sbin/nologin\n".encode()
_GROUP: Final = f"nonroot:x:{UID}:\n".encode()

_TITLE: Final = "org.opencontainers.image."


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What a project says of itself, for the labels; empty is left out."""

    name: str
    version: str
    description: str = ""
    licence: str = ""
    """An SPDX expression."""
    source: str = ""
    """Where its source code is: a URL."""


def assemble(
    binary: Binary, data: bytes, *, facts: Facts, settings: ImageSettings, epoch: int
) -> image.Image:
    """Make the image that runs *binary*, whose bytes are *data*.

    It holds ``/app/<name>``, ``/tmp`` and the names of the one user it runs as.
    No label tells the time: the only time in it is *epoch* (seconds).

    Raises:
        ImageError: *data* is not the binary's, or a port or a label is not one.
    """
    if len(data) != binary.size:
        raise ImageError(
            f"{binary.path} has {len(data)} bytes and had {binary.size} when it was linked",
            hint="build it again, with nothing else writing there",
        )
    path = PurePosixPath("app", binary.name)
    entry = f"/{path}"
    packed = layer.pack(
        (
            layer.File(path, data, mode=0o755),
            layer.File(PurePosixPath("etc/passwd"), _PASSWD),
            layer.File(PurePosixPath("etc/group"), _GROUP),
            layer.Directory(PurePosixPath("tmp"), mode=0o1777),
        ),
        epoch=epoch,
    )
    config = image.ImageConfig(
        architecture=ARCHITECTURES[binary.machine],
        entrypoint=(entry,),
        user=f"{UID}:{UID}",
        env=settings.env,
        ports=settings.ports,
        labels={**_labels(facts), **settings.labels},
        healthcheck=(entry, *settings.healthcheck) if settings.healthcheck else (),
        epoch=epoch,
        made_by="onebin image",
    )
    return image.build((packed,), config)


def _labels(facts: Facts) -> dict[str, str]:
    """Give the annotations of image-spec v1.1, annotations.md, that the project can fill."""
    known = {
        "title": facts.name,
        "version": facts.version,
        "description": facts.description,
        "licenses": facts.licence,
        "source": facts.source,
    }
    return {f"{_TITLE}{key}": value for key, value in known.items() if value}
