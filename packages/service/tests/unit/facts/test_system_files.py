"""The reader of the machine: values, and reasons for unknown ones."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from devops_info_service.facts.content import ONE_RECORD, READ_BYTES, content
from devops_info_service.facts.fact import Unknown
from devops_info_service.facts.open_files import OpenFiles
from devops_info_service.facts.system_files import (
    MAX_FILE_BYTES,
    MAX_NAMES,
    FileStat,
    SystemFiles,
    printable,
)


def test_read(tree_of: Callable[..., SystemFiles]) -> None:
    """A file is its text, whatever the root."""
    assert tree_of({"/proc/version": "Linux\n"}).read("/proc/version").content == "Linux\n"


def test_bytes_that_are_no_text(tree_of: Callable[..., SystemFiles]) -> None:
    """Bytes that are not UTF-8 are spelled out, so that JSON can carry them."""
    assert tree_of({"/x": b"a\xff\x00b"}).read("/x").content == "a\\xff\x00b"


def test_largest(tree_of: Callable[..., SystemFiles]) -> None:
    """The limit itself is still read."""
    assert len(tree_of({"/x": b"a" * MAX_FILE_BYTES}).read("/x").text) == MAX_FILE_BYTES


def make_nothing(_: Path) -> None:
    """Leave the place empty."""


def make_directory(path: Path) -> None:
    """A directory where a file should be."""
    path.mkdir()


def make_huge(path: Path) -> None:
    """A file of a gigabyte, with nothing on the disk."""
    with path.open("wb") as file:
        file.truncate(2**30)


def make_pipe(path: Path) -> None:
    """A pipe without a writer: a read would block forever."""
    os.mkfifo(path)


def make_circle(path: Path) -> None:
    """Two links that name each other."""
    path.symlink_to("other")
    (path.parent / "other").symlink_to(path.name)


def make_outside(path: Path) -> None:
    """A link that climbs out of the root."""
    path.symlink_to("../../../../../../../../../../../../etc/passwd")


def make_absolute(path: Path) -> None:
    """A link to a place that only exists outside the root."""
    path.symlink_to("/etc/passwd")


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (make_nothing, "/x is not there"),
        (make_directory, "/x is not a regular file"),
        (make_huge, f"/x has more than {MAX_FILE_BYTES} bytes"),
        (make_pipe, "/x is not a regular file"),
        (make_circle, "/x is a link that leads in a circle"),
        (make_outside, "/x is not there"),
        (make_absolute, "/x is not there"),
    ],
)
def test_unreadable(tmp_path: Path, make: Callable[[Path], None], reason: str) -> None:
    """What cannot be read is unknown, and the reason names the path."""
    make(tmp_path / "x")

    assert SystemFiles(str(tmp_path), {}).read("/x").content == Unknown(reason)


@pytest.fixture
def as_nobody() -> Iterator[None]:
    """Run as a uid without files: root may read everything."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    yield
    if root:
        os.seteuid(0)


def test_forbidden(as_nobody: None) -> None:
    """An unreadable file of another user is unknown."""
    tree = SystemFiles("/", {})

    shadow = tree.read("/etc/shadow").content

    assert shadow == Unknown("/etc/shadow may not be read by this user")


@pytest.mark.parametrize("path", ["/dev/zero", "/dev", "/proc/self/mem\0", "/" + "x" * 5000])
def test_odd_places(path: str) -> None:
    """Devices, directories, impossible and endless names are unknown on the real machine too."""
    assert isinstance(SystemFiles("/", {}).read(path).content, Unknown)


def test_links_stay_inside(tree_of: Callable[..., SystemFiles], tmp_path: Path) -> None:
    """An absolute link starts again at the root, as in a chroot."""
    tree = tree_of({"/run/token": "inside"})
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "run").symlink_to("/run")

    assert tree.read("/var/run/token").content == "inside"
    assert tree.link("/var/run") == "/run"


