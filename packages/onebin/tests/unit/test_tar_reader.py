"""The tar reader: it agrees with tarfile on good tars, and survives bad ones."""

import io
import tarfile
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onebin.errors import ImageError
from onebin.inspection import tar_reader as tar
from onebin.inspection.budget import Budget


def read(data: bytes) -> list[tuple[tar.Member, bytes]]:
    reader = tar.Reader(io.BytesIO(data), Budget("it"), what="it")
    return [(member, reader.read(1 << 20)) for member in reader]


def info(name: str, **facts: Any) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    for key, value in facts.items():
        setattr(made, key, value)
    return made


LONG = "deep/" * 60 + "file"
KINDS = {
    "file": (info("a"), "file"),
    "directory": (info("d", type=tarfile.DIRTYPE), "directory"),
    "symlink": (info("s", type=tarfile.SYMTYPE, linkname="../x"), "symlink"),
    "hardlink": (info("h", type=tarfile.LNKTYPE, linkname="a"), "hardlink"),
    "device": (info("c", type=tarfile.CHRTYPE), "character"),
    "fifo": (info("p", type=tarfile.FIFOTYPE), "fifo"),
}


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_every_format(form: int) -> None:
    """Names, owners, times and data are read back unchanged, in all three formats."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as archive:
        for name in ("short", "dir/" * 30 + "middle"):
            made = info(name, size=5, mode=0o4755, uid=7, gid=8, mtime=9, uname="me", gname="us")
            archive.addfile(made, io.BytesIO(b"hello"))

    found = read(buffer.getvalue())

    assert [member.path for member, _ in found] == ["short", "dir/" * 30 + "middle"]
    for member, data in found:
        assert (data, member.kind, member.mode) == (b"hello", "file", 0o4755)
        assert (
            member.uid,
            member.gid,
            member.mtime,
            member.user,
            member.group,
        ) == (7, 8, 9, "me", "us")
        assert buffer.getvalue()[member.offset : member.offset + 5] == b"hello"


@pytest.mark.parametrize("form", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_names_beyond_ustar(form: int) -> None:
    """Long names and links, names beyond ASCII and numbers beyond octal are read."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as archive:
        archive.addfile(info(LONG, type=tarfile.SYMTYPE, linkname=LONG + "2", uid=1 << 40))
        archive.addfile(info("grün"))

    (first, _), (second, _) = read(buffer.getvalue())

    assert (first.path, first.link, first.uid) == (LONG, LONG + "2", 1 << 40)
    assert second.path == "grün"


@pytest.mark.parametrize("name", KINDS)
def test_kinds(make_tar: Any, name: str) -> None:
    """Every kind of entry a layer may hold is recognized."""
    made, kind = KINDS[name]

    [(member, _)] = read(make_tar({made.name: made}))

    assert kind == member.kind
    assert made.linkname == member.link


def test_file_capabilities(make_tar: Any) -> None:
    """File capabilities are reported; other attributes are dropped."""
    given_ = info("ping", pax_headers={"SCHILY.xattr.security.capability": "x"})
    plain = info("pong", pax_headers={"SCHILY.xattr.user.note": "x" * 100})

    found = read(make_tar({"ping": given_, "pong": plain}))

    assert [member.capabilities for member, _ in found] == [True, False]


