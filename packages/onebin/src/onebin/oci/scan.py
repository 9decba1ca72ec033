"""Read one layer once, as a stream, and say what it is and what is in it.

Source: OCI image-spec v1.1, layer.md ("Representing Changes", "Whiteouts").
"""

from collections.abc import Iterator
from typing import Final, Literal

import msgspec

from onebin.errors import ImageError

from . import stored, tar
from .stream import Meter, Squeeze, Stream

MAX_ENTRIES: Final = 500_000
"""Of all layers: a hundred times what a Python image on slim Debian has (5 000)."""
MAX_PARTS: Final = 4_000_000
"""Names between slashes, of all entries: eight for each of ``MAX_ENTRIES``."""
MAX_ODDITIES: Final = 100
"""Kept of each layer; a hostile one could have half a million."""

Program = Literal["", "elf", "script"]

_WHITEOUT: Final = ".wh."
_OPAQUE: Final = ".wh..wh..opq"
_HEAD: Final = 4
"""Bytes of a file that tell a program from the rest."""


class Entry(msgspec.Struct, frozen=True):
    """One file or folder of the image as a container sees it."""

    path: str
    """Absolute."""
    kind: tar.Kind
    mode: int
    uid: int
    gid: int
    size: int
    """Bytes."""
    link: str
    """Target of a symlink or hard link, as written."""
    capabilities: bool
    layer: int
    """Number of the layer it comes from, from 0."""
    program: Program
    """What the kernel would start, by its first bytes."""


class LayerFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What one layer is, measured."""

    digest: str
    """Of the blob."""
    size: int
    """Bytes of the blob."""
    diff_id: str
    """Digest of the tar."""
    compressed: int
    """Bytes in gzip: the blob's, or for one stored as a plain tar what level 9 would make of it."""
    gzipped: bool
    gzip_time: int
    """Seconds, from the gzip header; 0 for none."""
    file_bytes: int
    """Data of its regular files."""
    whiteouts: int
    oldest: int
    """Seconds: the least mtime of an entry; 0 where there is none."""
    newest: int
    ordered: bool
    """Entries are in the order of their names."""
    owner_names: bool
    """Entries carry names of users of the machine that packed them."""
    oddities: tuple[str, ...]
    """Entries no clean layer has: climbing, twice, devices; a sentence each."""


class Scanned(msgspec.Struct, frozen=True, kw_only=True):
    """One layer, read."""

    facts: LayerFacts
    entries: dict[tuple[str, ...], Entry]
    """By the parts of the path."""
    removed: tuple[tuple[str, ...], ...]
    """Paths of lower layers that are gone (whiteouts)."""
    emptied: tuple[tuple[str, ...], ...]
    """Folders of lower layers whose contents are gone (opaque whiteouts)."""


