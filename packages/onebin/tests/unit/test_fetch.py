"""Pinned source from every origin, and nothing that differs from the pin."""

import hashlib
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from onebin.effects import fetch
from onebin.errors import ProjectError, ToolError
from onebin.model import Source

pytestmark = pytest.mark.claim("pinned downloads")

CLOSED = "http://127.0.0.1:9/thing-1.tar.gz"  # the discard port: closed

GOOD, PACKED_ANEW, OTHER = b"the tarball", b"the tarball, repacked", b"something else"


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


SOURCE = Source(
    name="thing",
    version="1",
    sha256=sha256(GOOD),
    url=CLOSED,
    package="thing",
    debian_sha256=sha256(PACKED_ANEW),
)


class Apt:
    """apt that names the files of any package and returns one tarball, or fails.

    The other files of a package are named but missing, as on a mirror during an update. Records
    its arguments.
    """

    def __init__(self, data: bytes | None) -> None:
        self.data = data
        self.asked: list[str] = []

    def __call__(self, argv: Sequence[str | Path], *, cwd: Path | None = None, **_: Any) -> bytes:
        assert cwd is not None
        if self.data is None:
            raise ToolError("apt-get ended with status 100", detail="Reading…\nE: no network")
        if "download-file" in argv:
            uri, target, checksum = argv[-3:]
            assert f"http://mirror.example/{Path(target).name}" == uri
            assert "SHA256:c0ffee" == checksum
            Path(target).write_bytes(self.data)
            return b""
        self.asked.append(str(argv[-1]))
        if "source" not in argv:
            return b""
        files = ("1.dfsg-1.dsc", "1.dfsg.orig.tar.gz", "1.dfsg.orig.tar.gz.asc")
        lines = [
            f"'http://mirror.example/{argv[-1]}_{file}' {argv[-1]}_{file} 11 SHA256:c0ffee"
            for file in files
        ]
        return "\n".join(["Need to get 33 B of source archives.", *lines, ""]).encode()


