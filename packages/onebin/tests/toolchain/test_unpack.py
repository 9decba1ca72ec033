"""The unpacker of frozen code, outside CPython, between pages it must not touch.

It reads the executable's own data, but a disk or a link may have changed that: for any bytes
it returns data or refuses.
"""

import contextlib
import marshal
import os
import random
import struct
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import lz4.block
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onebin import csrc
from onebin.embed.code_packing import HEADER, MARK, compress

pytestmark = pytest.mark.toolchain


HARNESS = Path(__file__).parent.parent / "harness"
LENGTH = struct.Struct("<I")
ANSWER = struct.Struct("<cI")

SEED = 20_240_229
"""The same cases everywhere, so that a failure can be repeated."""
CASES = 20_000
"""About two seconds for each placement of the buffer."""

Answer = tuple[bytes, bytes]
Unpack = Callable[[Sequence[bytes]], list[Answer]]


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Compile it so that undefined behavior ends it, as a touched guard page does."""
    made = tmp_path_factory.mktemp("harness") / "harness"
    source = Path(csrc.__file__).parent / "unpack.c"
    subprocess.run(
        [
            sys.executable, "-m", "ziglang", "cc", "-target", f"{os.uname().machine}-linux-musl",
            "-O1", "-fsanitize=undefined", "-fsanitize-trap=undefined", "-Wall", "-Wextra",
            "-Werror", "-I", HARNESS, HARNESS / "harness.c", source, "-o", made,
        ],
        check=True,
    )  # fmt: skip
    return made


@pytest.fixture(scope="module", params=["end", "start"])
def unpack(request: pytest.FixtureRequest, program: Path) -> Unpack:
    """Run it on cases and return its results: a letter of the harness, and the data."""

    def ask(cases: Sequence[bytes]) -> list[Answer]:
        stdin = b"".join(LENGTH.pack(len(case)) + case for case in cases)
        done = subprocess.run(
            [program, request.param], input=stdin, capture_output=True, check=True
        )
        answers = []
        at = 0
        while at < len(done.stdout):
            letter, size = ANSWER.unpack_from(done.stdout, at)
            at += ANSWER.size + size
            answers.append((letter, done.stdout[at - size : at]))
        assert len(cases) == len(answers)
        return answers

    return ask


def packed(block: bytes, size: int) -> bytes:
    return HEADER.pack(MARK, size) + block


def modules() -> list[bytes]:
    """Real code of several sizes, packed as the freeze stage packs it."""
    files = [Path(str(module.__file__)) for module in (struct, contextlib, random)]
    return [marshal.dumps(compile(file.read_bytes(), file.name, "exec")) for file in files]


def test_unpacking_known_blocks(unpack: Unpack) -> None:
    """Real modules come back as they were."""
    codes = modules()

    assert [(b"o", code) for code in codes] == unpack([compress(code) for code in codes])


@given(
    st.lists(
        st.one_of(
            st.binary(max_size=64),
            st.builds(bytes.__mul__, st.binary(min_size=1, max_size=9), st.integers(1, 700)),
        ),
        max_size=30,
    )
)
def test_anything_packed_comes_back(unpack: Unpack, parts: list[bytes]) -> None:
    """Literals and repetitions of any length, near and far, mixed in any order."""
    code = b"".join(parts)
    block = lz4.block.compress(code, mode="high_compression", store_size=False)

    assert [(b"o", code)] == unpack([packed(block, len(code))])


@pytest.mark.parametrize(
    ("block", "size", "expected"),
    [
        (b"", 0, (b"o", b"")),
        (b"\x00", 0, (b"o", b"")),
        (b"\x30abc", 3, (b"o", b"abc")),
        (b"\x10a\x01\x00\x00", 5, (b"o", b"aaaaa")),
        (b"\x30abc\x03\x00\x10d", 8, (b"o", b"abcabcad")),
        (b"\xf0\x00" + b"a" * 15, 15, (b"o", b"a" * 15)),
        (b"\x1fa\x01\x00\x00", 20, (b"o", b"a" * 20)),
        (b"", 1, (b"d", b"")),
        (b"\x30ab", 3, (b"d", b"")),
        (b"\x30abc", 2, (b"d", b"")),
        (b"\x30abc", 4, (b"d", b"")),
        (b"\x10a\x00\x00", 5, (b"d", b"")),
        (b"\x10a\x02\x00", 5, (b"d", b"")),
        (b"\x10a\x01", 5, (b"d", b"")),
        (b"\x10a\x01\x00", 4, (b"d", b"")),
        (b"\xf0", 9, (b"d", b"")),
        (b"\xf0" + b"\xff" * 500, 9, (b"d", b"")),
        (b"\x1fa\x01\x00" + b"\xff" * 500, 9, (b"d", b"")),
        (b"\x30abc", 0xFFFFFFFF, (b"m", b"")),
    ],
    ids=[
        "empty", "no literals", "literals", "repeat", "match", "long literals", "long match",
        "nothing for one", "literals cut", "literals too many", "literals too few", "offset 0",
        "offset before the start", "offset cut", "match too long", "length missing",
        "length endless", "match endless", "size absurd",
    ],
)  # fmt: skip
def test_blocks_by_hand(unpack: Unpack, block: bytes, size: int, expected: Answer) -> None:
    """Each rule of the format, kept and broken."""
    assert [expected] == unpack([packed(block, size)])


@pytest.mark.parametrize("data", [b"", b"\x01", b"\x01\0\0\0\0\0\0", b"\xe3plain marshal data"])
def test_unpacked_data_passes_through(unpack: Unpack, data: bytes) -> None:
    """Too short for a header, or with another first byte: returned unchanged."""
    assert [(b"r", data)] == unpack([data])


def test_every_cut_is_rejected(unpack: Unpack) -> None:
    """A truncated block is never accepted."""
    whole = compress(modules()[0])
    cuts = [whole[:end] for end in range(HEADER.size, len(whole))]

    assert {(b"d", b"")} == set(unpack(cuts))


def test_damaged_blocks_are_decoded_or_rejected(unpack: Unpack) -> None:
    """Twenty thousand damaged blocks: no crash, and only results of the reference decoder."""
    chance = random.Random(SEED)
    # Short pieces of code: damage to a long block is nearly always detected.
    pieces = [code[at : at + 400] for code in modules() for at in range(0, len(code), 400)]
    originals = [
        packed(lz4.block.compress(piece, store_size=False), len(piece)) for piece in pieces
    ]
    originals += [packed(b"\x1fa\x01\x00\x40" + b"\x30abc\x03\x00" * 5 + b"\x50fghij", 140)]
    cases = [damaged(chance.choice(originals), chance) for _ in range(CASES)]

    answers = unpack(cases)

    assert {b"o", b"d", b"m"} == {letter for letter, _ in answers}
    assert sum(letter == b"o" for letter, _ in answers) > CASES // 20
    for case, (letter, data) in zip(cases, answers, strict=True):
        if letter == b"o":
            size = HEADER.unpack_from(case)[1]
            assert size == len(data)
            with contextlib.suppress(lz4.block.LZ4BlockError):
                reference = lz4.block.decompress(case[HEADER.size :], uncompressed_size=size)
                assert reference == data


def damaged(original: bytes, chance: random.Random) -> bytes:
    """Return *original* with a few changes of kinds that break decoders."""
    data = bytearray(original)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(4, len(data))
        match chance.randrange(5):
            case 0:
                data[at] = chance.choice((0, 1, 15, 127, 240, 255, chance.randrange(256)))
            case 1:
                del data[max(at, HEADER.size) :]
            case 2:
                del data[max(at, HEADER.size) : max(at, HEADER.size) + chance.randint(1, 9)]
            case 3:
                data[max(at, HEADER.size) : max(at, HEADER.size)] = chance.randbytes(5)
            case _:
                # The size alone: the start of the block may still be valid for it.
                data[4:8] = LENGTH.pack(chance.choice((0, 1, 64, 4096, len(data), 1 << 20)))
    return bytes(data)
