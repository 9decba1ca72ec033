"""Sparse files: GNU tar writes them in its four formats, and the reader gives the file back."""

import contextlib
import io
import subprocess
import tempfile
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from onebin.errors import ImageError
from onebin.inspection import sparse, tar_reader
from onebin.inspection.budget import Budget, Limits

FORMATS = (
    ("--format=gnu",),
    ("--format=posix", "--sparse-version=0.0"),
    ("--format=posix", "--sparse-version=0.1"),
    ("--format=posix", "--sparse-version=1.0"),
)
BLOCK = 4096

pieces = st.dictionaries(st.integers(0, 60), st.binary(min_size=1, max_size=9), max_size=30)


def packed(data: dict[int, bytes], size: int, options: tuple[str, ...]) -> tuple[bytes, bytes]:
    """Return a file with *data* at these blocks, and GNU tar's archive of it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "file")
        with path.open("wb") as file:
            file.truncate(size)
            for block, text in data.items():
                file.seek(block * BLOCK)
                file.write(text)
        command = ["tar", "--sparse", "-C", folder, "-cf", "-", *options, "file", "/dev/null"]
        tar = subprocess.run(command, check=True, capture_output=True)
        return path.read_bytes(), tar.stdout


@pytest.mark.parametrize("options", FORMATS, ids=" ".join)
@settings(deadline=None, max_examples=20)
@given(pieces, st.integers(0, 70 * BLOCK))
def test_the_file_is_read_back(options: tuple[str, ...], data: dict[int, bytes], size: int) -> None:
    """Name, size and every byte, holes as zeros; the entry after it is found."""
    whole, tar = packed(data, size, options)
    reader = tar_reader.Reader(io.BytesIO(tar), Budget("it"), what="it")

    found = []
    for member in reader:
        content = b""
        while chunk := reader.read(10_000):
            content += chunk
        found.append((member.path, member.size, content))

    assert found[0] == ("file", len(whole), whole)
    assert [name for name, *_ in found[1:]] == ["dev/null"]


@settings(deadline=None)
@given(st.integers(0, 3), st.integers(0, 4000), st.binary(min_size=1, max_size=8))
@example(0, 0, b"\1\1\1/")  # the name of a folder
def test_any_damage_is_an_error_or_a_file(form: int, at: int, damage: bytes) -> None:
    """A changed byte of a map never raises anything else, nor gives more than it claims."""
    _, tar = packed(dict.fromkeys(range(0, 60, 2), b"x"), 60 * BLOCK, FORMATS[form])
    changed = bytearray(tar)
    changed[at : at + len(damage)] = damage
    for block in range(0, len(changed) - 512, 512):
        if changed[block + 257 : block + 262] == b"ustar":
            changed[block + 148 : block + 156] = b" " * 8
            changed[block + 148 : block + 156] = b"%06o\0 " % sum(changed[block : block + 512])
    limits = Limits(ratio_free_bytes=1 << 20, ratio=0)
    reader = tar_reader.Reader(io.BytesIO(bytes(changed)), Budget("it", limits), what="it")

    with contextlib.suppress(ImageError):
        for member in reader:
            count = 0
            while chunk := reader.read(1 << 16):
                count += len(chunk)
            assert count == member.size


@pytest.mark.parametrize(
    ("numbers", "size"),
    [
        ((5, 5, 0, 1), 20),  # out of order
        ((0, 5, 4, 2), 20),  # overlapping
        ((0, 5), 4),  # beyond its end
        ((0,), 4),  # half a piece
        ((0, -1), 4),
        ((), sparse.MAX_SIZE + 1),
    ],
)
def test_broken_maps(numbers: tuple[int, ...], size: int) -> None:
    """A map that no file has is an error."""
    with pytest.raises(ImageError, match="it: has a sparse file with a broken map"):
        sparse.Map(numbers, size, what="it")


def test_zeros_are_spent() -> None:
    """A terabyte of holes in a kilobyte of tar meets the limit on unpacked bytes."""
    read = sparse.Map((), 1 << 40, what="it").data(
        lambda _: b"", Budget("it", Limits(ratio_free_bytes=1 << 20)).unpack
    )

    def read_all() -> None:
        while read(1 << 18):
            pass

    with pytest.raises(ImageError, match="too many unpacked bytes"):
        read_all()