class Budget:
    """What all layers together may still take of memory and time."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._entries, self._parts, self._bytes = 0, 0, 0

    def entry(self, member: tar.Member) -> None:
        """Spend what one entry takes."""
        self._entries += 1
        self._parts += member.path.count("/") + 1
        if self._entries > MAX_ENTRIES or self._parts > MAX_PARTS:
            raise ImageError(f"{self._what} has over {MAX_ENTRIES} files, or far too deep ones")

    def unpack(self, size: int) -> None:
        """Spend *size* bytes of unpacked tar."""
        self._bytes += size
        if self._bytes > stored.MAX_UNPACKED_BYTES:
            raise ImageError(f"{self._what} unpacks to over {stored.MAX_UNPACKED_BYTES} bytes")


def scan(
    blobs: stored.Blobs, layer: stored.StoredLayer, number: int, budget: Budget, *, what: str
) -> Scanned:
    """Read *layer*, the image's *number*-th from 0; *what* names it in errors.

    Raises:
        ImageError: it is missing, is no tar, or passes a limit.
    """
    return _Scan(number, budget, what=what).run(blobs, layer)


class _Scan:
    """One reading of one layer."""

    def __init__(self, number: int, budget: Budget, *, what: str) -> None:
        self._number, self._budget, self._what = number, budget, what
        self._found: dict[tuple[str, ...], Entry] = {}
        self._removed: list[tuple[str, ...]] = []
        self._emptied: list[tuple[str, ...]] = []
        self._oddities: list[str] = []
        self._bytes = 0
        self._ordered = True
        self._names = False
        self._times: tuple[int, int] | None = None
        self._last: tuple[str, ...] = ()

    def run(self, blobs: stored.Blobs, layer: stored.StoredLayer) -> Scanned:
        raw = Meter(stored.parts(blobs, layer))
        plain = Meter(stored.unpacked(iter(raw), what=self._what), self._budget.unpack)
        squeeze = Squeeze(plain, raw)
        stream = Stream(iter(squeeze))
        reader = tar.Reader(stream, what=self._what)
        for member in reader:
            self._budget.entry(member)
            self._take(member, reader)
        while stream.read(1 << 18):  # what follows the end counts for the digests too
            pass
        oldest, newest = self._times or (0, 0)
        facts = LayerFacts(
            digest=raw.digest,
            size=raw.size,
            diff_id=plain.digest,
            compressed=squeeze.size,
            gzipped=raw.gzipped,
            gzip_time=int.from_bytes(raw.head[4:8], "little") if raw.gzipped else 0,
            file_bytes=self._bytes,
            whiteouts=len(self._removed) + len(self._emptied),
            oldest=oldest,
            newest=newest,
            ordered=self._ordered,
            owner_names=self._names,
            oddities=tuple(self._oddities),
        )
        return Scanned(
            facts=facts,
            entries=self._found,
            removed=tuple(self._removed),
            emptied=tuple(self._emptied),
        )

    def _take(self, member: tar.Member, reader: tar.Reader) -> None:
        parts = parts_of(member.path)
        self._note(member, parts)
        if ".." in parts:
            return
        name = parts[-1] if parts else ""
        if name == _OPAQUE:
            self._emptied.append(parts[:-1])
        elif name.startswith(_WHITEOUT):
            self._removed.append((*parts[:-1], name.removeprefix(_WHITEOUT)))
        elif parts:
            self._found[parts] = self._entry(member, parts, reader.read(_HEAD))

    def _entry(self, member: tar.Member, parts: tuple[str, ...], head: bytes) -> Entry:
        program: Program = "elf" if head == b"\x7fELF" else "script" if head[:2] == b"#!" else ""
        if member.kind == "hardlink" and (other := self._found.get(parts_of(member.link))):
            program = other.program
        return Entry(
            "/" + "/".join(parts),
            member.kind,
            member.mode,
            member.uid,
            member.gid,
            member.size,
            member.link,
            member.capabilities,
            self._number,
            program,
        )

    def _note(self, member: tar.Member, parts: tuple[str, ...]) -> None:
        oldest, newest = self._times or (member.mtime, member.mtime)
        self._times = min(oldest, member.mtime), max(newest, member.mtime)
        self._ordered = self._ordered and self._last <= parts
        self._last = parts
        self._names = self._names or bool(member.user + member.group)
        self._bytes += member.size
        for sentence in _oddities(member, parts, twice=parts in self._found):
            if len(self._oddities) < MAX_ODDITIES:
                self._oddities.append(f"{member.path} {sentence}")


def _oddities(member: tar.Member, parts: tuple[str, ...], *, twice: bool) -> Iterator[str]:
    if member.path.startswith("/"):
        yield "is absolute"
    if ".." in parts:
        yield "climbs out of the image"
    if twice:
        yield "is in the layer twice"
    if member.kind in ("character", "block"):
        yield f"is a {member.kind} device"
    if member.kind == "symlink":
        # Depth of the folder it is in, less what the target climbs.
        steps = [len(parts) - 1]
        for part in member.link.split("/"):
            steps.append(steps[-1] + (-1 if part == ".." else part not in ("", ".")))
        if not member.link.startswith("/") and min(steps) < 0:
            yield "is a link that climbs out of the image"
    if member.kind == "hardlink" and ".." in parts_of(member.link):
        yield "is a link that climbs out of the image"


def parts_of(path: str) -> tuple[str, ...]:
    """Split a raw path; ``..`` stays, for the caller to refuse."""
    return tuple(part for part in path.split("/") if part not in ("", "."))
