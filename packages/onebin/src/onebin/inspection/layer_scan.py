"""One pass over a layer, as a stream: measure it and put its entries into the tree.

Source: OCI image-spec v1.1, layer.md ("Representing Changes", "Whiteouts").
"""

from collections.abc import Iterator
from typing import Final

import msgspec

from onebin.objects.reader import MAGIC

from . import saved_image, tar_reader
from .blobs import Blobs
from .budget import Budget
from .stream import ChunkReader, GzipSizer, HashingIterator, decompressed
from .tree import Program, Record, Tree

MAX_ANOMALIES: Final = 100
"""Listed for each layer; a hostile one could have half a million."""
_MAX_SHOWN: Final = 200
"""Characters of a path in an anomaly."""

_WHITEOUT: Final = ".wh."
_OPAQUE: Final = ".wh..wh..opq"
_HEAD: Final = len(MAGIC)
"""First bytes of a file that identify a program."""


class LayerScan(msgspec.Struct, frozen=True, kw_only=True):
    """The measures of one layer."""

    digest: str
    """Of the blob."""
    size: int
    """Bytes of the blob."""
    diff_id: str
    """Digest of the tar."""
    compressed: int
    """Bytes in gzip: the blob's own, or of a plain tar those that level 9 makes of it."""
    gzipped: bool
    gzip_time: int
    """Seconds, from the gzip header; 0 for none."""
    file_bytes: int
    """Bytes of its regular files."""
    whiteouts: int
    oldest: int
    """Seconds: the least mtime of an entry; 0 without entries."""
    newest: int
    ordered: bool
    """Entries are in the order of their names."""
    owner_names: bool
    """Entries carry names of users of the machine that packed them."""
    anomalies: tuple[str, ...]
    """Entries no clean layer has (climbing, twice, devices), a sentence each."""


def scan(
    blobs: Blobs,
    layer: saved_image.SavedLayer,
    number: int,
    tree: Tree,
    budget: Budget,
    *,
    what: str,
) -> LayerScan:
    """Read *layer*, the image's *number*-th from 0, and put its entries into *tree*.

    *what* names it in errors.

    Raises:
        ImageError: it is missing, is not a tar, or the budget is spent.
    """
    return _Scan(number, tree, budget, what=what).run(blobs, layer)


class _Scan:
    """The state of one pass over one layer."""

    def __init__(self, number: int, tree: Tree, budget: Budget, *, what: str) -> None:
        self._number, self._tree, self._budget, self._what = number, tree, budget, what
        self._whiteouts = 0
        self._anomalies: list[str] = []
        self._bytes = 0
        self._ordered = True
        self._names = False
        self._times: tuple[int, int] | None = None
        self._last: tuple[str, ...] = ()

    def run(self, blobs: Blobs, layer: saved_image.SavedLayer) -> LayerScan:
        raw = HashingIterator(saved_image.chunks_of(blobs, layer))
        plain = HashingIterator(decompressed(iter(raw), what=self._what), self._budget.unpack)
        squeeze = GzipSizer(plain, raw)
        stream = ChunkReader(iter(squeeze))
        reader = tar_reader.Reader(stream, self._budget, what=self._what)
        for member in reader:
            self._budget.entry(member.path, member.link)
            self._add(member, reader)
        while stream.read(1 << 18):  # data after the end is part of the digests
            pass
        oldest, newest = self._times or (0, 0)
        return LayerScan(
            digest=raw.digest,
            size=raw.size,
            diff_id=plain.digest,
            compressed=squeeze.size,
            gzipped=raw.gzipped,
            gzip_time=int.from_bytes(raw.head[4:8], "little") if raw.gzipped else 0,
            file_bytes=self._bytes,
            whiteouts=self._whiteouts,
            oldest=oldest,
            newest=newest,
            ordered=self._ordered,
            owner_names=self._names,
            anomalies=tuple(self._anomalies),
        )

    def _add(self, member: tar_reader.Member, reader: tar_reader.Reader) -> None:
        parts = parts_of(member.path)
        name = parts[-1] if parts else ""
        twice = False
        # Whiteouts apply to lower layers only, at whatever place in this one.
        if ".." in parts:
            pass
        elif name == _OPAQUE:
            self._whiteouts += 1
            self._tree.empty(parts[:-1], self._number)
        elif name.startswith(_WHITEOUT):
            self._whiteouts += 1
            self._tree.remove((*parts[:-1], name.removeprefix(_WHITEOUT)), self._number)
        elif parts:
            old = self._of_this_layer(parts)
            twice = old is not None
            earlier = old.earlier + 1 if old is not None else 0
            self._tree.put(parts, self._record(member, earlier, reader.read(_HEAD)))
        self._note(member, parts, twice=twice)

    def _record(self, member: tar_reader.Member, earlier: int, head: bytes) -> Record:
        program: Program = "elf" if head == MAGIC else "script" if head[:2] == b"#!" else ""
        if member.kind == "hardlink" and (other := self._of_this_layer(parts_of(member.link))):
            program = other.program
        return Record(
            member.kind,
            self._tree.shared(member.mode),
            self._tree.shared(member.uid),
            self._tree.shared(member.gid),
            member.size,
            member.link,
            member.capabilities,
            self._number,
            program,
            earlier,
        )

    def _of_this_layer(self, parts: tuple[str, ...]) -> Record | None:
        found = self._tree.find(parts)
        return found if found is not None and found.layer == self._number else None

    def _note(self, member: tar_reader.Member, parts: tuple[str, ...], *, twice: bool) -> None:
        oldest, newest = self._times or (member.mtime, member.mtime)
        self._times = min(oldest, member.mtime), max(newest, member.mtime)
        self._ordered = self._ordered and self._last <= parts
        self._last = parts
        self._names = self._names or bool(member.user + member.group)
        self._bytes += member.size
        for sentence in _anomalies(member, parts, twice=twice):
            if len(self._anomalies) < MAX_ANOMALIES:
                path = member.path
                shown = path if len(path) <= _MAX_SHOWN else f"{path[:_MAX_SHOWN]}…"
                self._anomalies.append(f"{shown} {sentence}")
                self._budget.text(self._anomalies[-1])


def _anomalies(member: tar_reader.Member, parts: tuple[str, ...], *, twice: bool) -> Iterator[str]:
    if member.path.startswith("/"):
        yield "is absolute"
    if ".." in parts:
        yield "climbs out of the image"
    if twice:
        yield "is in the layer twice"
    if member.kind in ("character", "block"):
        yield f"is a {member.kind} device"
    if member.kind == "symlink":
        # Depth of its directory, less the steps that the target climbs.
        steps = [len(parts) - 1]
        for part in member.link.split("/"):
            steps.append(steps[-1] + (-1 if part == ".." else part not in ("", ".")))
        if not member.link.startswith("/") and min(steps) < 0:
            yield "is a link that climbs out of the image"
    if member.kind == "hardlink" and ".." in parts_of(member.link):
        yield "is a link that climbs out of the image"


def parts_of(path: str) -> tuple[str, ...]:
    """Split a raw path; ``..`` stays, for the caller to reject."""
    return tuple(part for part in path.split("/") if part not in ("", "."))
