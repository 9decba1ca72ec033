"""Texts as editors write them: byte order marks, stated encodings, line ends of Windows."""

import ast
from pathlib import Path

import pytest

from onebin import inputs
from onebin.effects import files
from onebin.errors import ProjectError
from onebin.inputs import script
from onebin.model import EntryPoint

from .fakes import context

LINE = "thing==1  # für x\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_byte_order_mark_decides(encoding: str, tmp_path: Path) -> None:
    """What PowerShell redirects into a file is UTF-16 with a mark; pip reads it too."""
    file = tmp_path / "requirements.txt"
    file.write_bytes(LINE.encode(encoding))

    assert LINE == files.read_text(file)


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"a\nb\xe9\n", "it is not UTF-8: byte 0xe9, line 2"),
        (b"\xff\xfea", "it is not UTF-16: byte 0x61, line 1"),
    ],
)
def test_other_bytes_are_named_by_their_line(data: bytes, fault: str, tmp_path: Path) -> None:
    """An editor finds a line, not an offset."""
    file = tmp_path / "uv.lock"
    file.write_bytes(data)

    with pytest.raises(ValueError, match=f"^{fault}$"):
        files.read_text(file)


BLOCK = "# /// script\n# dependencies = ['thing']\n# ///\n"

SCRIPTS = {
    "plain": (BLOCK + "import thing; print('é')\n").encode(),
    "mark": (BLOCK + "import thing; print('é')\n").encode("utf-8-sig"),
    "windows": (BLOCK + "import thing; print('é')\n").replace("\n", "\r\n").encode(),
    "stated": ("# coding: latin-1\n" + BLOCK + "import thing; print('é')\n").encode("latin-1"),
}


@pytest.mark.parametrize("case", SCRIPTS)
def test_script_in_any_encoding_of_python(case: str, tmp_path: Path) -> None:
    """A script that Python runs is read, and packed byte for byte."""
    file = tmp_path / "tool.py"
    file.write_bytes(SCRIPTS[case])

    found = inputs.find(file, ctx=context(tmp_path / "cache")).project()

    assert ("thing",) == found.dependencies
    assert EntryPoint("tool", "") == found.entry
    packed = (found.code / "tool.py").read_bytes()
    assert SCRIPTS[case] == packed
    assert "é" in ast.unparse(ast.parse(packed))


@pytest.mark.parametrize(
    ("table", "named"),
    [
        ({"dependencies": [], "requires-python": ">=3", "tool": {}}, ""),
        ({"dependency": ["thing"]}, "'dependency'"),
        ({"project": {}, "dependencies": [], "name": "x"}, "'project', 'name'"),
    ],
)
def test_fields_that_a_script_does_not_have(table: dict[str, object], named: str) -> None:
    """A misspelled field is not silently left out."""
    found = script.unknown(table, "tool.py")

    assert found.startswith(f"tool.py: {named}: without effect") if named else not found


@pytest.mark.parametrize("end", ["# /// ", "#///", "", "///"])
def test_block_without_its_end(end: str) -> None:
    """Dependencies in a block that is never closed are not silently left out."""
    text = (
        f"#!/usr/bin/env python3\n# /// script\n# dependencies = ['thing']\n{end}\nimport thing\n"
    )

    with pytest.raises(ProjectError, match=r"^tool\.py:2: its metadata has no end"):
        script.metadata(text, where="tool.py")
