"""Files of distributions: found and read once, and never packed when they have changed since."""

import hashlib
import os
from pathlib import Path

import msgspec
import pytest

from onebin.embed.files import FilesBlob
from onebin.errors import ToolError
from onebin.model import Distribution, InsideFile, Pin
from onebin.selection.installed_files import InstalledFile, InstalledFiles, listed

from .fakes import Programs, context

ODD = os.fsdecode(b"a\xff.txt")

FILES = {
    "a.py": True, "a/b.txt": True, ODD: True, "a/.hidden": True, "a/empty": True,
    "a.so": False, "a/__pycache__/b.txt": False, "a/c.pyc": False, "lib.a": False,
}  # fmt: skip
"""Each with whether it may be inside."""


@pytest.fixture
def code(tmp_path: Path) -> Path:
    """A distribution's folder, where the cache has it."""
    folder = tmp_path / "cache" / "distribution" / "key" / "code"
    for name in FILES:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("" if name.endswith("empty") else name.encode("utf-8", "replace").decode())
    (folder / "link").symlink_to("a.py")
    (folder / "folder.py").mkdir()
    return folder


def test_files_are_those_that_the_folder_has(tmp_path: Path, code: Path) -> None:
    """With the digest of each, from the cache too; a link to a file is one."""
    step = InstalledFiles(code, "key")
    ctx = context(tmp_path / "cache", Programs(lambda *_: b""))

    found = ctx.build(step)

    expected = sorted(code / name for name in (*(n for n, is_in in FILES.items() if is_in), "link"))
    assert expected == [file.path for file in found]
    assert [hashlib.sha256(path.read_bytes()).hexdigest() for path in expected] == [
        file.sha256 for file in found
    ]
    assert found == ctx.build(step)
    plain = listed(Distribution(Pin("a", "1", ()), code, "key"))
    assert plain == tuple(msgspec.structs.replace(file, sha256="") for file in found)


def test_folder_may_be_elsewhere(tmp_path: Path, code: Path) -> None:
    """A cache that was moved, or one more copy: paths are below the folder that is given."""
    ctx = context(tmp_path / "cache", Programs(lambda *_: b""))
    found = ctx.build(InstalledFiles(code, "key"))

    moved = ctx.build(InstalledFiles(Path("/other"), "key"))

    assert moved == tuple(
        InstalledFile(Path("/other") / file.path.relative_to(code), file.sha256) for file in found
    )


def test_file_that_has_changed_is_not_packed(tmp_path: Path, code: Path) -> None:
    """The entry of the cache is named: another file would be inside under the right digest."""
    ctx = context(tmp_path / "cache", Programs(lambda *_: b""))
    files = tuple(
        InsideFile(f"{n}", "data", file.path, sha256=file.sha256)
        for n, file in enumerate(ctx.build(InstalledFiles(code, "key")))
    )
    (code / "a/b.txt").write_text("changed")

    with pytest.raises(
        ToolError, match=r"cache/distribution/key: damaged.*b\.txt has changed"
    ) as no:
        ctx.build(FilesBlob(files))

    assert no.value.hint.endswith(f"rm -r {tmp_path}/cache/distribution/key")
    (code / "a/b.txt").write_text("a/b.txt")
    blob, _ = ctx.build(FilesBlob(files))
    assert b"a/b.txt" in blob.read_bytes()