def test_cut_anywhere(make_tar: Any) -> None:
    """A tar cut inside an entry is an error; cut between entries it is a shorter tar."""
    whole = make_tar({LONG: b"x" * 700, "b": b"y"})
    ends = [0] + [member.offset + -(-member.size // 512) * 512 for member, _ in read(whole)]

    for cut in range(0, ends[-1], 37):
        if cut in ends:
            continue
        with pytest.raises(ImageError, match="cut short"):
            read(whole[:cut])


def patched(data: bytes, at: int, field: bytes) -> bytes:
    changed = bytearray(data)
    changed[at : at + len(field)] = field
    changed[148:156] = b" " * 8
    changed[148:156] = b"%06o\0 " % sum(changed[:512])
    return bytes(changed)


@pytest.mark.parametrize(
    ("at", "field", "message"),
    [
        (124, b"77777777777", "cut short"),
        (124, b"\x80" + b"\x7f" * 11, "over 64 bits"),
        (124, b"\x80" + bytes(7) + b"\x7f" * 4, "cut short"),
        (124, b"\xff" * 12, "negative"),
        (100, b"rwxr-xr", "for a number"),
        (108, b"-000001", "for a number"),
        (156, b"Z", "no layer may hold"),
    ],
)
def test_absurd_headers(make_tar: Any, at: int, field: bytes, message: str) -> None:
    """An invalid number or kind is an error that names it."""
    with pytest.raises(ImageError, match=message):
        read(patched(make_tar({"a": b"x"}), at, field))


def test_wrong_checksum(make_tar: Any) -> None:
    """A header with a wrong checksum is rejected."""
    data = bytearray(make_tar({"a": b"x"}))
    data[0] ^= 1

    with pytest.raises(ImageError, match="checksum"):
        read(bytes(data))


def test_a_signed_checksum(make_tar: Any) -> None:
    """Old tars added bytes up as signed ones; Go's archive/tar takes both sums."""
    data = bytearray(make_tar({"a": b"x"}))
    data[1:4] = "ü".encode() + b"\0"
    data[148:156] = b" " * 8
    data[148:156] = b"%06o\0 " % (sum(data[:512]) - 256 * 2)

    [(member, _)] = read(bytes(data))

    assert member.path == "aü"


@pytest.mark.parametrize(
    "record",
    [
        b"9 path=x",
        b"99 path=x\n",
        b"path=x\n",
        b"0 path=x\n",
        b"999999999999999999 p=x\n",
        b"8 pathx\n",
    ],
)
def test_broken_extended_headers(record: bytes, make_tar: Any) -> None:
    """A record whose length, sign or end is wrong is an error."""
    data = record.ljust(512, b"\0")
    head = patched(make_tar({"x": b"y" * len(record)}), 156, b"x")

    with pytest.raises(ImageError, match="broken extended"):
        read(head[:512] + data + make_tar({"a": b"x"}))


@pytest.mark.parametrize(
    ("key", "value"), [("size", "1" * 5000), ("uid", "-1"), ("mtime", "now"), ("gid", "x")]
)
def test_absurd_extended_numbers(make_tar: Any, key: str, value: str) -> None:
    """A number of an extended header that no file can have is an error."""
    with pytest.raises(ImageError, match=key):
        read(make_tar({"a": info("a", pax_headers={key: value})}))


def test_a_header_of_a_gigabyte_is_rejected(make_tar: Any) -> None:
    """The length of an extended header is checked before it is read."""
    with pytest.raises(ImageError, match="1 MiB"):
        read(patched(patched(make_tar({"a": b""}), 156, b"x"), 124, b"10000000000"))


def test_a_name_without_end_is_rejected(make_tar: Any) -> None:
    """A name longer than Linux allows is an error."""
    with pytest.raises(ImageError, match="4096"):
        read(make_tar({"x/" * 3000: b""}))


@given(st.binary(max_size=2000))
def test_hostile_bytes(data: bytes) -> None:
    """Any bytes end with members or an ImageError."""
    with suppress(ImageError):
        read(data)


@given(st.integers(0, 511), st.binary(min_size=1, max_size=40), st.sampled_from("xgLK0125"))
def test_hostile_headers(at: int, field: bytes, kind: str) -> None:
    """A header with a right checksum and any content ends with members or an ImageError."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.addfile(info("a", size=20), io.BytesIO(b"19 path=../../etc/x\n"))
    data = patched(buffer.getvalue(), 156, kind.encode())

    with suppress(ImageError):
        read(patched(data, at, field[: 512 - at]))
