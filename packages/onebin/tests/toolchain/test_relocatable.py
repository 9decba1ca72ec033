"""Isolated objects, checked with the real linker."""

import contextlib
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onebin.errors import ImageError
from onebin.objects.relocatable import is_relocatable, localize_symbols

pytestmark = pytest.mark.toolchain

CC = [sys.executable, "-m", "ziglang", "cc", "-target", "x86_64-linux-musl", "-O1", "-g0"]

LIBRARY = """
static int secret = {number};
int helper(void) {{ return secret; }}
int shared_name = {number};
int PyInit_core(void) {{ return helper() + shared_name; }}
"""


@pytest.fixture(scope="module")
def objects(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """Two objects that define the same four names."""
    folder = tmp_path_factory.mktemp("objects")
    made = []
    for number in (10, 200):
        source = folder / f"lib{number}.c"
        source.write_text(LIBRARY.format(number=number))
        subprocess.run([*CC, "-c", source, "-o", source.with_suffix(".o")], check=True)
        made.append(source.with_suffix(".o").read_bytes())
    return made


def test_two_objects_with_the_same_names_link_and_run(objects: list[bytes], tmp_path: Path) -> None:
    """Each keeps its helper and its data, and is called by its new name."""
    for n, data in enumerate(objects):
        (tmp_path / f"{n}.o").write_bytes(
            localize_symbols(data, "PyInit_core", f"PyInit_pkg{n}__core")
        )
    main = tmp_path / "main.c"
    main.write_text(
        "int PyInit_pkg0__core(void); int PyInit_pkg1__core(void);"
        "int main(void) { return PyInit_pkg0__core() == 20 && PyInit_pkg1__core() == 400 ? 0 : 1; }"
    )

    program = tmp_path / "main"
    subprocess.run([*CC, main, tmp_path / "0.o", tmp_path / "1.o", "-o", program], check=True)

    assert subprocess.run([program], check=False).returncode == 0


def test_same_input_same_bytes(objects: list[bytes]) -> None:
    """Isolation depends only on its arguments."""
    assert localize_symbols(objects[0], "PyInit_core", "x") == localize_symbols(
        objects[0], "PyInit_core", "x"
    )


def test_entry_symbol_must_exist(objects: list[bytes]) -> None:
    """The error names the missing initializer."""
    with pytest.raises(ImageError, match="does not define PyInit_other"):
        localize_symbols(objects[0], "PyInit_other", "x")


@pytest.mark.parametrize(
    "data", [b"", b"\x7fELF", b"not an object at all, but long enough to be read as one......"]
)
def test_not_an_object_is_rejected(data: bytes) -> None:
    """Anything but a relocatable object is refused, whatever its length."""
    assert not is_relocatable(data)
    with pytest.raises(ImageError):
        localize_symbols(data, "PyInit_core", "x")


@given(at=st.integers(0, 4000), value=st.binary(min_size=1, max_size=8))
def test_damaged_object_is_an_error_not_a_crash(
    objects: list[bytes], at: int, value: bytes
) -> None:
    """Damaged anywhere, it is isolated or refused; nothing else is raised."""
    data = bytearray(objects[0])
    data[at : at + len(value)] = value
    with contextlib.suppress(ImageError):
        localize_symbols(bytes(data[: len(objects[0])]), "PyInit_core", "x")


def test_every_cut_is_rejected(objects: list[bytes]) -> None:
    """The symbols of a truncated object are never accepted."""
    header = struct.Struct("<16sHHIQQQIHHHHHH").size
    for cut in range(header):
        with pytest.raises(ImageError):
            localize_symbols(objects[0][:cut], "PyInit_core", "x")
