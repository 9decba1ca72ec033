"""Destinations: the places and forms that a finished image is written to.

A new kind is one module with a ``Destination``, and its entry in ``DESTINATIONS``.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from onebin.errors import ProjectError
from onebin.image import spec
from onebin.image.image import Image
from onebin.image.index import Index
from onebin.image.reference import Reference

from .archive import Archive
from .destination import Destination, Obstacle, require, require_writable
from .directory import Directory
from .layout import Layout

__all__ = [
    "DESTINATIONS",
    "Archive",
    "Destination",
    "Directory",
    "Layout",
    "Obstacle",
    "defaults",
    "parse",
    "publish",
    "require",
    "require_writable",
]

DESTINATIONS: Final[tuple[type[Destination], ...]] = (Layout, Archive, Directory)


def parse(text: str) -> Destination:
    """Return the destination that ``KIND:WHERE`` names.

    Raises:
        ProjectError: the kind is unknown, or nothing follows the colon.
    """
    kind, _, where = text.partition(":")
    for known in DESTINATIONS:
        if known.kind == kind and where:
            return known(where)
    kinds = ", ".join(known.kind for known in DESTINATIONS)
    raise ProjectError(
        f"destination {text!r}: not KIND:WHERE; expected one of the kinds {kinds}",
        hint="write it as in --to dir:/out",
    )


def defaults(folder: Path, name: str) -> tuple[Destination, ...]:
    """Return the default destinations: a layout and an archive in *folder*."""
    return Layout(str(folder / f"{name}.oci")), Archive(str(folder / f"{name}.tar"))


def publish(
    image: Image | Index, reference: Reference, destinations: Sequence[Destination]
) -> spec.Descriptor:
    """Write *image* to each of *destinations* in order, under the name *reference*.

    Raises:
        ToolError: one of them cannot be written; those before it are complete.
        ImageError: one of them cannot hold *image*.
    """
    for destination in destinations:
        destination.publish(image, reference)
    return image.descriptor
