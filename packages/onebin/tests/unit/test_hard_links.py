"""Names of one file in a stack of layers: as a kernel has them that applied the layers."""

import io
import os
import tarfile
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onebin.inspection import census
from onebin.inspection.budget import Budget
from onebin.inspection.merged_fs import MergedFilesystem, extract

from .test_merged_fs import read, stack

NAMES = ("a", "b", "d/a", "d/b", "e/f/a")
FOLDERS = ("d", "e", "e/f")

sizes = st.integers(0, 30)
files = st.tuples(st.just("file"), st.sampled_from(NAMES), sizes)
links = st.tuples(st.just("link"), st.sampled_from(NAMES), st.sampled_from(NAMES))
layers = st.lists(
    st.tuples(
        st.sets(st.sampled_from(NAMES + FOLDERS), max_size=3),
        st.lists(files | links, max_size=6),
    ),
    min_size=1,
    max_size=4,
)


def tar_of(folder: Path, whiteouts: set[str], steps: list[tuple[str, str, object]]) -> bytes:
    """Apply one layer to *folder* by system calls; return it as a tar."""
    buffer = io.BytesIO()
    own: set[str] = set()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name in sorted(whiteouts):
            above, _, last = name.rpartition("/")
            archive.addfile(tarfile.TarInfo(f"{above}/.wh.{last}".lstrip("/")))
            path = folder / name
            for each in sorted(path.rglob("*"), reverse=True):
                each.rmdir() if each.is_dir() else each.unlink()
            if path.is_dir():
                path.rmdir()
            path.unlink(missing_ok=True)
        for number, (kind, name, what) in enumerate(steps):
            path = folder / name
            if kind == "link" and (what not in own or what == name):
                continue  # an engine would refuse the layer
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)
            entry = tarfile.TarInfo(name)
            if kind == "file":
                data = bytes([number]) * int(str(what))
                path.write_bytes(data)
                entry.size = len(data)
                archive.addfile(entry, io.BytesIO(data))
            else:
                os.link(folder / str(what), path)
                entry.type, entry.linkname = tarfile.LNKTYPE, str(what)
                archive.addfile(entry)
            own.add(name)
    return buffer.getvalue()


@given(layers)
def test_as_the_kernel_has_them(made: list[tuple[set[str], list[tuple[str, str, object]]]]) -> None:
    """Names, the files they share, their bytes and the waste agree with applied layers."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        tars = [tar_of(folder, *layer) for layer in made]
        there = sorted(path for path in folder.rglob("*") if path.is_file())
        inodes: dict[int, set[str]] = {}
        for path in there:
            inodes.setdefault(path.stat().st_ino, set()).add(f"/{path.relative_to(folder)}")
        contents = {f"/{path.relative_to(folder)}": path.read_bytes() for path in there}
        held = sum((folder / min(names)[1:]).stat().st_size for names in inodes.values())

    blobs, saved = stack(*tars)
    found = read(*tars)
    entries = {path: each for path, each in found.entries.items() if each.kind != "directory"}
    shared: dict[int, set[str]] = {}
    for name, entry in entries.items():
        shared.setdefault(entry.data, set()).add(name)
    read_back = {path: io.BytesIO() for path in entries}
    wanted = [(entries[path], sink) for path, sink in read_back.items()]
    extract(blobs, saved, found, wanted, Budget("it"))

    assert sorted(map(sorted, shared.values())) == sorted(map(sorted, inodes.values()))
    assert {path: sink.getvalue() for path, sink in read_back.items()} == contents
    assert found.entries.file_bytes == held
    # Each file is listed as one once, and the other names lead to it.
    firsts = [path for path, entry in entries.items() if entry.kind == "file"]
    assert len(firsts) == len(inodes)
    for entry in entries.values():
        assert entry.kind == "file" or f"/{entry.link}".replace("//", "/") in contents


def one(*entries: tarfile.TarInfo) -> MergedFilesystem:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for entry in entries:
            archive.addfile(entry, io.BytesIO(b"\x7fELF"[: entry.size]))
    return read(buffer.getvalue())


def info(name: str, **facts: object) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    for key, value in facts.items():
        setattr(made, key, value)
    return made


def link(name: str, target: str) -> tarfile.TarInfo:
    return info(name, type=tarfile.LNKTYPE, linkname=target)


@pytest.mark.parametrize(
    ("entries", "kind"),
    [
        ((info("s", type=tarfile.SYMTYPE, linkname="a"), link("h", "s")), "symlink"),
        ((info("p", type=tarfile.FIFOTYPE), link("h", "p")), "fifo"),
        ((info("f", size=4), link("g", "./f"), link("h", "/g")), "hardlink"),
        ((link("h", "none"),), "hardlink"),
        ((info("d", type=tarfile.DIRTYPE), link("h", "d")), "hardlink"),
    ],
)
def test_what_it_is_a_name_of(entries: tuple[tarfile.TarInfo, ...], kind: str) -> None:
    """A hard link may lead to a link or a device (link(2)); one to no file has no data."""
    found = one(*entries).entries["/h"]

    assert found.kind == kind
    assert bool(found.data) == (len(entries) == 3)


def test_a_link_to_a_lower_layer_is_one_to_no_file() -> None:
    """Engines unpack a layer by itself: link(2) finds nothing (tried with Docker 20.10)."""
    tars = []
    for entries in ([info("a", size=1)], [link("b", "a"), info("a"), link("c", "a")]):
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as archive:
            for entry in entries:
                archive.addfile(entry, io.BytesIO(bytes(entry.size)))
        tars.append(buffer.getvalue())

    assert read(*tars).layers[1].anomalies == ("b is a hard link to no file of its layer",)


def test_records_of_aufs_are_no_files() -> None:
    """What hard links lead to in AUFS's own folder is their data, and no file of the image."""
    found = one(
        info(".wh..wh.aufs"),
        info(".wh..wh.plnk", type=tarfile.DIRTYPE),
        info(".wh..wh.plnk/1.2", size=4),
        link("bin/app", ".wh..wh.plnk/1.2"),
    )

    assert list(found.entries) == ["/bin/app"]
    assert found.entries["/bin/app"].program == "elf"
    assert found.wasted_bytes == 0


def test_a_key_under_a_second_name() -> None:
    """A hard link called as a key is one, and setuid of either name is of the file."""
    found = one(info("a", size=1, mode=0o644), link("tls/server.key", "a"))
    files = census.take(found.entries, None, Budget("it"))
    assert list(files.secrets.evidence) == ["/tls/server.key"]

    second = link("b", "a")
    second.mode = 0o4755
    files = census.take(one(info("a", size=1), second).entries, None, Budget("it"))
    assert list(files.privileged.evidence) == ["/a (mode 4755)"]
