"""The file of the termination message: regular, without a link on its path, or not written."""

import os
import socket
from pathlib import Path

import msgspec
import pytest

from devops_info_service.config import Config
from devops_info_service.logs import Log
from devops_info_service.termination import publish, write_message

from .http.test_shutdown_record import QUIET


def linked(path: Path) -> None:
    """Put a link to another file there."""
    (path.parent / "other").write_bytes(b"keep")
    path.symlink_to("other")


def linked_hard(path: Path) -> None:
    """Make another name of a file there."""
    (path.parent / "other").write_bytes(b"keep")
    path.hardlink_to(path.parent / "other")


def a_socket(path: Path) -> None:
    """Bind a socket there."""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(os.fspath(path))


NO_FILE = "it is {}; expected a regular file, and no link"


@pytest.mark.claim("the termination message: no link, no device")
@pytest.mark.claim("termination file")
@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (Path.mkdir, NO_FILE.format("a directory")),
        (os.mkfifo, NO_FILE.format("a pipe")),
        (a_socket, NO_FILE.format("a socket")),
        (linked, NO_FILE.format("a symbolic link")),
        (lambda path: path.symlink_to(path), NO_FILE.format("a symbolic link")),
        (lambda path: path.symlink_to("/dev/full"), NO_FILE.format("a symbolic link")),
        (lambda path: path.symlink_to("nowhere"), NO_FILE.format("a symbolic link")),
        (linked_hard, "it has other names; expected a file with one"),
    ],
)
def test_file_that_cannot_be_written(tmp_path: Path, make: object, reason: str) -> None:
    """A file that cannot be written is one line of the log, and delays nothing."""
    path, lines = tmp_path / "termination-log", list[bytes]()
    assert callable(make)
    make(path)

    assert write_message(b"x", str(path)) == f"{path}: {reason}"
    for ended in (False, True):
        seen = msgspec.structs.replace(QUIET, complete=ended)
        publish(seen, Config(termination_log=str(path)), Log(lines.append))

    assert [msgspec.json.decode(line)["event"] for line in lines] == [
        "termination",
        "termination_log",
    ]
    other = tmp_path / "other"
    assert not other.exists() or other.read_bytes() == b"keep"


@pytest.mark.claim("the termination message: no link, no device")
@pytest.mark.parametrize("path", ["/dev/null", "/dev/full", "/dev/tty"])
def test_device(path: str) -> None:
    """A device is not a message file: it is not even opened."""
    assert write_message(b"x", path) == f"{path}: {NO_FILE.format('a device')}"


@pytest.mark.parametrize("path", ["/", "/.", "//"])
def test_root(path: str) -> None:
    """The root is not a file."""
    assert write_message(b"x", path) == f"{path}: {NO_FILE.format('a directory')}"


@pytest.mark.claim("the termination message: no link, no device")
@pytest.mark.claim("termination file")
def test_link_on_the_way(tmp_path: Path) -> None:
    """No directory of the path may be a link: its owner could choose the file."""
    (tmp_path / "real" / "inner").mkdir(parents=True)
    file = tmp_path / "real" / "inner" / "log"
    file.write_bytes(b"keep")
    (tmp_path / "away").symlink_to(tmp_path / "real")
    (tmp_path / "real" / "near").symlink_to("inner")
    (tmp_path / "a file").touch()

    for way, at, what in (
        ("away/inner/log", "away", "a symbolic link"),
        ("real/near/log", "near", "a symbolic link"),
        ("a file/log", "a file", "a regular file"),
    ):
        path = tmp_path / way
        assert write_message(b"x", str(path)) == (
            f"{path}: {at!r} in its path is {what}; expected a directory, and no link"
        )
    assert file.read_bytes() == b"keep"
    assert write_message(b"x", f"{tmp_path}/real//./near/../inner/log") != ""
    assert write_message(b"x", f"{tmp_path}/real//./inner/../inner/log") == ""
    assert file.read_bytes() == b"x"


@pytest.mark.claim("the termination message: no link, no device")
def test_exchanged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that becomes a link between check and opening is not followed."""
    directory, path = tmp_path / "d", tmp_path / "d" / "log"
    directory.mkdir()
    path.touch()
    other = tmp_path / "other"
    other.write_bytes(b"keep")
    real = os.lstat

    def exchange(at: str, *, dir_fd: int) -> os.stat_result:
        seen = real(at, dir_fd=dir_fd)
        if at == "log":
            path.unlink()
            path.symlink_to(other)
        return seen

    monkeypatch.setattr(os, "lstat", exchange)

    assert write_message(b"x", str(path)) == f"{path}: Too many levels of symbolic links"
    assert other.read_bytes() == b"keep"


def test_no_descriptor_is_left(tmp_path: Path) -> None:
    """However it ends, all that was opened is closed."""
    (tmp_path / "log").touch()
    os.mkfifo(tmp_path / "pipe")
    before = sorted(Path("/proc/self/fd").iterdir())
    for name in ("log", "pipe", "none", "none/none", "log/log"):
        write_message(b"x", str(tmp_path / name))

    assert sorted(Path("/proc/self/fd").iterdir()) == before
