"""Images, written by onebin's destinations and read by its ``inspect``."""

import io
from pathlib import Path

from onebin.image.image import Image
from onebin.image.index import Index
from onebin.image.layer import Layer
from onebin.image.reference import parse
from onebin.inspection import blobs, saved_image
from onebin.inspection.budget import Budget
from onebin.publish import archive
from onebin.publish.archive import Archive
from onebin.publish.layout import Layout


def write_layout(image: Image | Index, path: Path, name: str = "app:1") -> None:
    Layout(str(path)).publish(image, parse(name))


def write_archive(image: Image | Index, path: Path, name: str = "app:1") -> None:
    Archive(str(path)).publish(image, parse(name))


def archive_bytes(image: Image, name: str = "app:1") -> bytes:
    buffer = io.BytesIO()
    archive.write(image, parse(name), buffer)
    return buffer.getvalue()


def blob_of(layer: Layer) -> bytes:
    with layer.open() as blob:
        return blob.read()


def read_saved(path: Path) -> saved_image.SavedImage:
    """The documents of the image in a layout or an archive."""
    budget = Budget(str(path))
    opened = blobs.open_folder if path.is_dir() else blobs.open_archive
    with opened(path, budget) as files:
        return saved_image.find(files, budget)
