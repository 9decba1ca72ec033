"""An image as plain files, for builds by other tools: its file system, config and Dockerfile.

``rootfs/``     every file of the image, with its mode and date; owners are the caller's
``config.json`` the config document (OCI image-spec v1.1, config.md)
``Dockerfile``  the same settings as instructions, for an engine that builds in this directory
"""

import os
import shutil
import tarfile
from pathlib import Path
from typing import ClassVar, Final

from onebin.errors import ImageError
from onebin.image import spec
from onebin.image.image import Image
from onebin.image.index import Index
from onebin.image.layer import Layer
from onebin.image.reference import Reference

from .destination import FolderDestination
from .dockerfile import instructions

MARK: Final = "# Written by onebin image"
"""First line of the Dockerfile in a directory that onebin has written and may replace."""


class Directory(FolderDestination):
    """Writes ``dir:DIRECTORY``."""

    kind: ClassVar[str] = "dir"
    summary: ClassVar[str] = "plain files: rootfs, config.json, Dockerfile"

    def publish(self, image: Image | Index, reference: Reference) -> spec.Descriptor:
        """Write *image*; of several platforms a directory can hold only one."""
        if isinstance(image, Index):
            raise ImageError(
                f"{reference.full}: has {len(image.images)} platforms; a directory holds one",
                hint="publish to a layout or an archive, which hold several",
            )
        lines = (MARK, "FROM scratch", "COPY rootfs/ /", *_settings(image))
        with self.replace() as new:
            root = new / "rootfs"
            root.mkdir(parents=True)
            for layer in image.layers:
                _unpack(layer, root)
            Path(new, "config.json").write_bytes(image.config)
            Path(new, "Dockerfile").write_text("\n".join(lines) + "\n", "utf-8")
        return image.descriptor

    def is_marked(self) -> bool:
        """Return whether the Dockerfile begins with the mark."""
        try:
            return Path(self.path, "Dockerfile").read_text("utf-8").startswith(MARK)
        except (OSError, ValueError):
            return False


def _settings(image: Image) -> tuple[str, ...]:
    config = spec.decode(image.config, spec.Config, what="the config")
    return tuple(instructions(config.config or spec.Process()))


def _unpack(layer: Layer, root: Path) -> None:
    """Write the files of *layer*, which onebin has packed: no links, parents first."""
    with layer.open() as blob, tarfile.open(fileobj=blob, mode="r|gz") as tar:
        folders = []
        for member in tar:
            path = root / member.name
            if member.isdir():
                path.mkdir(exist_ok=True)
                folders.append((path, member.mtime))
            elif data := tar.extractfile(member):
                with data, path.open("wb") as file:
                    shutil.copyfileobj(data, file)
                os.utime(path, (member.mtime, member.mtime))
            path.chmod(member.mode)
        # Last, as each file made in a directory changes its date.
        for path, mtime in folders:
            os.utime(path, (mtime, mtime))
