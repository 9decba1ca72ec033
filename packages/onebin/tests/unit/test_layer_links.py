"""A layer is unpacked by itself: its own links to folders lead on, those of lower layers do not."""

import io
import os
import tarfile
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from .test_hard_links import info, link
from .test_merged_fs import read

Facts = dict[str, tuple[str, int]]

NAMES = ("a", "b", "c", "a/a", "a/b", "b/c", "c/a", "a/b/c", "b/a/c")
TARGETS = ("a", "b", "c", "b/c", ".", "./c/")
steps = st.lists(
    st.tuples(st.sampled_from(("file", "folder")), st.sampled_from(NAMES), st.just(""))
    | st.tuples(
        st.sampled_from(("symlink", "hardlink")), st.sampled_from(NAMES), st.sampled_from(TARGETS)
    ),
    max_size=8,
)


def folder(name: str) -> tarfile.TarInfo:
    return info(name, type=tarfile.DIRTYPE, mode=0o755)


def symlink(name: str, target: str) -> tarfile.TarInfo:
    return info(name, type=tarfile.SYMTYPE, linkname=target, mode=0o777)


def tar_of(*entries: tarfile.TarInfo) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for entry in entries:
            archive.addfile(entry, io.BytesIO(bytes(entry.size)))
    return buffer.getvalue()


def unpacked(steps: list[tuple[str, str, str]], place: Path) -> list[tarfile.TarInfo]:
    """Do the steps in *place* by system calls; return the entries of those that can be done."""
    done = []
    for kind, name, target in steps:
        path = place / name
        try:
            if os.path.lexists(path):
                continue
            if kind == "file":
                path.write_bytes(b"x")
                done.append(info(name, size=1))
            elif kind == "folder":
                path.mkdir()
                done.append(folder(name))
            elif kind == "symlink":
                path.symlink_to(target)
                done.append(symlink(name, target))
            else:
                os.link(place / target, path, follow_symlinks=False)
                done.append(link(name, target))
        except OSError:  # a parent is missing, or a file, or a circle
            continue
    return done


@given(steps)
def test_links_lead_on_as_in_the_kernel(steps: list[tuple[str, str, str]]) -> None:
    """Entries and hard links below a link of the layer itself go where a kernel puts them."""
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(temporary)
        entries = unpacked(steps, place)
        wanted = {f"/{path.relative_to(place)}": path.is_symlink() for path in place.rglob("*")}

    found = read(tar_of(*entries))

    assert {path: entry.kind == "symlink" for path, entry in found.entries.items()} == wanted
    assert not any("no file" in text for layer in found.layers for text in layer.anomalies)


USR = (folder("usr"), info("usr/a", size=1), symlink("bin", "usr"))


@pytest.mark.parametrize(
    ("layers", "wanted"),
    [
        ([(folder("usr"), symlink("bin", "/usr"), info("bin/a"))], ["/bin", "/usr", "/usr/a"]),
        ([(symlink("bin", "../../usr"), info("bin/a"))], ["/bin", "/usr/a"]),
        ([(symlink("a", "b"), symlink("b", "a"), info("a/x"))], None),
        ([USR, (info("bin/b"),)], ["/bin/b", "/usr", "/usr/a"]),
        ([USR, (info("bin/.wh.a"),)], ["/usr", "/usr/a"]),
        ([USR, (info("bin/.wh..wh..opq"),)], ["/usr", "/usr/a"]),
        ([USR, (symlink("bin", "usr"), info("bin/.wh.a"))], ["/bin", "/usr"]),
        ([(info("a", size=1),), (info("a/.wh.b"),)], []),
    ],
)
def test_of_which_layer(
    layers: list[tuple[tarfile.TarInfo, ...]], wanted: list[str] | None
) -> None:
    """Tried on Docker 20.10 with overlay2: a folder takes the place of a lower link or file."""
    found = list(read(*(tar_of(*entries) for entries in layers)).entries)

    assert found == wanted or wanted is None  # a circle: an engine refuses it, and it ends here


@pytest.mark.parametrize(
    "layers",
    [
        [(info("a", size=1, mode=0o4755, uid=1), info("b", mode=0o644, uid=7))],
        [(info("a", size=1, mode=0o644), info("c", mode=0o755), info("b", mode=0o4711, gid=3))],
        [(info("a", size=1, mode=0o4755), info("b", mode=0o600)), (info(".wh.b"),)],
    ],
)
def test_one_file_has_one_mode_and_owner(layers: list[tuple[tarfile.TarInfo, ...]]) -> None:
    """Engines set mode and owner after each link(2): those of the last link are the file's."""
    for entry in layers[0][1:]:
        entry.type, entry.linkname, entry.size = tarfile.LNKTYPE, "a", 0
    last = layers[0][-1]

    entries = read(*(tar_of(*each) for each in layers)).entries

    assert {(each.mode, each.uid, each.gid) for each in entries.values()} == {
        (last.mode, last.uid, last.gid)
    }
    for path in entries:
        assert entries.resolve(path) == entries[path]
