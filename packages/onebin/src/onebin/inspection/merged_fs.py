"""The file system of an image: its layers merged, whiteouts applied.

Source: OCI image-spec v1.1, layer.md ("Whiteouts", "Applying Changesets").
"""

from collections.abc import Sequence
from typing import Final

from onebin.image.layer import Sink

from . import saved_image, tar_reader
from .blobs import Blobs
from .budget import Budget
from .layer_scan import LayerScan, parts_of, scan
from .saved_image import SavedImage, SavedLayer
from .stream import ChunkReader, decompressed
from .tree import FileEntry, Tree

_CHUNK: Final = 1 << 18

Wanted = tuple[FileEntry, Sink]
"""A file, and where its data goes."""

_Sinks = dict[tuple[str, ...], tuple[int, tuple[Sink, ...]]]
"""By path: how many entries of that path to skip, and the sinks of the next."""


class MergedFilesystem:
    """The files a container sees, and the measures of the layers they come from."""

    def __init__(self, entries: Tree, layers: tuple[LayerScan, ...]) -> None:
        self.entries = entries
        self.layers = layers

    @property
    def wasted_bytes(self) -> int:
        """Bytes of files that a later layer hides or replaces."""
        return sum(layer.file_bytes for layer in self.layers) - self.entries.file_bytes

    def resolve(self, path: str) -> FileEntry | None:
        """Find the entry *path* leads to, through symlinks; none leads out of the image."""
        return self.entries.resolve(path)


def read(blobs: Blobs, saved: SavedImage, budget: Budget) -> MergedFilesystem:
    """Read every layer of *saved* once and merge them.

    Raises:
        ImageError: a layer is missing, is not a tar, or the budget is spent.
    """
    tree = Tree(budget)
    layers = [
        scan(blobs, layer, number, tree, budget, what=f"{budget.what}: layer {number + 1}")
        for number, layer in enumerate(saved.layers)
    ]
    tree.settle()
    return MergedFilesystem(tree, tuple(layers))


def extract(
    blobs: Blobs,
    saved: SavedImage,
    filesystem: MergedFilesystem,
    wanted: Sequence[Wanted],
    budget: Budget,
) -> None:
    """Copy the data of files *wanted*: each layer with some is read again, up to the last of them.

    Raises:
        ImageError: a layer can no longer be read, or the budget is spent.
    """
    for number in sorted({entry.layer for entry, _ in wanted}):
        sinks: _Sinks = {}
        for entry, sink in wanted:
            if entry.layer == number:
                path, earlier = _origin(filesystem, entry)
                sinks[path] = earlier, (*sinks.get(path, (0, ()))[1], sink)
        _extract(blobs, saved.layers[number], sinks, budget)


def _origin(filesystem: MergedFilesystem, entry: FileEntry) -> tuple[tuple[str, ...], int]:
    """Return the entry of its layer that has the data: its path, and how many of it to skip."""
    if entry.kind != "hardlink":
        return parts_of(entry.path), entry.earlier
    path = parts_of(entry.link)
    target = filesystem.entries.find(path)
    return path, target.earlier if target is not None and target.layer == entry.layer else 0


def _extract(blobs: Blobs, layer: SavedLayer, sinks: _Sinks, budget: Budget) -> None:
    chunks = decompressed(saved_image.chunks_of(blobs, layer), what=budget.what)
    reader = tar_reader.Reader(ChunkReader(chunks), budget, what=budget.what)
    for member in reader:
        path = parts_of(member.path)
        if path not in sinks:
            continue
        earlier, into = sinks.pop(path)
        if earlier:
            sinks[path] = earlier - 1, into  # the last of that name counts
        elif member.kind == "file":
            while chunk := reader.read(_CHUNK):
                for sink in into:
                    sink.write(chunk)
        if not sinks:
            return
