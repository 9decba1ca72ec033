"""Modules over C libraries, and promises of a running process, each in a real executable."""

import hashlib
import json
import struct
import subprocess
from pathlib import Path
from typing import Any

import pytest

from .conftest import Build

pytestmark = pytest.mark.toolchain

PT_GNU_RELRO = 0x6474E552
AT_ENTRY = 9  # getauxval(3)

BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")

AUTHORITY = """
[authority]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[server]
subjectAltName = DNS:localhost
authorityKeyIdentifier = keyid
"""


def ask(build: Build, *words: str | Path, **environment: str) -> Any:
    """Return the answer of the project ``libraries``; it sees only *environment*."""
    done = subprocess.run(
        [build("libraries"), *words], capture_output=True, env=environment, check=False, cwd="/"
    )
    assert 0 == done.returncode, done.stderr.decode()
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A private authority, and a server's certificate by it for ``localhost``."""
    folder = tmp_path_factory.mktemp("certificates")
    (folder / "x.cnf").write_text(f"[req]\ndistinguished_name = name\n[name]\n{AUTHORITY}")
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    calls: list[list[str]] = [
        ["req", "-x509", *key, "-config", "x.cnf", "-extensions", "authority", "-subj", "/CN=own",
         "-keyout", "ca.key", "-out", "ca.pem", "-days", "2"],
        ["req", *key, "-config", "x.cnf", "-subj", "/CN=localhost", "-keyout", "server.key",
         "-out", "server.csr"],
        ["x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
         "-CAcreateserial", "-days", "2", "-extfile", "x.cnf", "-extensions", "server",
         "-out", "server.crt"],
    ]  # fmt: skip
    for call in calls:
        subprocess.run(["openssl", *call], cwd=folder, check=True, capture_output=True)
    text = (folder / "server.crt").read_text() + (folder / "server.key").read_text()
    (folder / "server.pem").write_text(text)
    return folder


def test_tls_with_a_private_authority(build: Build, certificates: Path) -> None:
    """TLS 1.3 and ALPN; another host name and an unknown authority are errors."""
    assert [
        ["TLSv1.3", "h2", "hello"], "SSLCertVerificationError", "SSLCertVerificationError"
    ] == ask(build, "tls", certificates)  # fmt: skip


def test_environment_names_the_authority(build: Build, certificates: Path) -> None:
    """``SSL_CERT_FILE`` comes before the machine's bundle."""
    found = ask(build, "tls", certificates, SSL_CERT_FILE=str(certificates / "ca.pem"))

    assert ["TLSv1.3", None, "hello"] == found[2]


@pytest.mark.skipif(not BUNDLE.is_file(), reason="no CA bundle: apt-get install ca-certificates")
def test_roots_of_this_machine(build: Build) -> None:
    """The bundle of Debian, which OpenSSL alone would not find in an image."""
    place, shown, roots = ask(build, "trust")

    assert (str(BUNDLE), str(BUNDLE)) == (place, shown)
    assert BUNDLE.read_text().count("BEGIN CERTIFICATE") == roots


def test_hashes_of_openssl(build: Build) -> None:
    """Key derivations and a name that only OpenSSL has, as this Python computes them."""
    assert [
        hashlib.pbkdf2_hmac("sha256", b"p", b"s", 1).hex()[:16],
        hashlib.scrypt(b"p", salt=b"s", n=2, r=8, p=1, dklen=8).hex(),
        hashlib.new("sha512_256", b"abc").hexdigest()[:16],
        hashlib.sha256(b"abc").hexdigest()[:16],
    ] == ask(build, "hashes")


def test_sqlite(build: Build, tmp_path: Path) -> None:
    """Full-text search, JSON, R*Tree, a function in Python, math, a dump, a file."""
    assert ["static binary", 2, [42, 4.0], True, True] == ask(build, "sqlite", TMPDIR=str(tmp_path))


def test_ctypes(build: Build) -> None:
    """A callback, variadic calls, Python's API, data by name; the rest fails with its reason."""
    *found, refused, unknown = ask(build, "foreign")

    assert [[1, 2, 3, 4, 5], "7 2.50", True, "KeyError", 1.5, 9] == found
    assert refused.startswith("libssl.so.3: cannot be loaded: this is a static executable")
    assert unknown.startswith("no_such_function: not a function of Python's API or of libc")


def test_compression(build: Build) -> None:
    """bzip2, xz and zlib return the data that they compressed."""
    assert [True, True, True] == ask(build, "packed")


def test_terminal_without_a_database(build: Build) -> None:
    """curses knows a terminal, and readline is libedit: GNU's is under the GPL."""
    assert [256, "\x1b[2;3H", "2.1", "editline", "line"] == ask(build, "terminal")


def test_tables_and_bundled_libraries(build: Build) -> None:
    """decimal in C, unicodedata, XML, East Asian codecs, the locale's encoding."""
    assert [
        "0.1428571428571428571428571429", True, "LATIN SMALL LETTER SHARP S", "c", "93fa967b",
        "00610062", "utf-8",
    ] == ask(build, "text")  # fmt: skip


def test_threads_that_import_at_once(build: Build) -> None:
    """Modules that another module puts in place: each of 300 starts finds them."""
    program = build("importing")

    failed = [
        done.stderr.decode()
        for done in (
            subprocess.run([program], capture_output=True, check=False) for _ in range(300)
        )
        if done.returncode
    ]

    assert [] == failed


def relro(data: bytes) -> tuple[int, int]:
    """Return address and size of the segment PT_GNU_RELRO (elf(5))."""
    (offset,) = struct.unpack_from("<Q", data, 32)
    size, count = struct.unpack_from("<HH", data, 54)
    for n in range(count):
        kind, _, _, address, _, _, bytes_, _ = struct.unpack_from(
            "<IIQQQQQQ", data, offset + n * size
        )
        if kind == PT_GNU_RELRO:
            return address, bytes_
    raise AssertionError("no PT_GNU_RELRO")


@pytest.mark.claim("hardened executable")
def test_no_page_of_a_process_is_writable_that_need_not_be(build: Build) -> None:
    """Relocated data is read-only once the program runs; nothing is writable and executable."""
    program = build("libraries")
    with subprocess.Popen(
        [program, "wait"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert "ready\n" == process.stdout.readline()
        lines = Path(f"/proc/{process.pid}/maps").read_text().splitlines()
        vector = Path(f"/proc/{process.pid}/auxv").read_bytes()
        process.communicate("")
    data = program.read_bytes()
    start, size = relro(data)
    # The lowest mapping of the file need not be the loaded segments: the program maps its own
    # files too, and the kernel chooses the place.
    entry = dict(struct.iter_unpack("<QQ", vector))[AT_ENTRY]
    pages = [line.split() for line in lines]
    base = entry - struct.unpack_from("<Q", data, 24)[0]
    inside = [
        page[1]
        for page in pages
        if int(page[0].partition("-")[0], 16) < base + start + size
        and base + start < int(page[0].partition("-")[2], 16)
    ]

    assert {"r--p"} == set(inside)
    assert [] == [page for page in pages if {"w", "x"} <= set(page[1])]