def test_dots(tree_of: Callable[..., SystemFiles]) -> None:
    """No number of dots leads above the root."""
    assert tree_of({"/etc/x": "1"}).read("/../../etc/./../etc/x").content == "1"


def test_names(tree_of: Callable[..., SystemFiles]) -> None:
    """A directory is its sorted names; any other path is unknown."""
    tree = tree_of({"/d/b": "", "/d/a": ""})

    assert tree.names("/d") == ("a", "b")
    assert tree.names("/d/a") == Unknown("/d/a is not there")
    assert tree.names("/nothing") == Unknown("/nothing is not there")
    assert tree.nodes("/nothing") == Unknown("/nothing is not there")


def test_too_many_names(tmp_path: Path) -> None:
    """A directory without end is unknown."""
    for number in range(MAX_NAMES + 1):
        os.mknod(f"{tmp_path}/{number}")

    assert SystemFiles(str(tmp_path), {}).names("/") == Unknown(
        f"/ has more than {MAX_NAMES} entries"
    )


def test_not_a_link(tree_of: Callable[..., SystemFiles]) -> None:
    """readlink of a regular file is invalid."""
    assert isinstance(tree_of({"/x": ""}).link("/x"), Unknown)


def test_node(tmp_path: Path) -> None:
    """A link is reported as a link, not as its target."""
    (tmp_path / "su").touch()
    (tmp_path / "su").chmod(0o4755)
    (tmp_path / "link").symlink_to("su")
    tree = SystemFiles(str(tmp_path), {})
    su, link = tree.node("/su"), tree.node("/link")

    assert isinstance(su, FileStat)
    assert (su.kind, su.permissions) == ("file", 0o4755)
    assert isinstance(link, FileStat)
    assert link.kind == "link"
    assert tree.nodes("/") == {"su": su, "link": link}
    assert tree.node("/no") == Unknown("/no is not there")


def test_space_and_access(tmp_path: Path) -> None:
    """Room and access come from the kernel; a missing path is unknown."""
    tree = SystemFiles(str(tmp_path), {})

    assert not isinstance(tree.space("/"), Unknown)
    assert tree.writable("/") is True
    assert tree.writable("/no") is False
    assert isinstance(tree.space("/no"), Unknown)


def test_environment() -> None:
    """Variables are spelled so that JSON can carry them."""
    assert SystemFiles("/", {"A": "b", "C": "\udcff"}).environ() == {"A": "b", "C": "\\xff"}
    assert printable("é") == "é"


def test_kept(tree_of: Callable[..., SystemFiles], tmp_path: Path) -> None:
    """Open files are read again each time, opened when they appear, and again after an error."""
    kept = OpenFiles(8)
    tree = tree_of({"/limit": "max"}).keeping(kept)
    assert [tree.read(path).content for path in ("/limit", "/later")] == [
        "max",
        Unknown("/later is not there"),
    ]

    (tmp_path / "limit").write_text("50000 100000")
    (tmp_path / "later").write_text("7")
    for _ in range(2):
        assert [tree.read(path).content for path in ("/limit", "/later")] == ["50000 100000", "7"]

    descriptor = kept.get("/later")
    assert descriptor is not None
    folder = os.open(tmp_path, os.O_RDONLY)
    os.dup2(folder, descriptor)  # It cannot be read, as a file of a group that was removed.
    os.close(folder)
    assert tree.read("/later").content == "7"
    kept.close_all()


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("user:[4026532700]", "user:[4026532700]"),
        ("..2026_11_26_22_58_20.1", "..2026_11_26_22_58_20.1"),
        ("", None),
        ("line\n", None),
        ("a\x1bb", None),
        ("x" * 4095, "x" * 4095),
        ("x" * 4096, None),
    ],
)
def test_link_whose_copy_is_a_file(
    tree_of: Callable[..., SystemFiles], tmp_path: Path, text: str, target: str | None
) -> None:
    """A recording's copy may have lost the kernel's links; no file of a person is taken for one."""
    tree = tree_of({"/proc/self/namespace": text, "/etc/podinfo/labels": text})
    refused = {
        path: Unknown(f"{path} is refused by the kernel")
        for path in (
            "/proc/self/namespace",
            "/etc/podinfo/labels",
            f"{tmp_path}/proc/self/namespace",
        )
    }

    of_kernel, of_person, live = refused
    assert tree.link(of_kernel) == (refused[of_kernel] if target is None else target)
    assert tree.link(of_person) == refused[of_person]
    assert SystemFiles().link(live) == refused[live]


