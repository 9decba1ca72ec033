"""An OCI image layout: a folder with an image in it. Write one, read one.

Source: OCI image-spec v1.1, image-layout.md.
"""

from pathlib import Path
from typing import Final

from onebin.effects.atomic import replace_atomically
from onebin.errors import ImageError
from onebin.image import reference, spec
from onebin.image.image import Image

MARK: Final = "onebin.layout"
"""Annotation of an index we wrote: such a folder is ours to replace."""


def files(image: Image, ref: str) -> dict[str, bytes]:
    """Give every file of the layout of *image*, called *ref*, by its path in it."""
    name = reference.parse(ref)
    entry = image.descriptor
    index = spec.Index(
        media_type=spec.OCI_INDEX,
        manifests=(
            spec.Descriptor(
                entry.media_type,
                entry.digest,
                entry.size,
                # containerd tags by the first when it imports, skopeo and podman by the second.
                {spec.CONTAINERD_NAME: name.full, spec.REF_NAME: name.tag},
                entry.platform,
            ),
        ),
        annotations={MARK: "1"},
    )
    blobs = {f"blobs/sha256/{spec.hex_of(key)}": data for key, data in image.blobs().items()}
    return {
        **dict(sorted(blobs.items())),
        "index.json": spec.encode(index),
        "oci-layout": b'{"imageLayoutVersion":"1.0.0"}',
    }


def write(image: Image, path: Path, ref: str) -> None:
    """Write *image* as the layout *path*, called *ref* (``name:tag``), whole or not at all.

    Raises:
        ImageError: *path* holds something else, or cannot be written.
    """
    if not _is_ours(path):
        raise ImageError(
            f"{path} exists and is not a layout of ours: it is left alone",
            hint="give the name of a folder that does not exist yet",
        )
    with replace_atomically(path) as new:
        for name, data in files(image, ref).items():
            Path(new, name).parent.mkdir(parents=True, exist_ok=True)
            Path(new, name).write_bytes(data)


def _is_ours(path: Path) -> bool:
    """Tell whether *path* may be written: nothing is there, an empty folder, or our mark."""
    if not path.is_dir() or path.is_symlink():
        return not path.exists() and not path.is_symlink()
    try:
        if not any(path.iterdir()):
            return True
        index = spec.decode(Path(path, "index.json").read_bytes(), spec.Index, what=str(path))
    except (OSError, ImageError):
        return False
    return MARK in (index.annotations or {})
