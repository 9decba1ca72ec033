"""Libraries that code loads when it is imported: an obstacle of the plan, not a failing program."""

import hashlib
import io
import zipfile
from pathlib import Path

import msgspec
import pytest

from onebin import distributions
from onebin.distributions import loaded_libraries
from onebin.effects.process import run
from onebin.model import Obstacle, Pin

from .conftest import Put
from .fakes import context, project_plan


@pytest.mark.parametrize(
    ("file", "text", "library"),
    [
        ("a/b.py", 'ctypes.util.find_library("pq")', "pq"),
        ("a.py", "CDLL('libmagic.so.1')", "magic"),
        ("a.py", "cdll.LoadLibrary( 'libzbar.so' )", "zbar"),
        ("a.py", 'dlopen(ffi, "libcairo-2")', "cairo-2"),
        ("a.py", 'ffi.dlopen("libgobject-2.0.so.0")', "gobject-2.0"),
        ("a.py", 'find_library("c")\nCDLL("libc.so.6")\nCDLL(None)\nCDLL(name)', ""),
        ("a.py", 'find("pq")', ""),
        ("a.txt", 'find_library("pq")', ""),
        ("tests/a.py", 'find_library("pq")', ""),
    ],
)
def test_first(tmp_path: Path, file: str, text: str, library: str) -> None:
    """By the name that the loader gets, in modules that a program imports."""
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).write_text(text)

    found = loaded_libraries.first(tmp_path)

    assert (library, file) == found if library else found is None


def change(shelf: Path, pin: Pin, name: str, data: bytes) -> Pin:
    """Add a file to the wheel of *pin* and return the pin with its new hash."""
    (wheel,) = shelf.glob(f"{pin.name}-*.whl")
    with zipfile.ZipFile(wheel, "a") as archive:
        archive.writestr(name, data)
    sha256 = hashlib.sha256(wheel.read_bytes()).hexdigest()
    return msgspec.structs.replace(pin, hashes=(f"sha256:{sha256}",))


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("thing/a.py", b"find_library('pq')", "thing/a.py loads PostgreSQL's libpq"),
        ("thing/a.py", b"find_library('m')", ""),
        ("thing/lib.so", b"\x7fELF", "contains the shared object thing/lib.so"),
    ],
)
def test_plan(
    put_wheel: Put, shelf: Path, tmp_path: Path, name: str, data: bytes, reason: str
) -> None:
    """What a wheel's files show is known before anything is built."""
    pin = change(shelf, put_wheel("thing"), name, data)
    plan = project_plan(tmp_path / "project", [pin], "")

    (found,) = distributions.offers(plan, "3.13", context(tmp_path / "cache", run, io.StringIO()))

    assert bool(reason) is isinstance(found, Obstacle)
    if isinstance(found, Obstacle):
        assert reason in found.reason
        assert found.hint
