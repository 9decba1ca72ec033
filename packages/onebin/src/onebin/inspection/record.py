"""The facts held of one file or directory of an image."""

from typing import Literal

import msgspec

from . import tar_reader

Program = Literal["", "elf", "script"]


class Record(msgspec.Struct, frozen=True, gc=False):
    """The facts held of one file or directory; its path is its place in the tree."""

    kind: tar_reader.Kind
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
    """Kind of program for the kernel, by its first bytes."""
    data: int
    """Number of the entry that has its data, counted from 1 over all layers; 0 if it has none.

    Names with one number are one file.
    """


class FileEntry(Record, frozen=True, gc=False):
    """One file or directory of the image as a container sees it."""

    path: str
    """Absolute."""


def named(path: str, record: Record, last: Record | None = None) -> FileEntry:
    """Return *record* as the file at *path*.

    *last* is the hard link that was unpacked last: engines give its mode, owner and
    capabilities to the file. None: it has those of *record*.
    """
    inode = last or record
    return FileEntry(
        record.kind,
        inode.mode,
        inode.uid,
        inode.gid,
        record.size,
        record.link,
        inode.capabilities,
        record.layer,
        record.program,
        record.data,
        path,
    )
