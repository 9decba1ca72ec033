"""The file system of an image: its layers merged, whiteouts applied.

Source: OCI image-spec v1.1, layer.md ("Whiteouts", "Applying Changesets").
"""

from collections.abc import Sequence
from typing import Final

from onebin.image.layer import Sink

from . import saved_image, tar_reader
from .blobs import Blobs
from .budget import Budget
from .layer_scan import LayerScan, scan
from .record import FileEntry
from .saved_image import SavedImage, SavedLayer
from .stream import ChunkReader, decompressed
from .tree import Tree

_CHUNK: Final = 1 << 18

Wanted = tuple[FileEntry, Sink]
"""A file, and where its data goes."""

_Sinks = dict[int, tuple[Sink, ...]]
"""By number of the entry that has the data."""


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
    layers: list[LayerScan] = []
    first = 1
    for number, layer in enumerate(saved.layers):
        what = f"{budget.what}: layer {number + 1}"
        layers.append(scan(blobs, layer, number, tree, budget, first=first, what=what))
        first += layers[-1].entries
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
    sinks: _Sinks = {}
    for entry, sink in wanted:
        sinks[entry.data] = (*sinks.get(entry.data, ()), sink)
    for layer, facts in zip(saved.layers, filesystem.layers, strict=True):
        numbers = range(facts.first, facts.first + facts.entries)
        if own := {number: into for number, into in sinks.items() if number in numbers}:
            _extract(blobs, layer, facts.first, own, budget)


def _extract(blobs: Blobs, layer: SavedLayer, first: int, sinks: _Sinks, budget: Budget) -> None:
    chunks = decompressed(saved_image.chunks_of(blobs, layer), what=budget.what)
    reader = tar_reader.Reader(ChunkReader(chunks), budget, what=budget.what)
    last = max(sinks)
    for number, _ in enumerate(reader, start=first):
        if into := sinks.get(number):
            while chunk := reader.read(_CHUNK):
                for sink in into:
                    sink.write(chunk)
        if number == last:
            return
