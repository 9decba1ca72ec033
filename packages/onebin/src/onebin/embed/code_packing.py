"""How a frozen module's code lies in the executable: packed, and unpacked when it is imported.

Code is a third of an executable and packs to two fifths. LZ4 unpacks faster than a disk reads,
needs 40 lines of C (``csrc/unpack.c``, the other half of this file) and costs about a
millisecond of start.

    byte 0      1, which no marshalled object begins with
    bytes 1-3   zero
    bytes 4-7   size of the code, little-endian
    bytes 8-    one LZ4 block

Source: LZ4 Block Format Description, and Python/marshal.c for the first byte.
"""

import struct
from typing import Final

import lz4.block

HEAD: Final = struct.Struct("<B3xI")
MARK: Final = 1

LEVEL: Final = 12
"""The most thorough: packing is done once a module, unpacking costs the same."""


def pack(code: bytes) -> bytes:
    """Return *code* packed, or as it is where packing gains nothing."""
    block = lz4.block.compress(code, mode="high_compression", compression=LEVEL, store_size=False)
    packed = HEAD.pack(MARK, len(code)) + block
    return packed if len(packed) < len(code) else code
