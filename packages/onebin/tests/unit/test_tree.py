"""The table of files inside: found again by the search that the executable makes."""

import bisect
from pathlib import Path

import lz4.block
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onebin.embed.files import FilesBlob, packed, table_text
from onebin.embed.tree import ROOT, Names, Row, rows
from onebin.model import FrozenModule, InsideFile, ModuleImports

from .fakes import Programs, context

parts = st.text("ab-0ü\udcff", min_size=1, max_size=3)
paths = st.lists(parts, min_size=1, max_size=4).map("/".join)


def lookup(table: tuple[Row, ...], path: str) -> Row | None:
    """Find *path* as files.c does: by binary search among the children, as bytes."""
    row = table[ROOT]
    for part in path.split("/"):
        if row.file is not None:
            return None
        children = table[row.first : row.first + row.children]
        names = [child.name.encode("utf-8", "surrogateescape") for child in children]
        place = bisect.bisect_left(names, part.encode("utf-8", "surrogateescape"))
        if place == len(names) or children[place].name != part:
            return None
        row = children[place]
    return row


@given(st.sets(paths, max_size=20))
def test_every_path_is_found_and_no_other(wanted: set[str]) -> None:
    """A file, or each folder above one; parents lead back to the root."""
    files = {path for path in wanted if not any(other.startswith(f"{path}/") for other in wanted)}
    table = rows(InsideFile(path, "data", text=path) for path in files)

    for path in files:
        found = lookup(table, path)
        assert found is not None
        assert found.file is not None
        assert path == found.file.path
        climbed = [found.name]
        while found.parent != ROOT:
            found = table[found.parent]
            climbed.append(found.name)
        assert path == "/".join(reversed(climbed))
    folders = {
        "/".join(path.split("/")[:n]) for path in files for n in range(1, path.count("/") + 1)
    }
    assert len(files) + len(folders) + 1 == len(table)
    assert lookup(table, "none") is None


@pytest.mark.parametrize("wrong", [("a", "a"), ("a", "a/b"), ("a/b", "a")])
def test_path_that_is_twice_there_is_refused(wrong: tuple[str, str]) -> None:
    """The selection has decided which file it is; the table does not guess."""
    with pytest.raises(ValueError, match=": "):
        rows(InsideFile(path, "data", text="") for path in wrong)


def test_names_are_stored_once() -> None:
    """Each ends with a zero byte."""
    names = Names()

    assert [0, 2, 0] == [names.place("a"), names.place("ü"), names.place("a")]
    assert "a\0ü\0".encode() == names.data()


def test_contents_are_packed_where_that_is_smaller_and_stored_once(tmp_path: Path) -> None:
    """The date of a file follows from its contents, wherever it is."""
    texts = ["x" * 1000, "random", "x" * 1000, "", "x" * 999 + "y"]
    files = tuple(InsideFile(f"{n}", "data", text=text) for n, text in enumerate(texts))

    blob, stored = context(tmp_path, Programs(lambda *_: b"")).build(FilesBlob(files))

    assert [1000, 6, 1000, 0, 1000] == [item.size for item in stored]
    assert stored[0] == stored[2]
    assert stored[0].stored < 1000
    assert b"random" == blob.read_bytes()[stored[1].data :][:6]
    assert stored[0].mtime != stored[4].mtime


def test_of_a_change_one_package_is_packed_again(tmp_path: Path) -> None:
    """Each file is found where it is, each content is stored once, whatever package has it."""
    site = "lib/python3.14/site-packages"
    texts = {
        "bin/app": "script", "lib/python3.14/os.py": "x" * 900, "lib/python3.14/json/a.py": "y" * 9,
        f"{site}/a/b.py": "z" * 500, f"{site}/a/c.py": "x" * 900, f"{site}/top.py": "",
        f"{site}/b/c/d.py": "b" * 300, f"{site}/a-1.dist-info/METADATA": "b" * 300,
    }  # fmt: skip

    def stored(texts: dict[str, str]) -> tuple[list[Path], int]:
        ctx = context(tmp_path, Programs(lambda *_: b""))
        table = rows(InsideFile(path, "data", text=text) for path, text in texts.items())
        blobs, places = packed(table, ctx)
        data = b"".join(blob.read_bytes() for blob in blobs)
        for path, text in texts.items():
            place = places[path]
            part = data[place.data :][: place.stored]
            is_packed = place.stored < place.size
            read = lz4.block.decompress(part, place.size) if is_packed else part
            assert text == read.decode(), path
        return blobs, len({place.data for place in places.values() if place.size})

    first, contents = stored(texts)
    second, _ = stored(texts | {f"{site}/a/b.py": "changed"})

    assert 5 == contents
    assert 1 == len({*first} - {*second})


def test_table_of_modules_points_to_files_and_code(tmp_path: Path) -> None:
    """A module's code begins where that of those before it ends; one in C has a file alone."""
    code = tmp_path / "code"
    code.write_bytes(b"\x01\0\0\0\x64\0\0\0packed")
    modules = [
        FrozenModule(name, is_package, code, 14, "key", ModuleImports())
        for name, is_package in (("b", False), ("a", True))
    ]
    files = [
        InsideFile("lib/a/__init__.pyc", "code", module="a"),
        InsideFile("lib/b.pyc", "code", module="b"),
        InsideFile("lib/c.abi3.so", "extension", text="", module="c"),
        InsideFile("bin/python3", "interpreter"),
    ]

    text = table_text(rows(files), {}, modules, ["key/blob", "other/blob"])

    lines = text.splitlines()
    start = lines.index("file_modules:")
    fields = [line.removeprefix(".long ").split(", ")[2:] for line in lines[start + 1 : start + 4]]
    assert [["14", "14", "1"], ["0", "14", "0"], ["0", "0", "0"]] == fields
    assert "file_module_count: .long 3" in lines
    # A .pyc is 16 bytes longer than the code, which is 100 bytes unpacked.
    assert sum(line.split(", ")[2:5] == ["3", "0", "116"] for line in lines) == 2
    assert lines[-3:-1] == ['.incbin "key/blob"', '.incbin "other/blob"']
