"""Script files of a wheel as starts: which can be one, how they are read, what runs before them."""

import ast
import inspect
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

import pytest

from onebin import inputs
from onebin.errors import ProjectError
from onebin.inputs import Given, script_files
from onebin.model import EntryPoint, Project
from onebin.planning import require_start
from onebin.selection.start import with_first

from .fakes import context

METADATA = "Metadata-Version: 2.1\nName: made\nVersion: 7\n"
TOOL = b"#!python\nimport made\n"


def project(root: Path, files: Mapping[str, bytes], points: str = "", chosen: str = "") -> Project:
    """Read a wheel with the script *files*."""
    file = root / "made-7-py3-none-any.whl"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("made-7.dist-info/METADATA", METADATA)
        archive.writestr("made-7.dist-info/entry_points.txt", points)
        archive.writestr("made.py", "")
        record = ""
        for name, data in files.items():
            archive.writestr(f"made-7.data/scripts/{name}", data)
            record += f"made-7.data/scripts/{name},,\n"
        archive.writestr("made-7.dist-info/RECORD", record)
    return inputs.find(file, Given(entry_point=chosen), context(root / "cache")).project()


@pytest.mark.parametrize(
    ("first", "kind"),
    [
        (b"#!python\n", ""), (b"#!python\r\n", ""), (b"#!pythonw\n", ""), (b"#!python", ""),
        (b"#!/usr/bin/python3.14 -u\n", ""), (b"#! /usr/bin/env python3\n", ""),
        (b"#!/usr/bin/env -S python3 -X utf8\n", ""), (b"#!/opt/my python/bin/python\n", ""),
        (b"#!/bin/sh\n", "a shell script"), (b"#!/usr/bin/env bash\n", "a shell script"),
        (b"#!/usr/bin/env node\n", "not Python"), (b"@echo off\r\n", "not Python"),
        (b"import sys\n", "not Python"), (b"", "not Python"), (b"#!pythonic\n", "not Python"),
        (b"\x7fELF\x02\x01", "compiled"),
    ],
)  # fmt: skip
def test_the_first_line_decides(tmp_path: Path, first: bytes, kind: str) -> None:
    """As setuptools and installers read it."""
    (tmp_path / "tool").write_bytes(first)

    found = script_files.found(tmp_path)

    assert ([*found.python], found.others) == (([], {"tool": kind}) if kind else (["tool"], {}))


@pytest.mark.parametrize(
    ("files", "points", "chosen", "entry"),
    [
        # The only one is taken: a shell script does not count.
        ({"tool": TOOL, "tool.sh": b"#!/bin/sh\n"}, "", "", "tool"),
        ({"tool": TOOL, "other": TOOL}, "", "other", "other"),
        ({"tool": TOOL, "made": TOOL}, "", "", "made"),
        ({"tool": TOOL}, "[console_scripts]\nmade = made:main", "", "made:main"),
        ({"tool": TOOL}, "[console_scripts]\nmade = made:main", "tool", "tool"),
        # An installer writes the function over the file.
        ({"made": TOOL}, "[console_scripts]\nmade = made:main", "made", "made:main"),
        ({"tool": TOOL}, "", "made:run", "made:run"),
        ({"tool": TOOL}, "", "-m made", "made"),
    ],
)
def test_a_script_file_is_chosen_as_a_script(
    tmp_path: Path, files: Mapping[str, bytes], points: str, chosen: str, entry: str
) -> None:
    """By its name, or since it is the only one, or has the project's name."""
    found = project(tmp_path, files, points, chosen)

    starts = {*files, *(["made"] if points else [])} - {"tool.sh"}
    assert ({*found.starts}, len(found.not_starts)) == (starts, int("tool.sh" in files))
    assert str(found.entry) == (f"{entry}, a script file" if entry in files else entry)
    if entry in files:
        assert found.entry == EntryPoint("__main__", "", entry, TOOL.decode())