@pytest.mark.parametrize("most", [0, 1, 2])
def test_absent(tree_of: Callable[..., SystemFiles], tmp_path: Path, most: int) -> None:
    """As many absent files as allowed stay absent until all are closed, with the same reason."""
    kept = OpenFiles(8, absent=most)
    tree = tree_of({"/folder/file": "1"}).keeping(kept)
    paths = ("/later", "/folder/later", "/folder/file")
    reasons = [Unknown(f"{path} is not there") for path in paths[:2]]
    for _ in range(2):
        assert [tree.read(path).content for path in paths] == [*reasons, "1"]

    for path in paths[:2]:
        (tmp_path / path[1:]).write_text("2")

    assert [tree.read(path).content for path in paths] == [*reasons[:most], *"22"[most:], "1"]
    kept.close_all()
    assert [tree.read(path).content for path in paths] == ["2", "2", "1"]
    kept.close_all()


@pytest.mark.parametrize(("most", "held"), [(8, 3), (2, 2), (0, 0)])
def test_kept_and_closed(tree_of: Callable[..., SystemFiles], most: int, held: int) -> None:
    """However often it is read, a file takes one descriptor, never more than allowed."""
    before = SystemFiles().count("/proc/self/fd")
    kept = OpenFiles(most)
    tree = tree_of({"/a": "1", "/b": "2", "/c": "3"}).keeping(kept)
    for _ in range(100):
        found = [tree.read(path).content for path in ("/a", "/b", "/c", "/nowhere", "/")]
        assert found[:3] == ["1", "2", "3"]
    during = SystemFiles().count("/proc/self/fd")
    kept.close_all()

    assert isinstance(before, int)
    assert (during, SystemFiles().count("/proc/self/fd")) == (before + held, before)


@pytest.mark.parametrize("size", [0, READ_BYTES - 1, READ_BYTES, READ_BYTES + 1, 5 * READ_BYTES])
@pytest.mark.parametrize("folder", ["/", ONE_RECORD])
def test_read_in_pieces(tree_of: Callable[..., SystemFiles], folder: str, size: int) -> None:
    """A file is whole, however many readings it takes."""
    assert tree_of({f"{folder}file": "x" * size}).read(f"{folder}file").content == "x" * size


@pytest.mark.parametrize("size", [0, 1, READ_BYTES, MAX_FILE_BYTES, 2 * MAX_FILE_BYTES])
@pytest.mark.parametrize("pieces", [1, 1000, READ_BYTES])
def test_bounded(monkeypatch: pytest.MonkeyPatch, size: int, pieces: int) -> None:
    """One byte more than the limit at most; of a group's file the first part that leaves room."""
    asked: list[int] = []

    def read(_: int, count: int, place: int) -> bytes:
        asked.append(place)
        return b"x" * min(count, pieces, size - place)

    monkeypatch.setattr(os, "pread", read)

    assert len(content(9, MAX_FILE_BYTES, "/proc/x")) == min(size, MAX_FILE_BYTES + 1)
    asked.clear()
    if size < READ_BYTES <= pieces:
        assert (len(content(9, MAX_FILE_BYTES, f"{ONE_RECORD}x")), asked) == (size, [0])
