"""The bytes of an open file, in as few readings as its file system allows."""

import os
from typing import Final

READ_BYTES: Final = 16 * 1024
"""Bytes read at once: nearly every file whole. For more than 128 KiB musl would map fresh
memory and give it back, which costs more than the reading."""
ONE_RECORD: Final = "/sys/fs/cgroup/"
"""Of kernfs each file is one record: a read that leaves room has reached the end
(Documentation/filesystems/seq_file.rst, ``single_open``)."""


def content(descriptor: int, limit: int, path: str) -> bytes:
    """Return the bytes of the file *path* from its start, at most one more than *limit*.

    Raises:
        OSError: it cannot be read.
    """
    asked = min(limit + 1, READ_BYTES)
    parts = [os.pread(descriptor, asked, 0)]
    size = len(parts[0])
    if size < asked and path.startswith(ONE_RECORD):
        return parts[0]
    # Again until the end: files of /proc give a page at a time and have no size.
    while parts[-1] and size <= limit:
        parts.append(os.pread(descriptor, min(limit + 1 - size, READ_BYTES), size))
        size += len(parts[-1])
    return b"".join(parts)
