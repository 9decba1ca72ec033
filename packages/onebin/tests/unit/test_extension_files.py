"""The files of C modules inside an executable: named as a wheel names them, and empty."""

from pathlib import Path

import pytest

from onebin.model import Distribution, Extension, InsideFile, Pin
from onebin.selection import extension_files

SITE = "lib/python3.14/site-packages/"


@pytest.mark.parametrize(
    ("record", "module", "file"),
    [
        ("pkg/_mod.cpython-314.so,sha256=x,1\n", "pkg._mod", "pkg/_mod.cpython-314.so"),
        ("pkg/_mod.abi3.so,,\n", "pkg._mod", "pkg/_mod.abi3.so"),
        ("_mod.so,,\n", "_mod", "_mod.so"),
        ('\n"pkg/a,b.txt",,\npkg-1.data/platlib/pkg/_mod.abi3.so,,\n',
         "pkg._mod", "pkg/_mod.abi3.so"),
        # Without a record it has the name that CPython here gives.
        ("", "pkg._mod", "pkg/_mod.cpython-314.so"),
        ("pkg/_other.abi3.so,,\n", "pkg._mod", "pkg/_mod.cpython-314.so"),
    ],
)  # fmt: skip
def test_the_record_names_the_file(tmp_path: Path, record: str, module: str, file: str) -> None:
    """Without being selected it has none: it cannot be imported."""
    info = tmp_path / "pkg-1.dist-info"
    info.mkdir()
    (info / "RECORD").write_text(record)
    modules = Extension(module, Path(), ""), Extension("pkg._excluded", Path(), "")
    distribution = Distribution(Pin("pkg", "1", ()), tmp_path, "key", modules)

    found = extension_files.files([distribution], modules[:1], SITE, "3.14")

    assert [*found] == [InsideFile(f"{SITE}{file}", "extension", text="", module=module)]
