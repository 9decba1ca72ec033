"""Untrusted archives: nothing lands outside, and unpacking ends."""

import errno
import gzip
import io
import resource
import struct
import tarfile
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from onebin.effects import unpack
from onebin.errors import ToolError

pytestmark = pytest.mark.claim("archives stay inside")

MakeTar = Callable[..., bytes]


def entry(name: str, kind: bytes = tarfile.REGTYPE, link: str = "", **facts: Any) -> Any:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    for key, value in facts.items():
        setattr(info, key, value)
    return info


def write(path: Path, *members: tarfile.TarInfo, suffix: str = "gz") -> Path:
    mode: Any = f"w:{suffix}"
    with tarfile.open(path, mode, format=tarfile.PAX_FORMAT) as tar:
        for member in members:
            data = b"x" * member.size if member.isreg() else b""
            tar.addfile(member, io.BytesIO(data))
    return path


@pytest.mark.parametrize("suffix", ["gz", "bz2", "xz", ""])
def test_tree_is_the_one_directory(tmp_path: Path, suffix: str) -> None:
    """A source tarball has one directory at its top, however it is packed and named."""
    tarball = write(tmp_path / "t", entry("./t-1/a", size=3), entry("t-1/b"), suffix=suffix)

    top = unpack.tree(tarball, tmp_path / "to")

    assert tmp_path / "to" / "t-1" == top
    assert "xxx" == (top / "a").read_text()


def test_links_that_stay_are_kept(tmp_path: Path) -> None:
    """Real sources have them: a name for the newest, a file under two names."""
    members = [
        entry("t", tarfile.DIRTYPE), entry("t/d", tarfile.DIRTYPE), entry("t/d/a", size=2),
        entry("t/d/soft", tarfile.SYMTYPE, "a"), entry("t/up", tarfile.SYMTYPE, "d/a"),
        entry("t/d/over", tarfile.SYMTYPE, "../d/a"), entry("t/hard", tarfile.LNKTYPE, "t/d/a"),
    ]  # fmt: skip

    top = unpack.tree(write(tmp_path / "t.tar.gz", *members), tmp_path / "to")

    for name in ("d/soft", "up", "d/over", "hard"):
        assert "xx" == (top / name).read_text()


DIRECTORY = entry("t", tarfile.DIRTYPE)
DEEP = "t/" + "/".join(["d" * 250] * 4)

HOSTILE: dict[str, list[tarfile.TarInfo]] = {
    "two directories": [entry("a/x"), entry("b/x")],
    "no directory": [entry("x")],
    "nothing": [],
    "climbs": [entry("t/x"), entry("../../x")],
    "climbs inside": [entry("t/../../x")],
    "absolute": [entry("/tmp/onebin-x")],
    "backslash": [entry("t\\..\\..\\x")],
    "link to outside": [DIRECTORY, entry("t/l", tarfile.SYMTYPE, "../../x")],
    "link to the top's sibling": [DIRECTORY, entry("t/l", tarfile.SYMTYPE, "../x")],
    "absolute link": [DIRECTORY, entry("t/l", tarfile.SYMTYPE, "/etc")],
    "link that climbs late": [DIRECTORY, entry("t/l", tarfile.SYMTYPE, "a/../../../x")],
    "file below a link": [DIRECTORY, entry("t/l", tarfile.SYMTYPE, "d"), entry("t/l/x")],
    "file over a link": [DIRECTORY, entry("t/l", tarfile.SYMTYPE, "d"), entry("t/l", size=1)],
    # CVE-2025-4517: realpath gave up on a path this long, and missed that the link leads out.
    "long detour": [
        DIRECTORY,
        entry(DEEP, tarfile.DIRTYPE),
        entry("t/a", tarfile.SYMTYPE, DEEP.removeprefix("t/")),
        entry("t/b", tarfile.SYMTYPE, "a/" * 40 + "../" * 40),
    ],
    "link to a link, and up": [
        DIRECTORY, entry("t/p", tarfile.DIRTYPE), entry("t/p/q", tarfile.DIRTYPE),
        entry("t/p/q/a", tarfile.SYMTYPE, "../.."), entry("t/p/l", tarfile.SYMTYPE, "q/a/.."),
    ],
    "hard link to outside": [DIRECTORY, entry("t/h", tarfile.LNKTYPE, "../../x")],
    "hard link to a system file": [DIRECTORY, entry("t/h", tarfile.LNKTYPE, "/etc/passwd")],
    "hard link to a link": [
        DIRECTORY, entry("t/l", tarfile.SYMTYPE, "x"), entry("t/h", tarfile.LNKTYPE, "t/l"),
    ],
    "device": [DIRECTORY, entry("t/null", tarfile.CHRTYPE, devmajor=1, devminor=3)],
    "block device": [DIRECTORY, entry("t/sda", tarfile.BLKTYPE, devmajor=8)],
    "FIFO": [DIRECTORY, entry("t/fifo", tarfile.FIFOTYPE)],
    "long name": [DIRECTORY, entry("t/" + "n/" * 600)],
    "top is a link": [entry("t", tarfile.SYMTYPE, "x")],
}  # fmt: skip


