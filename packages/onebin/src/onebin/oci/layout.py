"""An OCI image layout: a folder with an image in it. Write one, read one.

Source: OCI image-spec v1.1, image-layout.md.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from onebin.errors import ImageError

from . import reference, spec, stored
from .aside import aside
from .budget import Budget
from .image import Image

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
    with aside(path) as new:
        for name, data in files(image, ref).items():
            Path(new, name).parent.mkdir(parents=True, exist_ok=True)
            Path(new, name).write_bytes(data)


def read(path: Path) -> stored.Stored:
    """Read the documents of the image in the layout *path*; its layers stay on the disk.

    Raises:
        ImageError: it is not a layout, or holds no image.
    """
    budget = Budget(str(path))
    with opened(path, budget) as files:
        return stored.find(files, budget)


@contextmanager
def opened(path: Path, budget: Budget) -> Iterator[stored.Blobs]:
    """Give the files of the folder *path*.

    Raises:
        ImageError: one cannot be read, or there is no room to unpack one.
    """
    try:
        yield _Folder(path, budget)
    except OSError as exc:
        raise ImageError(
            f"{budget.what} could not be read: {exc.strerror or exc}", hint=stored.ROOM
        ) from exc


class _Folder:
    """``stored.Blobs`` of a folder; a name or link that leads out of it finds nothing."""

    def __init__(self, path: Path, budget: Budget) -> None:
        self._root = path.resolve()
        self._budget = budget
        self._counted: set[Path] = set()

    def open(self, name: str) -> BinaryIO:
        path = self._inside(name)
        if path is None:
            raise ImageError(f"{self._root} has no file {name!r}")
        try:
            file = path.open("rb")
            if path not in self._counted:  # a layer listed twice is stored once
                self._counted.add(path)
                self._budget.stored(os.fstat(file.fileno()).st_size)
        except OSError as exc:
            raise ImageError(f"{path} could not be read: {exc.strerror}") from exc
        return file

    def __contains__(self, name: str) -> bool:
        return self._inside(name) is not None

    def _inside(self, name: str) -> Path | None:
        try:
            path = Path(self._root, name).resolve()
        except (OSError, RuntimeError, ValueError):  # a loop of links, a NUL
            return None
        # is_file: to open a FIFO would wait for ever.
        return path if path.is_relative_to(self._root) and path.is_file() else None


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
