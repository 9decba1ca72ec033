"""Packed code: its format, and code that stays unpacked."""

import marshal
import os

import lz4.block
from hypothesis import given
from hypothesis import strategies as st

from onebin.embed.code_packing import HEADER, MARK, compress


@given(st.binary(max_size=2000), st.integers(1, 40))
def test_packing_round_trip(piece: bytes, times: int) -> None:
    """Any bytes come back unchanged through an independent decoder."""
    code = b"\xe3" + piece * times

    packed = compress(code)

    if packed[0] == MARK:
        _, size = packed[0], HEADER.unpack_from(packed)[1]
        assert code == lz4.block.decompress(packed[HEADER.size :], uncompressed_size=size)
    else:
        assert code == packed


def test_incompressible_code_is_not_packed() -> None:
    """Random bytes stay unpacked: packing would enlarge them."""
    code = b"\xe3" + os.urandom(100)

    assert code == compress(code)


def test_no_marshaled_object_begins_with_the_mark() -> None:
    """The first byte distinguishes packed code from plain code."""
    code = compile("x = 1", "x", "exec")

    assert MARK != marshal.dumps(code)[0]
