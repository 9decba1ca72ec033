"""The image of one executable: its files, the account it runs as, its config."""

from pathlib import PurePosixPath
from typing import Final

import msgspec

from onebin.model import ARCHITECTURES, ImageSettings, Machine

from .image import ImageConfig
from .layer import Directory, File, file_of

UID: Final = 65532
"""The one account, ``nonroot``; the number distroless images use, so policies know it."""

_PASSWD: Final = f"nonroot:x:{UID}:{UID}:nonroot:/:/sbin/nologin\n".encode()
_GROUP: Final = f"nonroot:x:{UID}:\n".encode()

_TITLE: Final = "org.opencontainers.image."


class ImageMetadata(msgspec.Struct, frozen=True, kw_only=True):
    """A project's description of itself, for the labels; an empty field gives none."""

    name: str
    version: str
    description: str = ""
    license: str = ""
    """An SPDX expression."""
    source: str = ""
    """URL of its source code."""


def path_of(name: str) -> PurePosixPath:
    """Return the path of the executable *name*, relative to the image's root."""
    return PurePosixPath("app", name)


def files(executable: File) -> tuple[File | Directory, ...]:
    """Return all that is in the image: *executable*, the account's two files, ``/tmp``."""
    return (
        executable,
        file_of(PurePosixPath("etc/passwd"), _PASSWD),
        file_of(PurePosixPath("etc/group"), _GROUP),
        Directory(PurePosixPath("tmp"), mode=0o1777),
    )


def config(
    name: str, machine: Machine, *, metadata: ImageMetadata, settings: ImageSettings, epoch: int
) -> ImageConfig:
    """Return how the executable *name* runs; labels of *settings* win over *metadata*.

    No label holds a time: the only date in an image is *epoch* (seconds).
    """
    entry = f"/{path_of(name)}"
    return ImageConfig(
        architecture=ARCHITECTURES[machine],
        entrypoint=(entry,),
        user=f"{UID}:{UID}",
        env=settings.env,
        ports=settings.ports,
        labels={**_labels(metadata), **settings.labels},
        healthcheck=(entry, *settings.healthcheck) if settings.healthcheck else (),
        epoch=epoch,
        made_by="onebin image",
    )


def _labels(metadata: ImageMetadata) -> dict[str, str]:
    """Return the annotations of image-spec v1.1, annotations.md, that the project can fill."""
    known = {
        "title": metadata.name,
        "version": metadata.version,
        "description": metadata.description,
        "licenses": metadata.license,
        "source": metadata.source,
    }
    return {f"{_TITLE}{key}": value for key, value in known.items() if value}
