"""How a frozen module's code is stored in the executable: packed, and unpacked at its import.

Code is a third of an executable and packs to two fifths. LZ4 unpacks faster than a disk reads,
needs 40 lines of C (``csrc/unpack.c``, the other half of this file) and costs about a
millisecond of start.

    byte 0      1, which no marshaled object begins with
    bytes 1-3   zero
    bytes 4-7   size of the code, little-endian
    bytes 8-    one LZ4 block

Source: LZ4 Block Format Description, and Python/marshal.c for the first byte.
"""

import struct
from typing import Final

import lz4.block

CACHE_VERSION: Final = 1
"""Raised when ``compress`` writes other bytes: part of the key of every module."""

HEADER: Final = struct.Struct("<B3xI")
MARK: Final = 1

LEVEL: Final = 12
"""The most thorough: a module is packed once, and unpacking costs the same."""


def compress(code: bytes) -> bytes:
    """Return *code* packed, or unchanged if packing gains nothing."""
    block = lz4.block.compress(code, mode="high_compression", compression=LEVEL, store_size=False)
    packed = HEADER.pack(MARK, len(code)) + block
    return packed if len(packed) < len(code) else code
