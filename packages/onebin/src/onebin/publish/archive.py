"""One file with an image in it, for ``docker load``, podman, skopeo and containerd. Write, read.

What we write is an OCI layout in a tar and, beside it, the ``manifest.json`` of
``docker save`` over the same blobs: each tool finds what it looks for.

Source: OCI image-spec v1.1, image-layout.md; github.com/moby/moby,
image/spec/v1.2.md ("Combined Image JSON + Filesystem Changeset Format").
"""

import io
import tarfile
from pathlib import Path

import msgspec

from onebin.effects.atomic import replace_atomically
from onebin.errors import ImageError
from onebin.image import reference, spec
from onebin.image.image import Image

from . import layout


def pack(image: Image, ref: str) -> bytes:
    """Give the archive of *image*, called *ref* (``name:tag``): same image, same bytes."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        # Folders are named, as docker save does.
        for folder in ("blobs", "blobs/sha256"):
            info = tarfile.TarInfo(folder)
            info.type, info.mode = tarfile.DIRTYPE, 0o755
            archive.addfile(info)
        for name, data in {**layout.files(image, ref), **_docker_files(image, ref)}.items():
            info = tarfile.TarInfo(name)  # its time is 0, its owner root without a name
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def write(image: Image, path: Path, ref: str) -> None:
    """Write *image* as the archive *path*, called *ref* (``name:tag``), whole or not at all.

    Raises:
        ImageError: *path* is a folder, or cannot be written.
    """
    if path.is_dir():
        raise ImageError(f"{path} is a folder", hint="give the name of a file, such as app.tar")
    with replace_atomically(path) as new:
        new.write_bytes(pack(image, ref))


def _docker_files(image: Image, ref: str) -> dict[str, bytes]:
    name = reference.parse(ref).familiar
    repository, _, tag = name.rpartition(":")
    entry = {
        "Config": f"blobs/sha256/{spec.hex_of(image.id)}",
        "RepoTags": [name],
        "Layers": [f"blobs/sha256/{spec.hex_of(layer.digest)}" for layer in image.layers],
    }
    # "repositories" is what tools older than Docker 1.10 read; docker save still writes it.
    top = spec.hex_of(image.layers[-1].digest) if image.layers else ""
    return {
        "manifest.json": msgspec.json.encode([entry]),
        "repositories": msgspec.json.encode({repository: {tag: top}}),
    }