@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_tree_is_rejected(tmp_path: Path, what: str) -> None:
    """Nothing is written outside, and only files, directories and links are made."""
    room = tmp_path / "deep" / "room"
    room.mkdir(parents=True)
    before = sorted(tmp_path.rglob("*"))

    with pytest.raises(ToolError, match=r"t\.tar\.gz: "):
        unpack.tree(write(room / "t.tar.gz", *HOSTILE[what]), room / "to")

    outside = [path for path in tmp_path.rglob("*") if not path.is_relative_to(room)]
    assert [path for path in before if path != room] == sorted(outside)
    assert not Path("/tmp/onebin-x").exists()


def test_modes_that_give_rights_away_are_not_kept(tmp_path: Path) -> None:
    """No setuid bit, no write permission for others; execute permission stays."""
    tarball = write(tmp_path / "t.tar.gz", entry("t/x", size=1, mode=0o6777))

    mode = (unpack.tree(tarball, tmp_path / "to") / "x").stat().st_mode

    assert 0o755 == mode & 0o7777


def test_cut_file_is_an_error(tmp_path: Path) -> None:
    """A truncated download is rejected."""
    tarball = write(tmp_path / "t.tar.gz", *(entry(f"t/{n}") for n in range(200)))
    tarball.write_bytes(tarball.read_bytes()[:100])

    with pytest.raises(ToolError, match="cannot be unpacked"):
        unpack.tree(tarball, tmp_path / "to")


def test_tree_of_any_size_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Claimed bytes and files are counted before they are written."""
    bomb = write(tmp_path / "t.tar.gz", entry("t/x", size=1 << 16), entry("t/y", size=1 << 16))
    many = write(tmp_path / "m.tar.gz", *(entry(f"t/{n}") for n in range(50)))

    monkeypatch.setattr(unpack, "MAX_BYTES", 100_000)
    monkeypatch.setattr(unpack, "MAX_MEMBERS", 40)
    for number, tarball in enumerate((bomb, many)):
        with pytest.raises(ToolError, match="more than 40 files or 100000 bytes"):
            unpack.tree(tarball, tmp_path / f"to{number}")
    assert not (tmp_path / "to0" / "t" / "y").exists()


def test_header_of_any_size_is_not_held(tmp_path: Path) -> None:
    """A name of 64 MB packs to 64 kB: it is refused by its size, before it is read."""
    tarball = tmp_path / "t.tar.gz"
    info = entry("t/x")
    info.pax_headers = {"path": "t/" + "n" * (64 << 20)}
    with gzip.open(tarball, "wb") as out:
        out.write(info.tobuf(tarfile.PAX_FORMAT))

    with pytest.raises(ToolError, match="a header of 671"):
        unpack.tree(tarball, tmp_path / "to")


def zipped(path: Path, **files: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def test_wheel_of_any_size_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The actual output is counted, not the header's claim."""
    file = zipped(tmp_path / "a.whl", a=b"0" * 300_000)
    data = file.read_bytes()
    # The directory at the end claims one byte, which does not count.
    monkeypatch.setattr(unpack, "MAX_BYTES", 100_000)

    with pytest.raises(ToolError, match="more than 100000 bytes"):
        unpack.wheel(file, tmp_path / "to")
    assert len(data) < 10_000


