"""Pinned source from every origin, and nothing that differs from the pin."""

import hashlib
import socket
import subprocess
import threading
import time
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
    debian_file="thing_1.dfsg.orig.tar.gz",
    debian_sha256=sha256(PACKED_ANEW),
)


class Apt:
    """apt whose pools have one tarball, in one of them, or which fails.

    Records the addresses it is asked for, without the mirror.
    """

    def __init__(self, data: bytes | None, pool: str = "debian/pool/main") -> None:
        self.data, self.pool = data, pool
        self.asked: list[str] = []

    def __call__(self, argv: Sequence[str | Path], **_: Any) -> bytes:
        address, target, checksum = map(str, argv[-3:])
        self.asked.append(address.removeprefix("http://mirror.example/"))
        if self.data is None or not self.asked[-1].startswith(self.pool):
            raise ToolError("apt-helper ended with status 100", detail="Reading…\nE: no network")
        assert f"SHA256:{SOURCE.debian_sha256}" == checksum
        Path(target).write_bytes(self.data)
        return b""


@pytest.fixture(autouse=True)
def mirror(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give every machine a mirror; return the file that names it."""
    settings = tmp_path_factory.mktemp("apt")
    (settings / "sources.list.d").mkdir()
    file = settings / "sources.list.d" / "debian.sources"
    file.write_text(
        "# http://old.example/debian\nURIs: http://mirror.example/debian/\nSuites: trixie\n"
        "URIs: http://mirror.example/debian-security\nURIs: http://mirror.example/else\n"
    )
    monkeypatch.setattr(fetch, "APT_SETTINGS", settings)
    return file


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
@pytest.mark.parametrize(
    ("file", "pool", "asked"),
    [
        ("thing_1.orig.tar.gz", "debian/pool/main", 1),
        ("thing_1.orig.tar.gz", "debian-security/pool/updates/main", 2),
        ("libthing_1.orig.tar.xz", "debian/pool/main", 1),
    ],
)
def test_distribution_comes_last(
    tmp_path: Path, data: bytes, file: str, pool: str, asked: int
) -> None:
    """Without the web, the pools of Debian and of its security team have it."""
    apt = Apt(data, pool)
    package = file.partition("_")[0]
    letter = package[:4] if package.startswith("lib") else package[0]

    found = get(msgspec.structs.replace(SOURCE, debian_file=file), tmp_path, apt)

    assert data == found
    assert (asked, f"{pool}/{letter}/{package}/{file}") == (len(apt.asked), apt.asked[-1])


@pytest.mark.parametrize(
    ("file", "settings", "reason"),
    [
        ("", "URIs: http://mirror.example/debian", "it has no package"),
        ("thing_1.orig.tar.gz", "URIs: http://mirror.example/ubuntu", "no apt source of Debian"),
    ],
)
def test_no_package(tmp_path: Path, mirror: Path, file: str, settings: str, reason: str) -> None:
    """A library that Debian lacks, and a machine that is not Debian."""
    mirror.write_text(settings)
    source = msgspec.structs.replace(SOURCE, origin="apt", debian_file=file)

    with pytest.raises(ToolError, match=reason):
        get(source, tmp_path, Apt(GOOD))


def test_authors_with_other_bytes_are_not_used(tmp_path: Path, site: tuple[Path, str]) -> None:
    """After a login page at the address, the package is used instead."""
    folder, address = site
    (folder / "thing-1.tar.gz").write_bytes(OTHER)
    source = msgspec.structs.replace(SOURCE, url=f"{address}/thing-1.tar.gz")

    assert PACKED_ANEW == get(source, tmp_path, Apt(PACKED_ANEW))


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


def test_download_that_trickles_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit of a whole download holds while bytes come one by one."""
    monkeypatch.setattr(fetch, "TOTAL_SECONDS", 0.5)
    monkeypatch.setattr(fetch, "APT_SETTINGS", tmp_path)
    ended = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def trickle() -> None:
            client, _ = server.accept()
            with client:
                client.recv(4096)
                client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n")
                while not ended.wait(0.05):
                    client.send(b"x")

        thread = threading.Thread(target=trickle, daemon=True)
        thread.start()
        address = f"http://127.0.0.1:{server.getsockname()[1]}/thing-1.tar.gz"
        source = msgspec.structs.replace(SOURCE, origin=address)
        before = time.monotonic()
        with pytest.raises(ToolError, match=r"thing-1\.tar\.gz: more than .* bytes or 0\.5 s"):
            fetch.tarball(source, tmp_path, run=Apt(None), report=lambda _: None)
        assert time.monotonic() - before < 10
        ended.set()
        thread.join()
