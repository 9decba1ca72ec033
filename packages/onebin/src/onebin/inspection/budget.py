"""Limits on memory, time and disk that reading one foreign file may take.

``inspect`` makes one ``Budget`` and passes it down; everything that grows with the input
is spent here first. So an archive ends in a report or in one ``ImageError``, in less
than 256 MiB of address space (tested in ``tests/unit/test_hostile.py``).
"""

import sys
from typing import Final, NoReturn

import msgspec

from onebin.errors import ImageError

_HINT: Final = "see the limits in docs/reference/inspect.md; no image in common use exceeds them"


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """The limits; the defaults admit the largest images in use."""

    memory_bytes: int = 160 * 1024**2
    """Held at a time for entries, names, links, documents and evidence: 500,000 files of 20
    letters in 50,000 folders take 145 MiB; with the interpreter it stays under 256 MiB."""
    entries: int = 500_000
    """In all layers: a hundred times a Python image on slim Debian (5,000); images of CUDA
    with two environments of conda have 200,000 to 400,000."""
    headers: int = 4_000_000
    """Headers of tars, all readings together: eight for each of ``entries``. Extended ones may
    come without a file, in any number, and each costs some 8 µs."""
    records: int = 8_000_000
    """Records of extended headers: sixteen for each of ``entries``, at 1 µs each. The shortest
    has five bytes, so a megabyte of zeros in gzip could hold 200 million."""
    name_parts: int = 16_000_000
    """Names between slashes in all paths: 32 for each of ``entries``; ``node_modules`` has ten."""
    path_characters: int = 160 * 1024**2
    """Paths and targets of links, as the report writes them: 300 bytes for each of ``entries``,
    or 40,000 of PATH_MAX. Folders in common are held once and written many times."""
    layers: int = 512
    """Docker stacks 127 at most (overlay2); other engines may stack more."""
    indexes: int = 4
    """Indexes followed inside the index; one is common (``docker buildx``)."""
    members: int = 10_000
    """Files in an archive: some ten a layer in Docker's older ones."""
    document_bytes: int = 4 * 1024**2
    """Of one JSON document: the size registries must accept for a manifest
    (distribution-spec v1.1)."""
    document_items: int = 100_000
    """Commas and brackets of one JSON document: each may become a value of a hundred bytes.
    A config of 127 layers has 1,000, an index of a thousand tags 10,000."""
    unpacked_bytes: int = 16 * 1024**3
    """Of all layers: at the 85 MB/s measured on two cores, three minutes of reading."""
    ratio: int = 100
    """Unpacked bytes for each stored one. Layers have 2 to 10, gzip reaches 1,032."""
    ratio_free_bytes: int = 2 * 1024**3
    """Unpacked bytes allowed at any ratio: a small image may have a large file of zeros.
    They take ten seconds to read."""
    temporary_bytes: int = 16 * 1024**3
    """Written to a temporary file, which has no name and ends with the process: a gzipped
    archive, unpacked for random access; a program from a gzipped layer."""
    program_bytes: int = 512 * 1024**2
    """Of the executable, which is read completely for its digest and paths: the largest in
    use (Node, Deno, ClickHouse) have 100 to 450 MB. gzip -9 takes half a minute."""
    listed: int = 10_000
    """Of one list of the report but ``files``: a CUDA image has 3,000 ELF files. More are
    counted."""
    listed_characters: int = 4 * 1024**2
    """Of the paths in such a list: 400 for each of ``listed``. More are counted."""


DEFAULT: Final = Limits()

_NUMBER_BYTES: Final = 32
_DOCUMENT_FACTOR: Final = 5
"""Bytes held of each of a document: its own, and four of a string with one rare character."""


class Budget:
    """The rest of *limits* while *what* is read."""

    def __init__(self, what: str, limits: Limits = DEFAULT) -> None:
        self.what = what
        self.limits = limits
        self._spent = dict.fromkeys(Limits.__struct_fields__, 0)
        self._stored = 0

    def stored(self, size: int) -> None:
        """Count *size* bytes on disk; unpacked bytes are limited in proportion to them."""
        self._stored += size

    def hold(self, size: int) -> None:
        """Spend *size* bytes of memory that stay until the report is written."""
        self._spend("memory_bytes", size, "bytes to hold in memory")

    def text(self, value: str) -> None:
        """Spend the memory of a string that stays."""
        self.hold(sys.getsizeof(value))

    def number(self) -> None:
        """Spend the memory of a number that stays."""
        self.hold(_NUMBER_BYTES)

    def header(self) -> None:
        """Spend one header of a tar."""
        self._spend("headers", 1, "tar headers")

    def records(self, count: int) -> None:
        """Spend *count* records of extended headers."""
        self._spend("records", count, "records in extended tar headers")

    def entry(self, path: str, link: str) -> None:
        """Spend one entry of a layer."""
        self._spend("entries", 1, "entries in its layers")
        self.steps(path.count("/") + 1)
        self._spend("path_characters", len(path) + len(link), "characters in its paths")

    def steps(self, count: int) -> None:
        """Spend *count* names of a path, or of a link on it."""
        self._spend("name_parts", count, "folders in its paths")

    def member(self) -> None:
        """Spend one file of an archive."""
        self._spend("members", 1, "files for an image archive")

    def layers(self, count: int) -> None:
        """Spend *count* layers."""
        self._spend("layers", count, "layers")

    def index(self) -> bool:
        """Spend one index inside the index; return whether it may be followed."""
        self._spent["indexes"] += 1
        return self._spent["indexes"] <= self.limits.indexes

    def document(self, data: bytes, name: str) -> None:
        """Spend the document *data* before it is decoded; *name* is for the error."""
        if len(data) > self.limits.document_bytes:
            self._reject(f"bytes in {name!r}", self.limits.document_bytes)
        if sum(map(data.count, (b",", b"[", b"{"))) > self.limits.document_items:
            self._reject(f"values in {name!r}", self.limits.document_items)
        self.hold(len(data) * _DOCUMENT_FACTOR)

    def unpack(self, size: int) -> None:
        """Spend *size* bytes unpacked from a layer."""
        self._in_proportion("unpacked_bytes", size, "unpacked bytes")

    def temporary(self, size: int) -> None:
        """Spend *size* bytes of a temporary file."""
        self._in_proportion("temporary_bytes", size, "bytes for a temporary file")

    def _spend(self, limit: str, size: int, thing: str) -> None:
        self._spent[limit] += size
        most: int = getattr(self.limits, limit)
        if self._spent[limit] > most:
            self._reject(thing, most)

    def _in_proportion(self, limit: str, size: int, thing: str) -> None:
        self._spend(limit, size, thing)
        most = self.limits.ratio_free_bytes + self.limits.ratio * self._stored
        if self._spent[limit] > most:
            self._reject(f"{thing} for the {self._stored} it has", most)

    def _reject(self, thing: str, most: int) -> NoReturn:
        raise ImageError(f"{self.what}: too many {thing}; expected at most {most}", hint=_HINT)
