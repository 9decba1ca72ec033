"""Paths under another root, held against the kernel's own search: openat2(2) with a root."""

import contextlib
import ctypes
import errno
import os
import tempfile
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devops_info_service.facts.root import MAX_LINKS, Root

OPENAT2: Final = 437
"""Its number on every processor: asm-generic/unistd.h."""
RESOLVE_IN_ROOT: Final = 0x10
STEPS: Final = st.sampled_from(("a", "b", "c", ".", "..", ""))
PATHS: Final = st.lists(STEPS, min_size=1, max_size=5).map("/".join)
FULL: Final = PATHS.map("/{}".format)


class OpenHow(ctypes.Structure):
    """``struct open_how`` of linux/openat2.h."""

    _fields_ = tuple((name, ctypes.c_uint64) for name in ("flags", "mode", "resolve"))


def by_the_kernel(root: int, path: str, *, follow: bool) -> int | None:
    """Return the inode at *path*, ``None`` if there is none."""
    flags = os.O_PATH | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW)
    how = OpenHow(flags, 0, RESOLVE_IN_ROOT)
    call = ctypes.CDLL(None, use_errno=True).syscall
    found = call(OPENAT2, root, path.encode(), ctypes.byref(how), ctypes.sizeof(how))
    if found < 0:
        number = ctypes.get_errno()
        if number in {errno.ENOSYS, errno.EPERM}:
            pytest.skip("no openat2(2): Linux 5.6, and no filter against it")
        return None
    try:
        return os.fstat(found).st_ino
    finally:
        os.close(found)


def by_root(root: Root, path: str, *, follow: bool) -> int | None:
    try:
        return os.lstat(root.resolve(path, follow=follow)).st_ino
    except OSError:
        return None


@settings(max_examples=min(200, 4 * settings().max_examples))
@given(
    made=st.lists(st.tuples(PATHS, st.just("folder") | st.just("file") | PATHS | FULL), max_size=8),
    paths=st.lists(st.tuples(FULL, st.booleans()), min_size=1, max_size=12),
)
def test_paths_are_those_of_the_kernel(
    made: list[tuple[str, str]], paths: list[tuple[str, bool]]
) -> None:
    """In any order; a path that the kernel does not find leads to nothing outside."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "root")
        folder.mkdir()
        for place, kind in made:
            with contextlib.suppress(OSError):
                make(folder, place, kind)
        inside = {path.lstat().st_ino for path in (folder, *folder.rglob("*"))}
        root, descriptor = Root(str(folder)), os.open(folder, os.O_PATH)
        try:
            for path, follow in paths:
                expected = by_the_kernel(descriptor, path, follow=follow)
                found = by_root(root, path, follow=follow)
                assert found == expected or (expected is None and found in inside), path
        finally:
            os.close(descriptor)


def make(folder: Path, place: str, kind: str) -> None:
    """Make a folder, a file or a link, and the folders above it."""
    path = folder / "/".join(step for step in place.split("/") if step not in {"", ".", ".."})
    path.parent.mkdir(parents=True, exist_ok=True)
    if kind == "folder":
        path.mkdir()
    elif kind == "file":
        path.touch(exist_ok=False)
    else:
        path.symlink_to(kind)


def test_links_in_a_circle(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("/b")
    (tmp_path / "b").symlink_to("a")

    with pytest.raises(OSError, match="Too many levels"):
        Root(str(tmp_path)).resolve("/a")


@pytest.mark.parametrize("number", [MAX_LINKS, MAX_LINKS + 1])
def test_links_in_a_row(tmp_path: Path, number: int) -> None:
    """As many as the kernel follows."""
    (tmp_path / "0").touch()
    for index in range(number):
        (tmp_path / f"{index + 1}").symlink_to(f"/{index}")
    root = os.open(tmp_path, os.O_PATH)

    expected = by_the_kernel(root, f"/{number}", follow=True)
    os.close(root)

    assert by_root(Root(str(tmp_path)), f"/{number}", follow=True) == expected
    assert (expected is None) == (number > MAX_LINKS)
