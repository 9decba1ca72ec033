"""What an image holds once its layers lie on each other.

Source: OCI image-spec v1.1, layer.md ("Whiteouts", "Applying Changesets").
"""

from collections.abc import Sequence
from typing import Final, Protocol

from . import saved_image, tar_reader
from .blobs import Blobs
from .budget import Budget
from .layer_scan import LayerFacts, parts_of, scan
from .stream import Stream, unpacked
from .tree import Entry, Tree

_CHUNK: Final = 1 << 18


class Sink(Protocol):
    """Where the data of a file goes."""

    def write(self, data: bytes, /) -> object:
        """Take the next bytes."""
        ...


_Sinks = dict[tuple[str, ...], tuple[int, tuple[Sink, ...]]]
"""By path: how many entries of that path to skip, and who wants the next."""


class Contents:
    """The image, read."""

    def __init__(self, entries: Tree, layers: tuple[LayerFacts, ...]) -> None:
        self.entries = entries
        self.layers = layers

    @property
    def wasted(self) -> int:
        """Bytes of files that a later layer hides or replaces."""
        return sum(layer.file_bytes for layer in self.layers) - self.entries.file_bytes

    def resolve(self, path: str) -> Entry | None:
        """Find what *path* leads to, through symlinks; none leads out of the image."""
        return self.entries.resolve(path)


def read(blobs: Blobs, image: saved_image.Stored, budget: Budget) -> Contents:
    """Read every layer of *image* once and lay them on each other.

    Raises:
        ImageError: a layer is missing, is no tar, or the budget is spent.
    """
    tree = Tree(budget)
    facts = [
        scan(blobs, layer, number, tree, budget, what=f"{budget.what}: layer {number + 1}")
        for number, layer in enumerate(image.layers)
    ]
    tree.settle()
    return Contents(tree, tuple(facts))


def extract(
    blobs: Blobs,
    image: saved_image.Stored,
    contents: Contents,
    wanted: Sequence[tuple[Entry, Sink]],
    budget: Budget,
) -> None:
    """Copy the data of files *wanted*: each layer that has some is read again, up to the last.

    Raises:
        ImageError: a layer can no longer be read, or the budget is spent.
    """
    for number in sorted({entry.layer for entry, _ in wanted}):
        sinks: _Sinks = {}
        for entry, sink in wanted:
            if entry.layer == number:
                path, earlier = _origin(contents, entry)
                sinks[path] = earlier, (*sinks.get(path, (0, ()))[1], sink)
        _extract(blobs, image.layers[number], sinks, budget)


def _origin(contents: Contents, entry: Entry) -> tuple[tuple[str, ...], int]:
    """Tell which entry of its layer has the data: its path, and how many of that path to skip."""
    if entry.kind != "hardlink":
        return parts_of(entry.path), entry.earlier
    path = parts_of(entry.link)
    target = contents.entries.find(path)
    return path, target.earlier if target is not None and target.layer == entry.layer else 0


def _extract(blobs: Blobs, layer: saved_image.StoredLayer, sinks: _Sinks, budget: Budget) -> None:
    chunks = unpacked(saved_image.parts(blobs, layer), what=budget.what)
    reader = tar_reader.Reader(Stream(chunks), budget, what=budget.what)
    for member in reader:
        path = parts_of(member.path)
        if path not in sinks:
            continue
        earlier, into = sinks.pop(path)
        if earlier:
            sinks[path] = earlier - 1, into  # the last of that name is the one that counts
        elif member.kind == "file":
            while chunk := reader.read(_CHUNK):
                for sink in into:
                    sink.write(chunk)
        if not sinks:
            return
