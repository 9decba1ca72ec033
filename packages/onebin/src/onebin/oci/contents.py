"""What an image holds once its layers lie on each other.

Source: OCI image-spec v1.1, layer.md ("Whiteouts", "Applying Changesets").
"""

from collections.abc import Iterator
from typing import Final

import msgspec

from . import stored, tar
from .scan import Budget, Entry, LayerFacts, parts_of, scan
from .stream import Stream

MAX_SYMLINKS: Final = 40
"""Followed for one path, as in Linux (``MAXSYMLINKS``)."""

MAX_STEPS: Final = 4096
"""Names of folders walked for one path: as many as PATH_MAX has bytes."""


class Contents(msgspec.Struct, frozen=True):
    """The image, read."""

    entries: dict[str, Entry]
    """By absolute path, in order."""
    layers: tuple[LayerFacts, ...]

    @property
    def wasted(self) -> int:
        """Bytes of files that a later layer hides or replaces."""
        seen = sum(entry.size for entry in self.entries.values())
        return sum(layer.file_bytes for layer in self.layers) - seen

    def resolve(self, path: str) -> Entry | None:
        """Find what *path* leads to, through symlinks; none leads out of the image."""
        parts = path.split("/")[::-1]
        at: list[str] = []
        links = steps = 0
        while parts and steps < MAX_STEPS:
            steps += 1
            part = parts.pop()
            if part == "..":
                at = at[:-1]
            elif part not in ("", "."):
                at.append(part)
                entry = self.entries.get("/" + "/".join(at))
                if entry is not None and entry.kind == "symlink":
                    links += 1
                    if links > MAX_SYMLINKS:
                        return None
                    at = [] if entry.link.startswith("/") else at[:-1]
                    parts += entry.link.split("/")[::-1]
        return None if parts else self.entries.get("/" + "/".join(at))


def read(blobs: stored.Blobs, image: stored.Stored, *, what: str) -> Contents:
    """Read every layer of *image* once and lay them on each other.

    Raises:
        ImageError: a layer is missing, is no tar, or passes a limit of this module.
    """
    root = _Node(None)
    budget = Budget(what)
    facts = []
    for number, layer in enumerate(image.layers):
        scanned = scan(blobs, layer, number, budget, what=f"{what}: layer {number + 1}")
        facts.append(scanned.facts)
        # Whiteouts first: they speak of lower layers only, wherever they stand in this one.
        for parts in scanned.removed:
            root.remove(parts)
        for parts in scanned.emptied:
            root.empty(parts)
        for parts, entry in scanned.entries.items():
            root.put(parts, entry)
    return Contents(dict(sorted(root.walk())), tuple(facts))


def extract(
    blobs: stored.Blobs, image: stored.Stored, entry: Entry, *, limit: int, what: str
) -> bytes:
    """Read the data of the file *entry* again, at most *limit* bytes of it.

    Raises:
        ImageError: its layer can no longer be read.
    """
    path = entry.path if entry.kind == "file" else "/" + entry.link.lstrip("/")
    found = b""
    chunks = stored.unpacked(stored.parts(blobs, image.layers[entry.layer]), what=what)
    reader = tar.Reader(Stream(chunks), what=what)
    for member in reader:
        if member.kind == "file" and "/" + "/".join(parts_of(member.path)) == path:
            found = reader.read(limit)  # the last of that name is the one that counts
            while len(found) < limit and (more := reader.read(limit - len(found))):
                found += more
    return found


class _Node:
    """One name in the tree of an image; folders nobody listed have no entry."""

    __slots__ = ("children", "entry")

    def __init__(self, entry: Entry | None) -> None:
        self.entry = entry
        self.children: dict[str, _Node] = {}

    def put(self, parts: tuple[str, ...], entry: Entry) -> None:
        node = self
        for part in parts[:-1]:
            node = node.children.setdefault(part, _Node(None))
            if node.entry is not None and node.entry.kind != "directory":
                node.entry = None  # a file of a lower layer gives way to a folder
        leaf = node.children.setdefault(parts[-1], _Node(None))
        leaf.entry = entry
        if entry.kind != "directory":
            leaf.children = {}

    def remove(self, parts: tuple[str, ...]) -> None:
        folder = self._find(parts[:-1])
        if folder is not None:
            folder.children.pop(parts[-1], None)

    def empty(self, parts: tuple[str, ...]) -> None:
        folder = self._find(parts)
        if folder is not None:
            folder.children = {}

    def walk(self) -> Iterator[tuple[str, Entry]]:
        nodes = [self]
        while nodes:  # no recursion: a path may be two thousand folders deep
            node = nodes.pop()
            if node.entry is not None:
                yield node.entry.path, node.entry
            nodes += node.children.values()

    def _find(self, parts: tuple[str, ...]) -> "_Node | None":
        node: _Node | None = self
        for part in parts:
            node = node and node.children.get(part)
        return node
