"""Saved images, read as ``onebin inspect`` reads them."""

from pathlib import Path

from onebin.inspection import blobs, saved_image
from onebin.inspection.budget import Budget


def read_saved(path: Path) -> saved_image.Stored:
    """The documents of the image in a layout or an archive."""
    budget = Budget(str(path))
    opened = blobs.open_folder if path.is_dir() else blobs.open_archive
    with opened(path, budget) as files:
        return saved_image.find(files, budget)