def test_wheel_of_too_many_files_is_rejected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files are counted before the first is written."""
    monkeypatch.setattr(unpack, "MAX_MEMBERS", 3)

    with pytest.raises(ToolError, match="more than 3 files"):
        unpack.wheel(zipped(tmp_path / "a.whl", a=b"", b=b"", c=b"", d=b""), tmp_path / "to")


def test_wheel_with_one_name_twice_is_rejected(tmp_path: Path) -> None:
    """Tools differ in the one they choose."""
    with zipfile.ZipFile(tmp_path / "a.whl", "w") as archive:
        archive.writestr("a.py", "one")
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("a.py", "two")

    with pytest.raises(ToolError, match="two files of one name"):
        unpack.wheel(tmp_path / "a.whl", tmp_path / "to")


def test_wheel_has_no_links_and_no_modes(tmp_path: Path) -> None:
    """A link in a zip file is a file with a path in it; no file becomes setuid."""
    with zipfile.ZipFile(tmp_path / "a.whl", "w") as archive:
        link, tool = zipfile.ZipInfo("link"), zipfile.ZipInfo("tool")
        link.external_attr, tool.external_attr = 0o120777 << 16, 0o104755 << 16
        archive.writestr(link, "/etc/passwd")
        archive.writestr(tool, "")

    unpack.wheel(tmp_path / "a.whl", tmp_path / "to")

    assert not (tmp_path / "to" / "link").is_symlink()
    assert 0 == (tmp_path / "to" / "tool").stat().st_mode & 0o6111


@pytest.mark.parametrize("cut", [0, 1, 20, 60, -30, -1])
def test_damaged_wheel_is_an_error(tmp_path: Path, cut: int) -> None:
    """Any truncation is reported in one line."""
    file = zipped(tmp_path / "a.whl", a=b"0" * 1000)
    file.write_bytes(file.read_bytes()[:cut])

    with pytest.raises(ToolError, match=r"a\.whl: not a wheel"):
        unpack.wheel(file, tmp_path / "to")


def name_of_error(unpacked: Callable[[], object]) -> str:
    try:
        unpacked()
    except ToolError as exc:
        return str(exc).partition(":")[0]
    return ""


def test_every_byte_of_a_wheel_damaged(tmp_path: Path) -> None:
    """Any damage is read or reported; nothing else is raised, nothing lands outside."""
    whole = zipped(tmp_path / "a.whl", **{"pkg/a.py": b"x = 1\n" * 20}).read_bytes()
    said = set()
    for at in range(len(whole)):
        file = tmp_path / "b.whl"
        file.write_bytes(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
        place = tmp_path / "out" / str(at)
        said.add(name_of_error(partial(unpack.wheel, file, place / "to")))
        assert {"to"} >= {path.name for path in place.glob("*")}
    assert {"", "b.whl"} == said


@pytest.mark.exhaustive
def test_every_byte_of_a_tree_damaged(tmp_path: Path) -> None:
    """The same for an uncompressed tarball: headers with any byte changed."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as tar:
        tar.addfile(entry("t/a", size=4), io.BytesIO(b"abcd"))
        tar.addfile(entry("t/l", tarfile.SYMTYPE, "a"))
    whole = data.getvalue()[:2048]
    said = set()
    for at in [*range(600), *range(1024, 1536)]:
        file = tmp_path / "b.tar"
        file.write_bytes(whole[:at] + bytes([whole[at] ^ 0x2E]) + whole[at + 1 :])
        place = tmp_path / "out" / str(at)
        place.mkdir(parents=True)
        said.add(name_of_error(partial(unpack.tree, file, place / "to")))
        assert {"to"} >= {path.name for path in place.glob("*")}
    assert {"", "b.tar"} == said


def test_full_disk_is_not_a_damaged_archive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ "not a wheel" would suggest another wheel; "no space" suggests to make room."""
    file = zipped(tmp_path / "a.whl", a=bytes(100_000))
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    monkeypatch.setattr(unpack, "FULL", frozenset({errno.EFBIG}))
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limit[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            unpack.wheel(file, tmp_path / "to")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)


def test_files_that_share_their_bytes_are_rejected(tmp_path: Path) -> None:
    """A zip bomb without nesting: many names for one piece (CVE-2024-0450)."""
    file = zipped(tmp_path / "a.whl", aa=bytes(1 << 20))
    data = bytearray(file.read_bytes())
    at = data.index(b"PK\x01\x02")
    entry, end = bytes(data[at : data.index(b"PK\x05\x06")]), bytearray(data[-22:])
    names = [f"{n:02x}".encode() for n in range(200)]
    directory = b"".join(entry.replace(b"aa", name) for name in names)
    struct.pack_into("<HHI", end, 8, len(names), len(names), len(directory))
    file.write_bytes(bytes(data[:at]) + directory + bytes(end))

    with pytest.raises(ToolError, match="not a wheel"):
        unpack.wheel(file, tmp_path / "to")
    assert sum(path.stat().st_size for path in (tmp_path / "to").iterdir()) <= 1 << 20


@pytest.mark.parametrize("archive", ["t.tar.gz", "t.zip"])
def test_text_of_one_file(tmp_path: Path, archive: str) -> None:
    """The file at the top, wherever it is among the others; nothing is unpacked."""
    names = ["t/deep/PKG-INFO", "t/a", "PKG-INFO", "./t/PKG-INFO", "t/z"]
    texts = {name: f"of {name}" for name in names}
    if archive.endswith("zip"):
        with zipfile.ZipFile(tmp_path / archive, "w") as made:
            for name, text in texts.items():
                made.writestr(name, text)
    else:
        with tarfile.open(tmp_path / archive, "w:gz") as tar:
            for name, text in texts.items():
                member = tarfile.TarInfo(name)
                member.size = len(text)
                tar.addfile(member, io.BytesIO(text.encode()))

    assert "of ./t/PKG-INFO" == unpack.text(tmp_path / archive, "PKG-INFO")
    assert "" == unpack.text(tmp_path / archive, "METADATA")
    assert [tmp_path / archive] == [*tmp_path.iterdir()]


@pytest.mark.parametrize("cut", [3, 40, 90])
def test_text_of_a_damaged_archive(tmp_path: Path, cut: int) -> None:
    """One error, as for the whole tree."""
    file = write(tmp_path / "t.tar.gz", *(entry(f"t/{n}", size=99) for n in range(99)))
    file.write_bytes(file.read_bytes()[:cut])

    with pytest.raises(ToolError, match="cannot be unpacked"):
        unpack.text(file, "PKG-INFO")
