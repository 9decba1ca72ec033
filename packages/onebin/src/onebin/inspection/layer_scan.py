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
from .record import Program, Record
from .stream import ChunkReader, GzipSizer, HashingIterator, decompressed
from .tree import Tree
from .unwanted_names import secret_of

MAX_ANOMALIES: Final = 100
"""Listed for each layer; a hostile one could have half a million."""
_MAX_SHOWN: Final = 200
"""Characters of a path in an anomaly."""

_WHITEOUT: Final = ".wh."
_OPAQUE: Final = ".wh..wh..opq"
_AUFS: Final = ".wh..wh."
"""AUFS's own records: engines make no file of them, but hard links may lead to their data."""
AUFS_BYTES: Final = 400
"""Of a record by its path."""
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
    times: tuple[int, int] | None
    """Seconds: the least and the greatest mtime of an entry; None without entries."""
    first: int
    """Number of its first entry, counted from 1 over all layers."""
    entries: int
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
    first: int,
    what: str,
) -> LayerScan:
    """Read *layer*, the image's *number*-th from 0, and put its entries into *tree*.

    *first* is the number of its first entry; *what* names it in errors.

    Raises:
        ImageError: it is missing, is not a tar, or the budget is spent.
    """
    return _Scan(number, tree, budget, first=first, what=what).run(blobs, layer)


class _Scan:
    """The state of one pass over one layer."""

    def __init__(self, number: int, tree: Tree, budget: Budget, *, first: int, what: str) -> None:
        self._number, self._tree, self._budget, self._what = number, tree, budget, what
        self._first = self._next = first
        self._aufs: dict[tuple[str, ...], Record] = {}
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
            self._next += 1
        while stream.read(1 << 18):  # data after the end is part of the digests
            pass
        return LayerScan(
            digest=raw.digest,
            size=raw.size,
            diff_id=plain.digest,
            compressed=squeeze.size,
            gzipped=raw.gzipped,
            gzip_time=int.from_bytes(raw.head[4:8], "little") if raw.gzipped else 0,
            file_bytes=self._bytes,
            whiteouts=self._whiteouts,
            times=self._times,
            first=self._first,
            entries=self._next - self._first,
            ordered=self._ordered,
            owner_names=self._names,
            anomalies=tuple(self._anomalies),
        )

    def _add(self, member: tar_reader.Member, reader: tar_reader.Reader) -> None:
        parts = parts_of(member.path)
        if ".." not in parts:
            parts = self._tree.placed(parts, self._number)
        name = parts[-1] if parts else ""
        twice = leads_nowhere = False
        # Whiteouts apply to lower layers only, at whatever place in this one.
        if ".." in parts:
            pass
        elif name == _OPAQUE:
            self._whiteouts += 1
            self._tree.empty(parts[:-1], self._number)
        elif any(part.startswith(_AUFS) for part in parts):
            if member.kind == "file":
                self._budget.text(member.path)
                self._budget.hold(AUFS_BYTES)
                self._aufs[parts] = self._record(member, reader.read(_HEAD))
        elif name.startswith(_WHITEOUT):
            self._whiteouts += 1
            self._tree.remove((*parts[:-1], name.removeprefix(_WHITEOUT)), self._number)
        elif parts:
            old = self._tree.find(parts)
            twice = old is not None and old.layer == self._number
            record = self._record(member, reader.read(_HEAD))
            # Engines unpack a layer by itself: link(2) finds no file of a lower one.
            leads_nowhere = record.kind == "hardlink" and record.data < self._first
            self._tree.put(parts, record)
            if count := secret_of(parts, is_file=member.kind in ("file", "hardlink")):
                self._tree.note_secret("/" + "/".join(parts[:count]), self._number)
        elif member.kind == "directory":
            self._tree.put_root(self._record(member, b""))
        self._note(member, parts, twice=twice, leads_nowhere=leads_nowhere)

    def _record(self, member: tar_reader.Member, head: bytes) -> Record:
        program: Program = "elf" if head == MAGIC else "script" if head[:2] == b"#!" else ""
        kind, size, link = member.kind, member.size, member.link
        data = self._next if kind == "file" else 0
        if kind == "hardlink" and (other := self._target(parts_of(link))):
            # Another name of the same thing (link(2)): of a file, seldom of a link or device.
            program, size, data = other.program, other.size, other.data
            if other.kind not in ("file", "hardlink"):
                kind, link = other.kind, other.link
        return Record(
            kind,
            self._tree.shared(member.mode),
            self._tree.shared(member.uid),
            self._tree.shared(member.gid),
            size,
            link,
            member.capabilities,
            self._number,
            program,
            data,
        )

    def _target(self, parts: tuple[str, ...]) -> Record | None:
        found = self._aufs.get(parts) or self._tree.find(self._tree.placed(parts, self._number))
        return None if found is None or found.kind == "directory" else found

    def _note(
        self,
        member: tar_reader.Member,
        parts: tuple[str, ...],
        *,
        twice: bool,
        leads_nowhere: bool,
    ) -> None:
        oldest, newest = self._times or (member.mtime, member.mtime)
        self._times = min(oldest, member.mtime), max(newest, member.mtime)
        self._ordered = self._ordered and self._last <= parts
        self._last = parts
        self._names = self._names or bool(member.user + member.group)
        self._bytes += member.size
        for sentence in _anomalies(member, parts, twice=twice, leads_nowhere=leads_nowhere):
            if len(self._anomalies) < MAX_ANOMALIES:
                path = member.path
                shown = path if len(path) <= _MAX_SHOWN else f"{path[:_MAX_SHOWN]}…"
                self._anomalies.append(f"{shown} {sentence}")
                self._budget.text(self._anomalies[-1])


def _anomalies(
    member: tar_reader.Member, parts: tuple[str, ...], *, twice: bool, leads_nowhere: bool
) -> Iterator[str]:
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
    elif leads_nowhere:
        yield "is a hard link to no file of its layer"


def parts_of(path: str) -> tuple[str, ...]:
    """Split a raw path; ``..`` stays, for the caller to reject."""
    return tuple(part for part in path.split("/") if part not in ("", "."))