@pytest.mark.parametrize(
    ("files", "chosen", "message", "hint"),
    [
        ({"a": TOOL, "b": TOOL}, "", "no entry point", "one of a, b"),
        ({"a": TOOL, "b": TOOL}, "c", "c is not in", "known are a, b"),
        ({"a": b"#!/bin/sh\n", "b": TOOL}, "a", "'a': a shell script", "known are b"),
        ({"a": b"#!/bin/sh\n"}, "", r"programs are files: 'a' \(a shell script\)", "module:funct"),
        ({"a.py": b"'''"}, "a.py", "'a.py': without a first line #!python", "module:function"),
        ({"a": b"\x7fELF"}, "", r"'a' \(compiled\)", "a compiled one is not Python"),
        ({"a": b"#!python\nprint 1\n"}, "", "script file 'a': cannot be read as Python 3", "-m"),
        ({"a": b"#!python\n'\xff'\n"}, "", "script file 'a': cannot be read", "another start"),
    ],
)
def test_an_impossible_start_is_named(
    tmp_path: Path, files: Mapping[str, bytes], chosen: str, message: str, hint: str
) -> None:
    """With the starts that there are."""
    with pytest.raises(ProjectError, match=message) as caught:
        require_start(project(tmp_path, files, chosen=chosen))
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("data", "value"),
    [
        ("#!python\n# -*- coding: latin-1 -*-\nx = 'é'\n".encode("latin-1"), "é"),
        ("#!python\n# vim: fileencoding=cp1252\nx = '€'\n".encode("cp1252"), "€"),
        ("#!python\nx = 'é'\n".encode(), "é"),
        (b"#!python\r\nx = 'a'\r\n", "a"),
        (b"#!python\n# coding: ascii\nx = '''\n# coding: latin-1'''\n", "\n# coding: latin-1"),
    ],
)
def test_a_script_is_read_in_its_encoding(tmp_path: Path, data: bytes, value: str) -> None:
    """It is UTF-8 inside, and must not state another one."""
    (tmp_path / "tool").write_bytes(data)
    names: dict[str, object] = {}

    exec(script_files.text(tmp_path / "tool").encode(), names)

    assert names["x"] == value


@pytest.mark.parametrize(
    "text",
    [
        "#!python\nx = here()\n",
        "#!python\n'''Usage.'''\nx = here()\n",
        "#!python\n'''Usage: é\nmore'''  # comment\nx = here()\n",
        "#!python\n'Usage.'; x = here()\n",
        "#!python\n'Usage.';\nx = here()\n",
        "#!python\nfrom __future__ import annotations\nx = here()\n",
        "#!python\n'''Usage.'''\nfrom __future__ import (\n annotations,\n)\nx = here()\n",
        "#!python\nif True:\n    x = here()\n",
        "#!python\n# coding: utf-8\n\n1\nx = here()\n",
        "#!python\n'''Usage.'''\nx = here()",
    ],
)
def test_output_is_line_buffered_before_the_script_runs(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its lines keep their numbers, its docstring and its future imports their places."""
    calls: list[dict[str, bool]] = []
    stdout = SimpleNamespace(reconfigure=lambda **options: calls.append(options))
    monkeypatch.setattr(sys, "stdout", stdout)
    made = with_first(text, ["json"])

    def here() -> tuple[int, int]:
        return inspect.stack()[1].lineno, len(calls)

    names: dict[str, object] = {"here": here}
    exec(compile(made, "tool", "exec"), names)
    plain: dict[str, object] = {"here": here}
    exec(compile(text, "tool", "exec"), plain)

    assert names["x"] == plain["x"]
    assert calls == [{"line_buffering": True}]
    assert ast.get_docstring(ast.parse(text)) == ast.get_docstring(ast.parse(made))
    assert {*names} - {*plain} == {"json"}


def test_what_cannot_be_read_here_stays_as_it_is() -> None:
    """The Python of the build may be older than the script."""
    assert with_first("#!python\n1 +\n", []) == "#!python\n1 +\n"