@pytest.fixture(autouse=True)
def mirror(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give every machine a mirror."""
    monkeypatch.setattr(fetch, "_debian_mirror", lambda _: "http://mirror.example/debian")


def get(source: Source, folder: Path, apt: Apt) -> bytes:
    return fetch.tarball(source, folder, run=apt, report=lambda _: None).read_bytes()


def with_folder(tmp_path: Path, **files: bytes) -> Source:
    folder = tmp_path / "own"
    folder.mkdir()
    for name, data in files.items():
        (folder / f"{name}.tar.xz").write_bytes(data)
    return msgspec.structs.replace(SOURCE, folder=str(folder))


@pytest.mark.parametrize("data", [GOOD, PACKED_ANEW])
def test_own_folder_comes_first_under_any_name(tmp_path: Path, data: bytes) -> None:
    """A checksum identifies a file: the authors' or the distribution's."""
    source = with_folder(tmp_path, first=OTHER, any_name=data)

    assert data == get(source, tmp_path, Apt(None))


def test_authors_come_next(tmp_path: Path, site: tuple[Path, str]) -> None:
    """A file in the folder with other bytes is passed over."""
    folder, address = site
    (folder / "thing-1.tar.gz").write_bytes(GOOD)
    source = with_folder(tmp_path, thing=OTHER)
    apt = Apt(None)

    found = get(msgspec.structs.replace(source, url=f"{address}/thing-1.tar.gz"), tmp_path, apt)

    assert (GOOD, []) == (found, apt.asked)


@pytest.mark.parametrize("data", [GOOD, PACKED_ANEW])
def test_distribution_comes_last(tmp_path: Path, data: bytes) -> None:
    """Without the web, the signed source package is used."""
    apt = Apt(data)

    assert data == get(SOURCE, tmp_path, apt)
    assert ["update", "thing"] == apt.asked


def test_authors_with_other_bytes_are_not_used(tmp_path: Path, site: tuple[Path, str]) -> None:
    """After a login page at the address, the package is used instead."""
    folder, address = site
    (folder / "thing-1.tar.gz").write_bytes(OTHER)
    source = msgspec.structs.replace(SOURCE, url=f"{address}/thing-1.tar.gz")

    assert PACKED_ANEW == get(source, tmp_path, Apt(PACKED_ANEW))


def test_second_source_reads_no_lists_again(tmp_path: Path) -> None:
    """Two packages of one build need one update of apt's private state."""
    apt = Apt(GOOD)

    get(SOURCE, tmp_path, apt)
    get(msgspec.structs.replace(SOURCE, origin="apt", package="other"), tmp_path, apt)

    assert ["update", "thing", "other"] == apt.asked


def test_no_source_is_available(tmp_path: Path) -> None:
    """Without the web and without apt: one line with both reasons, and a hint."""
    with pytest.raises(
        ToolError,
        match=r"thing 1: its source cannot be fetched: http.*; apt cannot .* E: no network",
    ) as caught:
        get(SOURCE, tmp_path, Apt(None))

    assert "\n" not in str(caught.value)
    assert "Reading…\nE: no network" == caught.value.detail
    assert "tool.onebin.python-source" in caught.value.hint


@pytest.mark.parametrize("origin", ["apt", "auto"])
def test_package_with_other_bytes_is_rejected(tmp_path: Path, origin: str) -> None:
    """A signature does not replace the pin."""
    with pytest.raises(ToolError, match=f"pinned is {SOURCE.sha256}"):
        get(msgspec.structs.replace(SOURCE, origin=origin), tmp_path, Apt(OTHER))


def test_local_file(tmp_path: Path) -> None:
    """A file is copied and checked; a missing one is named."""
    given = tmp_path / "given.tar.gz"
    given.write_bytes(GOOD)
    source = msgspec.structs.replace(SOURCE, origin=str(given))
    downloads = tmp_path / "downloads"
    downloads.mkdir()

    assert GOOD == get(source, downloads, Apt(None))
    given.write_bytes(OTHER)
    with pytest.raises(ToolError, match=r"given\.tar\.gz: sha256 is"):
        get(source, downloads, Apt(None))
    given.unlink()
    with pytest.raises(ProjectError, match=r"given\.tar\.gz is not a file"):
        get(source, downloads, Apt(None))


def test_digest_equals_sha256sum(tmp_path: Path) -> None:
    """Any tool can check it, and the order of the files does not matter."""
    for name in ("b.c", "a.h", "c.c"):
        (tmp_path / name).write_text(name)

    command = "LC_ALL=C; sha256sum a.h b.c c.c | sha256sum"
    printed = subprocess.check_output(["sh", "-c", command], cwd=tmp_path, text=True)

    assert printed.split()[0] == fetch.digest(sorted(tmp_path.iterdir(), reverse=True))


@pytest.mark.parametrize("name", ["P.tar.bz2", "P.tar", "P.txz", "P.zip", "P"])
def test_file_without_a_checksum_is_rejected_under_any_name(tmp_path: Path, name: str) -> None:
    """Neither an unpinned file nor an unpinned address is used."""
    (tmp_path / name).write_bytes(GOOD)
    for origin in (str(tmp_path / name), f"http://127.0.0.1:9/{name}"):
        source = msgspec.structs.replace(SOURCE, origin=origin, sha256="")

        with pytest.raises(ProjectError, match="has no checksum"):
            get(source, tmp_path, Apt(GOOD))


def test_download_of_any_size_ends(
    tmp_path: Path, site: tuple[Path, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A download is bounded before its checksum is known."""
    folder, address = site
    (folder / "big").write_bytes(bytes(3 << 20))
    monkeypatch.setattr(fetch, "MAX_BYTES", 1 << 20)
    source = msgspec.structs.replace(SOURCE, origin=f"{address}/big")

    with pytest.raises(ToolError, match="more than 1048576 bytes"):
        get(source, tmp_path, Apt(None))


@pytest.mark.parametrize("address", ["http://u:pw@127.0.0.1:9/x", "http://[::1/x", "nope://x"])
def test_invalid_address_is_an_error_of_one_line(tmp_path: Path, address: str) -> None:
    """A password, an invalid host and an unknown scheme are each a ToolError."""
    with pytest.raises(ToolError):
        get(msgspec.structs.replace(SOURCE, origin=address), tmp_path, Apt(None))
